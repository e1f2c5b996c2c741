"""How warm a healthy engine would be by now: a heat balance with the thermostat closed, on the careful side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from struct import Struct

from rules.engine.detector import CALM, STILL, Detector, Fitted, Judged, Picture, line
from rules.engine.memory import Cell, Ring
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import COOLANT, ODOMETER, OUTSIDE, SPEED, signal_of
from schemas.alert import Limit
from schemas.profile import Profile
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

_COOLANT, _SPEED, _OUTSIDE, _ODOMETER = (
    signal_of(COOLANT),
    signal_of(SPEED).id,
    signal_of(OUTSIDE).id,
    signal_of(ODOMETER).id,
)
HEAT_KJ_K, LOSS_KW_K = 105.0, 0.06  #: heavier and leakier than the engines we know
COOLS_S = 4_000.0  #: a standing engine loses its heat in this time, faster than most
SURE_C = 85.0  #: the model must be this warm before a cold engine is a fault
PAUSE_S = 720.0  #: after a longer pause the engine has stood
STEP_S = 240
MOVES_K, MOVES_KMH = 1.0, 8.0  #: a cold engine's coolant goes up and down with speed: one that does not is stuck
ONLY_SPEED = 2  #: has moved since


def heat_kw(speed: float) -> float:
    """Heat into the coolant: 1.8 kW idling, about 12 at 100 km/h."""
    return 1.8 + 10.0 * min(1.4, max(0.0, speed) / 100.0)


@dataclass(frozen=True, slots=True)
class NeverWarm(Detector):
    """Cold for `enough_s` although a healthy engine would be warm: the thermostat does not close."""

    margin: float = 6.0  #: below the model's "warm" level
    enough_s: float = 240.0

    def fit(self, profile: Profile) -> Fitted | None:
        return _NeverWarm(self, profile) if {COOLANT, SPEED} <= set(profile.fitted) else None


class _NeverWarm(Fitted):
    period_s: int | None = STEP_S
    #: after the period's byte: the model's temperature, second of the last look, seconds of cold, odometer; coolant
    #: and speed when the cold began, and whether they have moved since (1, 2)
    layout = Struct("<fIfffBB")
    looks = Ring("Ibb", 10, offset=1 + layout.size)  # of this drive: second, coolant, model
    size = 1 + layout.size + looks.size
    triggers = (_COOLANT.id,)
    carries = (_SPEED, _OUTSIDE, _ODOMETER)

    def __init__(self, detector: NeverWarm, profile: Profile) -> None:
        self.detector, self.warm = detector, profile.limits.get("coolant_warm_c", 80.0)

    def quiet(self, names: Mapping[int, str], at: int) -> str:
        return f"{names[_COOLANT.id]} >= {self.warm!r} or m[{at}] == q{self.period_s}"

    def asleep(self, seen: Snapshot) -> bool:
        coolant = seen.now(_COOLANT.id)
        return coolant is not None and coolant >= self.warm

    def judge(self, seen: Snapshot, cell: Cell) -> Judged:
        coolant = seen.now(_COOLANT.id)
        if coolant is None:
            return [("", Unsure("no reading of coolant temperature", missing=True))]
        memory, at, ts = cell.memory, cell.at + 1, seen.ts
        model, last, cold, before, first, pace, moved = self.layout.unpack_from(memory, at)
        metres, pause = seen.get(_ODOMETER, 3_600.0) or 0.0, ts - last
        # the odometer comes now and then: what it has not said yet is driven later, and not twice
        driven = before and metres >= before and pause > 0
        kmh = seen.get(_SPEED)
        speed = (metres - before) / pause * 3.6 if driven else kmh
        verdict: Verdict = CALM
        if coolant >= self.warm:
            model, cold = max(model, coolant), 0.0
            if seen.open:
                verdict = Clear(f"coolant {coolant:.0f} °C: warm")
        else:
            outside = seen.get(_OUTSIDE, 7_200.0)
            air = 0.0 if outside is None else outside
            if pause > PAUSE_S or pause < 0 or model == 0.0:
                stood = air + (model - air) * exp(-pause / COOLS_S) if 0 < pause < 86_400 else coolant
                model, cold = min(SURE_C, max(coolant, stood)), 0.0
            elif speed is not None:
                model = min(
                    95.0, max(coolant, model + (heat_kw(speed) - LOSS_KW_K * (model - air)) / HEAT_KJ_K * pause)
                )
                if model >= SURE_C and coolant < self.warm - self.detector.margin:
                    if not cold:
                        first, pace, moved = coolant, min(255, int(kmh or 0.0)), 0
                    moved |= (abs(coolant - first) >= MOVES_K) + 2 * (kmh is not None and abs(kmh - pace) >= MOVES_KMH)
                    cold += pause
                    if cold >= self.detector.enough_s or seen.open:
                        words = (
                            f"coolant {coolant:.0f} °C although a healthy engine would have {SURE_C:.0f} °C by now: "
                            "the thermostat does not close"
                        )
                        stuck = Unsure(f"coolant has stood at {coolant:.0f} °C whatever the car did")
                        verdict = stuck if moved == ONLY_SPEED else Holds(Severity.SOON, words)
        if pause > PAUSE_S and self.looks.count(cell):
            self.looks.keep(cell, [])  # another drive
        if seen.fresh and model > coolant + 1.0:  # a healthy engine is never colder than this model
            self.looks.push(cell, int(ts), max(-99, round(coolant)), round(model))
        self.layout.pack_into(memory, at, model, int(ts), cold, metres, first, pace, moved)
        return STILL if verdict is CALM else [("", verdict)]

    def sample(self, component: str, seen: Snapshot) -> float | None:
        return seen.now(_COOLANT.id)

    def picture(self, component: str, samples: list[list[float]], cell: Cell, seen: Snapshot) -> Picture:
        limit = Limit(label="a healthy engine is warmer", value=self.warm - self.detector.margin)
        looks = list(reversed(self.looks.records(cell)))
        measured = [(r[0], r[1]) for r in looks if not samples or r[0] < samples[0][0]]
        healthy = line("a healthy engine", "°C", [(r[0], r[2]) for r in looks])
        return (line(_COOLANT.title, "°C", [*measured, *samples]), healthy), (limit,)
