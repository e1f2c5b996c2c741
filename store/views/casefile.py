"""One case whole: its alerts with evidence, the owner's consent, the conversation, and what is agreed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.alert import Alert
from schemas.booking import Booking, BookingState, Offer
from schemas.case import Case
from schemas.consent import Consent, Owner
from schemas.feedback import Feedback
from schemas.history import Change
from schemas.message import Message, Purpose
from schemas.pause import Pause
from schemas.pickup import Leg
from schemas.slot import Slot
from schemas.vehicle import Vehicle
from store import (
    alerts,
    bookings,
    cases,
    consents,
    fleet,
    messages,
    offers,
    owners,
    pauses,
    pickups,
    slots,
    spoken_warnings,
)
from store.pool import Connection, as_dict
from store.spoken_warnings import Spoken

_HEARD = "SELECT last_heard_at FROM vehicles WHERE dealer_id = $1 AND id = $2"
_TALK = """
SELECT * FROM (
    SELECT 'out' AS direction, m.body, coalesce(m.sent_at, m.due_at) AS at, m.kind, m.state, m.reason, m.author,
      m.channel, m.language,
        false AS unread, m.id, 1 AS side, s.name AS staff
    FROM messages m LEFT JOIN staff s ON s.dealer_id = m.dealer_id AND m.author = 'staff:' || s.id
    WHERE m.dealer_id = $1 AND m.owner_id = $2
    UNION ALL
    SELECT 'in', r.body, r.received_at, r.understood, 'received', NULL, 'owner', r.channel, NULL, r.read_at IS NULL
      AND r.understood IN ('other', 'sold', 'wrong'),
        r.id, 0, NULL
    FROM replies r WHERE r.dealer_id = $1 AND r.owner_id = $2
) AS said ORDER BY at DESC, side DESC, id DESC LIMIT $3
"""
_PEOPLE = "SELECT id, name FROM staff WHERE dealer_id = $1"
_HISTORY = """
SELECT h.dealer_id, h.noun, h.subject_id, h.old, h.new, h.reason, h.actor, h.at FROM history h
WHERE h.dealer_id = $1 AND (
    (h.noun = 'case' AND h.subject_id = $2)
    OR (h.noun = 'offer' AND h.subject_id IN (SELECT id FROM offers WHERE dealer_id = $1 AND case_id = $2))
    OR (h.noun = 'booking' AND h.subject_id IN (SELECT id FROM bookings WHERE dealer_id = $1 AND case_id = $2))
    OR (h.noun = 'leg' AND h.subject_id IN (SELECT l.id FROM legs l JOIN bookings b ON b.dealer_id = l.dealer_id
      AND b.id = l.booking_id
        WHERE l.dealer_id = $1 AND b.case_id = $2)))
ORDER BY h.id
"""


@dataclass(frozen=True, slots=True)
class TalkLine:
    """One line of the conversation, as the desk shows it."""

    direction: str
    body: str
    at: datetime
    kind: str
    state: str
    reason: str | None
    author: str
    channel: str
    language: str | None
    unread: bool
    id: int
    side: int
    staff: str | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything that the page of one case shows."""

    case: Case
    alerts: list[Alert]
    vehicle: Vehicle
    last_heard_at: datetime | None
    owner: Owner | None
    consents: Mapping[Purpose, Consent]
    warnings: list[Message]  #: texts about danger to the owner of now, oldest first
    spoken: list[Spoken]  #: what was said to them on the telephone, oldest first
    talk: list[TalkLine]
    offer: Offer | None  #: the newest
    slots: list[Slot]  #: of that offer
    booking: Booking | None  #: the newest that was not cancelled, else the newest
    pause: Pause | None  #: what its work waits for now
    legs: list[tuple[Leg, str | None]]  #: each with its driver's name
    history: list[Change]
    feedback: Feedback | None
    people: Mapping[int, str]


async def load(connection: Connection, dealer_id: int, case_id: int) -> CaseFile:
    """The case, or NotFound."""
    case = await cases.get(connection, dealer_id, case_id)
    vehicle = await fleet.get(connection, dealer_id, case.vehicle_id)
    owner_id = case.owner_id or vehicle.owner_id
    made = await offers.of_case(connection, dealer_id, case_id)
    visits = await bookings.of_case(connection, dealer_id, case_id)
    booking = next((b for b in visits if b.state is not BookingState.CANCELLED), None) or next(iter(visits), None)
    names = await people(connection, dealer_id)
    legs = await pickups.of_booking(connection, dealer_id, booking.id) if booking else []
    return CaseFile(
        case=case,
        alerts=[alert for alert in await alerts.of_case(connection, dealer_id, case_id) if not alert.shadow],
        vehicle=vehicle,
        last_heard_at=await connection.fetchval(_HEARD, dealer_id, vehicle.id),
        owner=await owners.get(connection, dealer_id, owner_id) if owner_id else None,
        consents=await consents.of_owner(connection, dealer_id, owner_id) if owner_id else {},
        warnings=await messages.warnings(connection, dealer_id, owner_id, case_id) if owner_id else [],
        spoken=await spoken_warnings.of_case(connection, dealer_id, case_id, owner_id) if owner_id else [],
        talk=await talk(connection, dealer_id, owner_id) if owner_id else [],
        offer=made[0] if made else None,
        slots=await slots.of_offer(connection, dealer_id, made[0].id) if made else [],
        booking=booking,
        pause=await pauses.now_of(connection, dealer_id, booking.id) if booking else None,
        legs=[(leg, names.get(leg.driver_id) if leg.driver_id else None) for leg in legs],
        history=[Change(**as_dict(row)) for row in await connection.fetch(_HISTORY, dealer_id, case_id)],
        feedback=await cases.feedback_of(connection, dealer_id, case_id),
        people=names,
    )


async def talk(connection: Connection, dealer_id: int, owner_id: int, limit: int = 60) -> list[TalkLine]:
    """The newest lines of the conversation, oldest first."""
    return [TalkLine(**as_dict(row)) for row in reversed(await connection.fetch(_TALK, dealer_id, owner_id, limit))]


async def people(connection: Connection, dealer_id: int) -> dict[int, str]:
    """The names of this dealer's staff, for history and assignment."""
    return {row["id"]: row["name"] for row in await connection.fetch(_PEOPLE, dealer_id)}
