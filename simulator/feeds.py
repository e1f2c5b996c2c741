"""What reaches us of a car by its feed: all, what a dongle asks for, what a maker's cloud hands on, or a part.

| feed | what it brings | how often |
|---|---|---|
| full | all signals of the model, lowest voltage of each start, resting voltages, codes | 30 to 90 s |
| dongle | what OBD answers while driving, codes; no lowest voltage of a start, yet a piece of its dip now and then,
and with some a word before the starter turns | as it is asked |
| minute, hour | a maker's cloud: slow signals, when they have changed; no codes | a minute, an hour |
| partial | a part of the model's signals | 30 to 90 s |
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from simulator.direct import Told

FEEDS: tuple[tuple[str, float], ...] = (
    ("full", 0.5),
    ("dongle", 0.15),
    ("minute", 0.1),
    ("hour", 0.1),
    ("partial", 0.15),
)

#: Signals that OBD asks for (mode 01), or that many dongles work out; 16 and 42 are a maker's own and asked for by
#: profile.
_DONGLE = frozenset({1, 2, 4, 10, 11, 13, 18, 19, 22, 25, 26, 27, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 41, 45})
_CLOUD = frozenset(
    {2, 4, 5, 12, 15, 29, 39, 44, 45, 55, 56, 57, 58, 59, 60, 61, 70, 71, 72, 73, 78, 79, 80, 81, 82, 83, 84, 85}
)
_DIPS = 0.05, 0.5  #: of all starts: so often an answer of a dongle falls into the dip, from the slowest to the fastest
_EARLY, _AWAKE = 0.5, (0.3, 0.95)  #: of all dongles: with the ignition, not the engine, wakes; so often in time
_LIGHTS, _MORE = (
    (0.08, 0.3),
    0.15,
)  #: volts that a car awake pulls its battery down by: always, and on that day
_OFF_V = 1.0  #: two meters of one supply that are further apart are no two meters


def through(feed: str, told: Iterator[Told], seed: int) -> Iterator[Told]:
    """The messages of a car as this feed brings them."""
    rng = Random(f"feed/{seed}")
    match feed:
        case "dongle":
            return _dongle(told, rng)
        case "minute":
            return _cloud(told, 60.0)
        case "hour":
            return _cloud(told, 3_600.0)
        case "partial":
            return _partial(told, frozenset(rng.sample(range(1, 90), 54)) | {1, 9, 10, 27})
    return told


def _of(one: Told, signals: frozenset[int]) -> dict[int, float]:
    return {i: v for i, v in zip(one.ids, one.values, strict=True) if i in signals}


def _told(ts: float, values: dict[int, float]) -> Told:
    return Told(ts, tuple(values), tuple(values.values()))


def _dongle(told: Iterator[Told], rng: Random) -> Iterator[Told]:
    driving, rested, starts = False, None, _Starts(rng)
    for one in told:
        if one.diagnostics is not None:
            yield one
            continue
        values, whole = _of(one, _DONGLE), dict(zip(one.ids, one.values, strict=True))
        on = whole.get(9)
        if on is not None and on != 2.0:  # it sleeps with the car
            driving, rested = False, whole.get(5, rested)
            continue
        if 32 in values and not driving and rested is not None:
            yield from starts.seen(one.ts, whole, rested)
        driving = True
        if values:
            yield _told(one.ts, values)


class _Starts:
    """What one dongle catches of starts: the battery before it, a piece of the dip that was, both, or nothing."""

    def __init__(self, rng: Random) -> None:
        self._rng, self._dips = rng, rng.uniform(*_DIPS)
        self._awake = rng.uniform(*_AWAKE) if rng.random() < _EARLY else 0.0
        self._lights = rng.uniform(*_LIGHTS)

    def seen(self, ts: float, whole: dict[int, float], rested: float) -> Iterator[Told]:
        rng, off = self._rng, whole[32] - whole.get(5, whole[32])
        early, caught, deep = rng.random() < self._awake, rng.random() < self._dips, rng.random()
        on, volts = rng.uniform(0.0, _MORE), rested + off
        if abs(off) > _OFF_V or volts < 6.0:  # a sense wire that is loose, and no battery
            return
        if early:
            yield _told(ts - 3.0, {32: volts - self._lights - on, 10: 0.0, 1: 0.0})
        if caught and 7 in whole:  # recorded at 1 Hz, pieces of dips lie anywhere between rest and deepest
            yield _told(ts - 0.5, {32: volts + (whole[7] + off - volts) * deep, 10: 250.0})


def _cloud(told: Iterator[Told], every_s: float) -> Iterator[Told]:
    """What has changed since it was last handed on: the state at each full minute or hour."""
    due, known, sent = 0.0, dict[int, float](), dict[int, float]()
    for one in told:
        if due and one.ts >= due and (changed := _changed(known, sent)):
            yield _told(due, changed)
        known.update(_of(one, _CLOUD))
        due = one.ts - one.ts % every_s + every_s
    if changed := _changed(known, sent):
        yield _told(due, changed)


def _changed(known: dict[int, float], sent: dict[int, float]) -> dict[int, float]:
    changed = {i: v for i, v in known.items() if sent.get(i) != v}
    sent |= changed
    return changed


def _partial(told: Iterator[Told], signals: frozenset[int]) -> Iterator[Told]:
    for one in told:
        if one.diagnostics is not None:
            yield one
        elif values := _of(one, signals):
            yield _told(one.ts, values)
