"""SOLD and WRONG, said by text: the car is theirs no longer, or the number never was.

What hangs on either is settled in the transaction in which it was heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actions import stopping
from actions.calling_off import ask_to_ring, look_again, withdraw_open_offer
from actions.context import Acting
from actions.ownership import give
from schemas.booking import Booking, BookingState
from schemas.case import CaseEvent, CaseState
from schemas.consent import Owner
from schemas.errors import Overtaken
from schemas.vehicle import Vehicle
from store import bookings, cases, consents, fleet, history, messages, owners, secrets, stops, wrong_numbers
from store.pool import Connection

_WRONG = "whoever answers at the number we had says that it is not the owner's"
_OPENS = ("offer", "journey", "feedback")  #: links that went to that number


@dataclass(frozen=True, slots=True)
class Sold:
    """What ended: the owner's time with the car, and the visit that had been agreed for it."""

    car: Vehicle
    epoch: int | None
    visit: Booking | None


async def sold(acting: Acting, connection: Connection, owner: Owner, car: Vehicle) -> Sold | None:
    """From now on the car is nobody's that we know. None while it is with us: first it goes back to whoever gave it."""
    await consents.claim(connection, acting.dealer_id, owner.id)  # a text that is leaving at this moment leaves first
    epoch = await fleet.epoch_of(connection, acting.dealer_id, vehicle_id=car.id, owner_id=owner.id)
    case = await cases.open_of(connection, acting.dealer_id, car.id)
    visit = None if case is None else await bookings.live_of(connection, acting.dealer_id, case.id)
    try:
        async with connection.transaction():
            await give(acting, connection, car, None, tell=False)
    except Overtaken:
        return None
    ended = None if visit is None else await bookings.get(connection, acting.dealer_id, visit.id)
    return Sold(car, epoch, ended if ended is not None and ended.state is BookingState.CANCELLED else None)


async def wrong(acting: Acting, connection: Connection, address: str) -> list[Owner]:
    """Nobody whose row this number or mailbox stands in is written to there again; whose it was. Its STOP stays as it
    is: that is of whoever answers there.

    What waits for it is cancelled, links that went there open nothing any more, an open offer is taken back, and
    whoever has a case of theirs is asked to find the owner.
    """
    dealer_id, now = acting.dealer_id, acting.now()
    theirs = stops.plain([address])
    here = await owners.at(connection, dealer_id, theirs)
    key = await stopping.key_of(connection, acting.house.key_holder)
    for owner in here:
        field = "phone" if owner.phone in theirs else "email"
        other = owner.email if field == "phone" else owner.phone
        channel = {"channel": _other(acting, field)} if other else {}
        await wrong_numbers.put(
            connection, dealer_id, key, address=theirs[0], name=owner.name, owner_id=owner.id, now=now
        )
        await owners.update(connection, dealer_id, owner.id, {field: None, **channel})
        await messages.cancel_queued(connection, dealer_id, owner.id, _WRONG, to=theirs)
        await secrets.revoke_of_owner(connection, dealer_id, owner_id=owner.id, purposes=_OPENS, now=now)
        await history.write(
            connection,
            dealer_id,
            "owner",
            owner.id,
            old=None,
            new="changed",
            reason=f"{field} taken out: {_WRONG}",
            actor=acting.actor,
            now=now,
        )
        await _unagreed(acting, connection, owner)
        await look_again(connection, dealer_id, owner.id, now)
    return here


def _other(acting: Acting, field: str) -> str:
    return "email" if field == "phone" else acting.house.usual_channel


async def _unagreed(acting: Acting, connection: Connection, owner: Owner) -> None:
    """A stranger was asked, and may have answered: an open offer is taken back, a visit needs a person's word."""
    for car in await fleet.listed(connection, acting.dealer_id, owner_id=owner.id):
        case = await cases.open_of(connection, acting.dealer_id, car.id, lock=True)
        if case is None:
            continue
        if await withdraw_open_offer(acting, connection, case, _WRONG) and case.state is CaseState.CONTACTED:
            case = await cases.move(
                connection, case, CaseEvent.OFFER_EXPIRED, reason=_WRONG, actor=acting.actor, now=acting.now()
            )
        await ask_to_ring(connection, case, f"{_WRONG}: please find the right one", acting.now())


def named(body: str, cars: Sequence[Vehicle]) -> Vehicle | None:
    """Which of their cars a text speaks of: the only one, or the one that it names by plate or by a word of its own.
    `body` is folded (`rules.service.replies.normal`).
    """
    if len(cars) < 2:
        return next(iter(cars), None)
    found = [car for car in cars if _is_named(body, car, [one for one in cars if one.id != car.id])]
    return found[0] if len(found) == 1 else None


def _is_named(body: str, car: Vehicle, others: Sequence[Vehicle]) -> bool:
    plate = "".join(letter for letter in (car.plate or "").casefold() if letter.isalnum())
    beside = {word for one in others for word in one.title.casefold().split()}
    own = {word for word in car.title.casefold().split() if len(word) > 1} - beside
    return (bool(plate) and plate in body.replace(" ", "")) or bool(own.intersection(body.split()))
