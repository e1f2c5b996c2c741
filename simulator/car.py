"""One car: its physics driven by its timetable. What its bus shows is the same with and without CAN in between."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from math import exp
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from schemas.profile import Profile
from schemas.signal import BY_PATH
from simulator import chassis, engine, pack, supply
from simulator.care import Care
from simulator.codes import CodeMemory
from simulator.condition import ATMOSPHERE, Condition, fresh, mended, worn_in
from simulator.driving import Drive, Habit, Pace, drives
from simulator.failures import Failures
from simulator.wear import Fault, Truth, Wear, wear_of
from simulator.weather import Weather

DAY = 86_400.0
OFF, ON, START = 0.0, 2.0, 3.0  # ignition, as in schemas/signal.py
_PARKED_LOOK_S = 21_600.0  # a sleeping car wakes four times a day
_CHARGING_LOOK_S = 900.0
_CRANK_SHAPE = (0.55, 1.0, 0.7, 0.45, 0.3)  # at 10 Hz: how deep the voltage dips, as a share of the deepest


@dataclass(slots=True)
class Heard:
    """What the bus shows at one instant; `poll`: the unit asks the control units for their codes now."""

    ts: float
    values: dict[int, float]
    poll: bool = False


@dataclass(frozen=True)
class Life:
    """How one car is used and what will be wrong with it."""

    habit: Habit = "commuter"
    faults: tuple[Fault, ...] = ()
    zone: str = "Europe/Berlin"
    region: int = 0  #: cars of one region share their weather
    altitude_m: float = 120.0
    mean_c: float = 10.0
    season_k: float = 10.0
    fronts: float = 1.0  #: strength of the weather between the seasons
    snap_on_day: int | None = None  #: days after the start on which a cold snap comes for certain
    top_up_days: float = 55.0  #: how often this driver looks after the tyres
    tyre_swap_on_day: int | None = None
    stretch_s: float = 30.0  #: one step of the physics, and how often the bus is looked at
    start: dict[str, float] = field(default_factory=dict)  #: levels to begin with, by name of `Condition`


class Car:
    """A stand-in car. `hear()` yields what its bus shows, in order of time, without end."""

    def __init__(
        self, profile: Profile, life: Life, seed: int, since: float, remembered: dict[str, Any] | None = None
    ) -> None:
        self.profile, self.life, self.seed = profile, life, seed
        self.faults = [Fault(f.kind, f.component, f.onset, dict(f.values), f.healed_at) for f in life.faults]
        snap = None if life.snap_on_day is None else int(since // DAY) + life.snap_on_day
        self.weather = Weather(life.region, life.mean_c, life.season_k, life.fronts, snap)
        self.rng = Random(f"{seed}/{since:.0f}")
        self.codes = CodeMemory(truck=profile.drive == "truck", drive=profile.drive)
        self.condition = fresh(profile, Random(seed), since, self.weather.air(since))
        for name, value in life.start.items():
            setattr(self.condition, name, value)
        worn_in(self.condition, profile, self.faults, since)
        self._care = Care(profile, self.rng, since, life.top_up_days, life.tyre_swap_on_day)
        self._failures = Failures(truck=profile.drive == "truck")
        if remembered:
            self._remember(remembered)
            self.condition.ts = since
        self._electric = profile.drive == "electric"
        self._volts = profile.limits.get("battery_nominal_v", 12.0) / 12.0
        self._fitted = {BY_PATH[path].id for path in profile.fitted}
        self._wear = Wear()

    def hear(self) -> Iterator[Heard]:
        """The life of the car, drive after drive."""
        c = self.condition
        for drive in drives(self.life.habit, ZoneInfo(self.life.zone), c.ts, self.seed):
            yield from self._parked(drive.start)
            yield from self._driven(drive)

    # parked

    def _parked(self, until: float) -> Iterator[Heard]:
        c = self.condition
        if c.off_since is None:
            c.off_since = c.ts - 8 * 3600.0  # it stood overnight before we met it
        self._care.look_after(c, self.faults, self.weather.air(c.ts))
        plugged = self._electric and c.pack_charge < 72.0 and until - c.ts > 3 * 3600.0
        if plugged:
            yield from self._charged(until)
        while c.ts < until - 10.0:
            step = min(_PARKED_LOOK_S, until - 10.0 - c.ts)
            self._stand(step)
            yield Heard(c.ts, self._asleep())

    def _asleep(self) -> dict[int, float]:
        c = self.condition
        values = {5: supply.resting_volts(c, self.rng, self._volts), 9: OFF, 4: self.weather.air(c.ts)}
        if self._electric:
            values |= pack.report(c, self._wear, self.profile, self.rng, 0.0, 0.0)
        return self._only_fitted(values)

    def _charged(self, until: float) -> Iterator[Heard]:
        c, rng = self.condition, self.rng
        c.charging_faulted = False
        stops_at = c.ts + rng.uniform(600, 5_400) if rng.random() < self._wear.charging_fault else float("inf")
        while c.ts < until - 1_200.0 and c.pack_charge < 79.9 and c.ts < stops_at:
            kw = pack.charge(c, self.profile, _CHARGING_LOOK_S)
            self._stand(_CHARGING_LOOK_S)
            c.charge = min(0.97, c.charge + 0.01)
            values = self._asleep() | self._only_fitted(pack.report(c, self._wear, self.profile, rng, 0.0, kw))
            yield Heard(c.ts, values | {5: 13.9 + rng.gauss(0.0, 0.05)})  # the converter carries the 12 V side
        c.charging_faulted = c.ts >= stops_at
        if c.charging_faulted:
            self._failures.charge_broke_off()
        self._stand(60.0)
        yield Heard(c.ts, self._asleep())
        c.charging_faulted = False

    def _stand(self, seconds: float) -> None:
        c = self.condition
        c.ts += seconds
        air = self.weather.air(c.ts)
        self._wear = wear = wear_of(self.faults, c.ts)
        chassis.stand(c, wear, seconds)
        chassis.cool(c, seconds)
        supply.rest(c, wear, seconds, air)
        if self._electric:
            pack.stand(c, seconds, air)
            pack.age(c, seconds)
        else:
            engine.cool_down(c, air, seconds)

    # driving

    def _driven(self, drive: Drive) -> Iterator[Heard]:
        c, rng = self.condition, self.rng
        self._wear = wear_of(self.faults, c.ts)
        c.ts = drive.start
        if not self._electric and (yield from self._crank()):
            return  # it did not start
        self.codes.begin()
        pace, run_s, looked = Pace(drive, rng), 0.0, 0.0
        height = self.life.altitude_m + (rng.uniform(150, 500) if drive.climb else 0.0)
        cold = c.coolant_c < 50.0
        yield Heard(c.ts + 1.0, self._running(0.0, 0.0, 0.0, height, True), poll=True)
        step = self.life.stretch_s
        while c.ts + step <= drive.end:
            c.ts += step
            run_s += step
            pace.step(c.ts, step)
            looked += step
            slow = looked >= 300.0
            if slow:
                looked = 0.0
            yield Heard(c.ts, self._move(pace.speed, pace.climb, run_s, step, height, slow), poll=slow)
        warmed = cold and c.coolant_c > 70.0
        c.warmups = min(255.0, c.warmups + (1.0 if warmed else 0.0))
        self.codes.end(warmed, run_s > 600.0)
        c.ts = drive.end
        c.off_since = c.ts
        self._failures.note(c, self.faults)
        last = self._running(0.0, 0.0, run_s, height, True)
        last[9] = OFF
        yield Heard(c.ts, last, poll=True)

    def _crank(self) -> Generator[Heard, None, bool]:
        """The starter turns: five looks at 10 Hz around the deepest dip. True when the engine does not start."""
        c, rng = self.condition, self.rng
        rest = supply.resting_volts(c, rng, self._volts)
        deepest = supply.cranking_volts(c, self._wear, self.profile, rng, self._volts)
        for n, share in enumerate(_CRANK_SHAPE):
            yield Heard(c.ts + 0.1 * n, {5: rest + (deepest - rest) * share, 9: START})
        if deepest < 6.0 * self._volts:
            self._failures.note(c, self.faults)
            c.ts += 30.0
            yield Heard(c.ts, self._asleep())
            return True
        return False

    def _move(
        self, speed: float, climb: float, run_s: float, step: float, height: float, slow: bool
    ) -> dict[int, float]:
        c, wear = self.condition, self._wear
        air = self.weather.air(c.ts)
        chassis.roll(c, wear, self.profile, speed, step)
        chassis.stand(c, wear, step)
        if self.codes.lamp:
            c.lamp_km += speed / 3600.0 * step
        if self._electric:
            pack.age(c, step)
        return self._running(speed, climb, run_s, height, slow, air, step)

    def _running(
        self,
        speed: float,
        climb: float,
        run_s: float,
        height: float,
        slow: bool,
        air: float | None = None,
        step: float = 0.0,
    ) -> dict[int, float]:
        c, wear, profile, rng = self.condition, self._wear, self.profile, self.rng
        air = self.weather.air(c.ts) if air is None else air
        atmosphere = ATMOSPHERE * exp(-height / 8_400.0)
        volts = supply.run(c, wear, profile, rng, speed, step, self._volts)
        values = {1: speed, 4: air, 5: volts, 9: ON, 38: atmosphere}
        if self._electric:
            current = pack.drive(c, profile, speed, climb, air, step) if step else 2.0
            values |= pack.report(c, wear, profile, rng, current, 0.0)
        else:
            rpm = profile.physics["idle_rpm"] if speed < 3 else _revs(profile, speed)
            rpm += rng.gauss(0.0, 12.0)
            heat = engine.power_kw(speed, climb)
            load = min(100.0, 14.0 + 4.2 * heat * (0.8 if profile.drive == "truck" else 1.0))
            if step:
                engine.warm(c, wear, air, heat, step)
                engine.use(c, wear, profile, rpm, speed, step)
                if profile.drive != "petrol":
                    engine.filter_soot(c, wear, profile, speed, step)
            values |= engine.report(c, wear, profile, rng, rpm, load, run_s, air)
            values[32] = volts
        self._monitor(values, speed, step)
        values[33], values[34] = float(self.codes.lamp), float(self.codes.count)
        if slow:
            values |= chassis.report(c, profile, rng, air, atmosphere)
            if not self._electric:
                values |= engine.levels(c, profile)
        return self._only_fitted(values)

    def _monitor(self, values: dict[int, float], speed: float, step: float) -> None:
        """The control units' own tests of this moment."""
        if not step:
            return
        c, test, limits = self.condition, self.codes.test, self.profile.limits
        test("voltage", values[5] < 10.5 * self._volts, step, c.ts, values)
        if self._electric:
            test("insulation", values[52] < 100.0, step, c.ts, values)
            test("cell", values[50] - values[47] > 0.16, step, c.ts, values)
            return
        test("thermostat", c.model_c > 85.0 and c.coolant_c < 74.0, step, c.ts, values)
        self._failures.see(c, step)
        test("overheating", c.coolant_c > limits["coolant_stop_c"], step, c.ts, values)
        test("oil_pressure", self._wear.oil_pressure < 0.3, step, c.ts, values)
        test("gearbox", c.transmission_c > 135.0, step, c.ts, values)
        if self.profile.drive == "petrol":
            test("misfire", values[28] > 3.25, step, c.ts, values, self._wear.misfire_cylinder)
            test("lean", values[30] + values[31] > 25.0, step, c.ts, values)
        else:
            test("soot", values[22] > 112.0, step, c.ts, values)

    def _only_fitted(self, values: dict[int, float]) -> dict[int, float]:
        fitted = self._fitted
        return {signal: value for signal, value in values.items() if signal in fitted}

    # the workshop, the truth, and the disk

    def heal(self, part: str) -> list[str]:
        """The workshop mends `part` (or "all") and clears the codes; answers what was mended."""
        c, done = self.condition, []
        for fault in self.faults:
            if fault.healed_at is None and c.ts >= fault.onset and (part in ("all", fault.part, fault.component)):
                fault.healed_at = c.ts
                mended(c, self.profile, fault.part, self.weather.air(c.ts))
                done.append(fault.part)
        if not done and part != "all":
            mended(c, self.profile, part, self.weather.air(c.ts))
        self.codes.clear()
        c.model_c = c.coolant_c  # the engine begins its own test anew
        c.clear_km = c.warmups = c.lamp_km = 0.0
        self._care.topped_up = c.ts
        return done

    def truths(self) -> list[Truth]:
        """What really happened so far."""
        return self._failures.truths(self.faults)

    def dump(self) -> dict[str, Any]:
        """What a restart has to know."""
        return {
            "condition": self.condition.dump(),
            "codes": self.codes.dump(),
            "topped_up": self._care.topped_up,
            "faults": [[f.kind, f.component, f.onset, f.values, f.healed_at] for f in self.faults],
        }

    def _remember(self, kept: dict[str, Any]) -> None:
        self.condition = Condition(**kept["condition"])
        self.codes.load(kept["codes"])
        self.faults = [
            Fault(kind, component, onset, values, healed) for kind, component, onset, values, healed in kept["faults"]
        ]
        self._care.topped_up = kept["topped_up"]


def _revs(profile: Profile, speed: float) -> float:
    """Engine speed in the gear that people would be in."""
    top = profile.physics["rpm_per_kmh"]
    for factor in (1.0, 1.35, 1.9, 2.9, 5.0):
        if speed * top * factor > profile.physics["idle_rpm"] * 1.6:
            return speed * top * factor
    return profile.physics["idle_rpm"] * 1.5
