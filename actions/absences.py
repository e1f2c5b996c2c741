"""Somebody will be away, or is back after all. Their drives go to others; offers that hold their time end."""

from __future__ import annotations

from datetime import datetime, timedelta

from actions import labour
from actions.context import Acting
from actions.free_time import locked_time
from actions.handing_on import hand_on
from rules.service.capacity import overlap
from schemas.absence import Absence
from schemas.booking import OfferEvent
from schemas.case import Case, CaseEvent, CaseState
from schemas.errors import BadInput, NotFound, Overtaken
from schemas.pickup import Leg, LegKind, LegState
from schemas.slot import SlotState, Window
from store import absences, accounts, bookings, cases, history, offers, pickups, slots
from store.pool import Connection

LONGEST = timedelta(days=400)


async def add(acting: Acting, staff_id: int, starts_at: datetime, ends_at: datetime, reason: str) -> Absence:
    """From now on nothing is promised that needs them then; a drive that has begun is theirs to the end.

    BadInput names what cannot be; Overtaken when a drive of theirs was agreed in the same moment.
    """
    if ends_at <= starts_at:
        raise BadInput("ends_at", "must lie after it begins")
    if ends_at - starts_at > LONGEST:
        raise BadInput("ends_at", f"lies more than {LONGEST.days} days later: let them go instead")
    if ends_at <= acting.now():
        raise BadInput("ends_at", "has passed already")
    if not reason.strip():
        raise BadInput("reason", "say why, in a word: training, holiday")
    async with acting.transaction() as connection:
        person = await accounts.staff(connection, acting.dealer_id, staff_id)
        if person.disabled_at is not None:
            raise BadInput("staff_id", f"{person.name} does not work here any more")
        resting = {case.id: case for case in await cases.resting_on(connection, acting.dealer_id, staff_id)}
        await locked_time(acting.house, connection, acting.dealer_id)
        for other in await absences.of_dealer(connection, acting.dealer_id, starts_at, ends_at, staff_id=staff_id):
            raise BadInput("starts_at", f"overlaps another absence of theirs ({other.reason})")
        made = await absences.add(
            connection,
            acting.dealer_id,
            staff_id=staff_id,
            starts_at=starts_at,
            ends_at=ends_at,
            reason=reason.strip(),
            actor=acting.actor,
            now=acting.now(),
        )
        window = Window(starts_at=starts_at, ends_at=ends_at)
        await _end_offers(
            acting,
            connection,
            resting=resting,
            staff_id=staff_id,
            window=window,
            reason=f"{person.name} is away: these windows cannot be kept",
        )
        theirs = await _planned(connection, acting.dealer_id, staff_id, window)
        for leg in theirs:
            if (await bookings.get(connection, acting.dealer_id, leg.booking_id)).case_id not in resting:
                raise Overtaken("drive", f"one was just agreed for {person.name}: try again")
        dealer = await accounts.dealer(connection, acting.dealer_id)
        await hand_on(acting, connection, dealer=dealer, legs=theirs, reason=f"{person.name} is away")
        await labour.hand_on(acting, connection, staff_id, reason=f"{person.name} is away", window=window)
        await history.write(
            connection,
            acting.dealer_id,
            "staff",
            staff_id,
            old=None,
            new="away",
            reason=f"{starts_at:%Y-%m-%d %H:%M} to {ends_at:%Y-%m-%d %H:%M} UTC",
            actor=acting.actor,
            now=acting.now(),
        )
        return made


async def take_back(acting: Acting, absence_id: int, staff_id: int | None = None) -> Absence:
    """They are there after all; what was given to others stays theirs."""
    async with acting.transaction() as connection:
        ended = await absences.end(connection, acting.dealer_id, absence_id, acting.now())
        if staff_id is not None and ended.staff_id != staff_id:
            raise NotFound("absence")
        await history.write(
            connection,
            acting.dealer_id,
            "staff",
            ended.staff_id,
            old="away",
            new="there",
            reason="the absence was taken back",
            actor=acting.actor,
            now=acting.now(),
        )
        return ended


async def _planned(connection: Connection, dealer_id: int, staff_id: int, window: Window) -> list[Leg]:
    legs = await pickups.listed(connection, dealer_id, driver_id=staff_id, unfinished=True)
    return [
        leg
        for leg in legs
        if leg.kind is not LegKind.VISIT
        and leg.state is LegState.PLANNED
        and leg.starts_at < window.ends_at
        and window.starts_at < leg.ends_at
    ]


async def _end_offers(
    acting: Acting, connection: Connection, resting: dict[int, Case], staff_id: int, window: Window, reason: str
) -> None:
    """Their held time cannot be kept: those offers are over, and the desk makes new ones."""
    seats = {one.id for one in await slots.resources(connection, acting.dealer_id) if one.staff_id == staff_id}
    for offer in await offers.holding(connection, acting.dealer_id, staff_id):
        held = await slots.of_offer(connection, acting.dealer_id, offer.id)
        spans = [
            Window(starts_at=slot.starts_at, ends_at=slot.ends_at)
            for slot in held
            if slot.resource_id in seats and slot.state is SlotState.HELD
        ]
        if not any(overlap(span, window) for span in spans):
            continue
        if offer.case_id not in resting:
            raise Overtaken("offer", "one was just made that needs them: try again")
        await offers.move(connection, offer, OfferEvent.EXPIRED, reason=reason, actor=acting.actor, now=acting.now())
        case = resting[offer.case_id]
        if case.state is CaseState.CONTACTED:
            await cases.move(
                connection, case, CaseEvent.OFFER_EXPIRED, reason=reason, actor=acting.actor, now=acting.now()
            )
