"""A migration runs while everybody works, and the old version of the code beside the new one: what it may not do is
refused here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from store.migrate import MIGRATIONS

SQUAWK = Path(sys.executable).parent / "squawk"
#: Taste, and what `telltale migrate` sees to for every migration (it sets both time-outs).
NOT_ASKED = (
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-text-field",
    "prefer-timestamp-tz",
    "prefer-robust-stmts",
    "require-lock-timeout",
    "require-statement-timeout",
    "require-table-schema",
    "identifier-too-long",
)
BEFORE = "0007"  #: what is older made empty databases
SMALL = "the table has a few rows for each dealer or person"
#: What a migration does all the same, and why nobody is held up or misled by it.
EXCEPTIONS = {
    ("0007", "require-concurrent-index-creation"): "only in databases that lack it: those from the first day",
    ("0007", "require-concurrent-index-deletion"): "only in databases that still have it: those from the first day",
    ("0007", "adding-not-nullable-field"): "a table that is emptied in the same breath, and one row of a demo's clock",
    ("0008", "require-concurrent-index-creation"): "the demo phone's texts",
    ("0008", "require-concurrent-index-deletion"): "the demo phone's texts",
    ("0010", "ban-drop-constraint"): "put back wider in the next line",
    ("0010", "constraint-missing-not-valid"): SMALL,
    ("0011", "require-concurrent-index-creation"): SMALL,
    (
        "0012",
        "require-concurrent-index-creation",
    ): "a part of history: what is written there waits about a second for each million rows it has",
    (
        "0022",
        "require-concurrent-index-creation",
    ): "cars: a million are indexed within seconds, and what is written to them waits so long",
    (
        "0047",
        "ban-drop-constraint",
    ): "a couple may share a number: older code finds the first of them, and refuses lists",
    ("0047", "require-concurrent-index-creation"): "owners: a few thousand for each dealer, indexed within a second",
    ("0036", "ban-drop-constraint"): "put back wider in the same statement",
    ("0044", "ban-drop-constraint"): "put back wider in the next line",
    ("0056", "ban-drop-constraint"): "put back wider in the same statement",
    ("0067", "ban-drop-constraint"): "put back wider in the same statement",
    ("0073", "ban-drop-constraint"): "put back wider in the same statement",
}
FILES = [path for path in sorted(MIGRATIONS.glob("*.sql")) if path.name[:4] >= BEFORE]


def told(path: Path) -> dict[str, list[str]]:
    """What squawk, a checker of migrations, has to say: rule -> lines."""
    alone = [] if "transaction:false" in path.read_text() else ["--assume-in-transaction"]
    result = subprocess.run(
        [
            SQUAWK,
            "--reporter",
            "json",
            "--pg-version",
            "15.0",
            *alone,
            *[f"--exclude={rule}" for rule in NOT_ASKED],
            str(path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, list[str]] = {}
    for one in json.loads(result.stdout or "[]"):
        found.setdefault(one["rule_name"], []).append(
            f"line {one['line'] + 1}: {one['message']} {one.get('help') or ''}"
        )
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:4])
def test_a_migration_holds_nobody_up_and_misleads_no_older_version(path: Path) -> None:
    found = {rule: lines for rule, lines in told(path).items() if (path.name[:4], rule) not in EXCEPTIONS}
    assert found == {}, "do it in steps that do not block, or say in EXCEPTIONS why it blocks nobody"


def test_every_exception_is_one() -> None:
    did = {(path.name[:4], rule) for path in FILES for rule in told(path)}
    assert set(EXCEPTIONS) <= did, set(EXCEPTIONS) - did
    assert not [path.name for path in FILES if "squawk-ignore" in path.read_text()], (
        "exceptions stand here, with their reason"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX readings_ts ON readings (ts);",
        "DROP INDEX messages_due;",
        "ALTER TABLE owners ADD COLUMN born date NOT NULL;",
        "ALTER TABLE owners ALTER COLUMN zone TYPE varchar(40);",
        "ALTER TABLE owners RENAME COLUMN zone TO place;",
        "ALTER TABLE owners DROP COLUMN zone;",
        "DROP TABLE feedback;",
        "ALTER TABLE cases ADD CONSTRAINT cases_owner FOREIGN KEY (owner_id) REFERENCES owners (id);",
        "ALTER TABLE owners ALTER COLUMN address SET NOT NULL;",
        "ALTER TABLE owners ADD CONSTRAINT named CHECK (name <> '-');",
        "ALTER TABLE owners RENAME TO people;",
        "ALTER TABLE owners ADD COLUMN token uuid DEFAULT gen_random_uuid();",
        "CREATE UNIQUE INDEX owners_email ON owners (email);",
    ],
)
def test_what_would_hold_everybody_up_or_break_the_older_version_is_refused(statement: str, tmp_path: Path) -> None:
    path = tmp_path / "9001_x.sql"
    path.write_text(f"-- migrate:up\n{statement}\n-- migrate:down\n")
    assert told(path)


def test_an_index_on_a_table_that_everybody_writes_to_is_made_beside_it(tmp_path: Path) -> None:
    """How it is done: a file of its own, outside a transaction."""
    path = tmp_path / "9001_x.sql"
    path.write_text(
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY messages_owner ON messages (dealer_id, "
        "owner_id);\n-- migrate:down\n"
    )
    assert told(path) == {}


def test_no_migration_undoes_itself() -> None:
    """Forward only: what a `down` would drop is what was written meanwhile."""
    for path in MIGRATIONS.glob("*.sql"):
        assert re.split(r"-- migrate:down", path.read_text())[1].strip() == "", path.name
