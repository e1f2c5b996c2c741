"""Trouble codes: what they mean in our words, and the verdict on a car's list of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rules.detectors.split import Bound, Judged, Shape
from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from schemas.profile import Profile
from schemas.telemetry import TroubleCode
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

LAMP = "MIL"  #: component of a lamp without a code

_FAMILIES = {  # what the standard says of the digit after P0 or P2; the other letters by themselves
    "P00": "fuel and air metering", "P01": "fuel and air metering", "P02": "injection", "P03": "ignition or misfire",
    "P04": "exhaust treatment", "P05": "idle and auxiliary inputs", "P06": "engine computer", "P07": "transmission",
    "P08": "transmission", "P09": "transmission", "P0A": "hybrid or electric drive", "P0B": "hybrid or electric drive",
    "P0C": "hybrid or electric drive", "P20": "exhaust treatment", "P24": "exhaust treatment",
}  # fmt: skip
_LETTERS = {"P": "drive train", "C": "chassis and brakes", "B": "body", "U": "communication between control units"}


@dataclass(frozen=True, slots=True)
class Word:
    """A code in plain words. `drive`: yes, gently, no."""

    code: str
    title: str
    system: str
    severity: Severity
    drive: str
    known: bool = True


class CodeBook:
    """The table of `rules/trouble_codes.toml`, handed in as values; what it lacks gets a safe default."""

    def __init__(self, table: Mapping[str, Any] | None = None) -> None:
        self._words: dict[str, Word] = {}
        for group in (table or {}).values():
            for code, (title, system, severity, drive) in group.items():
                self._words[code] = Word(code, title, system, Severity(severity), drive)

    def __len__(self) -> int:
        return len(self._words)

    def word(self, code: str) -> Word:
        """The words of a code; a failure type (P0301-1A) falls back to its code, an unknown one to its family: soon, gently."""
        found = self._words.get(code) or self._words.get(code.partition("-")[0]) or self._words.get(code.partition("/")[0])
        if found is not None:
            return Word(code, found.title, found.system, found.severity, found.drive)
        family = _FAMILIES.get(code[:3]) or _LETTERS.get(code[:1])
        if "/" in code:
            family = f"part {code.partition('/')[0]} of the vehicle network"
        return Word(code, f"Fault stored by the car ({family or 'system unknown'})", family or "unknown", Severity.SOON, "gently", known=False)


_EMPTY = CodeBook()


def word(code: str, table: Mapping[str, Any] | None = None) -> Word:
    """The words of one code from that table."""
    return CodeBook(table).word(code)


@dataclass(frozen=True, slots=True)
class TroubleCodes(Shape):
    """Each stored code is a component of its own. The car has matured it: confirmed or active holds at once."""

    def fit(self, profile: Profile) -> Bound | None:
        return _TroubleCodes(profile)


class _TroubleCodes(Bound):
    diagnostics = True

    def __init__(self, profile: Profile) -> None:
        self.overrides = profile.codes

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        if seen.diagnostics is None:
            return [(component, Unsure("no list of trouble codes in this message")) for component in seen.open]
        found: dict[str, Verdict] = {}
        for code, entries in _by_code(seen.diagnostics.codes).items():
            found[code] = self._one(code, entries, seen)
        if seen.diagnostics.mil and not any(isinstance(v, Holds) for v in found.values()):
            found[LAMP] = Holds(Severity.SOON, "the malfunction lamp is on, but the car names no confirmed code")
        for component in seen.open:
            if component not in found:
                found[component] = Clear(f"{component} is no longer stored" if component != LAMP else "the malfunction lamp is off")
        return sorted(found.items())

    def _one(self, code: str, entries: list[TroubleCode], seen: Snapshot) -> Verdict:
        states = {entry.status for entry in entries}
        brand = self.overrides.get(code) or self.overrides.get(code.partition("-")[0])
        words = (seen.codes or _EMPTY).word(code)
        if brand == "ignore":
            return Unsure(f"{code} is on the ignore list of this model")
        severity = Severity(brand) if brand else words.severity
        lamp = seen.diagnostics is not None and seen.diagnostics.mil
        if states & {"confirmed", "active"}:
            if lamp and severity is Severity.ADVICE:
                severity = Severity.SOON
            return Holds(severity, f"{code} {words.title}, {'active' if 'active' in states else 'confirmed'}{', lamp on' if lamp else ''}")
        if "previous" in states:
            return Clear(f"{code} was active before and is not now")
        return Unsure(f"{code} is {' and '.join(sorted(states))}")


def _by_code(codes: Iterable[TroubleCode]) -> dict[str, list[TroubleCode]]:
    found: dict[str, list[TroubleCode]] = {}
    for entry in codes:
        found.setdefault(entry.code, []).append(entry)
    return found
