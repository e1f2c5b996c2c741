"""The drives of a pickup: a collect and a return leg, each moved step by step by its driver."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schemas.errors import NotFound, Overtaken
from schemas.pickup import LEGS, Door, Leg, LegEvent, LegKind
from store import history, notifications
from store.pool import Connection, as_dict

_COLUMNS = ", ".join(Leg.model_fields)  # a column each
LEG_COLUMNS = ", ".join(f"l.{name}" for name in Leg.model_fields)  #: the same of `legs l`, for views that join
_DOOR = ", ".join(Door.model_fields)
_PLAN = f"""
INSERT INTO legs (dealer_id, booking_id, kind, state, driver_id, slot_id, address, starts_at, ends_at, changed_at,
  {_DOOR})
VALUES ($1, $2, $3, 'planned', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING {_COLUMNS}
"""
_DESCRIBE = """
UPDATE legs l SET place = $3, access_notes = $4, contact = $5, travel_minutes = $6, travel_by = $7
FROM bookings b, cases c, owners o
WHERE l.dealer_id = $1 AND l.state = 'planned' AND b.dealer_id = $1 AND b.id = l.booking_id AND c.dealer_id = $1
  AND c.id = b.case_id AND c.owner_id = $2 AND o.dealer_id = $1 AND o.id = $2 AND l.address = o.address
"""
_LIST = f"""
SELECT {_COLUMNS} FROM legs
WHERE dealer_id = $1 AND ($2::timestamptz IS NULL OR starts_at >= $2) AND ($3::timestamptz IS NULL OR starts_at < $3)
  AND ($4::bigint IS NULL OR driver_id = $4) AND ($5::bigint IS NULL OR booking_id = $5)
  AND (NOT $6 OR state IN ('planned', 'on_the_way', 'collected', 'on_the_way_back', 'at_car'))
ORDER BY starts_at, id LIMIT 500
"""


async def plan(
    connection: Connection,
    dealer_id: int,
    booking_id: int,
    kind: LegKind,
    *,
    driver_id: int | None,
    slot_id: int | None,
    address: str,
    door: Door,
    starts_at: datetime,
    ends_at: datetime,
    actor: str,
    now: datetime,
) -> Leg:
    """A new drive."""
    row = await connection.fetchrow(
        _PLAN,
        dealer_id,
        booking_id,
        kind.value,
        driver_id,
        slot_id,
        address,
        starts_at,
        ends_at,
        now,
        *door.model_dump().values(),
    )
    leg = _leg(row)
    await history.write(
        connection,
        dealer_id,
        "leg",
        leg.id,
        old=None,
        new="planned",
        reason="a technician goes to the car" if kind is LegKind.VISIT else f"{kind.value} leg of a pickup",
        actor=actor,
        now=now,
    )
    await notifications.ring_desk(connection, dealer_id, "leg", leg.id)
    return leg


async def get(connection: Connection, dealer_id: int, leg_id: int, *, lock: bool = False) -> Leg:
    """That leg, or NotFound."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM legs WHERE dealer_id = $1 AND id = $2" + (" FOR UPDATE" if lock else ""),
        dealer_id,
        leg_id,
    )
    if row is None:
        raise NotFound("leg")
    return _leg(row)


async def of_booking(connection: Connection, dealer_id: int, booking_id: int) -> list[Leg]:
    """Collection first, then the return."""
    return await listed(connection, dealer_id, booking_id=booking_id)


async def listed(
    connection: Connection,
    dealer_id: int,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    driver_id: int | None = None,
    booking_id: int | None = None,
    unfinished: bool = False,
) -> list[Leg]:
    """Drives by their time; `unfinished` are those that somebody still has to drive."""
    return [
        _leg(row) for row in await connection.fetch(_LIST, dealer_id, since, until, driver_id, booking_id, unfinished)
    ]


async def move(connection: Connection, leg: Leg, event: LegEvent, *, reason: str, actor: str, now: datetime) -> Leg:
    """Move it by its kind's table: five steps, in order."""
    state = LEGS[leg.kind].next(leg.state, event)
    row = await connection.fetchrow(
        "UPDATE legs SET state = $4, changed_at = $5, position = NULL, position_at = NULL "
        "WHERE dealer_id = $1 AND id = $2 AND state = $3 "
        f"RETURNING {_COLUMNS}",
        leg.dealer_id,
        leg.id,
        leg.state.value,
        state.value,
        now,
    )
    if row is None:
        raise Overtaken("leg")
    await history.write(
        connection,
        leg.dealer_id,
        "leg",
        leg.id,
        old=leg.state.value,
        new=state.value,
        reason=reason,
        actor=actor,
        now=now,
    )
    await notifications.ring_desk(connection, leg.dealer_id, "leg", leg.id)
    return _leg(row)


async def reached_at(connection: Connection, leg: Leg) -> datetime:
    """When it came into the state in which it is; another driver does not change that."""
    found: datetime | None = await connection.fetchval(
        "SELECT max(at) FROM history WHERE dealer_id = $1 AND noun = 'leg' AND subject_id = $2 AND new = $3",
        leg.dealer_id,
        leg.id,
        leg.state.value,
    )
    return found or leg.changed_at


async def assign(
    connection: Connection, leg: Leg, driver_id: int, slot_id: int | None, *, reason: str, actor: str, now: datetime
) -> Leg:
    """Another driver takes it, in the same state."""
    row = await connection.fetchrow(
        "UPDATE legs SET driver_id = $4, slot_id = coalesce($5, slot_id), changed_at = $6, position = NULL, "
        "position_at = NULL WHERE dealer_id = $1 "  # the place was the other's
        f"AND id = $2 AND state = $3 RETURNING {_COLUMNS}",
        leg.dealer_id,
        leg.id,
        leg.state.value,
        driver_id,
        slot_id,
        now,
    )
    if row is None:
        raise Overtaken("leg")
    await history.write(
        connection,
        leg.dealer_id,
        "leg",
        leg.id,
        old=leg.state.value,
        new="assigned",
        reason=reason,
        actor=actor,
        now=now,
    )
    await notifications.ring_desk(connection, leg.dealer_id, "leg", leg.id)
    return _leg(row)


async def reschedule(
    connection: Connection,
    leg: Leg,
    *,
    driver_id: int | None,
    slot_id: int,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    actor: str,
    now: datetime,
) -> Leg:
    """Another time for a drive that nobody has begun, with whoever drives then."""
    row = await connection.fetchrow(
        f"""UPDATE legs SET driver_id = $3, slot_id = $4, starts_at = $5, ends_at = $6, changed_at = $7
            WHERE dealer_id = $1 AND id = $2 AND state = 'planned' RETURNING {_COLUMNS}""",
        leg.dealer_id,
        leg.id,
        driver_id,
        slot_id,
        starts_at,
        ends_at,
        now,
    )
    if row is None:
        raise Overtaken("leg")
    await history.write(
        connection, leg.dealer_id, "leg", leg.id, old=leg.state.value, new="moved", reason=reason, actor=actor, now=now
    )
    await notifications.ring_desk(connection, leg.dealer_id, "leg", leg.id)
    return _leg(row)


async def describe(connection: Connection, dealer_id: int, owner_id: int, door: Door) -> None:
    """What is known of this owner's door counts for their drives that nobody has begun, unless they go elsewhere."""
    await connection.execute(_DESCRIBE, dealer_id, owner_id, *door.model_dump().values())


async def forget_ways(connection: Connection, dealer_id: int) -> None:
    """The house is elsewhere: how long the ways to drives that nobody has begun take is found out anew."""
    await connection.execute(
        "UPDATE legs SET travel_minutes = NULL, travel_by = NULL WHERE dealer_id = $1 AND state = 'planned'", dealer_id
    )


async def unassign(connection: Connection, leg: Leg, *, reason: str, actor: str, now: datetime) -> None:
    """It is nobody's until somebody takes it."""
    done = await connection.execute(
        "UPDATE legs SET driver_id = NULL, slot_id = NULL, changed_at = $4, position = NULL, position_at = NULL "
        "WHERE dealer_id = $1 AND id = $2 AND state = $3",
        leg.dealer_id,
        leg.id,
        leg.state.value,
        now,
    )
    if done != "UPDATE 1":
        raise Overtaken("leg")
    await history.write(
        connection,
        leg.dealer_id,
        "leg",
        leg.id,
        old=leg.state.value,
        new="unassigned",
        reason=reason,
        actor=actor,
        now=now,
    )
    await notifications.ring_desk(connection, leg.dealer_id, "leg", leg.id)


def _leg(row: Any) -> Leg:
    return Leg(**as_dict(row))
