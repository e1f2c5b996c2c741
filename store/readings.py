"""Readings: one row per message. Written by binary COPY into a day's leaf, read by time, place or sequence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import repeat
from struct import Struct
from typing import Any, Final

import asyncpg

from schemas.reading import Mark, Reading
from schemas.telemetry import Diagnostics
from store.pool import Connection

COLUMNS: Final = (
    "dealer_id",
    "vehicle_id",
    "boot",
    "seq",
    "day",
    "ts",
    "received_at",
    "car_ts",
    "mark",
    "place",
    "ids",
    "vals",
    "diagnostics",
)
_PG_EPOCH: Final = 946_684_800  # 2000-01-01 in Unix seconds: PostgreSQL counts microseconds from there
_HEAD: Final = Struct(">h iq iq iq iq ii iq iq i ih iq".replace(" ", ""))  # no car_ts, with place: nearly every row
_OF_CAR, _OF_BATCH = Struct(">hiqiq"), Struct(">iqiihi")
_PLAIN: Final = Struct(
    f">{_OF_CAR.size}s iq iq ii iq {_OF_BATCH.size}s q".replace(" ", "")
).pack  # the same in fewer arguments
_KEY: Final = Struct(">2x 12x 4xq 4xq 4xq".replace(" ", ""))  # of a packed row: vehicle, boot, seq
_TIMES: Final = Struct(">2x 12x 12x 12x 12x 8x 4xq 4xq".replace(" ", ""))  # ts, received_at
_ARRAY: Final = Struct(">ii 8x i 4x".replace(" ", ""))  # bytes, dimensions, elements
_START: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_NULL: Final = b"\xff\xff\xff\xff"
_INT2, _FLOAT4 = 21, 700  # type oids
#: 2015-01-01: what is of an earlier day, or counts as such, lies in the one leaf that all such rows share
FIRST_LEAF: Final = 16_436

_EXISTS = "SELECT 1 FROM readings WHERE vehicle_id = $1 AND boot = $2 AND seq = $3 AND day = $4"
_SEQS = "SELECT seq FROM readings WHERE vehicle_id = $1 AND boot = $2 ORDER BY seq"
# One key after the other by the index, whatever the planner believes of a leaf that was made a minute ago. The days are
# written into the text: so only
# their leaves are opened, though hundreds lie beside them (given as an array they are planned for all of them: 50 ms,
# and 3 ms each time).
_KNOWN_KEYS = """
SELECT n.vehicle, n.seq FROM unnest($1::bigint[], $2::bigint[], $3::int[]) AS n (vehicle, seq, day)
CROSS JOIN LATERAL (
    SELECT 1 FROM readings r WHERE r.vehicle_id = n.vehicle AND r.boot = -1 AND r.seq = n.seq AND r.day = n.day
      AND r.day IN ({days}) LIMIT 1
) AS known
"""
_ROW = (
    "r.vehicle_id, r.boot, r.seq, r.ts, r.received_at, r.ids, r.vals, r.day, r.car_ts, r.mark, r.diagnostics, r.place"
)
_ABOVE = f"""
CROSS JOIN LATERAL (
    SELECT {_ROW} FROM readings r WHERE r.vehicle_id = n.vehicle AND r.boot >= 0 AND (r.boot, r.seq) > (n.boot, n.seq)
      AND {{days}}
    UNION ALL
    SELECT {_ROW} FROM readings r WHERE r.vehicle_id = n.vehicle AND r.boot = -1 AND (r.place > n.place
      OR r.place IS NULL) AND {{days}}
) AS r
"""
_OF_CARS = (
    f"SELECT {_ROW} FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS n (vehicle, boot, seq, "
    "place)"
)
_SINCE = f"""
{_OF_CARS} {_ABOVE.format(days=f"r.day >= $5 AND r.day >= {FIRST_LEAF}")}
UNION ALL
{_OF_CARS} {_ABOVE.format(days=f"r.day < {FIRST_LEAF}")}
"""
_PLACE = """
UPDATE readings r SET place = n.place
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::bigint[]) AS n (vehicle, boot, seq, day, place)
WHERE r.vehicle_id = n.vehicle AND r.boot = n.boot AND r.seq = n.seq AND r.day = n.day AND r.day IN ({days})
"""
_IN_TIME = f"""
dealer_id = $1 AND vehicle_id = $2 AND ts >= $3 AND ts < $4 AND (day BETWEEN $5 AND $6 OR day < {FIRST_LEAF})
"""
_SERIES = f"""
SELECT ts, boot, seq, vals[array_position(ids, $7::smallint)] AS val, mark FROM readings
WHERE {_IN_TIME} AND $7::smallint = ANY(ids) AND mark & {int(Mark.TAKEN_BACK)} = 0 AND ($8::timestamptz IS NULL
  OR (ts, boot, seq) > ($8, $9, $10))
ORDER BY ts, boot, seq LIMIT $11
"""
_PAGE = f"""
SELECT {_ROW} FROM readings r WHERE {_IN_TIME} AND ($7::timestamptz IS NULL OR (ts, boot, seq) > ($7, $8, $9))
  ORDER BY ts, boot, seq LIMIT $10
"""
_COUNT = "SELECT count(*) FROM readings WHERE dealer_id = $1 AND vehicle_id = $2"

Cursor = tuple[datetime, int, int]  # ts, boot, seq of the last row of the page before


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one signal."""

    ts: datetime
    boot: int
    seq: int
    value: float
    mark: int


class Layout:
    """What is the same in all rows with these ids: how their ids and values lie in a row, one `pack` away.

    `pack(prefix, 4, v1, 4, v2, …, -1)` makes both arrays and the missing diagnostics; `unpack` gives the values back as
    they are stored, as float32.
    """

    __slots__ = ("arguments", "pack", "prefix", "unpack")

    def __init__(self, ids: tuple[int, ...]) -> None:
        n = len(ids)
        if n:
            self.prefix = Struct(">iiiiii").pack(20 + 6 * n, 1, 0, _INT2, n, 1) + b"".join(
                Struct(">ih").pack(2, i) for i in ids
            )
            self.prefix += Struct(">iiiiii").pack(20 + 8 * n, 1, 0, _FLOAT4, n, 1)
        else:
            self.prefix = Struct(">iiii").pack(12, 0, 0, _INT2) + Struct(">iiii").pack(12, 0, 0, _FLOAT4)
        self.pack = Struct(f">{len(self.prefix)}s{'if' * n}i").pack
        self.unpack = Struct(f">{len(self.prefix)}x{'4xf' * n}4x").unpack
        self.arguments: list[Any] = [self.prefix, *([4] * (2 * n)), -1]


layout = lru_cache(maxsize=8192)(Layout)


def micros(ts: float) -> int:
    """Epoch seconds as PostgreSQL counts time."""
    return round((ts - _PG_EPOCH) * 1e6)


def of_car(dealer_id: int, vehicle_id: int) -> bytes:
    """How each row of this car begins."""
    return _OF_CAR.pack(13, 8, dealer_id, 8, vehicle_id)


def of_batch(received_at: float, mark: Mark = Mark.PLAIN) -> bytes:
    """What stands in the middle of each plain row that came at this moment, or of each that carries the same mark."""
    return _OF_BATCH.pack(8, micros(received_at), -1, 2, mark, 8)


def pack_plain(head: bytes, r: Reading, middle: bytes) -> bytes:
    """`pack` for the row that nearly all are: placed, nothing odd, its arrays packed already.

    `head` is `of_car`, `middle` is `of_batch`.
    """
    return _PLAIN(head, 8, r.boot, 8, r.seq, 4, r.day, 8, round((r.ts - _PG_EPOCH) * 1e6), middle, r.place) + r.packed  # type: ignore[operator]


def pack(dealer_id: int, r: Reading) -> bytes:
    """One row in PostgreSQL's binary COPY format (asyncpg's own encoder takes three times as long for two arrays)."""
    ts, received = micros(r.ts), micros(r.received_at)
    if r.car_ts is None and r.place is not None:
        head = _HEAD.pack(
            13,
            8,
            dealer_id,
            8,
            r.vehicle_id,
            8,
            r.boot,
            8,
            r.seq,
            4,
            r.day,
            8,
            ts,
            8,
            received,
            -1,
            2,
            r.mark,
            8,
            r.place,
        )
    else:
        head = Struct(">hiqiqiqiqiiiqiq").pack(
            13, 8, dealer_id, 8, r.vehicle_id, 8, r.boot, 8, r.seq, 4, r.day, 8, ts, 8, received
        )
        head += _NULL if r.car_ts is None else Struct(">iq").pack(8, micros(r.car_ts))
        head += Struct(">ih").pack(2, r.mark) + (_NULL if r.place is None else Struct(">iq").pack(8, r.place))
    row = head + (r.packed or _arrays(r))
    if r.diagnostics is not None:
        payload = b"\x01" + r.diagnostics.model_dump_json().encode()
        row = row[:-4] + len(payload).to_bytes(4, "big") + payload
    return row


def _arrays(r: Reading) -> bytes:
    how = layout(r.ids)
    arguments = how.arguments.copy()
    arguments[2:-1:2] = r.values
    packed: bytes = how.pack(*arguments)
    return packed


async def copy_in(connection: Connection, leaf: str, rows: Iterable[bytes], *, timeout: float | None = None) -> None:
    """COPY packed rows into a day's leaf: all of them or none."""

    async def source() -> AsyncIterator[bytes]:
        yield b"".join((_START, *rows, _END))

    await connection.copy_to_table(leaf, source=source(), columns=COLUMNS, format="binary", timeout=timeout)


async def copy_survivors(connection: Connection, leaf: str, rows: Sequence[bytes]) -> list[tuple[int, str]]:
    """Find the rows that cannot be stored, by halving; all others are in afterwards. Within a transaction."""
    bad: list[tuple[int, str]] = []

    async def halve(first: int, last: int) -> None:
        try:
            async with connection.transaction():
                await copy_in(connection, leaf, rows[first:last])
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            if last - first == 1:
                bad.append((first, type(error).__name__.removesuffix("Error")))
                return
            middle = (first + last) // 2
            await halve(first, middle)
            await halve(middle, last)

    if rows:
        await halve(0, len(rows))
    return bad


def is_bad_row(error: BaseException) -> bool:
    """Whether the database refused what we sent, as against being unable to take it."""
    return isinstance(error, asyncpg.DataError | asyncpg.IntegrityConstraintViolationError)


def is_lost_connection(error: BaseException) -> bool:
    """Whether it is the connection or the server that failed: a fresh connection may help."""
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return str(state).startswith(("25006", "57", "08", "53", "40", "58", "55"))
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError)


def key_of(packed: bytes) -> tuple[int, int, int]:
    """vehicle, boot, seq of a packed row."""
    found: tuple[int, int, int] = _KEY.unpack_from(packed)
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """What a packed row tells of its car."""

    ts: float
    received_at: float
    ids: tuple[int, ...]
    values: tuple[float, ...]


def told_by(packed: bytes) -> Told:
    """The values of a packed row: while a car is only to be shown, its last row as it is written is all that is
    kept.
    """
    ts, received = _TIMES.unpack_from(packed)
    at = _TIMES.size
    for _ in ("car_ts", "mark", "place"):
        at += 4 + max(0, int.from_bytes(packed[at : at + 4], "big", signed=True))
    length, dimensions, n = _ARRAY.unpack_from(packed, at)
    n = n if dimensions else 0
    ids = Struct(">" + "4xh" * n).unpack_from(packed, at + _ARRAY.size) if n else ()
    values = Struct(">" + "4xf" * n).unpack_from(packed, at + 4 + length + _ARRAY.size) if n else ()
    return Told(_PG_EPOCH + ts / 1e6, _PG_EPOCH + received / 1e6, ids, values)


async def exists(connection: Connection, key: tuple[int, int, int], day: int) -> bool:
    """Whether this very row is stored: tells how an interrupted commit ended."""
    return await connection.fetchval(_EXISTS, *key, day) is not None


async def seqs(connection: Connection, vehicle_id: int, boot: int) -> list[int]:
    """Every stored sequence number of one boot."""
    return [row["seq"] for row in await connection.fetch(_SEQS, vehicle_id, boot)]


async def known_keys(connection: Connection, keys: Collection[tuple[int, int, int]]) -> set[tuple[int, int]]:
    """Which of these (vehicle, key, day) of devices without counters are stored, as (vehicle, key)."""
    vehicles, seqs, days = ([key[n] for key in keys] for n in range(3))
    found = await connection.fetch(_KNOWN_KEYS.format(days=_listed(days)), vehicles, seqs, days)
    return {(row["vehicle"], row["seq"]) for row in found}


async def since(connection: Connection, above: Sequence[tuple[int, int, int, int]], day: int) -> list[Reading]:
    """The rows of these cars above (vehicle, boot, seq, place), none of days before `day` but those that share a leaf,
    in the order of judgement: by place, then what has none yet.
    """
    if not above:
        return []
    columns = [list(column) for column in zip(*above, strict=True)]
    rows = [_reading(row) for row in await connection.fetch(_SINCE, *columns, day)]
    return sorted(rows, key=lambda r: (r.vehicle_id, r.place is None, r.place or 0, r.boot, r.seq))


async def give_places(connection: Connection, rows: Sequence[Reading]) -> None:
    """Rows that waited behind a gap and are judged now."""
    if rows:
        columns = [[getattr(r, name) for r in rows] for name in ("vehicle_id", "boot", "seq", "day", "place")]
        await connection.execute(_PLACE.format(days=_listed(columns[3])), *columns)


async def series(
    connection: Connection,
    dealer_id: int,
    vehicle_id: int,
    signal_id: int,
    since: datetime,
    until: datetime,
    *,
    after: Cursor | None = None,
    limit: int = 500,
) -> list[Point]:
    """One signal of one car over time, oldest first."""
    rows = await connection.fetch(
        _SERIES,
        dealer_id,
        vehicle_id,
        since,
        until,
        *days_between(since, until),
        signal_id,
        *(after or repeat(None, 3)),
        limit,
    )
    return [Point(row["ts"], row["boot"], seq=row["seq"], value=row["val"], mark=row["mark"]) for row in rows]


async def page(
    connection: Connection,
    dealer_id: int,
    vehicle_id: int,
    since: datetime,
    until: datetime,
    *,
    after: Cursor | None = None,
    limit: int = 200,
) -> list[Reading]:
    """Whole rows of one car over time, oldest first."""
    return [
        _reading(row)
        for row in await connection.fetch(
            _PAGE, dealer_id, vehicle_id, since, until, *days_between(since, until), *(after or repeat(None, 3)), limit
        )
    ]


async def count(connection: Connection, dealer_id: int, vehicle_id: int) -> int:
    """How many rows a car has."""
    return int(await connection.fetchval(_COUNT, dealer_id, vehicle_id))


def _listed(days: Iterable[int]) -> str:
    """Whole numbers, as SQL says them."""
    return ", ".join(f"{day:d}" for day in sorted(set(days)))


def days_between(since: datetime, until: datetime) -> tuple[int, int]:
    """Leaves in question, besides the one that rows without a day of their own share: a wrong clock once put rows up to
    400 days ahead of the time they were received.
    """
    return int(since.timestamp() // 86_400) - 1, int(until.timestamp() // 86_400) + 401


def _reading(row: asyncpg.Record) -> Reading:
    ids, values = tuple(row["ids"]), tuple(row["vals"])
    car_ts, payload = row["car_ts"], row["diagnostics"]
    return Reading(
        row["vehicle_id"],
        row["boot"],
        seq=row["seq"],
        ts=row["ts"].timestamp(),
        received_at=row["received_at"].timestamp(),
        ids=ids,
        values=values,
        day=row["day"],
        car_ts=None if car_ts is None else car_ts.timestamp(),
        mark=Mark(row["mark"]),
        diagnostics=None if payload is None else Diagnostics.model_validate(payload),
        place=row["place"],
    )
