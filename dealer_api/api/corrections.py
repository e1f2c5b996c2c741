"""Units over the API: what is proposed of a car, accepted, and taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from actions import corrections as acts
from dealer_api.app_keys import call
from dealer_api.bodies import Body, bare_number, number, read, reply
from rules.detectors.unit_of import Proposal
from schemas.correction import Correction as Row
from schemas.correction import CorrectionState, unit_named
from schemas.errors import BadInput
from schemas.signal import BY_ID, BY_PATH
from store import corrections, fleet


class NewCorrection(Body):
    """The signal (a VSS path) and the unit as they are proposed; signals that are said in it with this one go along."""

    signal: Annotated[str, Field(max_length=200)]
    unit: Annotated[str, Field(max_length=40)]


class Proposed(BaseModel):
    """What would explain an item "sensor or unit implausible": a value said is worth `value * factor + plus`."""

    signals: list[str]
    unit: str
    factor: float
    plus: float
    because: str


class Correction(BaseModel):
    """Signals that a car says in another unit. `read_since` is null until the gateway has begun to read them so."""

    id: int
    vehicle_id: int
    signals: list[str]
    unit: str
    factor: float
    plus: float
    because: str
    state: CorrectionState
    accepted_by: str
    accepted_at: datetime
    read_since: datetime | None
    undone_by: str | None
    undone_at: datetime | None
    read_until: datetime | None


class Units(BaseModel):
    """What is proposed of a car now, and what was ever accepted of it, oldest first."""

    proposed: list[Proposed]
    items: list[Correction]


async def listed(request: web.Request) -> web.Response:
    caller, vehicle_id = call(request), number(request)
    async with caller.house.at(caller.dealer_id) as connection:
        await fleet.get(connection, caller.dealer_id, vehicle_id)
        rows = await corrections.of_vehicle(connection, caller.dealer_id, vehicle_id)
        found = await acts.proposed(caller, connection, vehicle_id)
    return reply(Units(proposed=[_proposed(one) for one in found], items=[_shown(row) for row in rows]))


async def accept(request: web.Request) -> web.Response:
    caller, body = call(request), await read(request, NewCorrection)
    async with caller.house.at(caller.dealer_id) as connection:  # a car that is not theirs is none, whatever was sent
        await fleet.get(connection, caller.dealer_id, number(request))
    signal = BY_PATH.get(body.signal)
    if signal is None:
        raise BadInput("signal", f"{body.signal} is not a signal we know")
    return reply(_shown(await acts.accept(caller, number(request), signal.id, body.unit)), 201)


async def undo(request: web.Request) -> web.Response:
    caller = call(request)
    return reply(_shown(await acts.undo(caller, await bare_number(request))))


def _proposed(one: Proposal) -> Proposed:
    return Proposed(
        signals=[BY_ID[i].path for i in one.signals],
        unit=one.unit.name,
        factor=one.unit.factor,
        plus=one.unit.plus,
        because=one.because,
    )


def _shown(row: Row) -> Correction:
    unit = unit_named(row.signals[0], row.unit)
    facts = row.model_dump(exclude={"signals"})
    factor, plus = (unit.factor, unit.plus) if unit else (1.0, 0.0)
    return Correction(**facts, signals=[BY_ID[i].path for i in row.signals], factor=factor, plus=plus)
