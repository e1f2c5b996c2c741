"""Whether a car may be driven to us, by what it reports: where its owner reads "do not drive on", none of our drivers
drives it either. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.booking import Booking, BookingKind, BookingState
from schemas.pickup import Leg, LegKind, LegState
from schemas.verdict import STAYS_AT, USUAL, Severity

_WITH_US = frozenset({LegState.COLLECTED, LegState.AT_WORKSHOP})


@dataclass(frozen=True, slots=True)
class Fault:
    """What stands about a car; `rule` None: its owner rang."""

    rule: str | None
    component: str
    severity: Severity
    because: str


@dataclass(frozen=True, slots=True)
class Stays:
    """The car must not be driven, and why."""

    fault: Fault

    @property
    def because(self) -> str:
        """For our own people: 'it must not be driven: …'."""
        return f"it must not be driven: {self.fault.because}"


def forbids(rule: str | None, severity: Severity) -> bool:
    """Whether this fault alone keeps a car where it stands."""
    return severity in STAYS_AT.get(rule or "", USUAL)


def severities(rule: str | None) -> tuple[Severity, ...]:
    """At which severities it does."""
    return tuple(severity for severity in Severity if forbids(rule, severity))


def stays(standing: Sequence[Sequence[str]]) -> Stays | None:
    """Of what stands about a car, each as (rule, component, severity, because): the most urgent for which it must not
    be driven. None: it may.
    """
    faults = [
        Fault(rule or None, component, Severity(severity), because) for rule, component, severity, because in standing
    ]
    found = [fault for fault in faults if forbids(fault.rule, fault.severity)]
    return Stays(max(found, key=lambda fault: fault.severity.rank)) if found else None


def usual(found: Stays | None) -> BookingKind:
    """How such a car comes to us when nobody says otherwise."""
    return BookingKind.PICKUP if found is None else BookingKind.TOW


def ways(found: Stays | None) -> tuple[BookingKind, ...]:
    """How such a car may come."""
    return tuple(kind for kind in BookingKind if found is None or not kind.driven)


def needs_truck(booking: Booking, legs: Sequence[Leg], found: Stays | None) -> bool:
    """Whether a visit was agreed for a car on its wheels that must stay where it is; no longer once we have it."""
    if found is None or booking.state is not BookingState.AGREED or not booking.kind.driven:
        return False
    return not any(leg.kind is LegKind.COLLECT and leg.state in _WITH_US for leg in legs)
