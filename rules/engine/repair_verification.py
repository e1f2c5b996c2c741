"""Fixed is a claim until the car proves it: what it must show after the repair, and whether it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Protocol

from rules.engine.code_book import canonical
from rules.engine.thresholds import WHEELS, Level, level, number
from schemas.profile import Profile
from schemas.reading import Reading
from schemas.signal import BY_ID, BY_PATH
from schemas.telemetry import Diagnostics

PARKED_S = 600.0  #: readings further apart than this belong to two drives
ODOMETER_ID = BY_PATH["Vehicle.TraveledDistance"].id


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The signal in its good band for so many drives or kilometres; or the code gone.

    `{wheel}` in a path is the component's.
    """

    kind: Literal["band", "codes", "none"] = "band"
    path: str = ""
    low: Level | None = None
    high: Level | None = None
    readings: int = 5  #: so many good readings at least
    drives: int = 1
    km: float = 0.0
    reach: bool = False  #: the band must be reached in each drive, not kept from its beginning (a warm engine)


class HasAlert(Protocol):
    """What a proof needs to know of an alert: its rule and component."""

    @property
    def rule(self) -> str: ...
    @property
    def component(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Proved:
    """The car has shown it."""

    because: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """Too little seen so far."""

    because: str


@dataclass(frozen=True, slots=True)
class Disproved:
    """The car shows the fault again."""

    because: str


Answer = Proved | NotYet | Disproved


def demand(proof: Proof, rule: str, component: str, profile: Profile) -> dict[str, Any]:
    """The proof of one alert with numbers, as the case keeps it."""
    axle = component.partition("_")[0]
    path = proof.path.replace("{wheel}", WHEELS.get(component, ""))
    known = BY_PATH.get(path)

    def fitted(value: Level | None) -> float | None:
        if value is None or isinstance(value, float | int):
            return value
        named = type(value)(value.name.replace("{axle}", axle), value.default, value.times, value.plus)
        return round(level(named, profile), 3)

    return {
        "rule": rule,
        "component": component,
        "kind": proof.kind,
        "signals": [known.id] if known else [],
        "low": fitted(proof.low),
        "high": fitted(proof.high),
        "readings": proof.readings,
        "cycles": proof.drives,
        "km": proof.km,
        "reach": proof.reach,
    }


def check(demands: Sequence[Mapping[str, Any]], rows: Iterable[Reading]) -> Answer:
    """What the readings since the repair say about all that the case demands. `rows` in the order of their places."""
    seen = list(rows)
    answers = [
        _check_codes(d, seen) if d["kind"] == "codes" else _check_band(d, seen) for d in demands if d["kind"] != "none"
    ]
    if not answers:
        return (
            Proved("nothing to measure: the workshop's word stands")
            if seen
            else NotYet("the car has not been heard since the repair")
        )
    for answer in answers:
        if isinstance(answer, Disproved):
            return answer
    for answer in answers:
        if isinstance(answer, NotYet):
            return answer
    return Proved("; ".join(a.because for a in answers))


def _check_band(wanted: Mapping[str, Any], rows: list[Reading]) -> Answer:
    signal = BY_ID[wanted["signals"][0]]
    low = float("-inf") if wanted["low"] is None else wanted["low"]
    high = float("inf") if wanted["high"] is None else wanted["high"]
    drives: list[list[float]] = []
    last, way = None, [0.0, 0.0]
    for row in rows:
        for signal_id, value in zip(row.ids, row.values):
            if signal_id == ODOMETER_ID:
                way = [way[0] or value, value]
            if signal_id != signal.id:
                continue
            if last is None or row.ts - last > PARKED_S:
                drives.append([])
            last = row.ts
            drives[-1].append(value)
    inside = [[v for v in drive if low <= v <= high] for drive in drives]
    good = [kept for kept, drive in zip(inside, drives) if kept and (wanted["reach"] or len(kept) >= 0.9 * len(drive))]
    bad = [
        drive
        for drive, kept in zip(drives, inside)
        if not wanted["reach"] and len(drive) >= 5 and len(kept) < 0.5 * len(drive)
    ]
    count, km = sum(map(len, inside)), (way[1] - way[0]) / 1000
    if bad and drives and drives[-1] is bad[-1]:
        return Disproved(f"{signal.title} {number(bad[-1][-1])} {signal.unit} is out of its good band again")
    short = []
    if len(good) < wanted["cycles"]:
        short.append(f"{len(good)} of {wanted['cycles']} drives")
    if count < wanted["readings"]:
        short.append(f"{count} of {wanted['readings']} readings")
    if km < wanted["km"]:
        short.append(f"{km:.0f} of {wanted['km']:.0f} km")
    if short:
        return NotYet(f"{signal.title} in its good band for {', '.join(short)} so far")
    newest = inside[-1][-1] if inside[-1] else good[-1][-1]
    return Proved(f"{signal.title} {number(newest)} {signal.unit}, in its good band over {len(good)} drive(s)")


def _names(diagnostics: Diagnostics, code: str) -> bool:
    return any(canonical(entry.code) == canonical(code) for entry in diagnostics.codes)


def _check_codes(wanted: Mapping[str, Any], rows: list[Reading]) -> Answer:
    code = wanted["component"].partition(" ")[0]
    heard = [
        row
        for row in rows
        if row.diagnostics is not None and (not row.diagnostics.incomplete or _names(row.diagnostics, code))
    ]
    if not heard:
        return NotYet("no whole list of trouble codes since the repair")
    stored = (
        [c for c in heard[-1].diagnostics.codes if canonical(c.code) == canonical(code)]
        if heard[-1].diagnostics
        else []
    )
    if any(c.status in ("confirmed", "active") for c in stored):
        return Disproved(f"{code} is stored again") if len(heard) > 1 else NotYet(f"{code} is still stored")
    if stored:
        return NotYet(f"{code} is still {stored[0].status}: the car's own test has not passed yet")
    drives = 1 + sum(1 for a, b in pairwise(rows) if b.ts - a.ts > PARKED_S)
    if drives < wanted["cycles"]:
        return NotYet(f"{code} is gone for {drives} of {wanted['cycles']} drives so far")
    return Proved(f"{code} is gone and has not come back over {drives} drive(s)")
