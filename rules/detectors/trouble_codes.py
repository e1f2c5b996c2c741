"""The verdict on a car's list of trouble codes; what each means stands in the code book."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rules.engine.code_book import EMPTY
from rules.engine.detector import Detector, Fitted, Judged
from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from schemas.profile import Profile
from schemas.telemetry import TroubleCode
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

LAMP = "MIL"  #: component of a lamp without a code


@dataclass(frozen=True, slots=True)
class TroubleCodes(Detector):
    """Each stored code is a component of its own. The car has matured it: confirmed or active holds at once."""

    def fit(self, profile: Profile) -> Fitted | None:
        return _TroubleCodes(profile)


class _TroubleCodes(Fitted):
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
        words = (seen.codes or EMPTY).word(code)
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
