"""A control unit's memory of trouble codes: pending in the first driving cycle, confirmed with the lamp in the second.

The lamp goes out after 3 good cycles, a confirmed code is erased after 40 warm-ups; a permanent one outlives a
clearing by the workshop until its test has passed once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GOOD_CYCLES, ERASING_WARMUPS = 3, 40

#: Test -> (code of a car, SPN/FMI of a truck, seconds in one cycle for which it must show).
TESTS: dict[str, tuple[str, str, float]] = {
    "thermostat": ("P0128", "110/18", 120.0),
    "overheating": ("P0217", "110/0", 60.0),
    "misfire": ("P0300", "1322/11", 180.0),
    "lean": ("P0171", "1695/5", 240.0),
    "voltage": ("P0562", "168/1", 60.0),
    "oil_pressure": ("P0524", "100/1", 30.0),
    "gearbox": ("P0218", "177/0", 120.0),
    "soot": ("P2463", "3719/0", 300.0),
    "insulation": ("P0AA6", "", 240.0),
    "cell": ("P0A80", "", 600.0),
}

#: What the control units of each kind of car test.
_TESTED: dict[str, tuple[str, ...]] = {
    "electric": ("voltage", "insulation", "cell"),
    "truck": ("voltage", "thermostat", "overheating", "oil_pressure", "gearbox", "soot"),
    "diesel": ("voltage", "thermostat", "overheating", "oil_pressure", "gearbox", "soot"),
    "petrol": ("voltage", "thermostat", "overheating", "oil_pressure", "gearbox", "misfire", "lean"),
}


@dataclass(slots=True)
class Stored:
    """One code."""

    first_seen: float
    cycle: int  #: of the last failure
    pending: bool = True
    confirmed: bool = False
    permanent: bool = False
    lamp: bool = False
    failing: bool = True
    good_cycles: int = 0
    warmups: int = 0
    frame: dict[int, float] = field(default_factory=dict)


@dataclass(slots=True)
class CodeMemory:
    """All codes of one car, and the seconds for which each test has failed in this cycle."""

    truck: bool = False
    drive: str = "petrol"
    cycle: int = 0
    stored: dict[str, Stored] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def begin(self) -> None:
        """A new driving cycle."""
        self.cycle += 1
        self.seconds.clear()
        for code in self.stored.values():
            code.failing = False

    def test(
        self, name: str, failed: bool, seconds: float, ts: float, values: Mapping[int, float], cylinder: int = 0
    ) -> None:
        """One look of a monitor; a failure that lasts stores the code, with a freeze frame."""
        if not failed:
            return
        total = self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        car, truck, needed = TESTS[name]
        if total < needed:
            return
        code = truck if self.truck else car
        if name == "misfire" and cylinder and not self.truck:
            code = f"P030{cylinder}"
        found = self.stored.get(code)
        if found is None:
            self.stored[code] = Stored(ts, self.cycle, frame=dict(values))
            if self.truck:  # DM1 knows no pending
                self._confirm(self.stored[code])
        else:
            found.failing = True
            if found.cycle != self.cycle:
                found.cycle, found.good_cycles, found.warmups = self.cycle, 0, 0
                found.pending = True
                self._confirm(found)

    def _confirm(self, code: Stored) -> None:
        code.confirmed = code.permanent = code.lamp = True

    def end(self, warmed_up: bool, long_enough: bool) -> None:
        """The driving cycle is over: what passed its test is a good cycle."""
        for name in list(self.stored):
            code = self.stored[name]
            if code.cycle == self.cycle or not long_enough:
                continue
            code.good_cycles += 1
            code.pending = False
            code.warmups += 1 if warmed_up else 0
            if code.good_cycles >= GOOD_CYCLES:
                code.lamp = False
            if code.permanent and not code.confirmed:
                code.permanent = False
            if code.warmups >= ERASING_WARMUPS:
                code.confirmed = code.permanent = False
            if not (code.pending or code.confirmed or code.permanent):
                del self.stored[name]

    def clear(self) -> None:
        """The workshop clears: permanent codes stay until their test has passed."""
        self.seconds.clear()
        for name in list(self.stored):
            code = self.stored[name]
            code.pending = code.confirmed = code.lamp = code.failing = False
            if not code.permanent or self.truck:
                del self.stored[name]

    @property
    def lamp(self) -> bool:
        """The malfunction indicator lamp."""
        return any(code.lamp for code in self.stored.values())

    @property
    def count(self) -> int:
        """Confirmed codes, as mode 01 PID 01 counts them."""
        return sum(code.confirmed for code in self.stored.values())

    @property
    def supported(self) -> list[str]:
        """Every code that this car can store: those of its tests, and whatever is stored (a cylinder's misfire)."""
        tests = (TESTS[name] for name in _TESTED["truck" if self.truck else self.drive])
        return sorted({truck if self.truck else car for car, truck, _ in tests} | set(self.stored))

    @property
    def version(self) -> tuple[object, ...]:
        """Changes when what a tester would read changes."""
        return tuple((name, s.pending, s.confirmed, s.permanent, s.lamp) for name, s in self.stored.items())

    def listed(self, status: str) -> list[str]:
        """The codes that are `pending`, `confirmed` or `permanent`."""
        return [name for name, code in self.stored.items() if getattr(code, status)]

    def dump(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "cycle": self.cycle,
            "stored": {
                name: {s: getattr(code, s) for s in Stored.__slots__ if s != "frame"}
                | {"frame": {str(k): v for k, v in code.frame.items()}}
                for name, code in self.stored.items()
            },
        }

    def load(self, values: Mapping[str, Any]) -> None:
        """What `dump` gave."""
        self.cycle = values["cycle"]
        self.stored = {
            name: Stored(**{**code, "frame": {int(k): v for k, v in code["frame"].items()}})
            for name, code in values["stored"].items()
        }
