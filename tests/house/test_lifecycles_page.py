"""The page of lifecycles says what the tables say."""

from __future__ import annotations

import re
from pathlib import Path

from telltale.lifecycles_page import PAGE, lifecycles, page

GLOSSARY = Path(__file__).resolve().parents[2] / "docs" / "reference" / "glossary.md"
SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
NOT_NOUNS = {"__init__", "errors", "lifecycle", "moment", "contract", "text"}


def test_the_page_is_as_fresh_as_the_tables() -> None:
    assert PAGE.read_text() == page(), "run python -m telltale.lifecycles_page"


def test_every_table_is_on_it_with_every_move() -> None:
    text = PAGE.read_text()
    assert len(lifecycles()) >= 8
    for noun, table in lifecycles().items():
        assert f"## {noun.capitalize()}" in text
        for state, moves in table.moves.items():
            for event, to in moves.items():
                assert re.search(rf"\| {state.value} \| {event.value}[^|]*\| {to.value} \|", text)


def test_every_noun_of_the_house_is_explained() -> None:
    """One noun, one name, on every floor: whoever meets it in the code finds it in the glossary."""
    explained = {
        word.lower()
        for words in re.findall(r"^\*\*(.+?)\*\*", GLOSSARY.read_text(), re.M)
        for word in re.split(r"[ ,/]+", words)
    }
    nouns = {path.stem for path in SCHEMAS.glob("*.py")} - NOT_NOUNS
    assert nouns - explained == set()
