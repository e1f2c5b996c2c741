"""What an owner's signed link opens: one case with its car, its offer and its visit, read in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.alert import Alert
from schemas.booking import Booking, Offer
from schemas.case import Case
from schemas.consent import Owner
from schemas.estimate import EstimateLine
from schemas.feedback import Feedback
from schemas.pickup import Leg
from schemas.slot import Slot
from store import estimates, slots
from store.pickups import LEG_COLUMNS
from store.pool import Connection, as_dict

#: Which case a link leads to, by what it opens.
_CASE_OF = {
    "offer": "SELECT case_id FROM offers WHERE dealer_id = $1 AND id = $2",
    "journey": "SELECT case_id FROM bookings WHERE dealer_id = $1 AND id = $2",
    "feedback": "SELECT id FROM cases WHERE dealer_id = $1 AND id = $2",
    "driver": "SELECT b.case_id FROM legs l JOIN bookings b ON b.dealer_id = l.dealer_id AND b.id = l.booking_id "
    "WHERE l.dealer_id = $1 AND l.id = $2",
}
_CASE = """
SELECT id, dealer_id, vehicle_id, state, severity, title, origin, assignee_id, comebacks, opened_at, changed_at,
  acknowledged_at,
    escalated_at, repaired_at, proof, owner_id, note, confirmed FROM cases WHERE dealer_id = $1 AND id = $2
"""
_CAR = "SELECT id, title, plate, owner_id, last_heard_at FROM vehicles WHERE dealer_id = $1 AND id = $2"
_OWNER = """
SELECT id, dealer_id, name, phone, email, channel, language, zone, quiet_from, quiet_to, address, stopped_at
FROM owners WHERE dealer_id = $1 AND id = $2
"""
_OFFER = """
SELECT id, dealer_id, case_id, kind, state, made_at, expires_at FROM offers WHERE dealer_id = $1 AND case_id = $2
ORDER BY state = 'open' DESC, id DESC LIMIT 1
"""
_BOOKING = """
SELECT id, dealer_id, case_id, vehicle_id, kind, state, starts_at, ends_at, wall_start, zone, address, loaner_id,
  ready_by, last_word_at,
    made_at, finding FROM bookings WHERE dealer_id = $1 AND case_id = $2 ORDER BY state <> 'cancelled' DESC, id DESC
      LIMIT 1
"""
_LEGS = f"""
SELECT {LEG_COLUMNS}, s.name AS driver
FROM legs l LEFT JOIN staff s ON s.dealer_id = l.dealer_id AND s.id = l.driver_id WHERE l.dealer_id = $1
  AND l.booking_id = $2 ORDER BY l.kind
"""
_ALERTS = """
SELECT id, dealer_id, vehicle_id, rule, rule_version, component, episode, step, state, severity, because, first_at,
  changed_at,
    received_at, case_id, shadow, evidence FROM alerts
WHERE dealer_id = $1 AND case_id = $2 AND NOT shadow AND state IN ('active', 'resolved')
ORDER BY state <> 'active', array_position(ARRAY['now', 'soon', 'advice'], severity), id DESC LIMIT 12
"""
_CHANGES = """
SELECT new, min(at) AS at FROM history WHERE dealer_id = $1 AND noun = $2 AND subject_id = ANY($3::bigint[])
  GROUP BY new
"""
_FEEDBACK = "SELECT case_id, asked_at, answered_at, score, words FROM feedback WHERE dealer_id = $1 AND case_id = $2"
#: Which step of the journey a new state of a booking or a leg is.
_STEP_OF = {"arrived": "at_workshop", "ready": "ready", "completed": "handed_over"}


@dataclass(frozen=True, slots=True)
class Car:
    """As much of a car as its owner's page needs."""

    id: int
    title: str
    plate: str | None
    owner_id: int | None
    last_heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class Visit:
    """Everything that one link shows."""

    case: Case
    car: Car
    owner: Owner
    offer: Offer | None
    slots: tuple[Slot, ...]  #: what the offer holds, by choice
    booking: Booking | None
    legs: tuple[tuple[Leg, str | None], ...]  #: with the driver's name
    alerts: tuple[Alert, ...]
    times: dict[str, datetime]  #: when each step of the journey was reached
    feedback: Feedback | None
    extra_work: tuple[EstimateLine, ...]


async def case_of(connection: Connection, dealer_id: int, purpose: str, subject_id: int) -> int | None:
    """The case to which a link of this purpose leads."""
    found: int | None = await connection.fetchval(_CASE_OF[purpose], dealer_id, subject_id)
    return found


async def visit(connection: Connection, dealer_id: int, case_id: int, owner_id: int | None = None) -> Visit | None:
    """The case as its owner may see it; `owner_id` defaults to the owner in whose time it was opened."""
    row = await connection.fetchrow(_CASE, dealer_id, case_id)
    if row is None:
        return None
    case = Case(**as_dict(row))
    car = Car(**as_dict(await connection.fetchrow(_CAR, dealer_id, case.vehicle_id)))
    person = await connection.fetchrow(_OWNER, dealer_id, owner_id or case.owner_id or car.owner_id)
    if person is None:
        return None
    offered = await connection.fetchrow(_OFFER, dealer_id, case_id)
    offer = Offer(**as_dict(offered)) if offered else None
    held = await slots.of_offer(connection, dealer_id, offer.id) if offer else []
    booked = await connection.fetchrow(_BOOKING, dealer_id, case_id)
    booking = Booking(**as_dict(booked)) if booked else None
    legs = (
        [
            (Leg(**{name: one[name] for name in Leg.model_fields}), one["driver"])
            for one in await connection.fetch(_LEGS, dealer_id, booking.id)
        ]
        if booking
        else []
    )
    answered = await connection.fetchrow(_FEEDBACK, dealer_id, case_id)
    return Visit(
        case=case,
        car=car,
        owner=Owner(**as_dict(person)),
        offer=offer,
        slots=tuple(held),
        booking=booking,
        legs=tuple(legs),
        alerts=tuple(Alert(**as_dict(one)) for one in await connection.fetch(_ALERTS, dealer_id, case_id)),
        times=await _times(connection, dealer_id, case=case, booking=booking, legs=[leg.id for leg, _ in legs]),
        feedback=Feedback(**as_dict(answered)) if answered else None,
        extra_work=tuple(await estimates.of_booking(connection, dealer_id, booking.id)) if booking else (),
    )


async def owner_of(connection: Connection, dealer_id: int, owner_id: int) -> Owner | None:
    """The person behind a link."""
    row = await connection.fetchrow(_OWNER, dealer_id, owner_id)
    return Owner(**as_dict(row)) if row else None


async def _times(
    connection: Connection, dealer_id: int, case: Case, booking: Booking | None, legs: list[int]
) -> dict[str, datetime]:
    times: dict[str, datetime] = {"agreed": booking.made_at} if booking else {}
    if booking:
        changes = await connection.fetch(_CHANGES, dealer_id, "booking", [booking.id])
        times |= {_STEP_OF[row["new"]]: row["at"] for row in changes if row["new"] in _STEP_OF}
        times |= {
            row["new"]: row["at"]
            for row in await connection.fetch(_CHANGES, dealer_id, "leg", legs)
            if row["new"] not in ("planned", "cancelled")
        }
    done = {row["new"]: row["at"] for row in await connection.fetch(_CHANGES, dealer_id, "case", [case.id])}
    return times | ({"all_clear": done["done"]} if "done" in done else {})
