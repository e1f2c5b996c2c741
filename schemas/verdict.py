"""What a rule answers. Three answers, because a silent car is not a healed car and zero is a reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """How urgent, in the owner's terms."""

    ADVICE = "advice"  #: at the next visit
    SOON = "soon"  #: within days
    NOW = "now"  #: before driving on

    @property
    def rank(self) -> int:
        """Higher is more urgent: advice 0, soon 1, now 2."""
        return _RANK[self]


_RANK = {Severity.ADVICE: 0, Severity.SOON: 1, Severity.NOW: 2}


@dataclass(frozen=True, slots=True)
class Holds:
    """The fault is there."""

    severity: Severity
    because: str
    at_once: bool = False  #: a danger that was confirmed: it waits for no hold
    #: how large it is, where an alert that stands is said again once it has clearly grown; always positive
    size: float | None = None


@dataclass(frozen=True, slots=True)
class Clear:
    """The fault is not there, on positive evidence."""

    because: str


@dataclass(frozen=True, slots=True)
class Unsure:
    """Missing, stale, or between the warning and the clear level."""

    because: str
    #: the message has no reading of it: it says nothing, where "between the levels" says "not now"
    missing: bool = False


Verdict = Holds | Clear | Unsure


#: Which faults forbid to drive on: one table, for what an owner is told, for how a car comes to us, and for what the
#: desk shows. A rule that is not named forbids it at "now" alone. A test holds the owner's words to it, everywhere.
USUAL: Final = frozenset({Severity.NOW})
_NEVER: Final[frozenset[Severity]] = frozenset()
STAYS_AT: Final[Mapping[str, frozenset[Severity]]] = {
    "oil_pressure": frozenset(Severity),  # an engine without oil is lost within minutes, however little is missing
    "ev_heat": frozenset(Severity),
    "battery_12v": _NEVER,  # it may not start again: a nuisance, no danger
    "thermostat_open": _NEVER,
    "service_due": _NEVER,
    "sensor_implausible": _NEVER,  # of the sensor, not of the car
    "distance_unit": _NEVER,  # of a unit
    "oil_sensor": _NEVER,
    "coolant_sensor": _NEVER,
    "silent_vehicle": _NEVER,
}
