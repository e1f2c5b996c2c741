"""The dealer itself over the API: its limits, people, bays and keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field, create_model

from actions import accounts as acts
from actions import labour, password, people, second_factor
from dealer_api.app_keys import call
from dealer_api.bodies import Body, Nothing, Page, When, bare_number, number, read, reply
from schemas.account import SETTINGS, Dealer, DealerSettings, Role, Staff
from schemas.booking import Booking
from schemas.operation import Skill
from schemas.scope import BEFORE_SCOPES, SCOPES
from schemas.setting import Setting
from schemas.slot import Resource
from store import accounts, secrets, slots
from store.secrets import Secret


def _changeable(name: str, setting: Setting) -> Any:
    kind = DealerSettings.model_fields[name].annotation
    if kind is int:
        return Annotated[int, Field(ge=setting.least, le=setting.most)] | None
    return (Annotated[str, Field(min_length=setting.least, max_length=setting.most)] if kind is str else kind) | None  # type: ignore[operator]


#: What is to be changed; what is left out stays. Opening hours as OpenStreetMap writes them.
DealerChanges: type[Body] = create_model(
    "DealerChanges",
    __base__=Body,
    __module__=__name__,
    __doc__="What is to be changed; what is left out stays. Opening hours as OpenStreetMap writes them.",
    **{name: (_changeable(name, setting), None) for name, setting in SETTINGS.items()},  # type: ignore[call-overload]
)


class NewStaff(Body):
    """A new colleague; they choose their own password."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    email: Annotated[str, Field(max_length=200, pattern=r"^[^@\s]+@[^@\s]+$")]
    role: Role
    phone: Annotated[str | None, Field(max_length=40)] = None
    language: Annotated[str | None, Field(max_length=10)] = None


class Invited(BaseModel):
    """The new colleague, and the link that lets them in once, for seven days."""

    staff: Staff
    link: str


class StaffChanges(Body):
    """What they do from now on."""

    role: Role


class Skills(Body):
    """What a technician knows; with at least one their hours are planned."""

    skills: list[Skill]


class NewResource(Body):
    """A bay or a loaner car. Drivers come with their person."""

    kind: Literal["bay", "loaner", "tow_truck", "van"]
    name: Annotated[str, Field(min_length=1, max_length=80)]


Label = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[\w .\-]+$")]


class KeyLabel(Body):
    """Which key."""

    label: Label


class NewKey(Body):
    """What the key is for and what it may do.

    `read` is all reading, `all` everything; without `expires_at` it works for a year, null: without end.
    """

    label: Label
    scopes: Annotated[
        list[Annotated[str, Field(json_schema_extra={"enum": [*SCOPES, "read", "all"]})]],
        Field(min_length=1, max_length=len(SCOPES) + 2),
    ] = ["read"]
    expires_at: When | None = None


class Key(BaseModel):
    """An API key; `key` is shown once, when it is made. `last_used_at` is known to the hour."""

    label: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    key: str | None = None


class DealerWhole(Dealer):
    """The dealer; `conflicts` are agreed visits outside its opening hours, for a person to settle."""

    conflicts: list[Booking]


async def show_dealer(request: web.Request) -> web.Response:
    caller = call(request)
    return reply(
        DealerWhole(**caller.dealer.model_dump(), conflicts=list(await acts.conflicts(caller.house, caller.dealer_id)))
    )


async def change_dealer(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, DealerChanges)
    changes = body.model_dump(exclude_unset=True, exclude_none=True)
    changed = await acts.update_dealer(caller, changes)
    return reply(
        DealerWhole(**changed.model_dump(), conflicts=list(await acts.conflicts(caller.house, caller.dealer_id)))
    )


async def list_staff(request: web.Request) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        return reply(Page[Staff](items=await accounts.staff_of(connection, caller.dealer_id)))


async def invite(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, NewStaff)
    person, link = await people.invite(
        caller, name=body.name, email=body.email, role=body.role, phone=body.phone, language=body.language
    )
    return reply(Invited(staff=person, link=link), 201)


async def set_skills(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, Skills)
    await labour.set_skills(caller, number(request), frozenset(body.skills))
    return reply(body)


async def disable(request: web.Request) -> web.Response:
    return reply(await people.disable(call(request), await bare_number(request)))


async def enable(request: web.Request) -> web.Response:
    return reply(await people.enable(call(request), await bare_number(request)))


async def invite_again(request: web.Request) -> web.Response:
    person, link = await people.invite_again(call(request), await bare_number(request))
    return reply(Invited(staff=person, link=link), 201)


async def reset_link(request: web.Request) -> web.Response:
    person, link = await password.reset_link(call(request), await bare_number(request))
    return reply(Invited(staff=person, link=link), 201)


async def forget_second_factor(request: web.Request) -> web.Response:
    return reply(await second_factor.forget(call(request), await bare_number(request)))


async def change_staff(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, StaffChanges)
    return reply(await people.change_role(caller, number(request), body.role))


async def list_resources(request: web.Request) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        return reply(Page[Resource](items=await slots.resources(connection, caller.dealer_id)))


async def add_resource(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, NewResource)
    made = await acts.add_resource(caller, body.kind, body.name)
    async with caller.house.at(caller.dealer_id) as connection:
        return reply(next(r for r in await slots.resources(connection, caller.dealer_id) if r.id == made), 201)


async def list_keys(request: web.Request) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        found = await secrets.labels(connection, caller.dealer_id, "api_key")
    return reply(Page[Key](items=[_key(secret) for secret in found]))


async def create_key(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, NewKey)
    ends = body.expires_at if "expires_at" in body.model_fields_set else caller.house.now() + acts.KEY_LIFE
    key = await acts.create_key(caller, body.label, body.scopes, ends)
    async with caller.house.at(caller.dealer_id) as connection:
        made = next(
            secret
            for secret in await secrets.labels(connection, caller.dealer_id, "api_key")
            if secret.label == body.label
        )
    return reply(_key(made, key), 201)


async def revoke_key(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, KeyLabel)
    await acts.revoke_key(caller, body.label)
    return reply(Nothing())


def _key(secret: Secret, shown: str | None = None) -> Key:
    scopes = list(BEFORE_SCOPES if secret.scopes is None else secret.scopes)
    return Key(
        label=secret.label,
        scopes=scopes,
        created_at=secret.created_at,
        expires_at=secret.expires_at,
        last_used_at=secret.last_used_at,
        key=shown,
    )
