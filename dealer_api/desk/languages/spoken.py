"""Sentences that were made in English by rules, actions and the code of the desk, read back to the phrase that they
were made from and said in the reader's language.

Much of it was stored when it happened (why a rule spoke, why an act was refused), long before anybody read it; and what
makes it knows nothing of readers. So the phrase is found again here, by its own words. Only what the templates name as
a sentence of ours comes here (`SENTENCES`), never what an owner, a car or a colleague wrote.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from dealer_api import reader
from dealer_api.desk.languages import catalogue, headlines

_OWN = (
    6  #: letters that a phrase must have of its own to be found in a part of a sentence, where almost anything fits it
)
_PLACE = re.compile(r"\{(\w+)\}")
#: Places that hold a word of ours and never somebody's: it is looked up as well.
OURS = frozenset(
    """
    meaning noun state reason because reasons and_ what role roles over signal title label
    unit kind event day allowed field tyre axle name_of place component words plain sentence
    says since problem describe left lower proof told why becomes goes who noun value joined join
    """.split()  # noqa: SIM905  # a list of words
)


@cache
def _exact(language: str) -> dict[str, str]:
    """Phrases without places, by how they may stand: as they are, or with another first letter."""
    found: dict[str, str] = {}
    for message in catalogue.catalogue(language).spoken:
        if not _PLACE.search(message):
            found.setdefault(message, message)
    for message in list(found):
        found.setdefault(message[:1].lower() + message[1:], message)
        found.setdefault(message[:1].upper() + message[1:], message)
        found.setdefault(message.lower(), message)
    return found


@cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], str, str], ...]:
    """Phrases with places, those with the most words of their own first: (pattern, its first words, message)."""
    found = []
    for message in catalogue.catalogue(language).spoken:
        parts = _PLACE.split(message)
        if len(parts) > 1 and re.search(r"[A-Za-z]{2}", "".join(parts[::2])):
            pattern, seen = "", set()
            for n, part in enumerate(parts):
                if n % 2 == 0:
                    pattern += re.escape(part.replace("{{", "{").replace("}}", "}"))
                elif part in seen:
                    pattern += f"(?P={part})"
                else:
                    seen.add(part)
                    pattern += f"(?P<{part}>.+?)"
            own = sum(len(part) for part in parts[::2])
            found.append((own, re.compile(pattern, re.DOTALL | re.IGNORECASE), parts[0].lower(), message))
    return tuple(
        (pattern, first, message) for _, pattern, first, message in sorted(found, key=lambda one: (-one[0], one[3]))
    )


def sentence(text: str) -> str:
    """A sentence of ours in the reader's language; one that is none of ours as it stands."""
    language = reader.language()
    return text if language == reader.ENGLISH else _said(language, str(text), 0)


@lru_cache(maxsize=20_000)
def _said(language: str, text: str, depth: int) -> str:
    bare = text.strip()
    if not bare or not re.search(r"[A-Za-z]{2}", bare) or depth > 4:
        return text
    found = _whole(language, bare, depth)
    if found is None and bare[-1] in ".:!?":
        found = _whole(language, bare[:-1], depth)
        found = None if found is None else found + bare[-1]
    if found is None and not bare.endswith((".", ":")):
        found = _whole(language, bare + ".", depth)
        found = None if found is None else found.removesuffix(".")
    if found is None:
        found = _apart(language, bare, depth)
    if found is None:
        return text
    if bare[:1].isupper() and not found[:1].isupper():
        found = found[:1].upper() + found[1:]
    return text.replace(bare, found, 1)


def _whole(language: str, text: str, depth: int) -> str | None:
    headline = headlines.read(language, text)
    if headline is not None:
        return headline
    known = catalogue.catalogue(language)
    exact = _exact(language).get(text)
    if exact is not None:
        return "".join(literal for literal, _ in known.say(exact))
    lowered = text.lower()
    for pattern, first, message in _patterns(language):
        if depth and sum(map(str.isalpha, _PLACE.sub("", message))) < _OWN:
            continue
        if lowered.startswith(first) and (found := pattern.fullmatch(text)):
            values = found.groupdict()
            count = next((int(one) for one in values.values() if one.isdigit()), None)
            return "".join(
                literal
                + (
                    _said(language, values[place], depth + 1)
                    if place.rstrip("0123456789") in OURS
                    else values.get(place, "")
                )
                for literal, place in known.say(message, count)
            )
    return None


def _apart(language: str, text: str, depth: int) -> str | None:
    """Sentences that were put behind one another, each by itself; None when not one of them is ours."""
    numbered = re.fullmatch(r"(.+) (\d+)", text, re.DOTALL)
    if numbered and (noun := _said(language, numbered[1], depth + 1)) != numbered[1]:
        return f"{noun} {numbered[2]}"
    for cut in (r" (?=→)", r"(?<=→) ", r"(?<=[.!?]) (?=[A-Z“])", r"(?<=;) ", r"(?<=: )", r"(?<=,) "):
        parts = re.split(cut, text)
        if len(parts) > 1:
            found = [_said(language, part.strip(), depth + 1) for part in parts]
            if any(one != part.strip() for one, part in zip(found, parts, strict=True)):
                return " ".join(found)
    return None
