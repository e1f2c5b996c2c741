"""A text that came in: stored once, understood, acted on and answered, all in one transaction.

A provider that sees an error sends it again, and then nothing of the first try is there: no half-heard text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from actions import leaving, outbox, stopping
from actions import offers as offer_acts
from actions.context import Acting, House
from rules.service.replies import Asked, Meaning, Understood, normal, understand
from schemas.account import Dealer
from schemas.booking import BookingState, Offer, OfferState
from schemas.case import CaseState
from schemas.consent import Owner
from schemas.errors import BadInput, IllegalMove, NotFound, Overtaken
from schemas.message import Draft, MessageKind, OwnerRecipient, Purpose, asserts
from schemas.text import storable
from schemas.thread import Reply
from schemas.vehicle import Vehicle
from store import accounts, cases, consents, feedback, fleet, jobs, offers, owners, slots, stops, threads
from store.pool import Connection

ACTOR = "owner"
LONGEST_BODY = 2000  #: ten SMS parts and some; what is longer is cut before it is stored
FEEDBACK_FOR = timedelta(days=14)  #: a digit after that answers nothing
_ONE_PASSED_ON = timedelta(hours=1)  #: two machines that answer each other must not talk all night
_OF_THE_NUMBER = (Meaning.STOP, Meaning.START)  #: whoever's row it stands in
_CLAIMS = (*_OF_THE_NUMBER, Meaning.WRONG)
_ANSWERABLE = (CaseState.OPEN, CaseState.CONTACTED)


@dataclass(frozen=True, slots=True)
class HandledReply:
    """What became of a text: `reply_id` None means that it had been heard before."""

    dealer_id: int
    reply_id: int | None
    understood: Understood | None
    owner_id: int | None


@dataclass(frozen=True, slots=True)
class _Incoming:
    """One owner's text and all that is needed to act on it."""

    dealer: Dealer
    owner: Owner
    reply: Reply
    reply_id: int
    thread_id: int
    offer: Offer | None
    cars: Sequence[Vehicle] = ()  #: of everybody who is reached there


async def handle(house: House, reply: Reply, *, dealer_id: int | None = None, proven: bool = True) -> HandledReply:
    """From the provider's hand to the end of what it causes. NotFound when nobody is reached at that number.

    `dealer_id` where it is known whose line it is. Not `proven`: anybody could have written it in that name, so nothing
    but a STOP is acted on.
    """
    for field, text in (("from", reply.from_address), ("to", reply.to_address), ("id", reply.provider_id)):
        storable(text, field)
    reply = reply.model_copy(
        update={"body": reply.body.replace("\x00", "").encode("utf-8", "replace").decode()[:LONGEST_BODY]}
    )
    if dealer_id is None:
        async with house.at(None) as connection:
            dealer_id = await accounts.dealer_at(connection, reply.to_address)
    if dealer_id is None:
        raise NotFound("number")
    async with house.at(dealer_id) as connection:
        here = await owners.at(connection, dealer_id, stops.plain([reply.from_address]))
        if not here:
            meant = understand(
                reply.body, Asked()
            ).meaning  # a STOP counts for the number, whoever is reached there later
            meant = meant if proven or meant is Meaning.STOP else Meaning.OTHER
            if meant in _OF_THE_NUMBER:
                await stopping.claim(
                    connection, house.key_holder, dealer_id=dealer_id, addresses=[reply.from_address], now=house.now()
                )
            kept = await threads.keep(
                connection, dealer_id, reply, owner_id=None, understood=meant.value, for_a_person=True
            )
            if kept is not None and meant in _OF_THE_NUMBER:
                await _of_the_number(house, connection, dealer_id=dealer_id, reply=reply, meant=meant)
            return HandledReply(dealer_id, kept, None, None)
        owner, pending = await _addressee(house, connection, here)
        cars = [car for one in here for car in await fleet.listed(connection, dealer_id, owner_id=one.id)]
        offer, choices = await _offer_in_question(connection, owner)
        rated = await feedback.outstanding(connection, dealer_id, owner.id, house.now() - FEEDBACK_FOR) is not None
        asked = Asked(
            choices,
            rated,
            offers=max(1, pending),
            cars=tuple(word for car in cars for word in (car.title, car.plate or "")),
            names=tuple(one.name for one in here),
        )
        understood = understand(reply.body, asked)
        if not proven and understood.meaning is not Meaning.STOP:
            understood = Understood(Meaning.OTHER, "anybody could have written it", for_a_person=True)
        if understood.meaning in _CLAIMS:
            await stopping.claim(
                connection, house.key_holder, dealer_id=dealer_id, addresses=[reply.from_address], now=house.now()
            )
        person = understood.for_a_person or (understood.meaning is Meaning.STOP and offer is not None)
        kept = await threads.keep(
            connection, dealer_id, reply, owner_id=owner.id, understood=understood.meaning.value, for_a_person=person
        )
        if kept is None:
            return HandledReply(dealer_id, None, understood, owner.id)
        thread_id = await threads.of_owner(connection, dealer_id, owner.id)
        incoming = _Incoming(
            await accounts.dealer(connection, dealer_id),
            owner,
            reply=reply,
            reply_id=kept,
            thread_id=thread_id,
            offer=offer,
            cars=cars,
        )
        if not await _act(house.within(connection).acting(dealer_id, ACTOR), connection, incoming, understood):
            await threads.wants_a_person(
                connection, dealer_id, reply_id=kept, thread_id=thread_id, at=reply.received_at
            )
            person = True
        if person:
            await jobs.put(connection, dealer_id, "reply", kept, due_at=house.now())
        return HandledReply(dealer_id, kept, understood, owner.id)


async def _addressee(house: House, connection: Connection, here: Sequence[Owner]) -> tuple[Owner, int]:
    """Who of those that share a number is meant, and how many questions of ours are open there: whoever was asked
    something, else to whom we spoke last. Where two were asked, a digit alone does not say who answers.
    """
    dealer_id, asked = here[0].dealer_id, []
    for owner in here:
        open_offers = await offers.count_open(connection, dealer_id, owner.id)
        rated = await feedback.outstanding(connection, dealer_id, owner.id, house.now() - FEEDBACK_FOR) is not None
        if open_offers or (rated and len(here) > 1):
            asked.append((owner, max(1, open_offers)))
    if asked:
        return asked[0][0], sum(count for _, count in asked)
    return await threads.spoken_to_last(connection, here), 0


async def _of_the_number(
    house: House, connection: Connection, dealer_id: int, reply: Reply, meant: Meaning
) -> list[Owner]:
    """STOP and START count for the number, whoever is reached there now or later; whom it changed something for."""
    say, source = (stopping.stop, consents.STOP_BY_TEXT) if meant is Meaning.STOP else (stopping.start, "START by text")
    theirs, wording = [reply.from_address], reply.body[:200]
    return await say(connection, house.key_holder, dealer_id, theirs, wording=wording, source=source, now=house.now())


async def _offer_in_question(connection: Connection, owner: Owner) -> tuple[Offer | None, tuple[int, ...]]:
    """The open offer, or the newest one if its hold ran out and nothing has been agreed since; with its digits."""
    offer = await offers.open_of_owner(connection, owner.dealer_id, owner.id)
    if offer is None:
        newest = await offers.newest_of_owner(connection, owner.dealer_id, owner.id)
        if newest is not None and newest.state is OfferState.EXPIRED:
            case = await cases.get(connection, owner.dealer_id, newest.case_id)
            offer = newest if case.state in _ANSWERABLE else None
    if offer is None:
        return None, ()
    held = await slots.of_offer(connection, owner.dealer_id, offer.id)
    return offer, tuple(sorted({slot.choice for slot in held if slot.choice is not None}))


async def _act(acting: Acting, connection: Connection, incoming: _Incoming, understood: Understood) -> bool:
    """Do what it means. False: it could not be done, a person reads it."""
    match understood.meaning:
        case Meaning.CHOICE:
            return await _choose(acting, incoming, understood.number or 0)
        case Meaning.DECLINE:
            return await _decline(acting, incoming)
        case Meaning.STOP:
            return await _stop(acting, connection, incoming, understood.also)
        case Meaning.SOLD:
            return await _sold(acting, connection, incoming)
        case Meaning.WRONG:
            return await _wrong(acting, connection, incoming)
        case Meaning.START:
            if await _of_the_number(
                acting.house, connection, dealer_id=incoming.dealer.id, reply=incoming.reply, meant=Meaning.START
            ):
                await _answer(acting, connection, incoming, MessageKind.STARTED)
        case Meaning.HELP:
            await _answer(acting, connection, incoming, MessageKind.HELP, phone=incoming.dealer.phone)
        case Meaning.FEEDBACK:
            return await _score(acting, connection, incoming, understood)
        case Meaning.OTHER:
            await _pass_on(acting, connection, incoming)
    return True


async def _choose(acting: Acting, incoming: _Incoming, choice: int) -> bool:
    """Book it; who answers too late is shown two fresh windows at once, or is told that a person will ring."""
    assert incoming.offer is not None
    try:
        await offer_acts.accept(acting, incoming.offer.id, choice)
        return True
    except (Overtaken, IllegalMove):
        pass
    except (BadInput, NotFound):
        return False
    try:
        await offer_acts.renew(acting, incoming.offer.id)
        return True
    except (Overtaken, IllegalMove, BadInput, NotFound):
        async with acting.transaction() as connection:
            await _answer(acting, connection, incoming, MessageKind.OFFER_EXPIRED, phone=incoming.dealer.phone)
        return False


async def _decline(acting: Acting, incoming: _Incoming) -> bool:
    assert incoming.offer is not None
    try:
        await offer_acts.decline(acting, incoming.offer.id, "answered 0")
    except (Overtaken, IllegalMove):
        async with acting.transaction() as connection:  # it had run out: no is no all the same
            await _answer(acting, connection, incoming, MessageKind.DECLINED, phone=incoming.dealer.phone)
    return True


async def _stop(acting: Acting, connection: Connection, incoming: _Incoming, also: Meaning | None) -> bool:
    """At once and for good; what waits is cancelled, and one confirmation goes out. To say it again changes nothing.
    Where they said SOLD or WRONG in the same breath, that is settled too, and the confirmation is of the STOP.
    """
    if await _of_the_number(
        acting.house, connection, dealer_id=incoming.dealer.id, reply=incoming.reply, meant=Meaning.STOP
    ):
        await _answer(acting, connection, incoming, MessageKind.STOPPED)
    if also is Meaning.SOLD:
        return await _sold(acting, connection, incoming, tell=False)
    if also is Meaning.WRONG:
        await leaving.wrong(acting, connection, incoming.reply.from_address)
    return True


async def _sold(acting: Acting, connection: Connection, incoming: _Incoming, *, tell: bool = True) -> bool:
    """The car is theirs no longer, from this moment on, and one text says so. Which of several cars, or one that is
    with us, is for a person; to say it again changes nothing.
    """
    car = leaving.named(normal(incoming.reply.body), incoming.cars)
    if car is None and not incoming.cars and await fleet.had_one(connection, incoming.dealer.id, [incoming.owner.id]):
        return True
    seller = None if car is None else await owners.get(connection, incoming.dealer.id, car.owner_id or 0)
    ended = None if car is None or seller is None else await leaving.sold(acting, connection, seller, car)
    if seller is None or ended is None:
        if tell:
            await _pass_on(acting, connection, incoming)
        return False
    if tell:
        facts = [asserts("ownership", ended.epoch, "ended")] if ended.epoch is not None else []
        known: dict[str, Any] = {}
        if ended.visit is not None:
            facts.append(asserts("booking", ended.visit.id, BookingState.CANCELLED))
            known = {"starts_at": ended.visit.starts_at, "ends_at": ended.visit.ends_at, "zone": ended.visit.zone}
        to = replace(incoming, owner=seller, offer=None)
        await _answer(
            acting,
            connection,
            to,
            MessageKind.SOLD,
            facts=facts,
            vehicle=ended.car.title,
            reader_zone=seller.zone,
            now=acting.now(),
            **known,
        )
    return True


async def _wrong(acting: Acting, connection: Connection, incoming: _Incoming) -> bool:
    """Nobody of ours is written to there again, and one text says so; not after a STOP from there."""
    freed = await leaving.wrong(acting, connection, incoming.reply.from_address)
    if freed and incoming.owner.stopped_at is None:
        await _answer(acting, connection, replace(incoming, offer=None), MessageKind.WRONG)
    return True


async def _score(acting: Acting, connection: Connection, incoming: _Incoming, understood: Understood) -> bool:
    now = acting.now()
    case_id = await feedback.outstanding(connection, incoming.dealer.id, incoming.owner.id, now - FEEDBACK_FOR)
    if case_id is None or not await feedback.answer(
        connection,
        incoming.dealer.id,
        case_id,
        incoming.owner.id,
        score=understood.number,
        words=understood.words or None,
        now=now,
    ):
        return False
    await _answer(acting, connection, incoming, MessageKind.FEEDBACK_THANKS, case_id=case_id)
    return True


async def _pass_on(acting: Acting, connection: Connection, incoming: _Incoming) -> None:
    """Say that a person will read it, at most once an hour."""
    hour = int(acting.now().timestamp() // _ONE_PASSED_ON.total_seconds())
    await _answer(
        acting,
        connection,
        incoming,
        MessageKind.PASSED_ON,
        reference=f"passed_on-{incoming.dealer.id}-{incoming.owner.id}-{hour}",
    )


async def _answer(
    acting: Acting,
    connection: Connection,
    incoming: _Incoming,
    kind: MessageKind,
    *,
    case_id: int | None = None,
    reference: str | None = None,
    facts: Sequence[dict[str, Any]] = (),
    **known: Any,
) -> None:
    """On the channel on which they wrote, in their language; once per incoming text."""
    draft = Draft(
        dealer_id=incoming.dealer.id,
        to=OwnerRecipient(
            incoming.owner.id, incoming.reply.channel, incoming.reply.from_address, incoming.owner.language
        ),
        kind=kind,
        purpose=Purpose.SURVEY if kind is MessageKind.FEEDBACK_THANKS else Purpose.STATUS,
        author="system",
        case_id=case_id if case_id is not None else (incoming.offer.case_id if incoming.offer else None),
        asserts=facts,
        reference=reference or f"{kind.value}-reply{incoming.reply_id}",
    )
    await outbox.queue(connection, acting.house.wording, draft, acting.now(), dealer=incoming.dealer.name, **known)
