"""Owners over the API: kept, asked for consent, written to, and imported as a list."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from actions import erasing, exporting
from actions import messages as words
from actions import owners as acts
from dealer_api import readings_file
from dealer_api.api.cases import Queued, Words
from dealer_api.app_keys import call
from dealer_api.bodies import (
    Body,
    Id,
    Nothing,
    Page,
    Paged,
    Query,
    Sent,
    WallTime,
    asked,
    bare_number,
    number,
    page,
    read,
    reply,
)
from dealer_api.finding import ids_of
from dealer_api.permissions import READ_MESSAGES
from schemas.consent import Consent, Owner
from schemas.errors import BadInput
from schemas.message import Purpose
from schemas.thread import Line
from schemas.vehicle import Vehicle
from store import consents, fleet, owners, threads

_ASKED = (Purpose.SAFETY, Purpose.SERVICE, Purpose.STATUS, Purpose.SURVEY)


class OwnerQuery(Paged[tuple[str, Id]]):
    """`search`: words that a name, number or mailbox has or begins with, however they are spelt."""

    search: Annotated[str | None, Field(max_length=80)] = None


class Agreed(Body):
    """A yes or no for each purpose, with the words that were shown and where."""

    safety: bool | None = None
    service: bool | None = None
    status: bool | None = None
    survey: bool | None = None
    source: Annotated[str, Field(max_length=120)] = "desk"
    wording: Annotated[str, Field(max_length=1000)] = ""

    def given(self) -> dict[Purpose, bool]:
        """What was said; what was not asked is left out."""
        return {purpose: answer for purpose in _ASKED if (answer := getattr(self, purpose.value)) is not None}


class Confirmed(Body):
    """The owner's name, as it stands there."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


class NewOwner(Body):
    """A person, and how to reach them. Numbers may be written as people do; they are kept as E.164."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    phone: Annotated[str | None, Field(max_length=40)] = None
    email: Annotated[str | None, Field(max_length=200, pattern=r"^[^@\s]+@[^@\s]+$")] = None
    channel: Annotated[str | None, Field(max_length=20)] = None
    language: Annotated[str | None, Field(max_length=20)] = None
    zone: Annotated[str | None, Field(max_length=60)] = None
    address: Annotated[str | None, Field(max_length=300)] = None
    place: Annotated[str | None, Field(max_length=60, description="Latitude and longitude: 53.5503, 9.9920")] = None
    access_notes: Annotated[str | None, Field(max_length=500)] = None
    contact: Annotated[str | None, Field(max_length=200)] = None
    consent: Agreed | None = None


class OwnerChanges(Body):
    """What is to be changed; what is left out stays."""

    name: Sent[Annotated[str, Field(min_length=1, max_length=120)]] = None
    phone: Annotated[str | None, Field(max_length=40)] = None
    email: Annotated[str | None, Field(max_length=200, pattern=r"^[^@\s]+@[^@\s]+$")] = None
    channel: Sent[Annotated[str, Field(max_length=20)]] = None
    language: Sent[Annotated[str, Field(max_length=20)]] = None
    zone: Sent[Annotated[str, Field(max_length=60)]] = None
    quiet_from: Sent[WallTime] = None
    quiet_to: Sent[WallTime] = None
    address: Annotated[str | None, Field(max_length=300)] = None
    place: Annotated[str | None, Field(max_length=60, description="Latitude and longitude: 53.5503, 9.9920")] = None
    access_notes: Annotated[str | None, Field(max_length=500)] = None
    contact: Annotated[str | None, Field(max_length=200)] = None


class OwnerWhole(Owner):
    """An owner with their cars, what they agreed to, and the conversation."""

    vehicles: list[Vehicle]
    consents: list[Consent]
    conversation: list[Line]


class Unread(BaseModel):
    """An owner who wrote something that a person must read."""

    owner_id: int
    name: str
    body: str
    received_at: datetime


class ImportQuery(Query):
    """`dry_run` says what would happen and stores nothing."""

    dry_run: bool = False


async def listed(request: web.Request) -> web.Response:
    caller, query = call(request), asked(request, OwnerQuery)
    async with caller.house.at(caller.dealer_id) as connection:
        ids = await ids_of(caller, connection, query.search or "", "owner")
        found = await owners.listed(connection, caller.dealer_id, ids=ids, after=query.cursor, limit=query.limit + 1)
    return reply(page(found, query.limit, lambda owner: [owner.name, owner.id]))


async def one(request: web.Request) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        owner = await owners.get(connection, caller.dealer_id, number(request))
        whole = OwnerWhole(
            **owner.model_dump(),
            vehicles=await fleet.listed(connection, caller.dealer_id, owner_id=owner.id, limit=200),
            consents=list((await consents.of_owner(connection, caller.dealer_id, owner.id)).values()),
            conversation=await threads.lines(
                connection, caller.dealer_id, await threads.of_owner(connection, caller.dealer_id, owner.id)
            )
            if caller.may(READ_MESSAGES)
            else [],
        )
    return reply(whole)


async def export(request: web.Request) -> web.Response:
    caller = call(request)
    return reply(await exporting.whole(caller, number(request), "JSON"))


async def export_readings(request: web.Request) -> web.StreamResponse:
    return await readings_file.send(request, number(request))


async def erase(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Confirmed)
    return reply(await erasing.erase(caller, number(request), body.name))


async def create(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, NewOwner)
    if not body.phone and not body.email:
        raise BadInput("phone", "without a phone number or a mail address nobody can be told anything")
    agreed = body.consent or Agreed()
    values = body.model_dump(exclude={"consent"}, exclude_none=True)
    owner = await acts.create(caller, values, agreed.given(), source=agreed.source, wording=agreed.wording)
    return reply(owner, 201)


async def change(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, OwnerChanges)
    return reply(await acts.update(caller, number(request), body.model_dump(exclude_unset=True)))


async def agree(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Agreed)
    await acts.consent(caller, number(request), body.given(), source=body.source, wording=body.wording)
    async with caller.house.at(caller.dealer_id) as connection:
        return reply(
            Page[Consent](items=list((await consents.of_owner(connection, caller.dealer_id, number(request))).values()))
        )


async def write(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Words)
    return reply(Queued(message_id=await words.send_free(caller, body.body, owner_id=number(request))), 201)


async def mark_read(request: web.Request) -> web.Response:
    caller = call(request)
    await words.mark_read(caller, await bare_number(request))
    return reply(Nothing())


async def unread(request: web.Request) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        found = await threads.unread(connection, caller.dealer_id)
    return reply(
        Page[Unread](items=[Unread.model_validate({name: row[name] for name in Unread.model_fields}) for row in found])
    )


async def import_list(request: web.Request) -> web.Response:
    caller, query = call(request), asked(request, ImportQuery)
    raw = await request.read()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("csv", f"is not UTF-8: byte {error.start + 1} cannot be read") from None
    return reply(await acts.import_list(caller, text, dry_run=query.dry_run))
