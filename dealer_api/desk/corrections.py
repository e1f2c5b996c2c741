"""Units at the desk: what is proposed of a car, with one button; and what is read so, with what the car itself said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from actions import corrections as acts
from dealer_api import reader
from dealer_api.app_keys import Call, call
from dealer_api.charts import number, unit_symbol
from dealer_api.desk import formatting
from dealer_api.desk.page import back, form, go, id_of, refused, row_of
from rules.detectors.unit_of import Proposal
from schemas.correction import Correction, CorrectionState, in_force, unit_named
from schemas.errors import TelltaleError
from schemas.signal import BY_ID, Signal
from store import corrections, latest
from store.latest import AS_SAID
from store.pool import Connection
from store.views import casefile

_MOST = 4  #: titles that are written out


@dataclass(frozen=True, slots=True)
class ShownProposal:
    """One that a person can accept."""

    signal: int
    unit: str
    title: str  #: the signals
    words: str  #: their unit
    because: str


@dataclass(frozen=True, slots=True)
class ShownCorrection:
    """One that stands, or was taken back and is not yet carried out."""

    id: int
    title: str
    words: str
    because: str
    who: str
    accepted_at: datetime
    begun: bool
    ending: bool
    examples: tuple[tuple[str, str, str], ...]  #: signal, as the car said it last, as it is read


@dataclass(frozen=True, slots=True)
class Units:
    """What the card shows."""

    proposed: tuple[ShownProposal, ...]
    standing: tuple[ShownCorrection, ...]


async def of_car(caller: Call, connection: Connection, vehicle_id: int) -> Units:
    rows = await corrections.of_vehicle(connection, caller.dealer_id, vehicle_id)
    found = await acts.proposed(caller, connection, vehicle_id)
    standing = [row for row in rows if row.read_until is None]
    newest = await latest.of_vehicle(connection, caller.dealer_id, vehicle_id) if standing else None
    names = await casefile.people(connection, caller.dealer_id) if standing else {}
    read_as = in_force(standing, caller.house.now())
    values: Mapping[str, Any] = latest.as_read(newest[1], read_as) if newest else {}
    return Units(tuple(_proposed(one) for one in found), tuple(_standing(row, values, names) for row in standing))


async def accept(request: web.Request) -> web.Response:
    caller, vehicle_id, fields = call(request), id_of(request), await form(request)
    to = back(fields.get("back"), f"/vehicles/{vehicle_id}")
    try:
        signal = row_of(fields.get("signal"), "signal", "is missing")
        made = await acts.accept(caller, vehicle_id, signal, fields.get("unit", ""))
    except TelltaleError as error:
        return refused(error, to)
    unit = unit_named(made.signals[0], made.unit)
    return go(to, f"Read as {unit.words if unit else made.unit} from the next message on.")


async def undo(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    to = back(fields.get("back"), "/vehicles")
    try:
        await acts.undo(caller, id_of(request))
    except TelltaleError as error:
        return refused(error, to)
    return go(to, "Taken back. From the next message on it counts as the car says it.")


def _titles(signals: tuple[int, ...]) -> str:
    titles = [BY_ID[i].title for i in signals]
    if len(titles) > 1 and all(title.startswith("tyre pressure") for title in titles):
        return "Tyre pressures"
    return formatting.sentence(", ".join(titles[:_MOST]))


def _proposed(one: Proposal) -> ShownProposal:
    return ShownProposal(
        one.signals[0], one.unit.name, title=_titles(one.signals), words=one.unit.words, because=one.because
    )


def _standing(row: Correction, values: Mapping[str, Any], names: dict[int, str]) -> ShownCorrection:
    unit = unit_named(row.signals[0], row.unit)
    examples = []
    for signal in (BY_ID[i] for i in row.signals):
        said, read = values.get(AS_SAID + signal.path), values.get(signal.path)
        if unit is not None and said and read and said[1] == read[1]:
            examples.append((signal.title, f"{_number(signal, said[0])} {unit.words}", quantity(signal, read[0])))
    return ShownCorrection(
        row.id,
        title=_titles(row.signals),
        words=unit.words if unit else row.unit,
        because=row.because,
        who=formatting.actor(row.accepted_by, names),
        accepted_at=row.accepted_at,
        begun=row.read_since is not None,
        ending=row.state is CorrectionState.UNDONE,
        examples=tuple(examples),
    )


def _number(signal: Signal, value: float) -> str:
    """As the car said it: of an odometer in thousands, for it says miles where metres belong."""
    return number(value / 1000 if signal.unit == "m" and value > 1e4 else value, reader.locale(), step=0.1)


def quantity(signal: Signal, value: float) -> str:
    """As it is read."""
    if signal.unit == "m":
        return f"{number(value / 1000, 'en', step=0.1)} km"
    return f"{number(value, 'en', step=0.1)} {unit_symbol(signal.unit)}".strip()
