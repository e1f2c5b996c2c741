"""STOP and START: of a number or a mailbox and a dealer, whoever's row it stands in, and of whom is reached there
later.

A STOP that came by text or from a provider is of that address; one from an owner's page is of all that we know of them.
In each case everybody who is reached there gets nothing any more. START from an address frees who is reached there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from actions.calling_off import look_again
from schemas.consent import Owner
from schemas.errors import BadInput, Misconfigured, Unavailable
from schemas.message import MessageKind
from store import consents, messages, owners, stops, wrong_numbers
from store.house_key import KeyHolder
from store.pool import Connection

SAID_STOP = "the owner said STOP"
Addresses = Iterable[str | None]


async def claim(
    connection: Connection, keys: KeyHolder | None, dealer_id: int, addresses: Addresses, now: datetime
) -> None:
    """What is said from these is heard alone: taken before any row of an owner."""
    theirs = stops.plain(addresses)
    if keys is not None:
        await stops.meet(
            connection, dealer_id, key=await key_of(connection, keys), addresses=theirs, now=now, alone=True
        )
    for owner in await owners.at(connection, dealer_id, theirs):
        await consents.claim(connection, dealer_id, owner.id)


async def stop(
    connection: Connection,
    keys: KeyHolder | None,
    dealer_id: int,
    addresses: Addresses,
    *,
    wording: str,
    source: str,
    now: datetime,
) -> list[Owner]:
    """No more texts to whoever is reached at these; who was not stopped before. What waits for them is cancelled."""
    theirs = stops.plain(addresses)
    await claim(connection, keys, dealer_id=dealer_id, addresses=theirs, now=now)
    if keys is not None:
        await stops.put(
            connection,
            dealer_id,
            key=await key_of(connection, keys),
            addresses=theirs,
            stopped=True,
            source=source,
            now=now,
        )
    newly = []
    for owner in await owners.at(connection, dealer_id, theirs):
        if await consents.stop(connection, dealer_id, owner.id, now=now, wording=wording, source=source):
            await messages.cancel_queued(connection, dealer_id, owner.id, SAID_STOP)
            await look_again(connection, dealer_id, owner.id, now)
            newly.append(owner)
    await messages.cancel_to(connection, dealer_id, theirs, kind=MessageKind.WRONG, reason=SAID_STOP)
    return newly


async def start(
    connection: Connection,
    keys: KeyHolder | None,
    dealer_id: int,
    addresses: Addresses,
    *,
    wording: str,
    source: str,
    now: datetime,
) -> list[Owner]:
    """Whoever is reached at these gets texts again, as they had agreed before; who was stopped until now."""
    theirs = stops.plain(addresses)
    await claim(connection, keys, dealer_id=dealer_id, addresses=theirs, now=now)
    here = await owners.at(connection, dealer_id, theirs)
    free = set(theirs) | (set(_ways(here)) - await _of_others(connection, dealer_id, here))
    if keys is not None:
        await stops.put(
            connection,
            dealer_id,
            key=await key_of(connection, keys),
            addresses=sorted(free),
            stopped=False,
            source=source,
            now=now,
        )
        await wrong_numbers.forget(connection, dealer_id, await key_of(connection, keys), theirs)
    begun = []
    for owner in here:
        if await consents.start(connection, dealer_id, owner.id, now=now, wording=wording, source=source):
            await look_again(connection, dealer_id, owner.id, now)
            begun.append(owner)
    return begun


async def stop_owner(
    connection: Connection, keys: KeyHolder, owner: Owner, *, wording: str, source: str, now: datetime
) -> None:
    """From their own page: of all that we know of them."""
    dealer_id, theirs = owner.dealer_id, _ways([owner])
    await stop(connection, keys, dealer_id, theirs, wording=wording, source=source, now=now)
    await consents.stop(connection, dealer_id, owner.id, now=now, wording=wording, source=source)  # without an address


async def start_owner(
    connection: Connection, keys: KeyHolder, owner: Owner, *, wording: str, source: str, now: datetime
) -> None:
    """From their own page: they are reached again, and whoever shares what they are reached at."""
    dealer_id, theirs = owner.dealer_id, _ways([owner])
    await start(connection, keys, dealer_id, theirs, wording=wording, source=source, now=now)
    await consents.start(connection, dealer_id, owner.id, now=now, wording=wording, source=source)


async def meet(connection: Connection, keys: KeyHolder, dealer_id: int, addresses: Addresses, now: datetime) -> bool:
    """Before these are written into an owner's row: whether STOP was said from one of them."""
    return await stops.meet(
        connection, dealer_id, key=await key_of(connection, keys), addresses=stops.plain(addresses), now=now
    )


async def refuse_wrong(
    connection: Connection, keys: KeyHolder, dealer_id: int, addresses: Addresses, *, name: str, owner_id: int | None
) -> None:
    """BadInput for a number or mailbox of which whoever answers there said that it is not theirs (after `meet`)."""
    theirs, key = stops.plain(addresses), await key_of(connection, keys)
    found = await wrong_numbers.known(connection, dealer_id, key, addresses=theirs, name=name, owner_id=owner_id)
    if found is not None:
        field = "email" if "@" in found else "phone"
        raise BadInput(
            field,
            f"whoever answers at {found} said that it is not {name}'s: ask for the right one. START from there "
            "lets it be written down again",
        )


async def heed(connection: Connection, owner: Owner, stopped: bool, now: datetime) -> Owner:
    """Who is newly reached where STOP was said (`meet`) gets no texts either, until START comes from there."""
    if owner.stopped_at is not None or not stopped:
        return owner
    source = consents.STOP_FROM_THE_ADDRESS
    await consents.stop(connection, owner.dealer_id, owner.id, now=now, wording="", source=source)
    await messages.cancel_queued(connection, owner.dealer_id, owner.id, SAID_STOP)
    return await owners.get(connection, owner.dealer_id, owner.id)


async def outlive(connection: Connection, key: bytes, owner: Owner, now: datetime) -> None:
    """Their data go, their STOP stays: of what was theirs, but not of what somebody shares with them who did not
    say it.
    """
    if owner.stopped_at is not None:
        beside = [one for one in await owners.at(connection, owner.dealer_id, _ways([owner])) if one.stopped_at is None]
        theirs = sorted(set(_ways([owner])) - set(_ways(beside)))
        await stops.put(
            connection,
            owner.dealer_id,
            key=key,
            addresses=theirs,
            stopped=True,
            source="of somebody who was erased",
            now=now,
        )


async def key_of(connection: Connection, keys: KeyHolder) -> bytes:
    """The house's key; Unavailable while the secret is being changed: who said STOP is heard when it is tried again."""
    try:
        return await keys.key(connection)
    except Misconfigured:
        raise Unavailable("the house's key", "TELLTALE_SECRET does not open it yet") from None


def _ways(found: Sequence[Owner]) -> list[str]:
    return stops.plain(address for owner in found for address in (owner.phone, owner.email))


async def _of_others(connection: Connection, dealer_id: int, here: Sequence[Owner]) -> set[str]:
    """Of their other addresses those at which somebody else is reached who is stopped, and did not take it back."""
    us = {owner.id for owner in here}
    others = [owner for owner in await owners.at(connection, dealer_id, _ways(here)) if owner.id not in us]
    return set(_ways([owner for owner in others if owner.stopped_at is not None]))
