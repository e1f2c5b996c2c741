"""How a car's messages came lately: which signals together, how far apart, and what they say of driving."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from schemas.reading import Mark
from store.pool import Connection
from store.readings import days_between

_NEWEST: Final = 1_000  #: rows in a row
_OF_A_DAY: Final = 60  #: … and the first ones of each day before
LOOKED_BACK: Final = timedelta(days=14)
_WHAT = f"""
r.vehicle_id = $2 AND r.dealer_id = $1 AND cardinality(r.ids) > 0
  AND r.mark & {int(Mark.TAKEN_BACK | Mark.TAKES_BACK | Mark.REREAD | Mark.CLOCK_SUSPECT)} = 0
"""
_SHOWN = """
extract(epoch FROM r.ts)::float8 AS ts, r.ids,
  ARRAY(SELECT r.vals[array_position(r.ids, s)] FROM unnest($3::smallint[]) AS s)::float8[] AS vals
"""
_LAST = f"""
SELECT {_SHOWN} FROM readings r WHERE {_WHAT} AND r.ts >= $4 AND r.day BETWEEN $5 AND $6
ORDER BY r.ts DESC LIMIT {_NEWEST}
"""
_FIRST = f"""
SELECT n.* FROM generate_series($4::int, $5::int) AS d (day) CROSS JOIN LATERAL (
    SELECT {_SHOWN} FROM readings r WHERE {_WHAT} AND r.day = d.day ORDER BY r.ts LIMIT {_OF_A_DAY}
) AS n
"""
_CODES = """
SELECT EXISTS (SELECT 1 FROM readings r WHERE r.dealer_id = $1 AND r.vehicle_id = $2 AND r.day BETWEEN $3 AND $4
  AND r.diagnostics IS NOT NULL)
"""

Message = tuple[float, list[int], list[float]]  # time; signals; values: 0 but of those that were asked for


async def lately(
    connection: Connection, dealer_id: int, vehicle_id: int, shows: Sequence[int], until: datetime
) -> tuple[list[Message], bool]:
    """Messages of the last two weeks before `until`, oldest first, with the values of `shows`; and whether these are
    all of them.
    """
    since, wanted = until - LOOKED_BACK, list(shows)
    first, last = days_between(since, until)
    rows = list(await connection.fetch(_LAST, dealer_id, vehicle_id, wanted, since, first, last))
    whole = len(rows) < _NEWEST
    if not whole:
        oldest = int(rows[-1]["ts"] // 86_400)
        rows += await connection.fetch(_FIRST, dealer_id, vehicle_id, wanted, max(first, oldest - 14), oldest)
    found: dict[float, Message] = {}
    for row in rows:
        values = dict(zip(wanted, row["vals"], strict=True))
        ids = list(row["ids"])
        if (before := found.get(row["ts"])) is not None:  # a feed may say in two messages what it made at one time
            ids = list(dict.fromkeys([*before[1], *ids]))
            values |= dict(zip(before[1], before[2], strict=True))
        found[row["ts"]] = row["ts"], ids, [values.get(i) or 0.0 for i in ids]
    return [found[ts] for ts in sorted(found)], whole


async def brings_codes(connection: Connection, dealer_id: int, vehicle_id: int, until: datetime) -> bool:
    """Whether it has sent a list of trouble codes in that time."""
    first, last = days_between(until - LOOKED_BACK, until)
    return bool(await connection.fetchval(_CODES, dealer_id, vehicle_id, first, last))
