"""In which unit a car says what we keep in another, where a person has said so; the row keeps what it said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from struct import Struct
from typing import Final

from pydantic import BaseModel, ConfigDict

from schemas.lifecycle import Lifecycle
from schemas.reading import Reading
from schemas.signal import BY_ID

MARKER: Final = (
    20_000  #: a marker row says of signal n as id MARKER + n by which number of UNITS it is read from now on
)
SLOT: Final = MARKER  #: under which id a car's memory keeps all of them, as the last value of a signal is kept
_NIBBLE, _NIBBLES = Struct("<Q"), 16


MILE: Final = 1.609344  #: kilometres


@dataclass(frozen=True, slots=True)
class Unit:
    """What a value said in it is in ours: `value * factor + plus`."""

    name: str
    words: str  #: as people write it
    factor: float
    plus: float = 0.0

    def read(self, value: float) -> float:
        """In our unit."""
        return value * self.factor + self.plus


#: Of our units, those that feeds send instead. Their number (from 1) stands in rows: add at the end only.
UNITS: Final[Mapping[str, tuple[Unit, ...]]] = {
    "kPa": (Unit("psi", "psi", 6.894757), Unit("bar", "bar", 100.0)),
    "Celsius": (Unit("fahrenheit", "°F", 1 / 1.8, -32 / 1.8),),
    "km/h": (Unit("mph", "mph", MILE), Unit("metres_per_second", "m/s", 3.6)),
    "m": (
        Unit("miles", "miles", MILE),  # said as if they were kilometres
        Unit("kilometres", "km", 1_000.0),
        Unit("plain_miles", "miles", 1_000.0 * MILE),
    ),
    "km": (Unit("miles", "miles", MILE),),
}
#: What can be read anew, in the order in which a memory keeps it: add at the end only, sixteen at most.
_WHEELS = (70, 71, 72, 73)
CORRECTABLE: Final[tuple[int, ...]] = (*_WHEELS, 11, 13, 42, 51, 1, 2, 58, 16)
_AT = {signal: n for n, signal in enumerate(CORRECTABLE)}
assert len(CORRECTABLE) <= _NIBBLES and all(BY_ID[i].unit in UNITS for i in CORRECTABLE)

ReadAs = Mapping[int, Unit]  #: signal -> the unit in which the car says it
AS_SAID: Final[ReadAs] = {}


def number_of(signal_id: int, unit: str | None) -> int:
    """By which number that unit of the signal stands in a row; 0 is ours. KeyError: no such unit."""
    if unit is None:
        return 0
    return {one.name: n for n, one in enumerate(UNITS[BY_ID[signal_id].unit], start=1)}[unit]


def unit_named(signal_id: int, name: str) -> Unit | None:
    """The unit of that name in which such a signal may be said."""
    found = BY_ID.get(signal_id)
    return next((u for u in UNITS.get(found.unit if found else "", ()) if u.name == name), None)


def kept(memory: bytes | bytearray, at: int) -> ReadAs:
    """What stands in a car's memory."""
    (word,) = _NIBBLE.unpack_from(memory, at)
    if not word:
        return AS_SAID
    found = {}
    for n, signal_id in enumerate(CORRECTABLE):
        units, code = UNITS[BY_ID[signal_id].unit], word >> 4 * n & 15
        if 0 < code <= len(units):
            found[signal_id] = units[code - 1]
    return found


def keep(memory: bytearray, at: int, marker: Reading) -> tuple[int, ...]:
    """Take a marker row into a memory; the signals that it speaks of."""
    (word,) = _NIBBLE.unpack_from(memory, at)
    spoken = []
    for i, value in zip(marker.ids, marker.values):
        if (n := _AT.get(i - MARKER)) is not None:
            word = word & ~(15 << 4 * n) | (int(value) & 15) << 4 * n
            spoken.append(i - MARKER)
    _NIBBLE.pack_into(memory, at, word)
    return tuple(spoken)


def marked(signals: Iterable[int], unit: str | None) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Ids and values of a marker row; without a unit they count as said again."""
    wanted = tuple(signals)
    return tuple(MARKER + i for i in wanted), tuple(float(number_of(i, unit)) for i in wanted)


def reread(ids: tuple[int, ...], values: tuple[float, ...], read_as: ReadAs) -> tuple[float, ...]:
    """The values of a message in our units."""
    return tuple(read_as[i].read(v) if i in read_as else v for i, v in zip(ids, values))


class CorrectionState(StrEnum):
    """The states of a correction."""

    ACCEPTED = "accepted"  #: a person has accepted what was proposed: from the next message on it is read so
    UNDONE = "undone"  #: a person thought better of it: from the next message on it is read as it is said


class CorrectionEvent(StrEnum):
    """What a person does with it."""

    UNDONE = "undone"


CORRECTION = Lifecycle(
    noun="correction",
    start=CorrectionState.ACCEPTED,
    moves={CorrectionState.ACCEPTED: {CorrectionEvent.UNDONE: CorrectionState.UNDONE}, CorrectionState.UNDONE: {}},
)


class Correction(BaseModel):
    """Signals of one car that are said in another unit than ours, as a person has accepted.

    `read_since`: when the gateway began to read them so; `read_until`: when it ceased to.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    vehicle_id: int
    signals: tuple[int, ...]
    unit: str
    because: str
    state: CorrectionState
    accepted_by: str
    accepted_at: datetime
    read_since: datetime | None = None
    undone_by: str | None = None
    undone_at: datetime | None = None
    read_until: datetime | None = None


def in_force(corrections: Iterable[Correction], at: datetime) -> ReadAs:
    """By what was received at that time is read."""
    found: dict[int, Unit] = {}
    for one in corrections:
        if one.read_since is None or at < one.read_since or (one.read_until is not None and at >= one.read_until):
            continue
        for signal_id in one.signals:
            if (unit := unit_named(signal_id, one.unit)) is not None:
                found[signal_id] = unit
    return found
