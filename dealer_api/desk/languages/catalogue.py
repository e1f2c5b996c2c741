"""What the desk says in one language: gettext's catalogues (`*.po` beside this file), read once."""

from __future__ import annotations

import gettext
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog as Po
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent
_PLACE = re.compile(r"\{(\w+)\}")
#: A made-up language whose every message stands in brackets: what stands outside of them was forgotten.
PSEUDO = "xx"

Pieces = tuple[tuple[str, str], ...]  #: literal text, then the place after it


def pieces(text: str) -> Pieces:
    """The message cut at its places: ((text, place), …, (text, ''))."""
    found = _PLACE.split(text)
    return tuple(
        (literal.replace("{{", "{").replace("}}", "}"), place)
        for literal, place in zip(found[::2], [*found[1::2], ""], strict=True)
    )


@dataclass(frozen=True)
class Catalogue:
    """`messages`: by the English one, the forms of its translation (one, or as many as the language has plurals)."""

    messages: Mapping[str, tuple[Pieces, ...]]
    plurals: Mapping[str, str]  #: of those that count: the English plural
    form: Callable[[int], int]
    spoken: tuple[str, ...]  #: those that Python makes: with them a finished sentence can be read back

    scripts: tuple[str, ...]  #: those of the scripts

    def say(self, message: str, count: int | None = None) -> Pieces:
        """The pieces of that message's translation; of one we do not have, its own."""
        forms = self.messages.get(message)
        if forms is None:
            return pieces(message)
        return forms[self.form(count if count is not None else 1)] if len(forms) > 1 else forms[0]


@cache
def of_scripts(language: str) -> str:
    """What the scripts say, as one JSON table by the English message."""
    known = catalogue(language)
    table = {
        message: "".join(literal + (f"{{{place}}}" if place else "") for literal, place in known.say(message))
        for message in known.scripts
    }
    return json.dumps(table, ensure_ascii=False, separators=(",", ":"))


def path_of(language: str) -> Path:
    return FOLDER / f"{language}.po"


def read(language: str) -> Po:
    """The catalogue as its file has it."""
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


@cache
def catalogue(language: str) -> Catalogue:
    """What the desk says in this language; `xx` is the language in which every message stands in brackets."""
    po = read("de" if language == PSEUDO else language)
    messages: dict[str, tuple[Pieces, ...]] = {}
    plurals: dict[str, str] = {}
    spoken: list[str] = []
    scripts: list[str] = []
    for entry in po:
        if not entry.id:
            continue
        one, many = (entry.id[0], entry.id[1]) if isinstance(entry.id, tuple | list) else (entry.id, None)
        forms = tuple(entry.string) if isinstance(entry.string, tuple | list) else (entry.string,)
        if language == PSEUDO:
            forms = (f"«{one}»", f"«{many}»") if many is not None else (f"«{one}»",)
        if many is not None:
            plurals[one] = many
        if all(forms):
            messages[one] = tuple(pieces(form) for form in forms if form)
        if any(place.endswith(".js") for place, _ in entry.locations):
            scripts.append(one)
        if any(place.endswith(".py") for place, _ in entry.locations):
            spoken.append(one)
    return Catalogue(
        messages=messages,
        plurals=plurals,
        form=gettext.c2py(po.plural_expr),
        spoken=tuple(spoken),
        scripts=tuple(scripts),
    )
