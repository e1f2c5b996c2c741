"""Telemetry that was not believed, with its reason; a person may let it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.errors import BadInput, NotFound, Overtaken
from schemas.quarantine import QUARANTINE, READABLE, QuarantineEvent, QuarantineState
from schemas.reading import Mark, Refusal, Refused
from store import history, notifications
from store.pool import Connection

_WRITE = """
INSERT INTO quarantine (dealer_id, vehicle_id, vin, topic, payload, reason, detail, boot, seq, received_at, times)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[],
  $8::bigint[], $9::bigint[],
                     $10::timestamptz[], $11::bigint[])
"""
_COLUMNS = (
    "id, vehicle_id, vin, topic, payload, reason, detail, boot, seq, times, received_at, decided, decided_by, "
    "decided_at"
)
_LIST = f"""
SELECT {_COLUMNS} FROM quarantine
WHERE dealer_id = $1 AND ($2::bigint IS NULL OR id < $2) AND ($3::bigint IS NULL OR vehicle_id = $3) AND (NOT $4
  OR decided IS NULL)
ORDER BY id DESC LIMIT $5
"""
_DECIDE = """
UPDATE quarantine SET decided = $3, decided_by = $4, decided_at = $5
WHERE dealer_id = $1 AND id = $2 AND coalesce(decided, 'waiting') = $6 RETURNING vehicle_id
"""
_ONE = f"SELECT {_COLUMNS} FROM quarantine WHERE dealer_id = $1 AND id = $2"
_ACCEPTED = """
SELECT id, vehicle_id, topic, payload, received_at FROM quarantine
WHERE decided = 'accepted' AND folded_at IS NULL AND ($1::bigint IS NULL OR vehicle_id = $1) ORDER BY id LIMIT 100
"""
_TAKEN_BACK = """
SELECT id, vehicle_id, received_at FROM quarantine
WHERE decided = 'taken_back' AND folded_at IS NOT NULL AND taken_back_at IS NULL ORDER BY id LIMIT 100
"""
_UNMAPPED = """
SELECT id, dealer_id, topic, payload, received_at FROM quarantine
WHERE reason = 'unmapped' AND decided IS NULL AND dealer_id IS NOT NULL ORDER BY id DESC LIMIT 2000
"""
_READ_SINCE = """
UPDATE quarantine q SET decided = 'accepted', decided_by = 'system', decided_at = $3, folded_at = $3,
  vehicle_id = n.vehicle_id
FROM unnest($1::bigint[], $2::bigint[]) AS n (id, vehicle_id) WHERE q.id = n.id AND q.decided IS NULL RETURNING q.id
"""
_LEFT_OUT = "UPDATE quarantine SET taken_back_at = $2 WHERE id = $1"
_MARKED = f"UPDATE readings SET mark = mark | {int(Mark.TAKEN_BACK)} WHERE vehicle_id = $1 AND boot = -1 AND seq = $2"
_FOLDED = "UPDATE quarantine SET folded_at = $2 WHERE id = ANY($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One refused message as the desk shows it."""

    id: int
    vehicle_id: int | None
    vin: str | None
    topic: str
    payload: bytes
    reason: str
    detail: str
    boot: int | None
    seq: int | None
    times: int
    received_at: datetime
    decided: str | None
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """One that a person let in and the gateway has not folded yet."""

    id: int
    vehicle_id: int
    topic: str
    payload: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Unmapped:
    """What a feed said of a car before anybody had mapped it."""

    id: int
    dealer_id: int
    topic: str
    payload: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class TakenBack:
    """One that was folded in and that a person has taken back."""

    id: int
    vehicle_id: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The car was folded again without it."""

    id: int
    vehicle_id: int
    dealer_id: int
    withdrawn: int  #: alerts that rested on it


async def write(connection: Connection, rows: Sequence[tuple[int | None, Refused, int]]) -> None:
    """(dealer or None, what was refused, how many times it stands for)."""
    if not rows:
        return
    columns = zip(
        *[
            (
                dealer,
                r.vehicle_id,
                r.vin,
                r.topic,
                r.payload,
                r.reason.value,
                r.detail,
                r.boot,
                r.seq,
                r.received_at,
                times,
            )
            for dealer, r, times in rows
        ],
        strict=True,
    )
    await connection.execute(_WRITE, *[list(column) for column in columns])


async def page(
    connection: Connection,
    dealer_id: int,
    *,
    before: int | None = None,
    vehicle_id: int | None = None,
    only_undecided: bool = False,
    limit: int = 50,
) -> list[Quarantined]:
    """The newest first; `before` is the last id of the page before."""
    return [
        Quarantined(*row) for row in await connection.fetch(_LIST, dealer_id, before, vehicle_id, only_undecided, limit)
    ]


async def one(connection: Connection, dealer_id: int, quarantine_id: int) -> Quarantined:
    """One of a dealer's."""
    row = await connection.fetchrow(_ONE, dealer_id, quarantine_id)
    if row is None:
        raise NotFound("refused message")
    return Quarantined(*row)


async def decide(
    connection: Connection, dealer_id: int, quarantine_id: int, *, accept: bool, actor: str, now: datetime
) -> QuarantineState:
    """A person's word on a refused message.

    The gateway folds an accepted one in, and folds again without one that is taken back.
    """
    row = await one(connection, dealer_id, quarantine_id)
    before = QuarantineState(row.decided or QuarantineState.WAITING)
    if accept and row.vehicle_id is None:
        raise BadInput("vehicle", "nobody knows which car said this, so it cannot be let in")
    if accept and row.reason not in READABLE:
        raise BadInput("reason", f"{row.reason}: there is nothing in it that could be believed")
    if accept and not row.payload:
        raise BadInput("payload", "what it said is no longer kept")
    if row.reason == Refusal.UNMAPPED and before is QuarantineState.ACCEPTED:
        raise BadInput("reason", "its car was mapped, and what it says was read since: it cannot be taken back")
    state = QUARANTINE.next(before, QuarantineEvent.ACCEPTED if accept else QuarantineEvent.REJECTED)
    moved = await connection.fetchrow(_DECIDE, dealer_id, quarantine_id, state.value, actor, now, before.value)
    if moved is None:
        raise Overtaken("refused message")
    await history.write(
        connection,
        dealer_id,
        "quarantine",
        quarantine_id,
        old=before.value,
        new=state.value,
        reason="decided at the desk",
        actor=actor,
        now=now,
    )
    await notifications.ring_desk(connection, dealer_id, "quarantine", quarantine_id)
    if state is not QuarantineState.REJECTED and row.vehicle_id is not None:
        await notifications.ring(connection, notifications.CARS, vehicle=row.vehicle_id, what="quarantine")
    return state


async def accepted(connection: Connection, vehicle_id: int | None = None) -> list[Accepted]:
    """What waits to be folded in."""
    return [Accepted(*row) for row in await connection.fetch(_ACCEPTED, vehicle_id)]


async def folded(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """Done, in the transaction that stored their rows."""
    if ids:
        await connection.execute(_FOLDED, list(ids), now)


async def unmapped(connection: Connection) -> list[Unmapped]:
    """What waits for somebody to map its car; the newest."""
    rows = [Unmapped(*row) for row in await connection.fetch(_UNMAPPED)]
    return rows[::-1]


async def read_since(connection: Connection, vehicles: Mapping[int, int], now: datetime) -> set[int]:
    """Their cars are mapped, so what they say is read; those of them that nobody has decided meanwhile."""
    rows = await connection.fetch(_READ_SINCE, list(vehicles), list(vehicles.values()), now)
    return {row["id"] for row in rows}


async def taken_back(connection: Connection) -> list[TakenBack]:
    """What was folded in and waits to be folded out."""
    return [TakenBack(*row) for row in await connection.fetch(_TAKEN_BACK)]


async def left_out(connection: Connection, done: LeftOut, now: datetime) -> None:
    """Done, in the transaction that stores the row which says so; charts leave the message out from now on."""
    await connection.execute(_MARKED, done.vehicle_id, done.id)
    await connection.execute(_LEFT_OUT, done.id, now)
    alerts = (
        "no alert rested on it"
        if not done.withdrawn
        else "an alert is withdrawn"
        if done.withdrawn == 1
        else f"{done.withdrawn} alerts are withdrawn"
    )
    await history.write(
        connection,
        done.dealer_id,
        "quarantine",
        done.id,
        old=QuarantineState.TAKEN_BACK.value,
        new="left_out",
        reason=f"the car was folded again without it: {alerts}",
        actor="system",
        now=now,
    )
    await notifications.ring_desk(connection, done.dealer_id, "quarantine", done.id)
