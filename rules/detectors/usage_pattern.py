"""What a car usually shows: a running mean of the last hours against levels, and against its own mean of months."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import Struct

from rules.detectors.trend import DAY_S
from rules.engine.detector import STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import Level, level, number, signal_of, symbol
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure

_SLOW = 1 / 150  #: weight of one sample in the long mean
_KNOWN = 30  #: samples after which the long mean is worth comparing with
Measure = Callable[[Snapshot], float | None]
Means = tuple[int, float, float]  #: samples, short mean, long mean


@dataclass(frozen=True, slots=True)
class Habitual(Detector):
    """The running mean beyond a level, or drifted so far from the car's own long mean. Single values prove nothing."""

    path: str
    way: int  #: 1 too high, -1 too low
    clear: Level
    unit: str
    now: Level | None = None
    soon: Level | None = None
    drift: Level | None = None  #: from the long mean, in the same unit, always positive
    #: two readings of the signal in a row beyond this hold at once (the rule's own hold still counts)
    hard: Level | None = None
    hard_severity: Severity = Severity.NOW
    hard_always: bool = False  #: also where there is nothing to learn
    only: tuple[str, float] | None = None  #: looked at only while this signal has this value, or is not in the message
    measure: Measure | None = None  #: what is averaged, when it is not the signal itself; None: nothing to learn now
    reads: tuple[str, ...] = ()
    period_s: int = 1_200
    weight: float = 0.2  #: of one sample in the short mean
    least: int = 3  #: samples before it speaks
    what: str = ""  #: in words, when it is not the signal's title
    who: Callable[[Snapshot], str] | None = None  #: which part it is, where the car says it
    grows: bool = False  #: an alert that stands is said again once the mean has clearly grown
    beside: str = ""  #: a signal that rules another cause out: in a message without it …
    alone: tuple[float, float] = (0.0, 0.0)  #: … the levels, and the drift, lie so much further, in the same unit
    instead: str = ""  #: another signal that says the same, taken while the first is not heard at all
    less: Callable[[Profile], float] | None = None  #: by how much the levels of that one lie lower

    def fit(self, profile: Profile) -> Fitted | None:
        return _Habitual(self, profile) if self.path in profile.fitted or self.instead in profile.fitted else None


class _Habitual(Fitted):
    means = Struct("<Hff")  # after the period's byte: samples, short mean, long mean
    ring = Ring("Hf", 14, offset=1 + means.size)  # day, short mean
    head = Struct("<HffBHf")  # the means, and how the ring begins: what a sample of the same day moves, in one piece
    size = 1 + means.size + ring.size

    def __init__(self, detector: Habitual, profile: Profile) -> None:
        self.detector, self.signal = detector, signal_of(detector.path)
        self.what = detector.what or self.signal.title
        self.levels = tuple(
            (s, level(v, profile))
            for s, v in ((Severity.NOW, detector.now), (Severity.SOON, detector.soon))
            if v is not None
        )
        self.clear = level(detector.clear, profile)
        self.drift = None if detector.drift is None else level(detector.drift, profile)
        self.hard = None if detector.hard is None else level(detector.hard, profile)
        self.only = None if detector.only is None else (signal_of(detector.only[0]).id, detector.only[1])
        self.id, self.measure, self.way, self.weight, self.least = (
            self.signal.id,
            detector.measure,
            detector.way,
            detector.weight,
            detector.least,
        )
        self.calm = float("inf") if self.drift is None else 0.6 * self.drift  # away from the long mean by less
        self.hard_at = float("inf") if self.hard is None else self.hard * detector.way
        self.last = self.size  # one more byte where there is a hard limit: whether the reading before was beyond it
        self.size += self.hard is not None
        self.beside = signal_of(detector.beside).id if detector.beside else None
        self.instead = signal_of(detector.instead).id if detector.instead else None
        self.less = detector.less(profile) if detector.less is not None else 0.0
        self.triggers, self.period_s = (
            (self.id,) if self.instead is None else (self.id, self.instead),
            detector.period_s,
        )
        self.carries = tuple(signal_of(p).id for p in detector.reads if p in profile.fitted)
        self.quieted_by = None if self.only is None else self.only[0]
        self.may_sleep = self.only is not None
        self.hard_always = detector.hard_always
        if self.instead is not None:
            self.carries = (*self.carries, self.id)

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        test = f"m[{at}] == q{self.period_s}"
        if self.hard is not None:
            name, limit = names.get(self.id), self.hard
            if name is None:
                name, limit = names[self.instead or self.id], self.hard - self.less
            test += f" and {name} {'<=' if self.detector.way > 0 else '>='} {limit!r}"
        if self.only is not None and self.only[0] in names:
            test = f"{names[self.only[0]]} != {self.only[1]!r} or ({test})"
        return test

    def asleep(self, seen: Snapshot) -> bool:
        return self.only is not None and seen.now(self.only[0]) not in (None, self.only[1])

    def _value(self, seen: Snapshot) -> float | None:
        value = seen.now(self.id)
        if value is None and self.instead is not None and seen.before(self.id, DAY_S) is None:
            return seen.now(self.instead)
        return value

    def _less(self, seen: Snapshot) -> float:
        """How much lower the levels lie in this message: it brings the signal itself, or the one instead of it."""
        return self.less if self.less and seen.now(self.id) is None else 0.0

    def wakes(self, seen: Snapshot) -> bool:
        value = self._value(seen)
        return value is not None and (value + self._less(seen)) * self.way > self.hard_at

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        value = self._value(seen)
        if value is None:  # a message about something else, of a dongle that asks for one after the other
            return [("", Unsure(f"no reading of {self.signal.title}", missing=True))] if seen.open else STILL
        measured: float | None = value if self.measure is None else self.measure(seen)
        if measured is None and not self.hard_always:
            value = None
        way, told = self.way, seen.open
        less = self._less(seen) if self.less else 0.0
        beyond = self.hard is not None and value is not None and (value + less) * way > self.hard_at
        if self.hard is not None and (beyond or cell.memory[cell.at + self.last]) and self._alone(beyond, cell):
            return (
                [("", Unsure(f"{self.signal.title} {number(value or 0.0)} {symbol(self.signal.unit)}, once"))]
                if told
                else STILL
            )
        if measured is not None and seen.fresh:
            count, short, long = self._learn(measured, seen, cell)
        else:
            count, short, long = self.means.unpack_from(cell.memory, cell.at + 1)
        return self._weighed(value, beyond, less, means=(count, short, long), seen=seen, cell=cell)

    def _weighed(
        self, value: float | None, beyond: bool, less: float, *, means: Means, seen: Snapshot, cell: Cell
    ) -> Judged:
        """What these means say, and this very value where it has a limit of its own."""
        (count, short, long), way, told = means, self.way, seen.open
        if value is not None and beyond:
            raw, hard = symbol(self.signal.unit), number(self.hard_at * way - less)
            return [
                (
                    "",
                    Holds(
                        self.detector.hard_severity, f"{self.signal.title} {number(value)} {raw}, limit {hard} {raw}"
                    ),
                )
            ]
        if count < self.least:
            return [("", Unsure(f"{count} of {self.least} samples of {self.what}"))] if told else STILL
        away = (short - long) * way
        if (short + less) * way <= self.clear * way and away < self.calm:
            return [("", Clear(self._words(short)))] if told else STILL
        unit = self.detector.unit
        alone = self.beside is not None and seen.now(self.beside) is None
        further, farther = self.detector.alone if alone else (0.0, 0.0)
        for severity, level_ in self.levels:
            limit = level_ + further * way - less
            if short * way >= limit * way:
                words = f"{self._who(seen)}{self._words(short)}, limit {number(limit)} {unit}"
                return [("", Holds(severity, words, size=short * way if self.detector.grows else None))]
        if (
            self.drift is not None
            and count >= _KNOWN
            and away >= self.drift + farther
            and self._since_yesterday(long, seen, cell)
        ):
            return [
                (
                    "",
                    Holds(
                        Severity.SOON,
                        f"{self._who(seen)}{self._words(short)}; this car used to show {number(round(long, 3))} {unit}",
                    ),
                )
            ]
        return [("", Unsure(f"{self._words(short)}, between the levels"))] if told else STILL

    def _since_yesterday(self, long: float, seen: Snapshot, cell: Cell) -> bool:
        """Whether the day before, too, ended far from the habit: one long motorway drive is that day's, no fault."""
        day = int(seen.ts) // DAY_S
        earlier = next((mean for when, mean in self.ring.records(cell) if when < day), None)
        return earlier is not None and (earlier - long) * self.way >= self.calm

    def _alone(self, beyond: bool, cell: Cell) -> bool:
        """Whether this reading is the first beyond the hard limit.

        It proves nothing, a start makes one too, and it is no sample of its period: the next reading is looked at in
        its place, whatever it says.
        """
        memory, at = cell.memory, cell.at + self.last
        alone, memory[at] = beyond and not memory[at], beyond
        if alone:
            memory[cell.at] ^= 0x80
        return alone

    def _learn(self, measured: float, seen: Snapshot, cell: Cell) -> Means:
        memory, at = cell.memory, cell.at + 1
        count, short, long, kept, newest, _ = self.head.unpack_from(memory, at)
        if count < 60_000:
            count += 1
        share = 1 / count
        short += (measured - short) * (share if share > self.weight else self.weight)
        if not seen.open:  # a fault must not become the habit
            long += (measured - long) * (share if share > _SLOW else _SLOW)
        day = int(seen.ts) // DAY_S
        if kept and newest == day:
            self.head.pack_into(memory, at, count, short, long, kept, day, short)
        else:
            self.means.pack_into(memory, at, count, short, long)
            self.ring.push(cell, day, short)
        return count, short, long

    def _who(self, seen: Snapshot) -> str:
        return "" if self.detector.who is None else f"{self.detector.who(seen)}: "

    def _words(self, short: float) -> str:
        return f"{self.what} {number(round(short, 3))} {self.detector.unit} on average"

    def sample(self, component: str, seen: Snapshot) -> float | None:
        """The signal itself where it has a limit of its own; the measure of each day is remembered anyway."""
        value = self._value(seen)
        return (
            value
            if value is None or self.hard is not None or self.detector.measure is None
            else self.detector.measure(seen)
        )

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        """What the reason speaks of: the sensor against its own limit, in its own unit, or the means of the days."""
        if self.hard is not None and samples and (samples[-1][1] - self.hard) * self.detector.way > 0:
            limit = Limit(label=self.detector.hard_severity.value, value=round(self.hard, 3))
            return (line(self.signal.title, symbol(self.signal.unit), samples),), (limit,)
        unit, same = self.detector.unit, self.detector.unit == self.signal.unit
        days = [(r[0] * DAY_S + DAY_S // 2, round(r[1], 3)) for r in reversed(self.ring.records(cell))]
        limits = [Limit(label=s.value, value=v) for s, v in self.levels]
        if self.drift is not None:
            limits.append(Limit(label="usual", value=round(cell.read(self.means, offset=1)[2], 3)))
        lines = [line(f"{self.what}, mean of each day", unit, days)] if len(days) >= 3 else []
        if not lines and self.hard is not None and self.detector.measure is not None:  # the samples are in another unit
            lines.append(line(self.what, unit, days))
        elif not lines:
            lines.append(line(self.signal.title if same else self.what, unit, samples))
        return tuple(lines), tuple(limits)
