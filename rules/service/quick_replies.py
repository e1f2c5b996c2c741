"""Answers that are ready, with fields: which there are, and what becomes of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from schemas.account import Staff
from schemas.errors import BadInput

#: What stands for what; a field that nothing is known for stays to be filled in.
FIELDS: Mapping[str, str] = {
    "owner": "how the owner is called",
    "vehicle": "their car; of several the one with an open case",
    "plate": "its plate",
    "dealer": "how you are called",
    "phone": "your telephone number",
    "me": "whoever answers",
}
LONGEST_TITLE, LONGEST_BODY = 60, 600
_FIELD = re.compile(r"\{([^{}]*)\}")
_MENTION = re.compile(r"(?<![\w@])@([\w.\-]+)")


def checked(title: str, body: str) -> tuple[str, str]:
    """Both as they are kept. BadInput for one without words, or with a field that there is not."""
    title, body = " ".join(title.split()), body.strip()
    if not 0 < len(title) <= LONGEST_TITLE:
        raise BadInput("title", f"takes 1 to {LONGEST_TITLE} characters")
    if not 0 < len(body) <= LONGEST_BODY:
        raise BadInput("body", f"takes 1 to {LONGEST_BODY} characters")
    unknown = [name for name in _FIELD.findall(body) if name not in FIELDS]
    if unknown or _FIELD.sub("", body).count("{") or _FIELD.sub("", body).count("}"):
        wrong = f"{{{unknown[0]}}} is no field" if unknown else "has a brace that is not closed"
        raise BadInput("body", f"{wrong}: there are {', '.join(f'{{{name}}}' for name in FIELDS)}")
    return title, body


def filled(body: str, known: Mapping[str, str]) -> str:
    """With what is known of this owner; what is not stays to be filled in by a person."""
    return _FIELD.sub(lambda field: known.get(field[1]) or field[0], body)


def left_open(body: str) -> str | None:
    """The first field that nobody has filled in: such a text must not leave."""
    return next((field[0] for field in _FIELD.finditer(body) if field[1] in FIELDS), None)


def mentioned(body: str, people: Iterable[Staff]) -> list[Staff]:
    """Colleagues named with an @: by the first name, or the whole one without spaces. BadInput when it is nobody, or
    two.
    """
    found: dict[int, Staff] = {}
    here = [person for person in people if person.disabled_at is None]
    for name in _MENTION.findall(body):
        wanted = name.rstrip(".-").casefold()
        meant = [one for one in here if wanted == "".join(one.name.split()).casefold()] or [
            one for one in here if wanted == one.name.split()[0].casefold()
        ]
        if len(meant) != 1:
            names = " or ".join(f"@{''.join(one.name.split())}" for one in meant)
            raise BadInput(
                "body", f"@{name} could be two: write {names}" if meant else f"nobody here is called @{name}"
            )
        found[meant[0].id] = meant[0]
    return list(found.values())
