"""Migrations that have landed are never edited: databases out there have applied what they said."""

from __future__ import annotations

import re

from store.migrate import MIGRATIONS, checksums

LANDED = MIGRATIONS / "checksums.txt"


def test_a_migration_is_what_it_was_when_it_landed() -> None:
    """A new one adds its line (`cd store/migrations && sha256sum NNNN_name.sql >> checksums.txt`); a line that stands
    is never changed.
    """
    result = [line.split(None, 1) for line in LANDED.read_text().splitlines()]
    listed = {name.strip().lstrip("*").partition("_")[0]: checksum for checksum, name in result}
    assert listed == checksums()
    assert {name.strip().lstrip("*") for _, name in result} == {path.name for path in MIGRATIONS.glob("*.sql")}


def test_migrations_have_numbers_of_their_own() -> None:
    names = [path.name for path in MIGRATIONS.glob("*.sql")]
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.sql", name) for name in names)
    assert len({name[:4] for name in names}) == len(names)
