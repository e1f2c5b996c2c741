"""Who may read and write what: every table, every role, tried out and held against docs/reference/rights.md.

A table without a line there fails; so does a right that nobody wrote down, or one that was written down and does not
work.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from store.pool import connect
from store.roles import BACKUP, ROLES
from tests.conftest import Database
from tests.furniture import furnish

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "rights.md"
COLUMNS = ("gateway", "worker", "office", "desk", "owner_page", "backup")
MINE, OTHER = 1, 2  # dealers
TABLES = """
SELECT c.oid, c.relname AS name, c.relkind AS kind, c.relrowsecurity AS secured, c.relforcerowsecurity AS forced,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'dealer_id') AS tenant
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') ORDER BY c.relname
"""
FIELDS = """
SELECT attname AS name, attgenerated <> '' AS made, attidentity = 'a' AS given, has_column_privilege($2, attrelid,
  attnum, 'SELECT') AS read,
       has_column_privilege($2, attrelid, attnum, 'INSERT') AS add, has_column_privilege($2, attrelid, attnum,
         'UPDATE') AS change
FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
FUNCTIONS = """
SELECT p.oid::regprocedure::text AS name, p.prosecdef AS definer, coalesce(array_to_string(p.proconfig, ' '),
  '') AS config,
       has_function_privilege('public', p.oid, 'EXECUTE') AS everybody,
       ARRAY(SELECT r FROM unnest($1::text[]) AS r WHERE has_function_privilege(r, p.oid, 'EXECUTE')) AS callers
FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
      AND d.deptype = 'e') ORDER BY 1
"""


def written(heading: str) -> dict[str, list[str]]:
    """A table of the page by its first column."""
    section = PAGE.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    return {row[0]: row[1:] for row in rows[2:]}


def leaf(name: str) -> str:
    """All day partitions are one line."""
    return re.sub(r"^readings_\d{8}$", "readings_YYYYMMDD", name)


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database.url)
    await furnish(connection)
    yield connection
    await connection.close()


class Trial:
    """One role at one table: what works without a dealer, with a wrong one and with the right one."""

    def __init__(self, connection: Any, table: Any, fields: list[Any], sample: str | None) -> None:
        self._connection, self._table, self._sample = connection, table, sample
        self.readable = [field["name"] for field in fields if field["read"]]
        self.addable = [field["name"] for field in fields if field["add"] and not field["made"]]
        self.changeable = [
            field["name"] for field in fields if field["change"] and not (field["made"] or field["given"])
        ]
        self._where = f"WHERE dealer_id = {MINE}" if table["tenant"] else ""

    async def rights(self) -> str:
        """As the page writes it: `rac` for own rows, `RAC` for all, – for nothing."""
        found = "".join([await self._scope(letter, statement) for letter, statement in self._statements()])
        return found or "–"

    def _statements(self) -> Iterator[tuple[str, str]]:
        name = f'"{self._table["name"]}"'
        if self.readable:
            yield "r", f"SELECT count(*) FROM {name} {self._where}"
        if self.addable and self._sample is not None:
            columns = ", ".join(f'"{column}"' for column in self.addable)
            yield (
                "a",
                f"INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} "
                f"FROM jsonb_populate_record(NULL::{name}, $1::jsonb)",
            )
        if self.changeable:
            column = next((column for column in self.changeable if column in self.readable), self.changeable[0])
            if column in self.readable:
                yield "c", f'UPDATE {name} SET "{column}" = "{column}" {self._where}'
            else:
                yield "c", f'UPDATE {name} SET "{column}" = DEFAULT {self._where}'
        yield "d", f"DELETE FROM {name} {self._where}"

    async def _scope(self, letter: str, statement: str) -> str:
        none, wrong, right = [await self._works(statement, dealer) for dealer in (None, OTHER, MINE)]
        match (none, wrong, right):
            case (False, False, False):
                return ""
            case (False, False, True):
                return letter
            case (True, True, True):
                return letter.upper()
        return f"[{letter}: {none} without a dealer, {wrong} with a wrong one, {right} with the right one]"

    async def _works(self, statement: str, dealer: int | None) -> bool:
        """Whether the role's hand reaches a row of MINE. What only a constraint refuses was let in by the rights."""
        async with undone(self._connection, dealer):
            try:
                if statement.startswith("SELECT"):
                    return bool(await self._connection.fetchval(statement))
                if statement.startswith("INSERT"):
                    await self._connection.execute(statement, self._sample)
                    return True
                return not (await self._connection.execute(statement)).endswith(" 0")
            except (
                asyncpg.InsufficientPrivilegeError,
                asyncpg.ObjectNotInPrerequisiteStateError,
            ):  # the second: a view over several tables
                return False
            except asyncpg.IntegrityConstraintViolationError:
                return True


@asynccontextmanager
async def undone(connection: Any, dealer: int | None) -> AsyncIterator[None]:
    """A transaction as the services open it, rolled back."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        if dealer is not None:
            await connection.execute("SELECT set_config('app.dealer', $1, true)", str(dealer))
        yield
    finally:
        await transaction.rollback()


async def as_role(database: Any, role: str) -> Any:
    """Signed in as that role; nobody signs in as the backup's, the owner becomes it."""
    connection = await connect(database.url if role == "backup" else database.role(role), name="rights")
    if role == "backup":
        await connection.execute(f"SET ROLE {BACKUP}")
    await connection.reset_type_codec("jsonb", schema="pg_catalog")
    return connection


async def test_each_role_can_do_to_each_table_what_is_written_and_nothing_else(admin, database: Database):
    agree(await rights_of_all(admin, database), rights_written())


def rights_written() -> dict[str, list[str]]:
    return {name: cells[: len(COLUMNS)] for name, cells in written("Tables").items()}


async def rights_of_all(admin: Any, database: Any) -> dict[str, list[str]]:
    """What each role can really do to each table."""
    observed: dict[str, list[str]] = {}
    tables = await admin.fetch(TABLES)
    samples = {}
    for table in tables:
        mine = f"WHERE dealer_id = {MINE}" if table["tenant"] else ""
        rows = await admin.fetch(f'SELECT to_jsonb(t)::text AS row FROM "{table["name"]}" t {mine}')
        samples[table["oid"]] = rows[-1]["row"] if rows else None
        assert samples[table["oid"]] or table["name"] == "readings_impossible", (
            f"{table['name']} has no row in tests/integration/store/rows: add one"
        )
    for role in COLUMNS:
        connection = await as_role(database, role)
        for table in tables:
            fields = await admin.fetch(FIELDS, table["oid"], f"telltale_{role}")
            rights = await Trial(connection, table, fields, samples[table["oid"]]).rights()
            observed.setdefault(leaf(table["name"]), []).append(rights)
        await connection.close()
    return observed


def agree(observed: dict[str, list[str]], expected: dict[str, list[str]]) -> None:
    """Each line that differs, as it would have to stand on the page: whoever changes it there says that it is meant."""
    seen, result = (
        [f"| `{name}` | {' | '.join(cells)} |" for name, cells in sorted(table.items())]
        for table in (observed, expected)
    )
    wrong = [f"- {line}" for line in result if line not in seen] + [f"+ {line}" for line in seen if line not in result]
    assert not wrong, "docs/reference/rights.md says (-) what is not so (+):\n" + "\n".join(wrong)


async def test_where_a_role_may_do_less_to_one_column_than_to_another_that_is_written_too(admin):
    """r: may read it, a: may set it in a new row, c: may change it; only tables in which a role's columns differ."""
    observed = {}
    for table in await admin.fetch(TABLES):
        for role in COLUMNS:
            fields = await admin.fetch(FIELDS, table["oid"], f"telltale_{role}")
            for letter, right in (("r", "read"), ("a", "add"), ("c", "change")):
                may = [field["name"] for field in fields if field[right]]
                if (
                    may
                    and len(may) < len(fields)
                    and not (letter != "r" and set(may) >= {f["name"] for f in fields if not f["made"]})
                ):
                    observed[f"{table['name']} {role} {letter}"] = [", ".join(may)]
    agree(observed, written("Columns"))


async def test_rows_of_a_dealer_cannot_be_given_away(admin, database: Database):
    """Whoever sees one dealer's rows only can neither move one to another dealer nor take one from there."""
    for role in ("desk", "owner_page"):
        connection = await as_role(database, role)
        for table in await admin.fetch(TABLES):
            fields = {field["name"]: field for field in await admin.fetch(FIELDS, table["oid"], f"telltale_{role}")}
            if "dealer_id" not in fields or not fields["dealer_id"]["change"] or fields["dealer_id"]["made"]:
                continue
            async with undone(connection, MINE):
                with pytest.raises(asyncpg.PostgresError) as refused:
                    await connection.execute(f'UPDATE "{table["name"]}" SET dealer_id = {OTHER}')
                assert isinstance(
                    refused.value, asyncpg.InsufficientPrivilegeError | asyncpg.ForeignKeyViolationError
                ), table["name"]
        await connection.close()


async def test_every_table_forces_row_security_or_says_why_not(admin):
    without = {leaf(row["name"]) for row in await admin.fetch(TABLES) if not (row["secured"] and row["forced"])}
    reasons = written("Tables without row security")
    assert without == set(reasons) and all(reason[0] for reason in reasons.values())


async def test_no_service_owns_anything_or_reads_past_row_security(admin):
    rows = await admin.fetch("SELECT * FROM pg_roles WHERE rolname LIKE 'telltale\\_%'")
    assert {row["rolname"] for row in rows} == set(ROLES)
    for row in rows:
        assert not (row["rolsuper"] or row["rolcreaterole"] or row["rolcreatedb"] or row["rolreplication"]), row[
            "rolname"
        ]
        assert row["rolbypassrls"] is (row["rolname"] == BACKUP)
        assert row["rolcanlogin"] is (row["rolname"] != BACKUP)
    assert (
        await admin.fetchval(
            "SELECT count(*) FROM pg_class WHERE relowner IN (SELECT oid FROM pg_roles "
            "WHERE rolname LIKE 'telltale\\_%')"
        )
        == 0
    )
    for role in ROLES:
        assert not await admin.fetchval("SELECT has_schema_privilege($1, 'public', 'CREATE')", role)


async def test_every_function_is_closed_to_everybody_but_those_written_down(admin):
    observed = {}
    for row in await admin.fetch(FUNCTIONS, [f"telltale_{role}" for role in COLUMNS]):
        assert not row["everybody"], f"{row['name']}: REVOKE ALL ON FUNCTION … FROM PUBLIC"
        assert "search_path=public, pg_temp" in row["config"] or not row["definer"], (
            f"{row['name']}: SET search_path = public, pg_temp"
        )
        observed[row["name"]] = [", ".join(name.removeprefix("telltale_") for name in row["callers"]) or "–"]
    agree(observed, {name: cells[:1] for name, cells in written("Functions").items()})


async def test_a_door_answers_one_exact_key_and_nothing_near_it(admin, database: Database):
    desk = await as_role(database, "desk")
    hashed = await admin.fetchval("SELECT password_hash FROM sign_ins WHERE email = 'ruth@2.example'")
    assert await desk.fetchval("SELECT password_hash FROM sign_in_of('ruth@2.example')") == hashed
    for near in ("", "%", "ruth@_.example", "RUTH@2.example", "ruth@2.example' OR true --", None):
        assert await desk.fetch("SELECT * FROM sign_in_of($1)", near) == []
        assert await desk.fetchval("SELECT dealer_at($1)", near) is None
    assert await desk.fetch("SELECT * FROM secret_of(NULL, ARRAY['api_key'])") == []
    assert await desk.fetch("SELECT * FROM secret_of(sha256('key 2'), ARRAY['invitation'])") == []
    assert await desk.fetchval("SELECT dealer_id FROM secret_of(sha256('key 2'), ARRAY['api_key'])") == OTHER
    await desk.close()


async def test_a_door_cannot_be_led_astray_by_tables_of_the_callers_own(admin, database: Database):
    """Whoever may make temporary tables could otherwise put one in front of ours."""
    desk = await as_role(database, "desk")
    await desk.execute("CREATE TEMP TABLE sign_ins (email text, dealer_id bigint, staff_id bigint, password_hash text)")
    await desk.execute("INSERT INTO pg_temp.sign_ins VALUES ('me@x.example', 2, 2, 'mine')")
    assert await desk.fetch("SELECT * FROM sign_in_of('me@x.example')") == []
    await desk.close()


async def test_the_owner_page_sees_no_password_and_the_worker_touches_none(admin, database: Database):
    for role in ("owner_page", "worker", "gateway"):
        connection = await as_role(database, role)
        for statement in (
            "SELECT password_hash FROM sign_ins",
            "SELECT * FROM sign_in_of('ruth@1.example')",
            "UPDATE sign_ins SET password_hash = 'mine'",
            "INSERT INTO sign_ins (email, dealer_id, staff_id, password_hash, changed_at) "
            "VALUES ('x', 1, 1, 'mine', '2026-11-02')",
            "INSERT INTO secrets (hash, dealer_id, purpose, staff_id, created_at) "
            "VALUES ('x', 1, 'invitation', 1, '2026-11-02')"
            if role == "worker"
            else "SELECT id FROM sessions",
        ):
            for dealer in (None, MINE, OTHER):
                async with undone(connection, dealer):
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await connection.execute(statement)
        await connection.close()
