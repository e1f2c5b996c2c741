"""What somebody who searches may mean: words, one plate or VIN, a telephone number, a case, a trouble code. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers

_WORDS = 6  #: more than that nobody types; each must fit, so fewer find no less
_CASE = re.compile(r"(?:#|case\s+|fall\s+|caso\s+)?(\d{1,9})", re.IGNORECASE)
_CODE = re.compile(r"([PCBU][0-9A-F]{4})(?:-?[0-9A-F]{2})?", re.IGNORECASE)
_NUMBER = re.compile(r"[+\d][\d\s()/.-]{3,24}")


@dataclass(frozen=True, slots=True)
class Asked:
    """`words` each must fit; `wholes` are all of it as one word, in the spellings in which that may stand."""

    words: tuple[str, ...]
    wholes: tuple[str, ...] = ()
    case_id: int | None = None
    code: str | None = None


def asked(text: str, country: str) -> Asked | None:
    """`country` is where a number without its country's code is dialled. None: there is nothing to look for."""
    text = " ".join(text.replace("\x00", " ").split())[:100]
    if not re.search(r"\w", text):
        return None
    found = _CASE.fullmatch(text)
    code = _CODE.fullmatch(text)
    wholes = [text]
    if _NUMBER.fullmatch(text):
        digits = re.sub(r"\D", "", text)
        if digits.startswith("00"):
            wholes.append(digits[2:])
        elif digits.startswith("0") and len(digits) > 1:
            wholes.append(f"{phonenumbers.country_code_for_region(country) or ''}{digits[1:]}")
    return Asked(
        tuple(dict.fromkeys(text.split(" ")))[:_WORDS],
        tuple(one for one in wholes if len(re.sub(r"\W", "", one)) >= 2),
        case_id=int(found[1]) if found else None,
        code=code[1].upper() if code else None,
    )
