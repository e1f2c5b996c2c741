"""A telephone number as somebody wrote it into a cell or a form: read right, or refused with a word; never turned into
a stranger's number.

"Possible" is not enough: a mistyped or doubled number is mostly possible. So a number must be valid in its country,
nothing but digits and what stands between them may be in the cell, and what can be read in two ways is refused. Whether
a number takes texts is another question: a landline is kept, and rung.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberType

from schemas.errors import BadInput

_T = PhoneNumberType
_DEAR = {
    _T.PREMIUM_RATE: "a premium number",
    _T.SHARED_COST: "a number at shared cost",
    _T.PAGER: "a pager",
    _T.VOICEMAIL: "a mailbox",
    _T.UAN: "a company's number",
    _T.TOLL_FREE: "a free-call number",
    _T.PERSONAL_NUMBER: "a number that is passed on",
}
_MOBILE = (_T.MOBILE, _T.FIXED_LINE_OR_MOBILE)
_BETWEEN = re.compile(r"[\s\-./()]+")
_EXTENSION = re.compile(
    r"(?i)(?:\d|\s|\.)(?:e?xt(?:ension)?|x|dw|durchwahl|int|poste|anexo|app)\b\.?\s*\d|#\s*\d|;ext="
)
_SPREADSHEET = re.compile(r"(?i)\d[.,]?\d*e\+?\d+")  # 4.9176E+12: the digits are gone
_SEVERAL = re.compile(r"[/;,|&\n\r\t]|\s(?:or|oder|o|und|and|y|et|ou)\s", re.IGNORECASE)
_A_NUMBER = 7  #: digits; what is shorter is part of one


def e164(number: str, country: str, *, ours: bool = False) -> str:
    """The number as the whole world dials it; a national one is read as of `country`.

    BadInput says why it is none. `ours`: a dealer's own may be any kind.
    """
    text = _plain(number)
    _refuse_what_is_more(text, number)
    digits = _BETWEEN.sub("", text)
    if not re.fullmatch(r"\+?[0-9]+", digits):
        raise BadInput("phone", f"{number} is no phone number: only digits, and a plus at its beginning")
    found = _one(text, digits, country)
    if found is None:
        raise BadInput("phone", f"{number} is no phone number in {country}: one of another country begins with +")
    dear = None if ours else _DEAR.get(phonenumbers.number_type(found))
    if dear is not None:
        raise BadInput("phone", f"{number} is {dear}: nobody is reached there by text")
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=4096)
def textable(number: str) -> bool:
    """Whether texts can reach this E.164 number: not a landline. What we do not know may be tried."""
    try:
        return int(phonenumbers.number_type(phonenumbers.parse(number))) != _T.FIXED_LINE
    except NumberParseException:
        return False


def _plain(number: str) -> str:
    """Without what cannot be seen, and with digits of every script as ours; a spreadsheet's apostrophe and decimal
    nought are not the number's.
    """
    text = unicodedata.normalize("NFKC", number)
    text = "".join(
        str(unicodedata.digit(c)) if c.isdigit() else "-" if unicodedata.category(c) == "Pd" else c
        for c in text
        if unicodedata.category(c) not in ("Cf", "Mn")
    )
    text = text.replace("\u2212", "-").strip().lstrip("'\u2019`").strip()
    if text[:4].lower() == "tel:":
        text = text[4:].strip()
    return re.sub(r"^(\+?\d{7,})\.0$", r"\1", text)


def _refuse_what_is_more(text: str, number: str) -> None:
    """Extensions, letters, and a second number in the cell."""
    if _SPREADSHEET.search(text):
        raise BadInput(
            "phone", f"{number} was shortened by the spreadsheet: format the column as text and export it again"
        )
    if _EXTENSION.search(text):
        raise BadInput("phone", f"{number} has an extension, and no text reaches one: give a mobile number")
    parts = [sum(c.isdigit() for c in part) for part in _SEVERAL.split(text)]
    parts = [count for count in parts if count]
    if (
        text.find("+", 1) > 0
        or sum(count >= _A_NUMBER for count in parts) > 1
        or (len(parts) > 1 and parts[0] >= _A_NUMBER)
    ):
        raise BadInput("phone", f"{number} is more than one number: give the one that takes texts")
    if any(c.isalpha() for c in text):
        raise BadInput("phone", f"{number} has letters in it: a number is digits alone")


def _one(text: str, digits: str, country: str) -> PhoneNumber | None:
    """The one valid reading; None when there is none. BadInput when there are two."""
    if digits.startswith("+"):
        trunk = re.sub(
            r"^(\+\s*\d{1,3}[\s\-./]*)\(\s*0\s*\)", r"\1", text
        )  # +49 (0)176: the nought in brackets is not dialled from abroad
        return _valid(_BETWEEN.sub("", trunk), None)
    national = _valid(digits, country)
    metadata = PhoneMetadata.metadata_for_region(country)
    trunk_digit = None if metadata is None else metadata.national_prefix
    if trunk_digit != "0" or digits.startswith("0"):
        return national
    # Without plus and without the country's own 0: either the nought was lost, or the plus was
    whole = _valid(f"+{digits}", None)
    if national is None or whole is None or national == whole:
        if whole is not None and whole.country_code != phonenumbers.country_code_for_region(country):
            raise BadInput("phone", f"{digits} may be a number of another country: write it with its + or its 0")
        return national or whole
    if whole.country_code == phonenumbers.country_code_for_region(country) and _mobile(whole) and not _mobile(national):
        return whole
    raise BadInput("phone", f"{digits} can be read in two ways: write it with its + or its 0")


def _mobile(number: PhoneNumber) -> bool:
    return phonenumbers.number_type(number) in _MOBILE


def _valid(digits: str, country: str | None) -> PhoneNumber | None:
    try:
        parsed = phonenumbers.parse(digits, country)
    except NumberParseException:
        return None
    return parsed if phonenumbers.is_valid_number(parsed) else None
