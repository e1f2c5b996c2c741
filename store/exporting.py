"""What is held about one owner, read as of one moment (store/personal.py says what that is)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from store import days
from store.personal import PARTS, Part
from store.pool import Connection

_READINGS = """
SELECT ts, received_at, ids, vals, diagnostics FROM readings r WHERE r.dealer_id = $1 AND r.vehicle_id = $2
  AND r.day = $3 AND r.ts >= $4 AND ($5::timestamptz IS NULL OR r.ts < $5)
ORDER BY r.ts, r.boot, r.seq
"""
_PERIODS = """
SELECT e.vehicle_id, v.vin, e.since, e.until FROM ownerships e JOIN vehicles v ON v.dealer_id = e.dealer_id
  AND v.id = e.vehicle_id
WHERE e.dealer_id = $1 AND e.owner_id = $2 ORDER BY e.since, e.id
"""


def bound(sql: str, **values: object) -> tuple[str, list[object]]:
    """`{name}` in the SQL as numbered arguments, and the arguments in that order."""
    used: list[str] = []

    def place(found: re.Match[str]) -> str:
        if found[1] not in used:
            used.append(found[1])
        return f"${used.index(found[1]) + 1}::{_TYPES[found[1]]}"

    return re.sub(r"(?<!\{)\{(\w+)\}", place, sql).replace("{{", "{").replace("}}", "}"), [
        values[name] for name in used
    ]


_TYPES = {"dealer": "bigint", "owner": "bigint", "words": "text", "now": "timestamptz"}


def pattern(*text: str | None) -> str:
    """What mentions a person: each name of theirs as a word, and how they are reached.

    Never matches when nothing is known.
    """
    whole = [one.strip() for one in text if one and len(one.strip()) >= 3]
    names = {part for one in whole[:1] for part in re.split(r"[\s,]+", one) if len(part) >= 3 and part[:1].isupper()}
    return (
        "|".join(rf"(?<!\w){_plain(one)}(?!\w)" for one in sorted({*whole, *names}, key=len, reverse=True)) or r"(?=a)b"
    )


def _plain(text: str) -> str:
    return "".join(letter if letter.isalnum() else r"\s+" if letter.isspace() else "\\" + letter for letter in text)


async def parts(connection: Connection, dealer_id: int, owner_id: int, words: str) -> dict[str, list[dict[str, Any]]]:
    """Every part by its name, the rows in the order in which they came."""
    return {
        part.name: await _rows(connection, part, dealer=dealer_id, owner=owner_id, words=words)
        for part in sorted(PARTS, key=lambda one: one.name != "contact")
        if part.exported
    }


async def _rows(connection: Connection, part: Part, **values: object) -> list[dict[str, Any]]:
    shown = [
        *(f't."{name}"' for name in part.fields if name not in part.shows),
        *(f'{sql} AS "{name}"' for name, sql in part.shows.items()),
    ]
    sql, arguments = bound(
        f"SELECT to_jsonb(x)::text AS row FROM (SELECT {', '.join(shown)} FROM {part.table} t "
        f"WHERE t.dealer_id = {{dealer}} AND {part.of_owner} ORDER BY {part.order}) x",
        **values,
    )
    return [from_json(row["row"]) for row in await connection.fetch(sql, *arguments)]


async def periods(
    connection: Connection, dealer_id: int, owner_id: int
) -> list[tuple[int, str, datetime, datetime | None]]:
    """(car, VIN, since, until) of each car that was theirs."""
    return [tuple(row) for row in await connection.fetch(_PERIODS, dealer_id, owner_id)]


async def days_there(connection: Connection) -> list[int]:
    """The days in which readings lie; 0 is the one that all impossible ones share."""
    return [0, *await days.attached(connection)]


async def readings(
    connection: Connection, dealer_id: int, vehicle_id: int, day: int, since: datetime, until: datetime | None
) -> list[Mapping[str, Any]]:
    """What a car said on that day between two moments, the oldest first."""
    found: list[Mapping[str, Any]] = await connection.fetch(_READINGS, dealer_id, vehicle_id, day, since, until)
    return found
