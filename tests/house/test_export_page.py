"""What an owner gets, and what becomes of it, is written down as it is done; and nothing that is held is forgotten."""

from __future__ import annotations

import re
from collections import defaultdict

import asyncpg
import pytest

from dealer_api.desk.export_words import LANGUAGES, SHOWN
from store.not_personal import OTHERS
from store.personal import PARTS
from telltale.export_page import PAGE, page
from tests.conftest import Database


def test_the_page_is_as_fresh_as_the_model() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m telltale.export_page"


async def test_every_table_and_column_is_exported_and_erased_or_says_why_not(database: Database) -> None:
    """Whoever adds a table decides here whether it says something of a person."""
    connection = await asyncpg.connect(database.url)
    rows = await connection.fetch(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    )
    await connection.close()
    there, known = defaultdict(set), defaultdict(set)
    for row in rows:
        if not re.fullmatch(r"readings_(\d{8}|impossible)", row["table_name"]):
            there[row["table_name"]].add(row["column_name"])
    for part in PARTS:
        known[part.table] |= set(part.becomes)
        assert part.hides <= set(part.becomes), part.name
    assert set(there) == set(known) | set(OTHERS) and not set(known) & set(OTHERS) and all(OTHERS.values())
    assert {table: there[table] for table in known} == dict(known)
    assert not [table for table in OTHERS if there[table] & {"owner_id", "from_address", "to_address"}], (
        "says something of an owner"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_for_owners_has_its_words_in_each_language(language: str) -> None:
    assert set(LANGUAGES[language]) == set(LANGUAGES["en"])
    assert set(SHOWN) == {part.name for part in PARTS if part.exported} - {
        "conversation",
        "alert_steps",
        "windows",
        "gaps",
    }
    by_name = {part.name: part for part in PARTS}
    for name, columns in SHOWN.items():
        assert set(columns) <= set(by_name[name].fields) and {name, *columns} <= set(LANGUAGES[language])
