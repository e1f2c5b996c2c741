"""Cars over the API: added, described, enrolled; and what they have said."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, Field

from actions import vehicles as acts
from dealer_api import feeds
from dealer_api.api.offers import MaybeReason
from dealer_api.app_keys import call
from dealer_api.bodies import LARGEST_ID, Body, Id, Paged, Sent, When, asked, bare_number, number, page, read, reply
from dealer_api.finding import ids_of
from dealer_api.permissions import READ_OWNERS
from schemas.case import Case
from schemas.consent import Owner
from schemas.correction import in_force
from schemas.errors import BadInput
from schemas.moment import from_epoch
from schemas.reading import UNIT, Mark, Measured, boot_of, unit_of
from schemas.signal import BY_ID, BY_PATH
from schemas.vehicle import Vehicle, Vin
from store import cases, corrections, fleet, latest, owners, readings

_DAY = timedelta(days=1)
Counter = Annotated[int, Field(ge=0, le=LARGEST_ID)]  #: a boot, or a message within one


class VehicleQuery(Paged[tuple[Id]]):
    """By VIN, by owner, or by words of title, plate, VIN or owner, however they are spelt."""

    vin: Annotated[str | None, Field(max_length=40)] = None
    owner: Id | None = None
    search: Annotated[str | None, Field(max_length=80)] = None


class NewVehicle(Body):
    """A car to look after; `profile` is one of the models we know."""

    vin: Vin
    profile: Annotated[str, Field(max_length=60)]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    plate: Annotated[str | None, Field(max_length=20)] = None
    owner_id: Id | None = None


class VehicleChanges(Body):
    """What is to be changed; what is left out stays."""

    title: Sent[Annotated[str, Field(min_length=1, max_length=120)]] = None
    plate: Annotated[str | None, Field(max_length=20)] = None
    profile: Sent[Annotated[str, Field(max_length=60)]] = None
    owner_id: Id | None = None


class Value(BaseModel):
    """The newest value of a signal."""

    value: Measured
    unit: str
    ts: datetime


class Lacking(BaseModel):
    """A rule that cannot decide for this car: the signals that its feed has never brought (VSS paths), or, where all
    come, why that is not enough: what the rule needs, and what this feed sends.
    """

    rule: str
    title: str
    needs: list[str]
    why: str = ""


class VehicleWhole(Vehicle):
    """A car with its owner, its open case, the newest believed values, and what cannot be watched; that is empty until
    the car was heard.
    """

    owner: Owner | None
    case: Case | None
    latest: dict[str, Value]
    unwatched: list[Lacking] = Field(default_factory=list)


class Enrolled(BaseModel):
    """Credentials for the car's telematics unit. The password is shown this once."""

    vin: str
    bucket: int
    username: str
    password: str
    client_id: str
    topics: dict[str, str]


class ReadingQuery(Paged[tuple[When, Counter, Counter]]):
    """With `signal` (a VSS path) one signal's values; without, whole messages.

    Oldest first; the last seven days unless said.
    """

    signal: Annotated[str | None, Field(max_length=200)] = None
    since: When | None = None
    until: When | None = None
    limit: Annotated[int, Field(ge=1, le=2000)] = 500


class Reading(BaseModel):
    """One stored message, or one value of it.

    `ts` keeps the car's own spacing to the microsecond; `unit` counts the units that the car has spoken with, from 0:
    `boot` and `seq` are that unit's.
    """

    ts: datetime
    received_at: datetime | None = None
    unit: int = 0
    boot: int
    seq: int
    place: int | None = None
    marks: list[str]
    value: Measured | None = None
    signals: dict[str, Measured] | None = None
    codes: list[str] | None = None


class Readings(BaseModel):
    """A page of what a car has said."""

    signal: str | None
    unit: str | None
    items: list[Reading]
    next: str | None = None


async def listed(request: web.Request) -> web.Response:
    caller, query = call(request), asked(request, VehicleQuery)
    async with caller.house.at(caller.dealer_id) as connection:
        found = await fleet.listed(
            connection,
            caller.dealer_id,
            vin=query.vin.upper() if query.vin else None,
            owner_id=query.owner,
            ids=await ids_of(caller, connection, query.search or "", "vehicle"),
            after=query.cursor[0] if query.cursor else None,
            limit=query.limit + 1,
        )
    return reply(page(found, query.limit, lambda car: [car.id]))


async def one(request: web.Request) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        car = await fleet.get(connection, caller.dealer_id, number(request))
        owner = (
            None
            if car.owner_id is None or not caller.may(READ_OWNERS)
            else await owners.get(connection, caller.dealer_id, car.owner_id)
        )
        case = await cases.open_of(connection, caller.dealer_id, car.id)
        newest = await latest.of_vehicle(connection, caller.dealer_id, car.id)
        read_as = in_force(await corrections.of_vehicle(connection, caller.dealer_id, car.id), caller.house.now())
        lacking = await feeds.not_watched(caller, connection, car, heard=newest[1], newest=newest[0]) if newest else []
    shown = [Lacking(rule=one.rule, title=one.title, needs=list(one.needs), why=one.why) for one in lacking]
    return reply(
        VehicleWhole(
            **car.model_dump(),
            owner=owner,
            case=case,
            latest=_latest(latest.as_read(newest[1], read_as) if newest else {}),
            unwatched=shown,
        )
    )


async def create(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, NewVehicle)
    car = await acts.add(
        caller, vin=body.vin, profile=body.profile, title=body.title, plate=body.plate, owner_id=body.owner_id
    )
    return reply(car, 201)


async def change(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, VehicleChanges)
    return reply(await acts.update(caller, number(request), body.model_dump(exclude_unset=True)))


async def enrol(request: web.Request) -> web.Response:
    caller = call(request)
    made = await acts.enrol(caller, await bare_number(request))
    return reply(
        Enrolled(
            vin=made.vehicle.vin,
            bucket=made.bucket,
            username=made.username,
            password=made.password,
            client_id=made.client_id,
            topics=made.topics,
        ),
        201,
    )


async def revoke(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, MaybeReason)
    return reply(await acts.revoke(caller, number(request), body.reason))


async def list_readings(request: web.Request) -> web.Response:
    caller, query, vehicle_id = call(request), asked(request, ReadingQuery), number(request)
    until = query.until or caller.house.now() + _DAY
    since = query.since or until - 8 * _DAY
    if since > until:
        raise BadInput("since", "is after until")
    signal = None if query.signal is None else BY_PATH.get(query.signal)
    if query.signal is not None and signal is None:
        raise BadInput("signal", f"{query.signal} is not a signal we know")
    async with caller.house.at(caller.dealer_id) as connection:
        await fleet.get(connection, caller.dealer_id, vehicle_id)
        if signal is not None:
            points = await readings.series(
                connection,
                caller.dealer_id,
                vehicle_id=vehicle_id,
                signal_id=signal.id,
                since=since,
                until=until,
                after=query.cursor,
                limit=query.limit + 1,
            )
            items = [
                Reading(
                    ts=p.ts, unit=unit_of(p.boot), boot=boot_of(p.boot), seq=p.seq, marks=_marks(p.mark), value=p.value
                )
                for p in points
            ]
        else:
            rows = await readings.page(
                connection,
                caller.dealer_id,
                vehicle_id=vehicle_id,
                since=since,
                until=until,
                after=query.cursor,
                limit=query.limit + 1,
            )
            items = [_whole(row) for row in rows]
    paged = page(items, query.limit, lambda item: [item.ts.isoformat(), item.unit * UNIT + item.boot, item.seq])
    return reply(
        Readings(signal=query.signal, unit=signal.unit if signal else None, items=paged.items, next=paged.next)
    )


def _whole(row: Any) -> Reading:
    return Reading(
        ts=from_epoch(row.ts),
        received_at=from_epoch(row.received_at),
        unit=unit_of(row.boot),
        boot=boot_of(row.boot),
        seq=row.seq,
        place=row.place,
        marks=_marks(row.mark),
        signals={BY_ID[i].path: value for i, value in zip(row.ids, row.values) if i in BY_ID},
        codes=None if row.diagnostics is None else [code.code for code in row.diagnostics.codes],
    )


def _marks(mark: int) -> list[str]:
    return [flag.name.lower() for flag in Mark(mark) if flag.name]


def _latest(newest: dict[str, Any]) -> dict[str, Value]:
    return {
        path: Value(value=value, unit=BY_PATH[path].unit, ts=from_epoch(at))
        for path, (value, at) in newest.items()
        if path in BY_PATH
    }
