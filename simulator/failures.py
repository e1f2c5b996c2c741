"""When a fault comes to its end: by its date, or, where the end is a level, when the car's use has brought it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from simulator.condition import Condition
from simulator.wear import WHEELS, Fault, Truth

SHOWS_K = 2.0  #: above the engine's own model of a healthy coolant: less is noise

_PADS = {"front": (0, 1), "rear": (2, 3)} | {wheel: (n,) for n, wheel in enumerate(WHEELS)}


class Failures:
    """What has been reached so far, for the ground truth."""

    def __init__(self, truck: bool) -> None:
        self._cold_limit_s = (30 if truck else 8) * 3600.0
        self._hottest = self._gearbox = self._cold_s = self._too_warm = 0.0
        self._broken_off = 0
        self._at: dict[int, float] = {}

    def see(self, c: Condition, seconds: float) -> None:
        """One step of driving."""
        self._hottest, self._gearbox = max(self._hottest, c.coolant_c), max(self._gearbox, c.transmission_c)
        self._too_warm = max(self._too_warm, c.coolant_c - c.model_c)
        if c.model_c > 85.0 and c.coolant_c < 74.0:
            self._cold_s += seconds

    def charge_broke_off(self) -> None:
        """A charge stopped before its end."""
        self._broken_off += 1

    def note(self, c: Condition, faults: Sequence[Fault]) -> None:
        """At the end of a drive, or when the engine does not start."""
        for n, fault in enumerate(faults):
            if n not in self._at and fault.healed_at is None and c.ts >= fault.onset and self._reached(c, fault):
                self._at[n] = c.ts

    def _reached(self, c: Condition, fault: Fault) -> bool:
        match fault.kind:
            case "worn_pads" | "sticking_calliper":
                return any(c.pads[wheel] >= 100.0 for wheel in _PADS[fault.component])
            case "oil_worn":
                return c.oil_life <= 0.0
            case "cooling_blocked":
                return self._hottest > 120.0
            case "transmission_heat":
                return self._gearbox > 130.0
            case "thermostat_open":
                return self._cold_s > self._cold_limit_s
            case "charging_fault":
                return self._broken_off >= 6
            case "service_due":
                return c.service_km <= -2_000.0
        return False

    def truths(self, faults: Sequence[Fault]) -> list[Truth]:
        """What really happened so far."""
        found = []
        for n, fault in enumerate(faults):
            truth, at = fault.truth(), self._at.get(n)
            if fault.kind == "cooling_blocked":  # a radiator that is never asked for more than it still gives
                truth = replace(truth, visible=self._too_warm >= SHOWS_K)
            found.append(
                truth if at is None else replace(truth, failure=at, too_late=at - (truth.failure - truth.too_late))
            )
        return found
