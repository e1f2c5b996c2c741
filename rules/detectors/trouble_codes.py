"""The verdict on a car's list of trouble codes; what each means stands in the code book."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct

from rules.engine.code_book import EMPTY, canonical
from rules.engine.detector import Detector, Fitted, Judged
from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from schemas.profile import Profile
from schemas.telemetry import Diagnostics, TroubleCode
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

STOP, FLASHES = "stop_lamp", "flashing_lamp"  #: alerts of their own, whatever codes there are
LAMPS = {  # component: how urgent, its name
    "MIL": (Severity.SOON, "malfunction lamp"),
    STOP: (Severity.NOW, "red stop lamp"),
    "warning_lamp": (Severity.SOON, "amber warning lamp"),
    "protect_lamp": (Severity.SOON, "protect lamp"),
    FLASHES: (Severity.NOW, "malfunction lamp"),
}
_PART = {
    "MIL": "mil",
    STOP: "stop",
    "warning_lamp": "warning",
    "protect_lamp": "protect",
    FLASHES: "flash",
}  #: of the list, by component
_PARTS = {
    "codes": "list of codes",
    "mil": "malfunction lamp",
    "stop": "stop lamp",
    "warning": "warning lamp",
    "protect": "protect lamp",
    "flash": "flashing lamps",
}
_NEWEST = Struct("<d")  #: when the newest list was made


@dataclass(frozen=True, slots=True)
class TroubleCodes(Detector):
    """Each stored code is a component of its own. The car has matured it: confirmed or active holds at once."""

    def fit(self, profile: Profile) -> Fitted | None:
        return _TroubleCodes(profile)


class _TroubleCodes(Fitted):
    diagnostics = True
    size = _NEWEST.size

    def __init__(self, profile: Profile) -> None:
        self.overrides = {canonical(code): severity for code, severity in profile.codes.items()}

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        diagnostics = seen.diagnostics
        if diagnostics is None:
            return [
                (component, Unsure("no list of trouble codes in this message", missing=True)) for component in seen.open
            ]
        if seen.ts < cell.read(_NEWEST)[0]:  # it came late: what a newer list says stands
            return [(component, Unsure("a newer list of trouble codes was seen")) for component in seen.open]
        cell.write(_NEWEST, seen.ts)
        standing = {canonical(component): component for component in seen.open}  # an open alert keeps its name
        found: dict[str, Verdict] = {}
        for code, entries in _by_code(diagnostics.codes).items():
            found[standing.get(code, code)] = self._one(code, entries, seen)
        explained = any(isinstance(v, Holds) for v in found.values())
        for lamp in _lit(diagnostics):
            if lamp in (STOP, FLASHES) or lamp in seen.open or not explained:
                found[lamp] = _lamp(lamp, explained, diagnostics.incomplete)
        for component in seen.open:
            if component not in found and (part := _PART.get(component, "codes")) in diagnostics.unread:
                found[component] = Unsure(f"the car's {_PARTS[part]} could not be read whole")
            elif component not in found:
                gone = (
                    f"the {LAMPS[component][1]} {'no longer flashes' if component == FLASHES else 'is off'}"
                    if component in LAMPS
                    else ""
                )
                found[component] = Clear(gone or f"{component} is no longer stored")
        return sorted(found.items())

    def _one(self, code: str, entries: list[TroubleCode], seen: Snapshot) -> Verdict:
        states = {entry.status for entry in entries}
        brand = self.overrides.get(code) or self.overrides.get(code.partition("-")[0])
        words = (seen.codes or EMPTY).word(code)
        if brand == "ignore":
            return Unsure(f"{code} is on the ignore list of this model")
        severity = Severity(brand) if brand else words.severity
        lamp = seen.diagnostics is not None and bool(_lit(seen.diagnostics))
        if states & {"confirmed", "active"}:
            if lamp and severity is Severity.ADVICE:
                severity = Severity.SOON
            return Holds(
                severity,
                f"{code} {words.title}, {'active' if 'active' in states else 'confirmed'}{', lamp on' if lamp else ''}",
            )
        if "previous" in states:
            return Clear(f"{code} was active before and is not now")
        return Unsure(f"{code} is {' and '.join(sorted(states))}")


def _by_code(codes: Iterable[TroubleCode]) -> dict[str, list[TroubleCode]]:
    found: dict[str, list[TroubleCode]] = {}
    for entry in codes:
        if code := canonical(entry.code):
            found.setdefault(code, []).append(entry)
    return found


def _lit(diagnostics: Diagnostics) -> list[str]:
    """The lamps that are on, as components."""
    lit = {
        "MIL": diagnostics.mil,
        STOP: diagnostics.stop,
        "warning_lamp": diagnostics.warning,
        "protect_lamp": diagnostics.protect,
        FLASHES: diagnostics.mil and "mil" in diagnostics.flash,
    }
    return [lamp for lamp, on in lit.items() if on]


def _lamp(lamp: str, explained: bool, incomplete: bool) -> Holds:
    severity, name = LAMPS[lamp]
    if lamp == FLASHES:
        return Holds(severity, f"the {name} flashes: misfires that damage the catalyst")
    unnamed = (
        ", and not all of the car's codes could be read" if incomplete else ", but the car names no confirmed code"
    )
    return Holds(severity, f"the {name} is on" + ("" if explained else unnamed))
