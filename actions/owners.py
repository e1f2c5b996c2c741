"""Owners: added one by one or as a list, changed, and what they agreed to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from actions import owner_fields, stopping
from actions.booking_agreement import door_of
from actions.calling_off import look_again
from actions.context import Acting, House
from actions.owner_lists import Rows, lines_of
from actions.ownership import give
from rules.service import importing, numbers
from schemas.account import Dealer
from schemas.consent import Owner
from schemas.errors import BadInput, IllegalMove, Overtaken
from schemas.message import Purpose
from schemas.text import storable
from schemas.vehicle import Vehicle
from store import accounts, consents, fleet, history, owners, pickups, stops
from store.pool import Connection


class Refused(BaseModel):
    """A line that was not imported, and why."""

    line: int  #: as an editor counts: the header is line 1
    field: str
    reason: str


class Handed(BaseModel):
    """A car that is another owner's by this list."""

    line: int
    vin: str
    before: str
    now: str


class Shared(BaseModel):
    """A number or mailbox at which somebody else is reached, too: a couple, or a mistake."""

    line: int
    name: str
    beside: str


class Imported(BaseModel):
    """What became of a list. With `dry_run` nothing was stored."""

    dry_run: bool
    lines: int
    owners_added: int = 0
    owners_updated: int = 0
    vehicles_added: int = 0
    consents_recorded: int = 0
    handed_over: list[Handed] = []
    shared: list[Shared] = []
    refused: list[Refused] = []


class _DryRun(Exception):
    """Undo everything: it was only a rehearsal."""


async def create(
    acting: Acting,
    values: dict[str, Any],
    given: Mapping[Purpose, bool] | None = None,
    *,
    source: str = "desk",
    wording: str = "",
) -> Owner:
    """An owner, with what they agreed to on the spot."""
    async with acting.transaction() as connection:
        dealer = await accounts.dealer(connection, acting.dealer_id)
        usual = {
            "channel": acting.house.usual_channel if values.get("phone") else "email",
            "language": dealer.language,
            "zone": dealer.zone,
        }
        fields = owner_fields.checked(acting.house, dealer, {**usual, **values})
        stopped = await _met(acting, connection, fields, name=fields["name"])
        owner = await owners.create(connection, acting.dealer_id, fields, acting.now())
        await _alone(connection, owner, "phone", "email")
        await _record(
            connection,
            acting.dealer_id,
            owner_id=owner.id,
            given=given or {},
            source=source,
            wording=wording,
            at=acting.now(),
        )
        await history.write(
            connection,
            acting.dealer_id,
            "owner",
            owner.id,
            old=None,
            new="added",
            reason="added by a person",
            actor=acting.actor,
            now=acting.now(),
        )
        return await stopping.heed(connection, owner, stopped, acting.now())


async def _met(
    acting: Acting, connection: Connection, fields: Mapping[str, Any], *, name: str, owner_id: int | None = None
) -> bool:
    """Before an address is written down: whether STOP was said from there. BadInput where it was said to be wrong."""
    theirs, keys = (fields.get("phone"), fields.get("email")), acting.house.key_holder
    stopped = await stopping.meet(connection, keys, dealer_id=acting.dealer_id, addresses=theirs, now=acting.now())
    await stopping.refuse_wrong(connection, keys, acting.dealer_id, theirs, name=name, owner_id=owner_id)
    return stopped


async def update(acting: Acting, owner_id: int, changes: dict[str, Any]) -> Owner:
    """Changed by the desk; history keeps which fields, never the private values."""
    async with acting.transaction() as connection:
        dealer = await accounts.dealer(connection, acting.dealer_id)
        before = await owners.get(connection, acting.dealer_id, owner_id)
        _standing(before)
        checked = owner_fields.checked(acting.house, dealer, changes, before)
        stopped = await _met(acting, connection, checked, name=checked.get("name") or before.name, owner_id=owner_id)
        owner = await owners.update(connection, acting.dealer_id, owner_id, checked)
        await _alone(connection, owner, *(field for field in ("phone", "email") if field in checked))
        if checked.keys() & {"place", "access_notes", "contact"}:
            await pickups.describe(connection, acting.dealer_id, owner_id, door_of(dealer, owner))
        changed = ", ".join(sorted(changes)) or "nothing"
        await history.write(
            connection,
            acting.dealer_id,
            "owner",
            owner_id,
            old=None,
            new="changed",
            reason=f"changed {changed}",
            actor=acting.actor,
            now=acting.now(),
        )
        if changes.keys() & {"phone", "email", "channel"}:
            owner = await stopping.heed(connection, owner, stopped, acting.now())
            await look_again(connection, acting.dealer_id, owner_id, acting.now())
        return owner


async def unheard(house: House, dealer_id: int) -> int:
    """Owners whom no text reaches, because they were added before a provider was set up.

    In a demo the phones are on a page.
    """
    if house.demo:
        return 0
    async with house.at(dealer_id) as connection:
        return await owners.on_demo_phone(connection, dealer_id)


async def reach(acting: Acting) -> int:
    """They are reached by the provider that there is now; how many. Their consent, and a STOP, stay as they are."""
    if acting.house.demo or acting.house.usual_channel == "phone":
        raise BadInput("channel", "no provider is set up: there is nothing by which they could be reached")
    async with acting.transaction() as connection:
        moved = await owners.off_demo_phone(connection, acting.dealer_id, acting.house.usual_channel)
        for owner_id in moved:
            reason = (
                f"reached by {acting.house.usual_channel} from now on: they were added before a provider was set up"
            )
            await history.write(
                connection,
                acting.dealer_id,
                "owner",
                owner_id,
                old=None,
                new="changed",
                reason=reason,
                actor=acting.actor,
                now=acting.now(),
            )
        return len(moved)


async def consent(acting: Acting, owner_id: int, given: Mapping[Purpose, bool], *, source: str, wording: str) -> None:
    """A yes or no for each purpose, with its proof."""
    async with acting.transaction() as connection:
        _standing(await owners.get(connection, acting.dealer_id, owner_id))
        await _record(
            connection,
            acting.dealer_id,
            owner_id=owner_id,
            given=given,
            source=f"{source} ({acting.actor})",
            wording=wording,
            at=acting.now(),
        )
        await look_again(connection, acting.dealer_id, owner_id, acting.now())


def _standing(owner: Owner) -> None:
    """Nothing is written about somebody who was erased."""
    if owner.erased_at is not None:
        raise IllegalMove("owner", "erased", "change", ())


async def import_list(acting: Acting, text: str, *, dry_run: bool = False) -> Imported:
    """A list of owners, cars and consents.

    Good lines are stored, bad ones named; a list may be sent again after mending.
    """
    rows = lines_of(text)
    report = Imported(dry_run=dry_run, lines=len(rows))
    try:
        async with acting.transaction() as connection:
            dealer = await accounts.dealer(connection, acting.dealer_id)
            await take_in(acting.within(connection), connection, dealer=dealer, rows=rows, report=report)
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    return report


async def take_in(acting: Acting, connection: Connection, dealer: Dealer, rows: Rows, report: Imported) -> None:
    """Each line a savepoint of its own, so that a bad one takes no other along.

    The command line imports through this too.
    """
    seen: dict[str, tuple[int, str]] = {}  # which line named this car, and whom as its owner
    for number, cells in rows:
        try:
            for column, cell in cells.items():
                storable(cell if isinstance(cell, str) else "", column)
            if None in cells:
                raise BadInput("line", "has more cells than the header")
            line = importing.read_line(
                cells,
                country=dealer.country,
                zone_name=dealer.zone,
                languages=owner_fields.languages(acting.house),
                profiles=acting.house.profiles,
                now=acting.now(),
            )
            if seen.get(line.vin, (0, line.name))[1] != line.name:
                raise BadInput(
                    "vin", f"{line.vin} was given to {seen[line.vin][1]} in line {seen[line.vin][0]} of this list"
                )
            async with connection.transaction():
                counted = await _store_line(acting, connection, dealer, line)
            seen[line.vin] = (number, line.name)
        except (BadInput, Overtaken) as error:
            report.refused.append(
                Refused(line=number, field=error.field if isinstance(error, BadInput) else "owner", reason=error.reason)
            )
        else:
            report.owners_added += counted[0]
            report.owners_updated += not counted[0]
            report.vehicles_added += counted[1]
            report.consents_recorded += counted[2]
            report.shared += [Shared(line=number, name=line.name, beside=counted[4])] if counted[4] else []
            report.handed_over += (
                [Handed(line=number, vin=line.vin, before=counted[3], now=line.name)] if counted[3] else []
            )


async def _store_line(
    acting: Acting, connection: Connection, dealer: Dealer, line: importing.Line
) -> tuple[bool, bool, int, str, str]:
    """Whether the owner and the car are new, how many consents were, whose the car was until now, if somebody else's,
    and who else is reached at that number.
    """
    dealer_id, actor, now = acting.dealer_id, acting.actor, acting.now()
    owner, added, shared = await _owner_of(acting, connection, dealer=dealer, line=line, now=now)
    car = await fleet.by_vin(connection, dealer_id, line.vin)
    new_car = car is None
    if car is None:
        car = await fleet.add(
            connection,
            dealer_id,
            vin=line.vin,
            profile=line.profile,
            title=line.title,
            plate=line.plate,
            actor=actor,
            now=now,
        )
    else:
        await fleet.update(
            connection,
            dealer_id,
            car.id,
            {"title": line.title, "plate": line.plate or car.plate, "profile": line.profile},
        )
    before = await _not_given_back(connection, car, owner)
    await give(acting, connection, car, owner.id)
    news = importing.news(line, await consents.of_owner(connection, dealer_id, owner.id))
    if owner.stopped_at is not None:
        news = {purpose: given for purpose, given in news.items() if not given}  # a list does not overrule a STOP
    await _record(
        connection,
        dealer_id,
        owner_id=owner.id,
        given=news,
        source=f"import: {line.consent_source}",
        wording=line.consent_wording,
        at=line.consent_at or now,
    )
    if news:
        await look_again(connection, dealer_id, owner.id, now)
    return added, new_car, len(news), before, shared


async def _not_given_back(connection: Connection, car: Vehicle, owner: Owner) -> str:
    """Whose the car was, if another's.

    A list that names a former owner is older than the sale: BadInput, the car stays where it is.
    """
    if car.owner_id in (None, owner.id):
        return ""
    before = (await owners.get(connection, car.dealer_id, car.owner_id or 0)).name
    if await fleet.was_of(connection, car.dealer_id, car.id, owner.id):
        raise BadInput(
            "vin",
            f"{car.vin} was {owner.name}'s before and is {before}'s now: this list is older. If it went back, say so "
            "on the car's page",
        )
    return before


async def _alone(connection: Connection, owner: Owner, *fields: str) -> None:
    """A couple may share a number; the same name at the same number is the same person. BadInput then."""
    for field in fields:
        address: str | None = getattr(owner, field)
        for other in await owners.at(connection, owner.dealer_id, stops.plain([address])):
            if other.id != owner.id and other.name.casefold() == owner.name.casefold():
                raise BadInput(field, f"{address} is {other.name}'s already, in another entry")


async def _owner_of(
    acting: Acting, connection: Connection, dealer: Dealer, line: importing.Line, now: datetime
) -> tuple[Owner, bool, str]:
    """The owner of that name at that number or mailbox, found or made; whether made; and who else is reached there."""
    address = line.phone or line.email
    assert address is not None
    values = {
        "name": line.name,
        "phone": line.phone,
        "email": line.email,
        "language": line.language,
        "zone": line.zone,
        "address": line.address,
    }
    stopped = await stopping.meet(
        connection, acting.house.key_holder, dealer_id=dealer.id, addresses=(line.phone, line.email), now=now
    )
    await stopping.refuse_wrong(
        connection, acting.house.key_holder, dealer.id, (line.phone, line.email), name=line.name, owner_id=None
    )
    here = await owners.at(connection, dealer.id, stops.plain([address]))
    found = next((one for one in here if one.name.casefold() == line.name.casefold()), None)
    if found is None:
        fields = {
            **values,
            "channel": _first_channel(line, acting.house.usual_channel),
            "language": line.language or dealer.language,
            "zone": line.zone or dealer.zone,
        }
        owner = await owners.create(connection, dealer.id, fields, now)
    else:
        owner = await owners.update(
            connection, dealer.id, found.id, {name: value for name, value in values.items() if value is not None}
        )
    shared = next((one.name for one in here if one.id != owner.id), "")
    return await stopping.heed(connection, owner, stopped, now), found is None, shared


def _first_channel(line: importing.Line, usual: str) -> str:
    """A landline takes no texts: whoever gives one and a mailbox is written to there."""
    texted = line.phone is not None and (usual == "phone" or numbers.textable(line.phone))
    return usual if texted or line.email is None else "email"


async def _record(
    connection: Connection,
    dealer_id: int,
    owner_id: int,
    given: Mapping[Purpose, bool],
    source: str,
    wording: str,
    at: datetime,
) -> None:
    if any(given.values()) and not wording.strip():
        raise BadInput("wording", "is empty: a consent is only as good as the words that were shown")
    await consents.give(connection, dealer_id, owner_id, given, now=at, source=source, wording=wording)
