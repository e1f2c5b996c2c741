"""The fold: memory = fold(step, readings by place).

Live, restart, backtest, replay and explain are this one function.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from rules.engine import alert_state, compiled, evidence, rereading
from rules.engine.broken import Broken
from rules.engine.code_book import CodeBook
from rules.engine.compiled import Line, Plan
from rules.engine.detector import CALM, STILL, Judged
from rules.engine.memory import OPEN_AT, PROFILE_AT, Cell, Memory, Track, keep_newest, open_mask, tracks_of
from rules.engine.program import Program, carried_over, laid_out
from rules.engine.rule import Rule, versions_of
from rules.engine.sieve import DOUBTS, READ_ANEW, Sieve, without
from rules.engine.snapshot import LATEST, Snapshot
from schemas.alert import AlertState, AlertStep, Evidence
from schemas.correction import ReadAs, reread
from schemas.errors import Misconfigured
from schemas.profile import Profile
from schemas.reading import Mark, Reading
from schemas.verdict import Clear, Holds, Unsure, Verdict

MOST_PLANS = 64  #: sets of signals with a function of their own, per model; the others share one
WORTH_COMPILING = 16  #: a set of signals seen so often gets its own function
_LATE, _REREAD = int(Mark.LATE), int(Mark.REREAD)
_PLAIN = Mark.PLAIN
_AGAIN, _CHANGED = 1, 2  #: of an alert that a verdict was about: newer evidence and nothing else; something else
#: whether it holds; anything else is nonsense: KeyError
_KINDS: dict[type, bool] = {Holds: True, Clear: False, Unsure: False}


class Judge:
    """All rules over all vehicle models. It keeps no state of a car: that is the memory handed in."""

    def __init__(
        self,
        rules: Iterable[Rule],
        profiles: Mapping[str, Profile],
        *,
        codes: CodeBook | None = None,
        stages: Mapping[str, str] | None = None,
        compile_plans: bool = True,
    ) -> None:
        """`codes` are the words of `trouble_codes.toml`; `stages` overrides the stage that a rule's file names: live,
        shadow or off.
        """
        self.rules = tuple(rules)
        if len({rule.name for rule in self.rules}) != len(self.rules):
            raise Misconfigured("RULES", "two rules have the same name")
        self.stages = {r.name: (stages or {}).get(r.name, r.stage) for r in self.rules}
        self.versions: dict[str, int] = dict(versions_of(self.rules))
        self.broken: dict[str, Broken] = {}
        self.compile_plans = compile_plans
        self.codes = codes or CodeBook()
        self._programs = {name: self._program(n, profiles[name]) for n, name in enumerate(sorted(profiles))}
        self._by_number = [self._programs[name] for name in sorted(self._programs)]

    def memory(self, profile_name: str) -> Memory:
        """The memory of a car that has not been heard yet."""
        return bytearray(self._of(profile_name).blank)

    def step(self, memory: Memory, reading: Reading) -> tuple[AlertStep, ...]:
        """Fold one reading, in the order of places. Mutates the memory; never raises for what a rule does."""
        mark = reading.mark
        if mark is not _PLAIN:
            bits = int(mark)
            if bits & _REREAD:
                return self._reread(memory, reading)
            if bits & _LATE:
                self._remember(memory, reading)
                return ()
        program = self._by_number[memory[PROFILE_AT]]
        ids = reading.ids
        # rows of one set of signals share their tuple: most often it need not even be hashed
        if ids is program.last_ids:
            plan = program.last_plan
        else:
            own = program.plans.get(ids)
            if own is not None:
                program.last_ids, program.last_plan = ids, own
            plan = own or self._plan(program, ids)
        try:
            return plan(memory, reading)
        except Exception as error:
            self._broke("(compiled)", error, reading.vehicle_id)
            return self._carefully(program, memory, reading)

    def dump(self, memory: Memory) -> bytes:
        """The memory as a checkpoint keeps it: it names its own layout, so that later versions can read it."""
        return self._by_number[memory[PROFILE_AT]].layout + memory

    def load(self, profile_name: str, dumped: bytes, versions: Mapping[str, int] | None = None) -> Memory:
        """The memory of a checkpoint.

        A rule of another version starts anew (its open alert stays, with its number); the others go on.
        """
        program = self._of(profile_name)
        if dumped.startswith(program.layout):
            found = bytearray(dumped[len(program.layout) :])
            found[PROFILE_AT] = program.number
            return found
        return carried_over(program, dumped)

    def withdraw(
        self, memory: Memory, rule: str, component: str, *, ts: float, place: int, because: str
    ) -> AlertStep | None:
        """The readings behind an open alert were rejected by a person: the step that takes it back, or None."""
        program = self._by_number[memory[PROFILE_AT]]
        tracks = tracks_of(memory, program.body_end)
        track = tracks.get((rule, component))
        move = alert_state.withdraw(track, because, ts) if track else None
        if track is None or move is None:
            return None
        program.keep(memory, tracks)
        return self._step(track, move, track.newest, place, late=False, found=None)

    def read_as(self, memory: Memory) -> ReadAs:
        """In which units this car says what it says, where a person has accepted that they are not ours."""
        return self._by_number[memory[PROFILE_AT]].read_as(memory)

    def open_alerts(self, memory: Memory) -> tuple[Track, ...]:
        """The alerts of this car that are pending or active."""
        program = self._by_number[memory[PROFILE_AT]]
        return tuple(t for t in tracks_of(memory, program.body_end).values() if t.open)

    def fitted(self, profile_name: str) -> tuple[Rule, ...]:
        """The rules that judge this vehicle model."""
        return self._of(profile_name).rules

    def source(self, profile_name: str, ids: tuple[int, ...] | None = None) -> str:
        """The generated code for such a message, or for any, for people."""
        program = self._of(profile_name)
        return compiled.source_of(program.lines, program.slots, ids, program.gate)

    def program(self, profile_name: str) -> Program:
        """The fitted rules and their layout, for benches and docs."""
        return self._of(profile_name)

    # -- inside

    def _of(self, profile_name: str) -> Program:
        found = self._programs.get(profile_name)
        if found is None:
            raise Misconfigured("profile", f"no vehicle model is called {profile_name!r}")
        return found

    def _program(self, number: int, profile: Profile) -> Program:
        allowed = [
            r for r in self.rules if self.stages[r.name] != "off" and (not r.drives or profile.drive in r.drives)
        ]
        made = laid_out(number, profile, allowed)
        if made.sieve is not None and isinstance(made.sieve.fitted, Sieve):
            made.gate = compiled.gate_of(
                made.sieve.fitted, made.sieve.at, partial(self._doubt, made), partial(self._look, made)
            )
        return made

    def _plan(self, program: Program, ids: tuple[int, ...]) -> Plan:
        """The function for such a message: the one for any message until this set of signals has come often."""
        if program.common is None:
            program.slow = partial(self._slow, program)
            if self.compile_plans:
                program.past = compiled.plan(program.lines, program.slots, None, program.slow)
                program.common = (
                    compiled.plan(program.lines, program.slots, None, program.slow, program.gate)
                    if program.gate
                    else program.past
                )
            else:
                program.common = partial(self._carefully, program)
        seen = program.sightings.get(ids, 0) + 1
        if len(program.sightings) > 4_096:
            program.sightings.clear()
        program.sightings[ids] = seen
        if seen < WORTH_COMPILING or len(program.plans) >= MOST_PLANS or not self.compile_plans or program.slow is None:
            return program.common
        made = program.plans[ids] = compiled.plan(program.lines, program.slots, ids, program.slow, program.gate)
        return made

    def _seen(self, program: Program, memory: Memory, reading: Reading, values: dict[int, float]) -> Snapshot:
        slots, profile, codes = program.slots, program.profile, self.codes
        return Snapshot(
            reading.ts, reading.place or 0, values, memory, slots, profile, reading.diagnostics, False, codes
        )

    def _look(self, program: Program, memory: Memory, reading: Reading, values: dict[int, float]) -> None:
        """What the sieve asks of a message now and then: only of a car that was not heard for as long."""
        line = program.sieve
        if line is None or not isinstance(line.fitted, Sieve):
            return
        if line.fitted.heard_lately(memory, line.at, program.slots, int(reading.ts)):
            return
        try:
            line.fitted.look(self._seen(program, memory, reading, values), Cell(memory, line.at))
        except Exception as error:
            self._broke(line.name, error, reading.vehicle_id)

    def _doubt(self, program: Program, memory: Memory, reading: Reading) -> tuple[AlertStep, ...]:
        """A message that needs a second look: what is believed of it goes on to the rules."""
        steps, believed = self._sifted(program, memory, reading)
        return steps + program.beyond(reading.ids if believed is reading else None)(memory, believed)

    def _sifted(self, program: Program, memory: Memory, reading: Reading) -> tuple[tuple[AlertStep, ...], Reading]:
        """What the rule about sensors says, and the message as the others may see it.

        Asked before anything of it is taken in.
        """
        line = program.sieve
        if line is None or not isinstance(line.fitted, Sieve):
            return (), reading
        read_as = program.read_as(memory)
        if read_as:
            reading = replace(reading, values=reread(reading.ids, reading.values, read_as), packed=None)
        values = dict(zip(reading.ids, reading.values))
        seen = self._seen(program, memory, reading, values)
        stood, cell = bool(memory[line.at] & DOUBTS), Cell(memory, line.at)
        try:
            doubted = line.fitted.sift(seen, cell)
            stood = stood or bool(doubted)
            heard = stood and (open_mask(memory) >> line.number & 1 or line.fitted.speaks(cell))
        except Exception as error:
            self._broke(line.name, error, reading.vehicle_id)
            return (), reading
        if read_as:
            memory[line.at] |= READ_ANEW
        steps = self._slow(program, memory, reading, 1 << line.number, values) if heard else ()
        return steps, without(reading, doubted) if doubted else reading

    def _reread(self, memory: Memory, marker: Reading) -> tuple[AlertStep, ...]:
        """From here on signals are read in another unit: what was learned of them as they were said is forgotten, and
        alerts that rest on them are withdrawn.
        """
        program = self._by_number[memory[PROFILE_AT]]
        anew = program.turn_to(memory, marker)
        steps: list[AlertStep] = []
        for track in self.open_alerts(memory) if anew else ():
            if (on := rereading.rests_on(program, track, anew)) is not None:
                at, place = track.newest, marker.place or 0  # what was measured later counts, whenever it comes
                because = rereading.because(marker, on)
                step = self.withdraw(memory, track.rule, track.component, ts=at, place=place, because=because)
                steps += [step] if step is not None else []
        return tuple(steps)

    def _carefully(self, program: Program, memory: Memory, reading: Reading) -> tuple[AlertStep, ...]:
        """The long way, without generated code: every rule that this message could move."""
        steps, reading = self._sifted(program, memory, reading)
        present = set(reading.ids)
        second = int(reading.ts)
        for signal_id, value in zip(reading.ids, reading.values):
            at = program.slots.get(signal_id)
            if at is not None:
                LATEST.pack_into(memory, at, value, second)
        due = 0
        for line in program.lines:
            if (reading.diagnostics is not None and line.fitted.diagnostics) or not present.isdisjoint(
                line.fitted.triggers
            ):
                due |= 1 << line.number
        return steps + self._slow(
            program, memory, reading, due | open_mask(memory), dict(zip(reading.ids, reading.values))
        )

    def _slow(
        self, program: Program, memory: Memory, reading: Reading, due: int, values: dict[int, float]
    ) -> tuple[AlertStep, ...]:
        """Judge the rules whose bits are set and move their alerts."""
        slots, profile, told = program.slots, program.profile, reading.diagnostics
        seen = Snapshot(reading.ts, reading.place or 0, values, memory, slots, profile, told, False, self.codes)
        second, cell, tracks = int(reading.ts), Cell(memory, 0), None
        standing: dict[str, tuple[str, ...]] = {}
        if memory[OPEN_AT]:
            tracks = tracks_of(memory, program.body_end)
            for track in tracks.values():
                if track.state:
                    standing[track.rule] = (*standing.get(track.rule, ()), track.component)
        steps: list[AlertStep] = []
        touched = 0
        for line in program.asked.get(due) or program.ask(due):
            fitted = line.fitted
            opened = seen.open = standing.get(line.name, ()) if standing else ()
            if line.sleeps and not opened and fitted.asleep(seen):
                continue
            at = cell.at = line.at
            if line.period_s:
                heard = not opened or not values.keys().isdisjoint(fitted.triggers)  # else it would not be due
                bucket = second // line.period_s & 255
                seen.fresh = fresh = heard and memory[at] != bucket
                if fresh:
                    memory[at] = bucket
                elif not (opened or fitted.wakes(seen)):
                    continue
            try:
                judged = fitted.judge(seen, cell)
                if judged is STILL:
                    continue
                spoken = [
                    (component, verdict, _KINDS[type(verdict)]) for component, verdict in judged if verdict is not CALM
                ]
            except Exception as error:
                self._broke(line.name, error, reading.vehicle_id)
                continue
            for component, verdict, holds in spoken:
                if not holds and component not in opened:
                    continue
                if tracks is None:
                    tracks = tracks_of(memory, program.body_end)
                rule = program.rules[line.number]
                if holds and alert_state.muted(rule, tracks, seen.ts):
                    continue
                track = tracks.get((rule.name, component)) or tracks.setdefault(
                    (rule.name, component), Track(rule.name, component)
                )
                touched |= self._move(rule, line, track, component, verdict, seen, cell, reading, steps)
        if tracks is not None and touched:
            if touched & _CHANGED:
                program.keep(memory, tracks)
            else:
                keep_newest(memory, tracks)
        return tuple(steps) if steps else ()

    def _move(
        self,
        rule: Rule,
        line: Line,
        track: Track,
        component: str,
        verdict: Verdict,
        seen: Snapshot,
        cell: Cell,
        reading: Reading,
        steps: list[AlertStep],
    ) -> int:
        before, newest = track.stand(), track.newest
        late = reading.received_at - reading.ts > line.max_age_s
        moves = alert_state.advance(track, verdict, seen.ts, seen.place, line.hold_s, line.settle_s, rule.samples)
        if track.late and not moves:
            moves = alert_state.stands_now(track, verdict, seen.ts, late)
        kept = False
        if track.state and seen.ts >= track.newest and alert_state.wants_sample(track, verdict, seen.ts):
            try:
                value = line.fitted.sample(component, seen)
                kept = value is not None and alert_state.take_sample(track, seen.ts, value)
            except Exception as error:
                self._broke(rule.name, error, reading.vehicle_id)
        if moves:
            track.late = late and track.open
            for move in moves:
                telling = move.state is AlertState.ACTIVE
                found = (
                    self._evidence(line, track, move.because, seen=seen, cell=cell, vehicle=reading.vehicle_id)
                    if telling
                    else None
                )
                steps.append(self._step(track, move, seen.ts, seen.place, late=late, found=found))
        if kept or moves or before != track.stand():
            return _CHANGED
        return _AGAIN if newest != track.newest else 0

    def _evidence(self, line: Line, track: Track, because: str, seen: Snapshot, cell: Cell, vehicle: int) -> Evidence:
        try:
            picture = evidence.drawn(line, track, seen, cell)
        except Exception as error:
            self._broke(line.name, error, vehicle)
            picture = (), ()
        return evidence.evidence(track, because, picture, seen)

    def _step(
        self, track: Track, move: alert_state.Move, ts: float, place: int, *, late: bool, found: Evidence | None
    ) -> AlertStep:
        shadow, version = self.stages[track.rule] == "shadow", self.versions[track.rule]
        return evidence.committed(
            track, move, ts=ts, place=place, version=version, shadow=shadow, late=late, evidence=found
        )

    def _remember(self, memory: Memory, reading: Reading) -> None:
        """A late reading feeds histories and trends; no hold, no settle, no "now"."""
        program = self._by_number[memory[PROFILE_AT]]
        values = dict(zip(reading.ids, reread(reading.ids, reading.values, program.read_as(memory))))
        sieve = program.sieve.fitted if program.sieve is not None else None
        if isinstance(sieve, Sieve):  # no history of the moment to ask: what is not plain is left out
            values = {
                i: v for i, v in values.items() if i not in sieve.bands or sieve.bands[i][0] <= v <= sieve.bands[i][1]
            }
        seen = Snapshot(
            reading.ts, reading.place or 0, values, memory, {}, program.profile, reading.diagnostics, late=True
        )
        for line in program.lines:
            try:
                line.fitted.remember(seen, Cell(memory, line.at))
            except Exception as error:
                self._broke(line.name, error, reading.vehicle_id)

    def _broke(self, rule: str, error: Exception, vehicle_id: int) -> None:
        broken = self.broken.setdefault(rule, Broken())
        if broken.again(error, vehicle_id):
            self._rest(rule, f"{broken.last}; not asked again before the next start")

    def _rest(self, rule: str, why: str) -> None:
        """Until the next start the rule is unsure of every car, and counted."""

        def resting(seen: Snapshot, cell: Cell) -> Judged:
            raise RuntimeError(why)

        for program in self._by_number:
            for line in program.lines:
                if line.name == rule:
                    line.fitted.judge = resting  # type: ignore[method-assign]
