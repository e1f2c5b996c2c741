"""The catalogues of the desk are whole: every message of every template, script and sentence is said in each language,
with the same places in it, and nothing stands there that nobody says.
"""

from __future__ import annotations

import re

import pytest

from dealer_api import reader
from dealer_api.desk import phrases
from dealer_api.desk.languages import catalogue

_PLACE = re.compile(r"(?<!\{)\{(\w+)\}")
_OTHERS = tuple(tag for tag in reader.LANGUAGES if tag != reader.ENGLISH)


@pytest.fixture(scope="module")
def said() -> dict[str, str | None]:
    return {message: many for message, (many, _) in phrases.phrases().items()}


def _forms(found: object) -> tuple[str, ...]:
    return tuple(found) if isinstance(found, tuple | list) else (str(found or ""),)


@pytest.mark.parametrize("language", _OTHERS)
def test_every_message_is_translated_and_none_is_left_over(language: str, said: dict[str, str | None]) -> None:
    there = {_forms(one.id)[0]: _forms(one.string) for one in catalogue.read(language) if one.id}
    assert [message for message in said if not all(there.get(message, ("",)))] == [], (
        "run: python -m dealer_api.desk.phrases, then translate what is empty"
    )
    assert [message for message in there if message not in said] == [], "run: python -m dealer_api.desk.phrases"


@pytest.mark.parametrize("language", _OTHERS)
def test_translations_have_the_places_of_their_message(language: str) -> None:
    wrong = []
    for one in catalogue.read(language):
        ids, forms = _forms(one.id), _forms(one.string)
        places = {name for text in ids for name in _PLACE.findall(text)}
        for n, form in enumerate(forms):
            theirs = set(_PLACE.findall(form))
            must = set(_PLACE.findall(ids[-1])) if n == len(forms) - 1 else set()
            if theirs - places or must - theirs:
                wrong.append((ids[0], form))
    assert wrong == []


@pytest.mark.parametrize("language", _OTHERS)
def test_there_are_as_many_plurals_as_the_language_has(language: str) -> None:
    po = catalogue.read(language)
    assert [one.id for one in po if isinstance(one.id, tuple | list) and len(one.string) != po.num_plurals] == []


@pytest.mark.parametrize("language", _OTHERS)
def test_no_markup_comes_out_of_a_catalogue_that_its_message_has_not(language: str) -> None:
    wrong = [
        one.id
        for one in catalogue.read(language)
        if one.id and any("<" in form or ">" in form for form in _forms(one.string)) and "<" not in str(one.id)
    ]
    assert wrong == []
