"""An owner is erased: what store/personal.py says becomes of each column, and what has to be written out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.booking import BookingState
from schemas.case import CaseState
from schemas.keeping import WHERE, WHERE_IDS
from schemas.pickup import LegState
from store.exporting import bound
from store.personal import GONE, KEPT, MENTIONS, PARTS, THINGS, Part
from store.pool import Connection

_CASES = "SELECT id, state FROM cases WHERE dealer_id = $1 AND owner_id = $2 ORDER BY id"
_VISITS = (
    "SELECT b.state FROM bookings b JOIN cases c ON c.dealer_id = b.dealer_id AND c.id = b.case_id "
    "WHERE b.dealer_id = $1 AND c.owner_id = $2"
)
_DRIVES = """
SELECT l.state FROM legs l JOIN bookings b ON b.dealer_id = l.dealer_id AND b.id = l.booking_id
  JOIN cases c ON c.dealer_id = b.dealer_id AND c.id = b.case_id
WHERE l.dealer_id = $1 AND c.owner_id = $2 AND b.state NOT IN ('completed', 'cancelled')
"""
_CARS = (
    "SELECT id, vin, enrolled_at IS NOT NULL AND revoked_at IS NULL AS speaks FROM vehicles WHERE dealer_id = $1 "
    "AND owner_id = $2 ORDER BY id"
)
_NO_PLATE = "UPDATE vehicles SET plate = NULL WHERE dealer_id = $1 AND id = $2"
_LAST_PLACE = "UPDATE latest SET values = values - $3::text[] WHERE dealer_id = $1 AND vehicle_id = $2"
_PLACES = (
    "SELECT coalesce(sum(forget_where($1, e.vehicle_id, $3, e.since, coalesce(e.until, 'infinity'))), 0)::bigint "
    "FROM ownerships e WHERE e.dealer_id = $1 AND e.owner_id = $2"
)
_ANSWERS = "DELETE FROM idempotency WHERE dealer_id = {dealer} AND convert_from(body, 'UTF8') ~* {words}"
#: Whatever people wrote about them or their things. What our own words say of their row stays: it names nobody.
_WORDS = f"""
SELECT t.id, t.reason FROM history t WHERE t.dealer_id = {{dealer}} AND t.reason <> '' AND NOT EXISTS (SELECT
  FROM audit_removals r WHERE r.history_id = t.id)
AND (t.reason ~* {{words}} OR t.actor <> 'car' AND t.actor <> 'worker' AND t.actor <> 'system' AND NOT (t.noun = 'owner'
  AND t.new IN ('added', 'changed', 'exported')) AND {THINGS})
ORDER BY t.id
"""
_CONSENTS = "SELECT blank_consents($1, $2)"
_TAKE_OUT = "SELECT take_out_words($1, $2, $3, $4)"
_TOMBSTONES = (
    "SELECT dealer_id, id AS owner_id, created_at, erased_at FROM owners WHERE erased_at IS NOT NULL "
    "AND ($1::bigint IS NULL OR dealer_id = $1) ORDER BY dealer_id, id"
)
_SAME = "SELECT erased_at IS NULL FROM owners WHERE dealer_id = $1 AND id = $2 AND created_at = $3"


@dataclass(frozen=True, slots=True)
class Standing:
    """What hangs on an owner: decides whether they can be erased now."""

    cases: dict[int, CaseState]
    visits: tuple[BookingState, ...]
    drives: tuple[LegState, ...]
    cars: tuple[tuple[int, str, bool], ...]  #: number, VIN, whether it may speak


@dataclass(frozen=True, slots=True)
class Tombstone:
    """That somebody was erased, without saying who it was: a row of an older backup that began at the same moment is
    theirs.
    """

    dealer_id: int
    owner_id: int
    created_at: datetime
    erased_at: datetime


async def standing(connection: Connection, dealer_id: int, owner_id: int) -> Standing:
    """Cases, visits, drives and cars of this owner."""
    return Standing(
        {row["id"]: CaseState(row["state"]) for row in await connection.fetch(_CASES, dealer_id, owner_id)},
        tuple(BookingState(row["state"]) for row in await connection.fetch(_VISITS, dealer_id, owner_id)),
        tuple(LegState(row["state"]) for row in await connection.fetch(_DRIVES, dealer_id, owner_id)),
        tuple((row["id"], row["vin"], row["speaks"]) for row in await connection.fetch(_CARS, dealer_id, owner_id)),
    )


async def words(connection: Connection, dealer_id: int, owner_id: int, pattern: str) -> list[tuple[int, str]]:
    """(row, reason) of the history that has words about them."""
    sql, arguments = bound(_WORDS, dealer=dealer_id, owner=owner_id, words=pattern)
    return [(row["id"], row["reason"]) for row in await connection.fetch(sql, *arguments)]


async def take_out(
    connection: Connection, dealer_id: int, erasure_id: int, hashes: Sequence[tuple[int, bytes]]
) -> None:
    """The words go out of these rows; their keyed hashes stand for them, and the erasure's own row says so."""
    await connection.execute(
        _TAKE_OUT, dealer_id, erasure_id, [row for row, _ in hashes], [hash_ for _, hash_ in hashes]
    )


async def rows(connection: Connection, dealer_id: int, owner_id: int, pattern: str, now: datetime) -> dict[str, int]:
    """Every part as the model says, the contact last, for the others find by it; how many rows of each."""
    counts = {}
    for part in PARTS:
        if not part.by_hand and any(how != KEPT for how in part.becomes.values()):
            sql, arguments = bound(_update(part), dealer=dealer_id, owner=owner_id, words=pattern, now=now)
            counts[part.name] = int((await connection.execute(sql, *arguments)).rpartition(" ")[2])
    await connection.execute(_CONSENTS, dealer_id, owner_id)
    return counts


async def car(connection: Connection, dealer_id: int, vehicle_id: int) -> None:
    """It is nobody's, and says no longer whose it was or where."""
    await connection.execute(_NO_PLATE, dealer_id, vehicle_id)
    await connection.execute(_LAST_PLACE, dealer_id, vehicle_id, list(WHERE))


async def places(connection: Connection, dealer_id: int, owner_id: int) -> int:
    """Where their cars were while they were theirs, out of readings; out of how many."""
    return int(await connection.fetchval(_PLACES, dealer_id, owner_id, list(WHERE_IDS)))


async def answers(connection: Connection, dealer_id: int, pattern: str) -> None:
    """Answers that are kept for repeated requests and mention them."""
    sql, arguments = bound(_ANSWERS, dealer=dealer_id, words=pattern)
    await connection.execute(sql, *arguments)


async def tombstones(connection: Connection, dealer_id: int | None = None) -> list[Tombstone]:
    """Whoever was erased."""
    return [Tombstone(*row) for row in await connection.fetch(_TOMBSTONES, dealer_id)]


async def is_back(connection: Connection, stone: Tombstone) -> bool:
    """Whether the very row that was erased is there again as it was before."""
    return bool(await connection.fetchval(_SAME, stone.dealer_id, stone.owner_id, stone.created_at))


def _update(part: Part) -> str:
    sets = []
    for column, how in part.becomes.items():
        if how == MENTIONS:
            sets.append(f"{column} = CASE WHEN t.{column} ~* {{words}} THEN '{GONE}' ELSE t.{column} END")
        elif how != KEPT:
            sets.append(f"{column} = {how}")
    return f"UPDATE {part.table} AS t SET {', '.join(sets)} WHERE t.dealer_id = {{dealer}} AND {part.of_owner}"
