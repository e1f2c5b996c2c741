"""What a sensor at its end stop, a loose wire or a wrong unit says, told from what a car can do.

A value within its band is believed. Beyond it the car's own past and its other signals decide: what fell there through
values between, is a fall; what stood there from one sample to the next, while all else says that nothing happened, is
the sensor's.
"""

from __future__ import annotations

from dataclasses import dataclass

from rules.detectors.bands import (
    COLD_OIL_C,
    COOLANT_ID,
    FAHRENHEIT,
    FELL,
    MOST,
    OIL,
    OUTSIDE_ID,
    ROLLS,
    RUN,
    SEEN,
    SURE,
    TIMES,
    TURNS,
    WARM_C,
    WARM_S,
    Gate,
    beyond,
    boils,
    gates_of,
    in_words,
)
from rules.detectors.overnight import (
    LOOKED_AT,
    MOVES_K,
    OFFSET,
    STANDS_STILL,
    STARTED_S,
    STOOD_S,
    apart,
    just_started,
    unmoved,
)
from rules.engine.detector import STILL, Detector, Judged, Picture, line
from rules.engine.memory import Cell
from rules.engine.sieve import DOUBTS, NowAndThen, Sieve, Wider
from rules.engine.snapshot import LATEST, Snapshot
from rules.engine.thresholds import signal_of, symbol
from schemas.alert import Limit
from schemas.correction import SLOT
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict


@dataclass(frozen=True, slots=True)
class Believable(Detector):
    """A signal doubted TIMES of its last seven samples; clear when none of them is."""

    def fit(self, profile: Profile) -> _Believable | None:
        gates = gates_of(profile)
        return _Believable(gates, profile) if gates else None


class _Believable(Sieve):
    def __init__(self, gates: list[Gate], profile: Profile) -> None:
        self.gates = {gate.signal.id: (n, gate, gate.low, gate.high) for n, gate in enumerate(gates, start=1)}
        self.bands = {gate.signal.id: (gate.low, gate.high) for gate in gates}
        self.named = {gate.name: (n, gate) for n, gate in enumerate(gates, start=1)}
        asked = [gate.signal.id for gate in gates if gate.ask is not beyond or gate.still]
        self.cools = {gate.signal.id: gate for gate in gates if gate.still}
        fitted = {signal_of(path).id for path in profile.fitted}
        self.carries = tuple(
            i
            for i in (*asked, *(lamp for gate in gates for lamp in gate.with_it), ROLLS, TURNS, OUTSIDE_ID, OIL, RUN)
            if i in fitted
        )
        self.carries += (SLOT,)
        #: beyond its band and short of what no engine gives, coolant is believed of an engine whose oil is warm
        self.wider = {
            g.signal.id: Wider(g.between, OIL, COLD_OIL_C, needed=OIL in fitted) for g in gates if g.ask is boils
        }
        #: after the gates' bytes: how often the coolant was seen in °F; which signals stand still; when that was asked
        self.fahrenheit, self.still, self.asked = 1 + len(gates), 2 + len(gates), 3 + len(gates)
        self.size = 4 + len(gates)
        if self.cools:
            cools = frozenset(self.cools)
            reads = tuple(dict.fromkeys((*self.cools, *LOOKED_AT)))
            self.now_and_then = NowAndThen(self.asked, STOOD_S, signals=cools, reads=reads, unless=RUN, above=STARTED_S)

    def sift(self, seen: Snapshot, cell: Cell) -> frozenset[int]:
        memory, at, doubted = cell.memory, cell.at, list[int]()
        self._recall(seen, cell)
        self.look(seen, cell)
        still, gates = memory[at + self.still], self.gates
        for signal_id, value in seen.values.items():
            found = gates.get(signal_id)
            if found is None:
                continue
            n, gate, low, high = found
            bits = memory[at + n]
            if low <= value <= high:
                if still & gate.still << 4:
                    memory[at + n] = ((bits << 1) & SEEN) | 1
                    doubted.append(signal_id)
                    continue
                if still & gate.still:
                    if abs(value - (seen.before(signal_id) or 0.0)) <= MOVES_K:
                        memory[at + n] = ((bits << 1) & SEEN) | 1
                        doubted.append(signal_id)
                        continue
                    still = memory[at + self.still] = still & ~gate.still
                if bits:
                    memory[at + n] = (bits << 1) & SEEN
                if (
                    signal_id == COOLANT_ID
                    and memory[at + self.fahrenheit]
                    and (seen.get(RUN, 60.0) or WARM_S) >= WARM_S
                ):
                    memory[at + self.fahrenheit] -= value >= WARM_C
                continue
            reason, fell = gate.ask(gate, value, seen.before(signal_id), bits, seen)
            memory[at + n] = ((bits << 1) & SEEN) | (reason is not None) | (FELL if fell else 0)
            if reason is not None:
                doubted.append(signal_id)
                if reason.startswith(FAHRENHEIT) and memory[at + self.fahrenheit] < MOST:
                    memory[at + self.fahrenheit] += 1
        memory[at] = DOUBTS if any(memory[at + 1 : at + self.asked]) else 0
        return frozenset(doubted)

    def speaks(self, cell: Cell) -> bool:
        for bits in cell.memory[cell.at + 1 : cell.at + self.fahrenheit]:
            if bits and (bits & SEEN).bit_count() >= TIMES:
                return True
        return False

    def look(self, seen: Snapshot, cell: Cell) -> None:
        """What cools while the car stands, and has not, does not move any more: asked once after each stand.

        Only at the start of an engine: one that ran while nobody heard it may well be as warm as before.
        """
        memory, at, second = cell.memory, cell.at, int(seen.ts)
        bucket = second // STOOD_S & 255
        if not self.cools or memory[at + self.asked] == bucket or self.cools.keys().isdisjoint(seen.values):
            return
        if (seen.now(RUN) or 0.0) > STARTED_S:
            return
        memory[at + self.asked] = bucket
        if not just_started(seen):
            return
        for signal_id, gate in self.cools.items():
            value, (before, when) = seen.now(signal_id), LATEST.unpack_from(memory, seen.slots[signal_id])
            stood = second - when
            if value is None or not when or stood <= STOOD_S:
                continue
            stuck, off = unmoved(value, before, seen), apart(signal_id, value, stood, seen)
            if off is not None:
                memory[at + self.still] &= ~(gate.still << 4)
            memory[at + self.still] |= gate.still if stuck else (gate.still << 4) * bool(off)
            memory[at] |= memory[at + self.still] > 0

    def _recall(self, seen: Snapshot, cell: Cell) -> None:
        seen.shared["fahrenheit"] = cell.memory[cell.at + self.fahrenheit] >= SURE

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        self._recall(seen, cell)
        found: list[tuple[str, Verdict]] = []
        for name, (n, gate) in self.named.items():
            bits = cell.memory[cell.at + n] & SEEN
            if bits.bit_count() >= TIMES and seen.now(gate.signal.id) is not None:
                found.append((name, Holds(Severity.ADVICE, self._words(gate, seen, bits, cell))))
            elif name in seen.open:
                found.append(
                    (
                        name,
                        Unsure("some of its last samples were doubted", missing=True)
                        if bits
                        else Clear(f"{gate.signal.title} is plausible again"),
                    )
                )
        return found or STILL

    def component(self, signal_id: int) -> str | None:
        found = self.gates.get(signal_id)
        return None if found is None else found[1].name

    def clear(self, signal_id: int, cell: Cell) -> None:
        if (found := self.gates.get(signal_id)) is not None:
            cell.memory[cell.at + found[0]] = 0
        if signal_id == COOLANT_ID:
            cell.memory[cell.at + self.fahrenheit] = 0

    def _words(self, gate: Gate, seen: Snapshot, bits: int, cell: Cell) -> str:
        value = seen.now(gate.signal.id)
        if value is not None and bits & 1:
            still = cell.memory[cell.at + self.still]
            if gate.still << 4 & still:
                return f"sensor or unit implausible: {gate.signal.title} says {in_words(gate, value)}; {OFFSET}"
            if gate.still & still:
                return f"sensor or unit implausible: {gate.signal.title} says {in_words(gate, value)}; {STANDS_STILL}"
            reason = gate.ask(gate, value, seen.before(gate.signal.id), bits >> 1, seen)[
                0
            ]  # the words of this very sample
            return (
                f"sensor or unit implausible: {gate.signal.title} says {in_words(gate, value)}; {reason or 'doubted'}"
            )
        return (
            f"sensor or unit implausible: {gate.signal.title} jumps: {bits.bit_count()} of its last 7 samples were "
            "doubted"
        )

    def sample(self, component: str, seen: Snapshot) -> float | None:
        return seen.now(self.named[component][1].signal.id)

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        gate = self.named[component][1]
        bounds = (
            Limit(label="believed from", value=round(gate.low, 2)),
            Limit(label="believed up to", value=round(gate.high, 2)),
        )
        return (line(gate.signal.title, symbol(gate.signal.unit), samples),), bounds
