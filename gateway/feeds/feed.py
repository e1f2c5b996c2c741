"""What a feed is: what it listens to, and how a message of it becomes values of ours. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from schemas.reading import Refusal
from schemas.signal import BY_PATH
from schemas.telemetry import TroubleCode
from schemas.unit import conversion, unit

Units = Mapping[str, str]  #: kind of unit -> how this car says it, where that is not the feed's usual way
Odd = tuple[Refusal, str]  #: why, and of what


@dataclass(frozen=True, slots=True)
class Message:
    """One message, or the body of one request. `topic` are the levels below the feed's root."""

    payload: bytes
    received_at: float  #: epoch seconds
    topic: tuple[str, ...] = ()
    retained: bool = False  #: the broker had kept it, nobody knows since when


@dataclass(frozen=True, slots=True)
class Field:
    """What a name of a feed is in ours: the path, the feed's usual unit (`scale` of them: 0.001 where it counts in
    thousandths), and words that stand for numbers.
    """

    path: str
    unit: str
    words: Mapping[str, float] = field(default_factory=dict)
    scale: float = 1.0

    def value(self, number: float, written: str, units: Units) -> float:
        """In the unit of the signal. A unit that stands beside the number wins over what was agreed for this car."""
        usual = unit(self.unit)
        agreed = units.get(usual.kind, self.unit) if usual is not None else self.unit
        factor, offset = conversion(written or agreed, BY_PATH[self.path].unit)
        return number * self.scale * factor + offset


@dataclass(frozen=True, slots=True)
class Value:
    """One value, at the time at which the car made it or, where nobody says that, at which it came."""

    path: str
    value: float
    ts: float


@dataclass(frozen=True, slots=True)
class Codes:
    """Trouble codes. `whole`: what is not named is gone."""

    ts: float
    codes: tuple[TroubleCode, ...]
    whole: bool
    mil: bool | None = None


@dataclass(slots=True)
class Heard:
    """What one message says of one car. `car` is the feed's own name for it, `vin` what the feed says its VIN is."""

    car: str
    vin: str = ""
    values: list[Value] = field(default_factory=list)
    codes: list[Codes] = field(default_factory=list)
    odd: list[Odd] = field(default_factory=list)  #: what could not be read, each with its reason
    untaken: int = 0  #: names that are no signal of ours: counted, and no fault of anybody


@dataclass(frozen=True, slots=True)
class Feed:
    """One kind of feed."""

    name: str
    title: str
    says: str  #: what it is, for the page
    filters: tuple[str, ...]  #: topics below its root; none: it comes by HTTPS
    root: str  #: where its topics usually begin
    timed: bool  #: its messages have a time of their own
    cadence: str
    identity: str  #: what it calls a car
    fields: Mapping[str, Field]
    translate: Callable[[Message, Units], list[Heard]]
    #: (headers by their names in small letters, raw body, secret, epoch seconds) -> why its sender did not write this
    doubt: Callable[[Mapping[str, str], bytes, bytes, float], str] | None = None


OLD: Final = "kept by the broker, nobody knows since when; its next change is believed"


def wheels(leaf: str, usual: str, names: tuple[str, str, str, str]) -> dict[str, Field]:
    """The four wheels by the feed's names for front left, front right, rear left, rear right."""
    return {name: Field(f"{place}.{leaf}", usual) for name, place in zip(names, WHEELS, strict=True)}


WHEELS: Final = tuple(
    f"Vehicle.Chassis.Axle.{row}.Wheel.{side}" for row in ("Row1", "Row2") for side in ("Left", "Right")
)
