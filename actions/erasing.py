"""A person is erased and the books stay: all of it in one transaction, with a pseudonym in their place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from actions import cases, stopping
from actions.context import Acting, House
from rules.service import audit_chain
from rules.service.erasing import CALLED_OFF, Refusal, refused
from schemas.consent import Owner
from schemas.errors import BadInput, IllegalMove, Misconfigured, Unavailable
from store import consents, erasing, fleet, handovers, history, notifications, owners, vehicles
from store.exporting import pattern
from store.house_key import KeyHolder
from store.pool import Connection

WHY = "the owner is erased"


class Erased(BaseModel):
    """What stands in their place, and how many rows of each kind were emptied."""

    model_config = ConfigDict(frozen=True)

    owner_id: int
    name: str
    erased_at: datetime
    emptied: dict[str, int]


@dataclass(frozen=True)
class Outlook:
    """What an erasure would do, before anybody says so."""

    owner: Owner
    refusal: Refusal | None
    called_off: int  #: cases with their offers and visits
    cars: int


async def outlook(house: House, dealer_id: int, owner_id: int) -> Outlook:
    """For the page on which it is confirmed."""
    async with house.at(dealer_id) as connection:
        owner = await owners.get(connection, dealer_id, owner_id)
        there = await erasing.standing(connection, dealer_id, owner_id)
    return Outlook(
        owner, _refused(owner, there), sum(state in CALLED_OFF for state in there.cases.values()), len(there.cars)
    )


async def erase(acting: Acting, owner_id: int, confirmed: str) -> Erased:
    """Refused with a named reason while their car is in our hands; `confirmed` is their name, typed."""
    async with acting.transaction() as connection:
        before = await owners.get(connection, acting.dealer_id, owner_id)
        _is_meant(before, confirmed)
        await stopping.outlive(connection, await _key(acting.house, connection), before, acting.now())
        await consents.claim(
            connection, acting.dealer_id, owner_id
        )  # a text that is leaving at this moment leaves first, the next one waits and finds nobody
        owner = await owners.get(connection, acting.dealer_id, owner_id)
        refusal = _refused(owner, await erasing.standing(connection, acting.dealer_id, owner_id))
        if refusal is not None:
            raise IllegalMove("owner", refusal.value, "erase", ())
        _is_meant(owner, confirmed)
        return await carry_out(
            acting.house, connection, owner=owner, actor=acting.actor, key=await _key(acting.house, connection)
        )


async def carry_out(house: House, connection: Connection, owner: Owner, actor: str, key: bytes) -> Erased:
    """Without asking again: also for whoever comes back with an older backup.

    All or nothing, in the transaction of `connection`.
    """
    dealer_id, now = owner.dealer_id, house.now()
    await stopping.outlive(connection, key, owner, now)
    mentions = pattern(owner.name, owner.phone, owner.email, owner.address)
    removed = await erasing.words(connection, dealer_id, owner.id, mentions)
    there = await erasing.standing(connection, dealer_id, owner.id)
    for case_id, state in there.cases.items():
        if state in CALLED_OFF:
            await cases.dismiss(house.within(connection).acting(dealer_id, actor), case_id, WHY, tell=False)
    emptied = {"where_cars_were": await erasing.places(connection, dealer_id, owner.id)}
    for vehicle_id, vin, speaks in there.cars:
        await fleet.give(connection, dealer_id, vehicle_id, None, actor=actor, now=now)
        await erasing.car(connection, dealer_id, vehicle_id)
        if speaks:
            await vehicles.revoke(connection, vin, now)
            await history.write(
                connection, dealer_id, "vehicle", vehicle_id, old=None, new="revoked", reason=WHY, actor=actor, now=now
            )
    emptied |= await erasing.rows(connection, dealer_id, owner_id=owner.id, pattern=mentions, now=now)
    await erasing.answers(connection, dealer_id, mentions)
    await house.photos.take_away(await handovers.places_of(connection, dealer_id, owner.id))
    await handovers.blank(connection, dealer_id, owner.id)
    reason = audit_chain.removal(key, [row for row, _ in removed])
    erasure = await history.write(
        connection, dealer_id, "owner", owner.id, old=None, new="erased", reason=reason, actor=actor, now=now
    )
    await erasing.take_out(
        connection, dealer_id, erasure, [(row, audit_chain.words_of(key, row, words)) for row, words in removed]
    )
    await notifications.ring_desk(connection, dealer_id, "owner", owner.id)
    after = await owners.get(connection, dealer_id, owner.id)
    return Erased(owner_id=owner.id, name=after.name, erased_at=now, emptied={**emptied, "history": len(removed)})


def _refused(owner: Owner, there: erasing.Standing) -> Refusal | None:
    return refused(
        erased=owner.erased_at is not None, visits=there.visits, drives=there.drives, cases=there.cases.values()
    )


def _is_meant(owner: Owner, confirmed: str) -> None:
    if " ".join(confirmed.split()).casefold() != " ".join(owner.name.split()).casefold():
        raise BadInput("name", "is not the owner's: type it as it stands on the page")


async def _key(house: House, connection: Connection) -> bytes:
    try:
        return await KeyHolder(house.secret).key(connection)
    except Misconfigured:  # while the secret is being changed
        raise Unavailable("the house's key", "TELLTALE_SECRET does not open it yet") from None
