"""Sudden events: what a healthy car's sensors say, sample by sample, from the second in which something gives way.

Each has its course (a time constant, a rest that stays) drawn from its seed, and a level from which on anybody would
call it a danger: of the
true values, known to the proof alone. The sensors of the car stand between them and the judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import exp
from random import Random

from schemas.profile import Profile
from simulator.sensors import Sensors

SECONDS = 90.0
_FUEL = ("petrol", "diesel", "truck")
_ALL = (*_FUEL, "electric")
Values = dict[int, float]


@dataclass(frozen=True, slots=True)
class Shown:
    """One sample of an event; `danger`: the true values are beyond the level from which it is one."""

    after_s: float
    values: Values
    danger: bool


@dataclass(frozen=True, slots=True)
class Course:
    """The true values `after_s` of the beginning, from those before it, and whether that is a danger."""

    at: Callable[[float], tuple[Values, bool]]
    component: str = ""


def _falls(first: float, rest: float, tau: float) -> Callable[[float], float]:
    return lambda after_s: rest + (first - rest) * exp(-after_s / tau)


def _oil(before: Values, profile: Profile, rng: Random) -> Course:
    idle = profile.limits["oil_pressure_idle_kpa"]
    fall = _falls(before[16], rng.uniform(0.0, 0.35) * idle, rng.uniform(1.0, 6.0))
    return Course(lambda s: ({16: fall(s)}, fall(s) < 0.5 * idle))


def _coolant(before: Values, profile: Profile, rng: Random) -> Course:
    fall = _falls(before[12], rng.uniform(0.0, 8.0), rng.uniform(1.5, 8.0))
    return Course(lambda s: ({12: fall(s)}, fall(s) < 12.0))


def _burst(before: Values, profile: Profile, rng: Random) -> Course:
    wheel = rng.randrange(4)
    placard = profile.limits[f"tyre_placard_{'front' if wheel < 2 else 'rear'}_kpa"]
    fall = _falls(before[70 + wheel], rng.uniform(0.0, 0.4) * placard, rng.uniform(1.0, 8.0))
    name = ("front_left", "front_right", "rear_left", "rear_right")[wheel]
    lamp = rng.uniform(0.0, 3.0)  # seconds that the car's own lamp takes

    def at(after_s: float) -> tuple[Values, bool]:
        lit = {82 + wheel: 1.0} if after_s > lamp and fall(after_s - lamp) < 0.75 * placard else {}
        return {70 + wheel: fall(after_s), **lit}, fall(after_s) < 0.65 * placard

    return Course(at, name)


def _cell(before: Values, profile: Profile, rng: Random) -> Course:
    grow = _falls(0.0, rng.uniform(0.35, 1.2), rng.uniform(0.3, 4.0))
    load = 1.0 + abs(before.get(54, 0.0)) / rng.uniform(280.0, 420.0)
    number = float(rng.randint(1, 96))
    return Course(lambda s: ({47: before[50] - 0.005 - grow(s) * load, 49: number}, grow(s) > 0.3))


def _insulation(before: Values, profile: Profile, rng: Random) -> Course:
    fall = _falls(before[52], rng.uniform(0.01, 0.12) * before[52], rng.uniform(0.3, 3.0))
    return Course(lambda s: ({52: fall(s)}, fall(s) < 0.15 * before[52]))


def _heat(before: Values, profile: Profile, rng: Random) -> Course:
    rate = rng.uniform(0.2, 3.0)
    return Course(lambda s: ({51: before[51] + min(60.0, rate * s)}, rate * s >= 10.0))


@dataclass(frozen=True, slots=True)
class Event:
    """One kind.

    What gives way, in which cars, whether they drive, the rule that has to tell, and the signal that shows it.
    """

    course: Callable[[Values, Profile, Random], Course]
    rule: str
    signal: int
    drives: tuple[str, ...]
    driving: bool


EVENTS: Mapping[str, Event] = {
    "oil pressure lost": Event(_oil, "oil_pressure", 16, _FUEL, True),
    "coolant gone": Event(_coolant, "coolant_low", 12, _FUEL, True),
    "tyre burst": Event(_burst, "tyre_leak", 70, _ALL, True),
    "cell collapse": Event(_cell, "ev_cell", 47, ("electric",), False),
    "insulation collapse": Event(_insulation, "ev_insulation", 52, ("electric",), False),
    "pack heats up": Event(_heat, "ev_heat", 51, ("electric",), False),
}


def shown(course: Course, before: Values, sensors: Sensors, every_s: float) -> Iterator[Shown]:
    """The samples of one event, as the car's sensors say them."""
    count = int(SECONDS / every_s)
    for n in range(1, count + 1):
        after = n * every_s
        turned, danger = course.at(after)
        said = {signal: sensors.say(signal, value) for signal, value in turned.items()}
        yield Shown(after, {**before, **_running(before, after), **said}, danger)


def _running(before: Values, after_s: float) -> Values:
    """An engine that runs goes on to count."""
    return {27: before[27] + after_s} if before.get(27) else {}


#: Ends of a sensor: what it says when its wire is off, shorted, or its frame is all ones. No danger, whatever the rules
#: think of the value.
ENDS: Mapping[int, tuple[float, ...]] = {
    12: (0.0, 100.0),
    16: (0.0, 1_020.0, 1_400.0),
    47: (0.0, 5.9),
    51: (-40.0, 87.0, 150.0),
    52: (0.0, 10_000.0),
    70: (0.0, 2.0, 1_020.0),
}


def faulty(signal: int, before: Values, rng: Random, every_s: float) -> Iterator[Shown]:
    """The sensor goes to its end and stays there, or jumps there for single samples now and then."""
    end, spikes = rng.choice(ENDS[signal]), rng.random() < 0.5
    again = rng.randint(2, 9)
    where = signal + rng.randrange(4) if signal == 70 else signal
    for n in range(1, int(SECONDS / every_s) + 1):
        low = {where: before[where] * rng.uniform(0.05, 0.3)} if rng.random() < 0.5 else {where: end}
        said = low if spikes and n % again == 0 else {} if spikes else {where: end}
        yield Shown(n * every_s, {**before, **_running(before, n * every_s), **said}, False)
