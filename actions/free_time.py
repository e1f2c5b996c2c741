"""When the dealer has time: looked up for a page, or locked until it is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from actions.context import Acting, House
from rules.service import capacity
from rules.service.asking import Asks, work_of
from rules.service.operations import suggested
from rules.service.parts import ordered
from rules.service.places import Places, counted, day_limits
from schemas.account import Dealer
from schemas.booking import Booking, BookingKind
from schemas.case import Case
from schemas.errors import BadInput, Overtaken
from schemas.moment import local
from schemas.slot import Resource, Slot, Window
from schemas.verdict import Severity
from store import alerts, slots
from store.pool import Connection

Time = tuple[Sequence[Resource], Mapping[int, Sequence[Window]]]  #: resources, and what is taken of each


async def asks_of(
    connection: Connection,
    dealer: Dealer,
    now: datetime,
    *,
    case: Case | None = None,
    online: bool = False,
    but: Booking | None = None,
) -> Asks:
    """What is left of the dealer's places a day for whoever asks, the work that the case's alerts suggest, and what
    has to be ordered for it. A car that must not be driven on comes at once, with or without its parts.

    `online`: it is not the desk. `but`: a visit that is to move takes no place while it does, and its parts were
    ordered when it was agreed.
    """
    limits, online_only = day_limits(dealer.day_limits), Places(online=online)
    operations = () if case is None else suggested(await alerts.suggesting(connection, dealer.id, case.id))
    waits = case is not None and case.severity is not Severity.NOW
    parts = ordered(dealer, operations, now if but is None else but.made_at) if waits else None
    if not limits:
        return Asks(online_only, work_of(operations), parts)
    rows = await slots.visits(
        connection, dealer.id, since=now - timedelta(days=2), now=now, but=None if but is None else but.id
    )
    taken = counted((kind, local(at, dealer.zone).date(), loaner) for kind, at, loaner in rows)
    return Asks(Places(limits, taken, online), work_of(operations), parts)


def is_online(acting: Acting) -> bool:
    """An owner, or a program: whoever is not at the desk."""
    return acting.actor == "owner" or acting.actor.startswith("api:")


async def next_windows(
    house: House,
    connection: Connection,
    dealer: Dealer,
    kind: BookingKind,
    *,
    loaner: bool = False,
    asks: Asks | None = None,
) -> tuple[str, ...]:
    """The next free windows in words for a program: what a loser is offered instead, with a loaner if they wanted
    one.
    """
    options = await free_options(house, connection, dealer, kind, count=3, loaner=loaner, asks=asks)
    return tuple(f"{option.window.starts_at.isoformat()}/{option.window.ends_at.isoformat()}" for option in options)


async def option_at(
    house: House,
    connection: Connection,
    dealer: Dealer,
    kind: BookingKind,
    starts_at: datetime,
    time: Time,
    *,
    loaner: bool,
    asks: Asks,
) -> capacity.Option:
    """What begins exactly then, out of time that is locked; a refusal names the next three of the same kind."""
    resources, taken = time
    try:
        found = capacity.at(
            dealer,
            kind,
            starts_at=starts_at,
            now=house.now(),
            resources=resources,
            taken=taken,
            loaner=loaner,
            asks=asks,
        )
    except BadInput as error:
        windows = await next_windows(house, connection, dealer, kind, loaner=loaner, asks=asks)
        raise BadInput(error.field, error.reason, windows=windows) from None
    if found is None:
        windows = await next_windows(house, connection, dealer, kind, loaner=loaner, asks=asks)
        raise Overtaken("window", _why(dealer, kind, starts_at, loaner=loaner, asks=asks, resources=resources), windows)
    return found


def _why(
    dealer: Dealer, kind: BookingKind, starts_at: datetime, *, loaner: bool, asks: Asks, resources: Sequence[Resource]
) -> str:
    if (lacks := asks.places.lacks(kind)) is not None:
        return lacks
    full = asks.places.full(kind, local(starts_at, dealer.zone).date(), loaner=loaner)
    if full is not None:
        return f"all places of that day for {full.replace('_', ' ')} are given"
    if asks.too_early(starts_at) and asks.parts is not None:
        here = local(asks.parts.here_at, dealer.zone)
        return f"{' and '.join(asks.parts.names)}: ordered, here on {here:%A %d %B}"
    if kind is BookingKind.MOBILE_REPAIR and asks.work.bound:
        return needs_workshop(asks)
    missing = capacity.unable(asks.work, resources)
    return f"nobody here knows {missing}" if missing else "it is not free"


def needs_workshop(asks: Asks) -> str:
    """Why a car cannot be repaired where it stands."""
    return f"this work needs the workshop: {', '.join(asks.work.bound)}"


async def free_options(
    house: House,
    connection: Connection,
    dealer: Dealer,
    kind: BookingKind,
    *,
    count: int = 12,
    loaner: bool = False,
    asks: Asks | None = None,
) -> tuple[capacity.Option, ...]:
    """What is free now, without holding anything; without `asks` for a visit of the usual length, at the desk."""
    now = house.now()
    resources = await slots.resources(connection, dealer.id)
    return capacity.free(
        dealer,
        kind,
        now=now,
        resources=resources,
        taken=await taken_from(connection, dealer.id, now),
        count=count,
        loaner=loaner,
        asks=asks or await asks_of(connection, dealer, now),
    )


async def taken_from(connection: Connection, dealer_id: int, now: datetime) -> dict[int, list[Window]]:
    """Everything held or booked from now on, as far as a visit may reach."""
    return await slots.taken(connection, dealer_id, now - timedelta(days=1), now + capacity.KNOWN)


async def locked_time(
    house: House, connection: Connection, dealer_id: int
) -> tuple[list[Resource], dict[int, list[Window]]]:
    """The dealer's resources, locked in order, and what is taken of them: from here on nobody else takes any until we
    are done.
    """
    now = house.now()
    resources = await slots.resources(connection, dealer_id, lock=True)
    await slots.release_expired(connection, dealer_id, now)
    return resources, await taken_from(connection, dealer_id, now)


def without(taken: Mapping[int, Sequence[Window]], mine: Sequence[Slot]) -> dict[int, list[Window]]:
    """What others have taken."""
    own = {(slot.resource_id, slot.starts_at, slot.ends_at) for slot in mine}
    return {
        resource: [w for w in windows if (resource, w.starts_at, w.ends_at) not in own]
        for resource, windows in taken.items()
    }
