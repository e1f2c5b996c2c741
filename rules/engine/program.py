"""The rules fitted to one vehicle model, how its memories are laid out, and how a memory of another layout is read."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from struct import Struct

from rules.engine import alert_state, compiled, rereading
from rules.engine.compiled import Line, Plan
from rules.engine.detector import Fitted
from rules.engine.memory import BODY_AT, PROFILE_AT, Cell, Memory, Tracks, keep_tracks, tracks_of
from rules.engine.rule import Rule
from rules.engine.sieve import DOUBTS, READ_ANEW, Sieve
from rules.engine.snapshot import EDGE, LATEST
from schemas import correction
from schemas.correction import ReadAs
from schemas.errors import Misconfigured
from schemas.profile import Profile
from schemas.reading import Reading

MOST_ASKED = 4_096  #: sets of rules
HEAD = Struct("<IH")  #: checksum and length of a layout


@dataclass(slots=True)
class Program:
    """The rules fitted to one vehicle model, and the layout of its memories."""

    number: int
    profile: Profile
    lines: tuple[Line, ...]
    rules: tuple[Rule, ...]
    slots: dict[int, int]
    body_end: int
    blank: bytes
    layout: bytes  #: names, versions and places of the cells: what a checkpoint carries to be read by other versions
    bits: dict[str, int]
    patient: int  #: the bits of those that are not asked by every message while their alert stands
    settles: dict[str, float]  #: of the rules for which quiet values are Clear and nothing else: after how many seconds
    plans: dict[tuple[int, ...], Plan] = field(default_factory=dict)
    asked: dict[int, tuple[Line, ...]] = field(default_factory=dict)  #: the rules of such bits, in their order
    #: of the message before, if it had a function of its own: the next is often alike
    last_ids: tuple[int, ...] | None = None
    last_plan: Plan = lambda memory, reading: ()
    common: Plan | None = None
    slow: compiled.Slow | None = None
    sieve: Line | None = None  #: the rule that doubts values before the others see them
    gate: compiled.Gate | None = None
    past: Plan = lambda memory, reading: ()  #: for what has come through the sieve
    ungated: dict[tuple[int, ...], Plan] = field(default_factory=dict)  #: the same for sets of signals that come often
    sightings: dict[tuple[int, ...], int] = field(default_factory=dict)

    def beyond(self, ids: tuple[int, ...] | None) -> Plan:
        """The function for a whole message that has come through the sieve; its own for a set that comes often."""
        if ids is None or self.slow is None or ids not in self.plans:
            return self.past
        found = self.ungated.get(ids)
        if found is None:
            found = self.ungated[ids] = compiled.plan(self.lines, self.slots, ids, self.slow)
        return found

    def ask(self, due: int) -> tuple[Line, ...]:
        """The rules whose bits are set, kept in `asked`: few sets of them come, and these often."""
        if len(self.asked) >= MOST_ASKED:
            self.asked.clear()
        found = self.asked[due] = tuple(line for line in self.lines if due >> line.number & 1)
        return found

    def read_as(self, memory: Memory) -> ReadAs:
        """In which units the car says what it says."""
        at = self.slots.get(correction.SLOT)
        return correction.AS_SAID if at is None else correction.kept(memory, at)

    def turn_to(self, memory: Memory, marker: Reading) -> tuple[int, ...]:
        """Read signals anew from this row on. What rules have learned of them is in the other unit: they begin anew.

        The last values go, too: nothing is held against them.
        """
        at, line = self.slots.get(correction.SLOT), self.sieve
        if at is None or line is None or not isinstance(line.fitted, Sieve):
            return ()
        anew = correction.keep(memory, at, marker)
        for signal_id in anew:
            line.fitted.clear(signal_id, Cell(memory, line.at))
            if (slot := self.slots.get(signal_id)) is not None:
                memory[slot : slot + LATEST.size] = bytes(LATEST.size)
        for other in self.lines:
            if other is not line and rereading.learns(other, anew):
                end = other.at + other.fitted.size
                memory[other.at : end] = self.blank[other.at : end]
        self.mark_read_anew(memory)
        return anew

    def mark_read_anew(self, memory: Memory) -> None:
        """Let the gate see that values of this car are read anew, or that they are no longer."""
        line, at = self.sieve, self.slots.get(correction.SLOT)
        if line is not None and at is not None:
            anew = READ_ANEW if any(memory[at : at + LATEST.size]) else 0
            memory[line.at] = memory[line.at] & DOUBTS | anew

    def keep(self, memory: Memory, tracks: Tracks) -> None:
        """Write the alerts into a memory."""
        until = alert_state.calm_until(tracks.values(), self.settles)
        keep_tracks(memory, self.body_end, tracks, bits=self.bits, calm_until=until, patient=self.patient)


def carried_over(program: Program, dumped: bytes) -> Memory:
    """A checkpoint of another catalogue: the cells of unchanged rules and the alerts are carried over."""
    _, length = HEAD.unpack_from(dumped)
    text = zlib.decompress(dumped[HEAD.size : HEAD.size + length]).decode()
    old = dumped[HEAD.size + length :]
    memory = bytearray(program.blank)
    cells = {(r.name, str(r.version), x.fitted.size): x.at for r, x in zip(program.rules, program.lines)}
    end = len(old)
    for word in text.split(","):
        name, *numbers = word.split(":")
        if name == "end":
            end = int(numbers[0])
        elif name.startswith("#"):
            at, was = program.slots.get(int(name[1:])), int(numbers[0])
            if at is not None:
                memory[at : at + LATEST.size] = old[was : was + LATEST.size]
        else:
            version, was, size = numbers[0], int(numbers[1]), int(numbers[2])
            to = cells.get((name, version, size))
            if to is not None:
                memory[to : to + size] = old[was : was + size]
    tracks = tracks_of(bytearray(old), end)
    program.keep(memory, {k: t for k, t in tracks.items() if t.rule in program.bits})
    program.mark_read_anew(memory)
    return memory


def laid_out(number: int, profile: Profile, rules: Iterable[Rule]) -> Program:
    """The rules that fit this model, and where each keeps its cell in a memory. Misconfigured beyond 64 rules."""
    found = [(rule, fitted) for rule in rules if (fitted := rule.judge.fit(profile)) is not None]
    if len(found) > 64:
        raise Misconfigured("RULES", "at most 64 rules fit one vehicle model")
    carried = sorted(
        {i for _, fitted in found for i in fitted.carries},
        key=lambda i: (i not in EDGE, EDGE.index(i) if i in EDGE else i),
    )
    # What is said together lies together: one `pack` writes it.
    slots = {signal_id: BODY_AT + n * LATEST.size for n, signal_id in enumerate(carried)}
    at = BODY_AT + len(carried) * LATEST.size
    lines = []
    for n, (rule, fitted) in enumerate(found):
        sleeps = type(fitted).asleep is not Fitted.asleep and fitted.may_sleep
        hold, settle = rule.hold.total_seconds(), rule.settle.total_seconds()
        period, most = fitted.period_s or 0, rule.max_age.total_seconds()
        lines.append(Line(n, rule.name, fitted, at, sleeps, period, hold_s=hold, settle_s=settle, max_age_s=most))
        at += fitted.size
    blank = bytearray(at)
    blank[PROFILE_AT] = number
    words = [f"{r.name}:{r.version}:{x.at}:{x.fitted.size}" for (r, _), x in zip(found, lines)]
    text = ",".join(words + [f"#{i}:{a}" for i, a in slots.items()] + [f"end:{at}"]).encode()
    packed = zlib.compress(text, 9)
    return Program(
        number=number,
        profile=profile,
        lines=tuple(lines),
        rules=tuple(rule for rule, _ in found),
        slots=slots,
        body_end=at,
        blank=bytes(blank),
        layout=HEAD.pack(zlib.crc32(text), len(packed)) + packed,
        bits={line.name: line.number for line in lines},
        patient=sum(1 << line.number for line in lines if line.fitted.patient),
        settles={line.name: line.settle_s for line in lines if line.fitted.quiet_is_clear},
        sieve=next((line for line in lines if isinstance(line.fitted, Sieve)), None),
    )
