"""Offering two real, held windows, and the owner's answer to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from actions.booking_agreement import LINK_LIFE, Held, Terms, address_for, agree, loaner_of
from actions.calling_off import ask_to_ring, withdraw_open_offer
from actions.context import Acting
from actions.driving import fitting, stays
from actions.free_time import asks_of, is_online, locked_time, needs_workshop, next_windows
from actions.texts import permission_for, tell_owner
from rules.service import capacity
from rules.service.asking import Asks
from rules.service.claims import window_of, work_end
from rules.service.offering import Ring, asked
from rules.service.reminders import ask_again
from schemas.account import Dealer
from schemas.booking import OFFER, Booking, BookingKind, Offer, OfferEvent, OfferState
from schemas.case import CASE, Case, CaseEvent, CaseState
from schemas.errors import BadInput, NotFound, Overtaken
from schemas.message import MessageKind, asserts
from schemas.moment import local
from schemas.slot import Resource, SlotState
from store import accounts, cases, history, jobs, offers, secrets, slots
from store.pool import Connection


async def make(
    acting: Acting,
    case_id: int,
    kind: BookingKind | None = None,
    starts: Sequence[datetime] = (),
    *,
    since: datetime | None = None,
) -> Offer:
    """Hold two free windows and ask the owner, all in one transaction. An older open offer is withdrawn.

    Without a `kind` a car that may be driven is collected, and one that must not is towed; BadInput when it is to be
    driven all the same. `starts` are the windows that a person saw before sending: these and no others are held, or
    none. `since` asks for later ones.
    """
    async with acting.transaction() as connection:
        now = acting.now()
        case = await cases.get(connection, acting.dealer_id, case_id, lock=True)
        CASE.next(case.state, CaseEvent.OFFERED)
        if case.owner_id is None:
            raise BadInput("owner", "nobody owns this car yet: say who does, then there is somebody to ask")
        kind = await fitting(connection, case, kind)
        await address_for(connection, case, kind)
        leaves_at = await leaving(acting, connection, case)
        dealer = await accounts.dealer(connection, acting.dealer_id)
        await withdraw_open_offer(acting, connection, case, "a new offer was made")
        resources, taken = await locked_time(acting.house, connection, acting.dealer_id)
        asks = await asks_of(connection, dealer, now, case=case, online=is_online(acting))
        if starts:
            options = _chosen(dealer, kind, starts=starts, now=leaves_at, resources=resources, taken=taken, asks=asks)
            if options is None:
                windows = await next_windows(acting.house, connection, dealer, kind, asks=asks)
                raise Overtaken("window", "it is no longer free; these are the next", windows)
        else:
            options = capacity.offered(
                dealer,
                kind,
                now=now,
                resources=resources,
                taken=taken,
                since=readable_since(dealer, leaves_at, now, since),
                asks=asks,
            )
        if not options:
            raise Overtaken("window", nothing_free(kind, resources, asks))
        hold = min(leaves_at + timedelta(minutes=dealer.offer_hold_minutes), options[-1].window.starts_at)
        offer = await offers.make(
            connection, acting.dealer_id, case_id, kind, actor=acting.actor, now=now, expires_at=hold
        )
        for choice, option in enumerate(options, 1):
            await slots.hold(
                connection,
                acting.dealer_id,
                offer_id=offer.id,
                choice=choice,
                claims=option.claims,
                expires_at=min(hold, option.window.starts_at),
            )
        await cases.move(
            connection,
            case,
            CaseEvent.OFFERED,
            reason=f"{kind.value} offered",
            actor=acting.actor,
            now=now,
            acknowledged_at=case.acknowledged_at or now,
        )
        token = await secrets.make(
            connection,
            acting.dealer_id,
            "offer",
            now=now,
            expires_at=now + LINK_LIFE,
            owner_id=case.owner_id,
            vehicle_id=case.vehicle_id,
            subject_id=offer.id,
        )
        await tell_owner(
            acting,
            connection,
            case,
            MessageKind.OFFER,
            asserts=[asserts("offer", offer.id, OfferState.OPEN)],
            kind=kind.value,
            windows=[option.window for option in options],
            link=acting.house.link("offer", token),
            now=leaves_at,
        )
        await jobs.put(connection, acting.dealer_id, "offer", offer.id, due_at=hold)
        return offer


def readable_since(
    dealer: Dealer, leaves_at: datetime, now: datetime, since: datetime | None = None
) -> datetime | None:
    """From when on windows are offered: whoever reads the text in the morning is offered what lies ahead of them
    then.
    """
    if leaves_at <= now:
        return since
    return max(since or leaves_at, leaves_at + timedelta(minutes=dealer.notice_minutes))


async def leaving(acting: Acting, connection: Connection, case: Case) -> datetime:
    """When the text of an offer made now would leave.

    BadInput when it would not reach its owner in time: then a person rings and books.
    """
    answer = asked(await permission_for(acting, connection, case, MessageKind.OFFER), acting.now())
    if isinstance(answer, Ring):
        raise BadInput("owner", f"no offer would reach them: {answer.because}. Ring them, and book")
    return answer.at


async def accept(acting: Acting, offer_id: int, choice: int) -> Booking:
    """The owner's digit, or the desk in the owner's name: that window becomes a booking. Exactly one answer wins."""
    async with acting.transaction() as connection:
        case, offer = await _locked(connection, acting.dealer_id, offer_id)
        now = acting.now()
        OFFER.next(offer.state, OfferEvent.ACCEPTED)
        dealer = await accounts.dealer(connection, acting.dealer_id)
        if offer.expires_at <= now:
            raise Overtaken(
                "offer",
                "its windows were held only until then",
                await next_windows(acting.house, connection, dealer, offer.kind),
            )
        held = [
            slot
            for slot in await slots.of_offer(connection, acting.dealer_id, offer_id)
            if slot.choice == choice and slot.state is SlotState.HELD
        ]
        if not held:
            raise BadInput("choice", f"{choice} is not one of the windows of this offer")
        spans = [(slot.use, slot.starts_at, slot.ends_at) for slot in held]
        window = window_of(offer.kind, spans)
        if offer.kind.driven and (found := await stays(connection, case)) is not None:
            raise Overtaken("offer", found.because)
        if window.starts_at <= now:
            raise Overtaken(
                "window", "it has begun already", await next_windows(acting.house, connection, dealer, offer.kind)
            )
        terms = Terms(
            offer.kind,
            window,
            ready_by=work_end(spans),
            loaner_id=loaner_of(held),
            reason=f"answered {choice}",
            time=Held(offer, choice),
        )
        return await agree(acting, connection, dealer=dealer, case=case, terms=terms)


async def decline(acting: Acting, offer_id: int, reason: str = "") -> Offer:
    """The owner says not now: the windows are free again and the case is the desk's."""
    async with acting.transaction() as connection:
        case, offer = await _locked(connection, acting.dealer_id, offer_id)
        now, why = acting.now(), reason or "the owner said not now"
        declined = await offers.move(connection, offer, OfferEvent.DECLINED, reason=why, actor=acting.actor, now=now)
        if case.state is CaseState.CONTACTED:
            await cases.move(connection, case, CaseEvent.DECLINED, reason=why, actor=acting.actor, now=now)
        await tell_owner(
            acting, connection, case, MessageKind.DECLINED, asserts=[asserts("offer", offer.id, OfferState.DECLINED)]
        )
        return declined


async def withdraw(acting: Acting, offer_id: int, reason: str = "") -> Offer:
    """The desk takes it back."""
    async with acting.transaction() as connection:
        case, offer = await _locked(connection, acting.dealer_id, offer_id)
        now, why = acting.now(), reason or "the offer was withdrawn"
        withdrawn = await offers.move(connection, offer, OfferEvent.WITHDRAWN, reason=why, actor=acting.actor, now=now)
        if case.state is CaseState.CONTACTED:
            await cases.move(connection, case, CaseEvent.OFFER_EXPIRED, reason=why, actor=acting.actor, now=now)
        return withdrawn


async def expire(
    connection: Connection, dealer_id: int, offer_id: int, actor: str, now: datetime, *, answered: bool = False
) -> bool:
    """The hold is over: windows free, case with the desk again, and history says when the owner may be asked anew.

    Whoever notices it does this: the job at the end of the hold, the sweep, or an answer that comes too late. False: it
    was answered, is not due at `now` (business time), or is there no more. `answered`: whoever answers was asked,
    whatever the outbox knows of its text.
    """
    try:
        case, offer = await _locked(connection, dealer_id, offer_id)
    except NotFound:
        return False
    if offer.state is not OfferState.OPEN or offer.expires_at > now:
        return False
    if not answered and not await offers.was_asked(connection, offer):
        return await _never_asked(connection, case, offer=offer, actor=actor, now=now)
    why = "the owner did not answer in time"
    await offers.move(connection, offer, OfferEvent.EXPIRED, reason=why, actor=actor, now=now)
    if case.state is CaseState.CONTACTED:
        case = await cases.move(connection, case, CaseEvent.OFFER_EXPIRED, reason=why, actor=actor, now=now)
    again = ask_again(await offers.asked_at(connection, case.dealer_id, case.id), case.severity, now)
    await history.write(
        connection,
        dealer_id,
        "case",
        case.id,
        old=case.state.value,
        new="ask_again",
        reason=again.reason,
        actor=actor,
        now=now,
    )
    return True


async def give_up(connection: Connection, dealer_id: int, offer_id: int, actor: str, now: datetime) -> bool:
    """The text of an open offer did not leave and will not in time: nobody waits for an answer to what was not asked.

    False: it did, or it is over.
    """
    case, offer = await _locked(connection, dealer_id, offer_id)
    if offer.state is not OfferState.OPEN or await offers.will_be_asked(connection, offer):
        return False
    return await _never_asked(connection, case, offer=offer, actor=actor, now=now)


async def _never_asked(connection: Connection, case: Case, offer: Offer, actor: str, now: datetime) -> bool:
    because = await offers.unsent_because(connection, offer)
    why = f"our offer was not sent: {because}"
    await offers.move(connection, offer, OfferEvent.WITHDRAWN, reason=why, actor=actor, now=now)
    if case.state is CaseState.CONTACTED:
        case = await cases.move(connection, case, CaseEvent.OFFER_EXPIRED, reason=why, actor=actor, now=now)
    await ask_to_ring(connection, case, why, now)
    return True


async def renew(acting: Acting, offer_id: int) -> Offer:
    """A fresh offer of the same kind, for an owner who answers after the hold has run out."""
    async with acting.transaction() as connection:
        await expire(
            connection, acting.dealer_id, offer_id=offer_id, actor=acting.actor, now=acting.now(), answered=True
        )
        offer = await offers.get(connection, acting.dealer_id, offer_id)
        if offer.state is not OfferState.EXPIRED:
            raise Overtaken("offer", f"it is {offer.state.value}")
        return await make_again(acting.within(connection), offer)


async def make_again(acting: Acting, offer: Offer, *, since: datetime | None = None) -> Offer:
    """Other windows of the same kind; of a tow truck when the car must not be driven by now."""
    async with acting.transaction() as connection:
        case = await cases.get(connection, acting.dealer_id, offer.case_id, lock=True)
        towed = await stays(connection, case) is not None
        return await make(
            acting.within(connection),
            offer.case_id,
            BookingKind.TOW if towed and offer.kind.driven else offer.kind,
            since=since,
        )


async def _locked(connection: Connection, dealer_id: int, offer_id: int) -> tuple[Case, Offer]:
    """The case first, then the offer: everybody locks in this order."""
    offer = await offers.get(connection, dealer_id, offer_id)
    case = await cases.get(connection, dealer_id, offer.case_id, lock=True)
    return case, await offers.get(connection, dealer_id, offer_id, lock=True)


def _chosen(
    dealer: Dealer,
    kind: BookingKind,
    starts: Sequence[datetime],
    now: datetime,
    resources: Sequence[Resource],
    taken: capacity.Taken,
    asks: Asks,
) -> tuple[capacity.Option, ...] | None:
    """What the person saw, held side by side; None when one of them is gone."""
    found: list[capacity.Option] = []
    for start in starts:
        held = {
            r.id: [*taken.get(r.id, ()), *(c.window for o in found for c in o.claims if c.resource_id == r.id)]
            for r in resources
        }
        option = (
            capacity.at(dealer, kind, starts_at=start, now=now, resources=resources, taken=held, asks=asks)
            if start > now
            else None
        )
        if option is None:
            return None
        found.append(option)
        day = local(start, dealer.zone).date()
        asks = replace(asks, places=asks.places.less(kind, day, loaner=False))
    return tuple(found)


def nothing_free(kind: BookingKind, resources: Sequence[Resource], asks: Asks) -> str:
    """Why no window can be offered at all."""
    if (lacks := asks.places.lacks(kind)) is not None:
        return lacks
    if kind is BookingKind.MOBILE_REPAIR and asks.work.bound:
        return needs_workshop(asks)
    if unable := capacity.unable(asks.work, resources):
        return f"nobody here knows {unable}"
    kinds = {resource.kind.value for resource in resources}
    needs = (
        ("van", "technician with planned hours")
        if kind is BookingKind.MOBILE_REPAIR
        else ("driver", "bay")
        if kind.fetched
        else ("bay",)
    )
    missing = [needed for needed in needs if needed.split()[0] not in kinds]
    return (
        f"this dealer has no {' and no '.join(missing)} yet"
        if missing
        else f"nothing is free in the next {capacity.HORIZON.days} days"
    )
