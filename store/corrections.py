"""In which units cars say what they say, as people have accepted: asked at the desk, carried out by the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.correction import CORRECTION, Correction, CorrectionEvent, CorrectionState
from schemas.errors import NotFound, Overtaken
from schemas.reading import Mark
from store import history, notifications
from store.pool import Connection, as_dict
from store.readings import FIRST_LEAF, days_between

_COLUMNS = (
    "id, vehicle_id, signals, unit, because, state, accepted_by, accepted_at, read_since, undone_by, undone_at, "
    "read_until"
)
_ADD = f"""
INSERT INTO unit_corrections (dealer_id, vehicle_id, signals, unit, because, accepted_by, accepted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {_COLUMNS}
"""
_UNDO = f"""
UPDATE unit_corrections SET state = $3, undone_by = $4, undone_at = $5
WHERE dealer_id = $1 AND id = $2 AND state = $6 RETURNING {_COLUMNS}
"""
_ONE = f"SELECT {_COLUMNS} FROM unit_corrections WHERE dealer_id = $1 AND id = $2"
_OF = f"SELECT {_COLUMNS} FROM unit_corrections WHERE dealer_id = $1 AND vehicle_id = $2 ORDER BY id"
_LOCK = "SELECT 1 FROM vehicles WHERE dealer_id = $1 AND id = $2 FOR UPDATE"
_WAITING = """
SELECT id, vehicle_id, signals, unit, state FROM unit_corrections
WHERE read_since IS NULL OR (state = 'undone' AND read_until IS NULL) ORDER BY id LIMIT 100
"""
_BEGUN = "UPDATE unit_corrections SET read_since = $2 WHERE id = $1"
_ENDED = "UPDATE unit_corrections SET read_since = coalesce(read_since, $2), read_until = $2 WHERE id = $1"
_SAID = f"""
SELECT extract(epoch FROM r.ts)::float8 AS ts, r.vals[array_position(r.ids, $3::smallint)]::float8 AS value
  FROM readings r
WHERE r.dealer_id = $1 AND r.vehicle_id = $2 AND r.ts >= $4 AND r.ts <= $5 AND (r.day BETWEEN $6 AND $7
  OR r.day < {FIRST_LEAF}) AND $3::smallint = ANY (r.ids) AND r.mark & {int(Mark.TAKEN_BACK)} = 0
"""
_FIRST, _LAST = f"{_SAID} ORDER BY r.ts LIMIT 300", f"{_SAID} ORDER BY r.ts DESC LIMIT 6000"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One that the gateway has to carry out; without a unit the signals count as said again."""

    id: int
    vehicle_id: int
    signals: tuple[int, ...]
    unit: str | None


@dataclass(frozen=True, slots=True)
class Done:
    """It was carried out, in the transaction that stores its marker row."""

    waiting: Waiting
    dealer_id: int


async def locked(connection: Connection, dealer_id: int, vehicle_id: int) -> list[Correction]:
    """All of a car, while nobody else accepts or undoes one."""
    if await connection.fetchval(_LOCK, dealer_id, vehicle_id) is None:
        raise NotFound("vehicle")
    return await of_vehicle(connection, dealer_id, vehicle_id)


async def of_vehicle(connection: Connection, dealer_id: int, vehicle_id: int) -> list[Correction]:
    """All of a car, oldest first."""
    return [Correction(**as_dict(row)) for row in await connection.fetch(_OF, dealer_id, vehicle_id)]


async def one(connection: Connection, dealer_id: int, correction_id: int) -> Correction:
    """One of a dealer's."""
    row = await connection.fetchrow(_ONE, dealer_id, correction_id)
    if row is None:
        raise NotFound("correction")
    return Correction(**as_dict(row))


async def add(
    connection: Connection,
    dealer_id: int,
    vehicle_id: int,
    *,
    signals: Sequence[int],
    unit: str,
    because: str,
    actor: str,
    now: datetime,
) -> Correction:
    """A person accepts it; the gateway is told."""
    row = await connection.fetchrow(_ADD, dealer_id, vehicle_id, list(signals), unit, because, actor, now)
    made = Correction(**as_dict(row))
    await _tell(connection, dealer_id, made, before=None, reason=because, actor=actor, now=now)
    return made


async def undo(
    connection: Connection, dealer_id: int, correction_id: int, *, reason: str, actor: str, now: datetime
) -> Correction:
    """A person thought better of it."""
    before = await one(connection, dealer_id, correction_id)
    state = CORRECTION.next(before.state, CorrectionEvent.UNDONE)
    row = await connection.fetchrow(_UNDO, dealer_id, correction_id, state.value, actor, now, before.state.value)
    if row is None:
        raise Overtaken("correction")
    made = Correction(**as_dict(row))
    await _tell(connection, dealer_id, made, before=before.state, reason=reason, actor=actor, now=now)
    return made


async def _tell(
    connection: Connection,
    dealer_id: int,
    made: Correction,
    before: CorrectionState | None,
    reason: str,
    *,
    actor: str,
    now: datetime,
) -> None:
    await history.write(
        connection,
        dealer_id,
        "correction",
        made.id,
        old=None if before is None else before.value,
        new=made.state.value,
        reason=reason,
        actor=actor,
        now=now,
    )
    await notifications.ring_desk(connection, dealer_id, "vehicle", made.vehicle_id)
    await notifications.ring(connection, notifications.CARS, vehicle=made.vehicle_id, what="correction")


async def waiting(connection: Connection) -> list[Waiting]:
    """What the gateway has to carry out, in the order in which it was decided."""
    return [
        Waiting(
            row["id"],
            row["vehicle_id"],
            signals=tuple(row["signals"]),
            unit=None if row["state"] == CorrectionState.UNDONE.value else row["unit"],
        )
        for row in await connection.fetch(_WAITING)
    ]


async def carried_out(connection: Connection, done: Done, now: datetime) -> None:
    """In the transaction that stores the marker row."""
    one = done.waiting
    await connection.execute(_BEGUN if one.unit is not None else _ENDED, one.id, now)
    await notifications.ring_desk(connection, done.dealer_id, "vehicle", one.vehicle_id)


async def histories(
    connection: Connection, dealer_id: int, vehicle_id: int, signals: Sequence[int], *, since: datetime, until: datetime
) -> dict[int, list[tuple[float, float]]]:
    """What the car said of these signals, as it said it: the beginning of the time and its end; of a car that speaks
    each second that is enough to see what it was, and what it is.
    """
    found = {}
    for signal_id in signals:
        arguments = dealer_id, vehicle_id, signal_id, since, until, *days_between(since, until)
        rows = await connection.fetch(_FIRST, *arguments) + (await connection.fetch(_LAST, *arguments))[::-1]
        found[signal_id] = sorted({row["ts"]: row["value"] for row in rows}.items())
    return found
