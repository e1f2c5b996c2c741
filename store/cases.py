"""Cases: the work of a dealer with one car.

Every move is guarded by the state it came from and leaves a row of history.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from schemas.case import CASE, Case, CaseEvent, CaseState
from schemas.errors import NotFound, Overtaken
from schemas.feedback import Feedback
from schemas.verdict import Severity
from store import history, notifications
from store.pool import Connection, as_dict

_COLUMNS = (
    "id, dealer_id, vehicle_id, state, severity, title, origin, assignee_id, comebacks, opened_at, changed_at, "
    "acknowledged_at, escalated_at, repaired_at, proof, owner_id, note, confirmed"
)
_LIVE = {state for state in CaseState if state not in (CaseState.DONE, CaseState.DISMISSED)}
_OPEN = "state NOT IN ('done', 'dismissed')"
_STANDING = f"SELECT state, severity, count(*) AS cases FROM cases WHERE {_OPEN} GROUP BY state, severity"
_CREATE = f"""
INSERT INTO cases (dealer_id, vehicle_id, owner_id, state, severity, title, note, origin, opened_at, changed_at)
VALUES ($1, $2, $3, 'open', $4, $5, $6, $7, $8, $8) RETURNING {_COLUMNS}
"""
_RANK = "CASE severity WHEN 'now' THEN 2 WHEN 'soon' THEN 1 ELSE 0 END"
_QUEUE = f"""
SELECT {_COLUMNS} FROM cases
WHERE dealer_id = $1 AND {{states}} AND ($3::bigint IS NULL OR vehicle_id = $3) AND ($4::bigint IS NULL
  OR assignee_id = $4) AND {{after}}
ORDER BY -{_RANK}, opened_at, id LIMIT $8
"""
_ALL_STATES, _BEGINNING = (
    "($2::text[] IS NULL OR state = ANY($2))",
    "($5::int IS NULL AND $6::timestamptz IS NULL AND $7::bigint IS NULL)",
)
_AFTER = f"(-{_RANK}, opened_at, id) > ($5::int, $6::timestamptz, $7::bigint)"
_AROUND = """
SELECT c.id, v.title AS vehicle, v.vin, v.plate, o.name AS owner, s.name AS assignee FROM cases c
JOIN vehicles v ON v.dealer_id = c.dealer_id AND v.id = c.vehicle_id
LEFT JOIN owners o ON o.dealer_id = c.dealer_id AND o.id = c.owner_id
LEFT JOIN staff s ON s.dealer_id = c.dealer_id AND s.id = c.assignee_id
WHERE c.dealer_id = $1 AND c.id = ANY($2::bigint[])
"""
_BESIDE = f"""
SELECT c.*, v.title AS vehicle, v.vin, v.plate, o.name AS owner, s.name AS assignee FROM ({_QUEUE}) c
JOIN vehicles v ON v.dealer_id = c.dealer_id AND v.id = c.vehicle_id
LEFT JOIN owners o ON o.dealer_id = c.dealer_id AND o.id = c.owner_id
LEFT JOIN staff s ON s.dealer_id = c.dealer_id AND s.id = c.assignee_id
ORDER BY -{_RANK}, c.opened_at, c.id
"""
_RESTING = f"""
SELECT {_COLUMNS} FROM cases WHERE dealer_id = $1 AND (
    (assignee_id = $2 AND {_OPEN})
    OR id IN (SELECT b.case_id FROM legs l JOIN bookings b ON b.dealer_id = l.dealer_id AND b.id = l.booking_id
              WHERE l.dealer_id = $1 AND l.driver_id = $2
                AND l.state IN ('planned', 'on_the_way', 'collected', 'on_the_way_back', 'at_car'))
    OR id IN (SELECT o.case_id FROM offers o JOIN slots t ON t.dealer_id = o.dealer_id AND t.offer_id = o.id
      AND t.state = 'held'
              JOIN resources r ON r.dealer_id = t.dealer_id AND r.id = t.resource_id WHERE o.dealer_id = $1
                AND o.state = 'open' AND r.staff_id = $2))
ORDER BY id FOR UPDATE
"""
_FEEDBACK = "SELECT case_id, asked_at, answered_at, score, words FROM feedback WHERE dealer_id = $1 AND case_id = $2"
_NAMES = ("vehicle", "vin", "plate", "owner", "assignee")
_SETTABLE = (
    "assignee_id",
    "acknowledged_at",
    "escalated_at",
    "repaired_at",
    "proof",
    "severity",
    "title",
    "comebacks",
    "owner_id",
    "confirmed",
    "healing",
    "snoozed_at",
    "snoozed_until",
)


async def get(connection: Connection, dealer_id: int, case_id: int, *, lock: bool = False) -> Case:
    """That case, or NotFound; with `lock` nobody else moves it until this transaction ends."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM cases WHERE dealer_id = $1 AND id = $2" + (" FOR UPDATE" if lock else ""),
        dealer_id,
        case_id,
    )
    if row is None:
        raise NotFound("case")
    return _case(row)


async def open_of(connection: Connection, dealer_id: int, vehicle_id: int, *, lock: bool = False) -> Case | None:
    """The car's case that is neither done nor dismissed."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM cases WHERE dealer_id = $1 AND vehicle_id = $2 AND {_OPEN}"
        + (" FOR UPDATE" if lock else ""),
        dealer_id,
        vehicle_id,
    )
    return _case(row) if row else None


async def resting_on(connection: Connection, dealer_id: int, staff_id: int) -> list[Case]:
    """Every case that needs this person: theirs to do, a drive of theirs, an offer that holds their time.

    Locked, in order.
    """
    return [_case(row) for row in await connection.fetch(_RESTING, dealer_id, staff_id)]


async def newest_repaired(connection: Connection, dealer_id: int, vehicle_id: int) -> Case | None:
    """The car's newest case that the workshop called repaired: where a comeback belongs."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM cases WHERE dealer_id = $1 AND vehicle_id = $2 AND repaired_at IS NOT NULL "
        "ORDER BY repaired_at DESC LIMIT 1",
        dealer_id,
        vehicle_id,
    )
    return _case(row) if row else None


async def queue(
    connection: Connection,
    dealer_id: int,
    *,
    states: Sequence[CaseState] | None,
    vehicle_id: int | None = None,
    assignee_id: int | None = None,
    after: tuple[int, datetime, int] | None = None,
    limit: int = 51,
) -> list[tuple[Case, dict[str, Any]]]:
    """Cases with the names beside them (as in `around`), the most urgent first, then the oldest.

    `after` is rules.service.casework.queue_key of the last one seen.
    """
    rank, opened_at, case_id = after or (None, None, None)
    live = states is not None and set(states) == _LIVE  # what the desk looks at all day has an index in its very order
    query = _BESIDE.format(
        states=f"{_OPEN} AND $2::text[] IS NOT NULL" if live else _ALL_STATES,
        after=_BEGINNING if after is None else _AFTER,
    )
    names = None if states is None else [state.value for state in states]
    rows = await connection.fetch(query, dealer_id, names, vehicle_id, assignee_id, rank, opened_at, case_id, limit)
    return [(_case(row), {name: row[name] for name in _NAMES}) for row in rows]


async def standing(connection: Connection) -> dict[tuple[str, str], int]:
    """How many cases are open, by state and severity."""
    return {(row["state"], row["severity"]): row["cases"] for row in await connection.fetch(_STANDING)}


async def create(
    connection: Connection,
    dealer_id: int,
    vehicle_id: int,
    *,
    severity: Severity,
    title: str,
    origin: str,
    owner_id: int | None,
    reason: str,
    actor: str,
    now: datetime,
    note: str = "",
) -> Case:
    """A new case; Overtaken when the car has an open one already."""
    try:
        async with connection.transaction():
            row = await connection.fetchrow(
                _CREATE, dealer_id, vehicle_id, owner_id, severity.value, title, note, origin, now
            )
    except asyncpg.UniqueViolationError:
        raise Overtaken("case", "this car has an open case already") from None
    except asyncpg.ForeignKeyViolationError:
        raise NotFound("vehicle") from None
    case = _case(row)
    await history.write(
        connection, dealer_id, "case", case.id, old=None, new="open", reason=reason, actor=actor, now=now
    )
    await notifications.ring_desk(connection, dealer_id, "case", case.id)
    return case


async def move(
    connection: Connection, case: Case, event: CaseEvent, *, reason: str, actor: str, now: datetime, **columns: Any
) -> Case:
    """Move it by its table: IllegalMove when the table does not know the move, Overtaken when somebody was quicker."""
    state = CASE.next(case.state, event)
    moved = await _update(connection, case, now, {"state": state.value, **columns})
    await history.write(
        connection,
        case.dealer_id,
        "case",
        case.id,
        old=case.state.value,
        new=state.value,
        reason=reason,
        actor=actor,
        now=now,
    )
    return moved


async def change(
    connection: Connection, case: Case, *, what: str, reason: str, actor: str, now: datetime, **columns: Any
) -> Case:
    """Change what is not its state (who owns it, how urgent it is); history says what."""
    changed = await _update(connection, case, now, columns)
    await history.write(
        connection, case.dealer_id, "case", case.id, old=case.state.value, new=what, reason=reason, actor=actor, now=now
    )
    return changed


async def around(connection: Connection, dealer_id: int, case_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What a list shows beside each case: its car, its owner, and whose it is."""
    rows = await connection.fetch(_AROUND, dealer_id, list(case_ids))
    return {row["id"]: {name: value for name, value in as_dict(row).items() if name != "id"} for row in rows}


async def healing_of(connection: Connection, dealer_id: int, case_id: int) -> dict[str, Any] | None:
    """The picture of a proved repair, as rules.service.healing made it."""
    found: dict[str, Any] | None = await connection.fetchval(
        "SELECT healing FROM cases WHERE dealer_id = $1 AND id = $2", dealer_id, case_id
    )
    return found


async def feedback_of(connection: Connection, dealer_id: int, case_id: int) -> Feedback | None:
    """What the owner said afterwards."""
    row = await connection.fetchrow(_FEEDBACK, dealer_id, case_id)
    return Feedback(**as_dict(row)) if row else None


async def faults_of(connection: Connection, dealer_id: int, case_id: int) -> list[tuple[str, str]]:
    """The (rule, component) pairs that the case is about."""
    rows = await connection.fetch(
        "SELECT DISTINCT rule, component FROM alerts WHERE dealer_id = $1 AND case_id = $2 AND NOT shadow",
        dealer_id,
        case_id,
    )
    return [(row["rule"], row["component"]) for row in rows]


async def verifying(connection: Connection, vehicle_id: int | None = None) -> list[Case]:
    """Cases whose car has yet to prove the repair; of one car or of all (machines only)."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM cases WHERE state = 'verifying' AND ($1::bigint IS NULL OR vehicle_id = $1) "
        "ORDER BY id",
        vehicle_id,
    )
    return [_case(row) for row in rows]


async def _update(connection: Connection, case: Case, now: datetime, columns: dict[str, Any]) -> Case:
    unknown = set(columns) - {"state", *_SETTABLE}
    assert not unknown, unknown
    sets = "".join(f", {name} = ${n}" for n, name in enumerate(columns, 5))
    try:
        async with connection.transaction():
            row = await connection.fetchrow(
                f"UPDATE cases SET changed_at = $4{sets} WHERE dealer_id = $1 AND id = $2 AND state = $3 "
                f"RETURNING {_COLUMNS}",
                case.dealer_id,
                case.id,
                case.state.value,
                now,
                *columns.values(),
            )
    except asyncpg.UniqueViolationError:
        raise Overtaken("case", "this car has another open case") from None
    except asyncpg.ForeignKeyViolationError:
        raise NotFound("person") from None
    if row is None:
        raise Overtaken("case")
    await notifications.ring_desk(connection, case.dealer_id, "case", case.id)
    return _case(row)


def _case(row: Any) -> Case:
    return Case(**as_dict(row))
