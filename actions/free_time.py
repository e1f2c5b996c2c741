"""When the dealer has time: looked up for a page, or locked until it is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from actions.context import House
from rules.service import capacity
from schemas.account import Dealer
from schemas.booking import BookingKind
from schemas.errors import BadInput, Overtaken
from schemas.slot import Resource, Slot, Window
from store import slots
from store.pool import Connection

Time = tuple[Sequence[Resource], Mapping[int, Sequence[Window]]]  #: resources, and what is taken of each


async def next_windows(
    house: House, connection: Connection, dealer: Dealer, kind: BookingKind, *, loaner: bool = False
) -> tuple[str, ...]:
    """The next free windows in words for a program: what a loser is offered instead, with a loaner if they wanted
    one.
    """
    options = await free_options(house, connection, dealer, kind, count=3, loaner=loaner)
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
) -> capacity.Option:
    """What begins exactly then, out of time that is locked; a refusal names the next three of the same kind."""
    resources, taken = time
    try:
        found = capacity.at(
            dealer, kind, starts_at=starts_at, now=house.now(), resources=resources, taken=taken, loaner=loaner
        )
    except BadInput as error:
        windows = await next_windows(house, connection, dealer, kind, loaner=loaner)
        raise BadInput(error.field, error.reason, windows=windows) from None
    if found is None:
        windows = await next_windows(house, connection, dealer, kind, loaner=loaner)
        raise Overtaken("window", "it is not free", windows)
    return found


async def free_options(
    house: House, connection: Connection, dealer: Dealer, kind: BookingKind, *, count: int = 12, loaner: bool = False
) -> tuple[capacity.Option, ...]:
    """What is free now, without holding anything."""
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
