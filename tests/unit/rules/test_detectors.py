"""The detectors by themselves: a value, a window, a rate, a line with its date, silence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules.detectors.count_in_window import CountInWindow
from rules.detectors.no_data import Standing, recalls, silence, step_for
from rules.detectors.rate_of_change import RateOfChange
from rules.detectors.threshold import falls_to, flag, rises_to
from rules.detectors.trend import fit
from rules.engine.detector import Only
from rules.engine.memory import Cell
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import COOLANT, SPEED, OfProfile
from schemas.alert import AlertState
from schemas.profile import Profile
from schemas.reading import Reading
from schemas.signal import BY_PATH
from schemas.verdict import Clear, Holds, Severity, Unsure

FLUID = "Vehicle.Chassis.Brake.FluidLevel"
FAULTED = "Vehicle.Powertrain.TractionBattery.Charging.IsFaulted"
T0 = 1_795_000_000.0


class Bench:
    """One shape on one car, fed value by value."""

    def __init__(self, detector, profile):
        self.bound, self.profile = detector.fit(profile), profile
        self.memory = bytearray(64 + self.bound.size)

    def at(self, minutes, **values):
        named = {
            BY_PATH[{"coolant": COOLANT, "speed": SPEED, "fluid": FLUID, "faulted": FAULTED}[k]].id: v
            for k, v in values.items()
            if v is not None
        }
        seen = Snapshot(T0 + minutes * 60, 1, named, self.memory, {}, self.profile)
        seen.fresh = True
        return next(iter(self.bound.judge(seen, Cell(self.memory, 64))))[1]


@pytest.mark.parametrize(
    "value, expected",
    [
        (121.0, Holds(Severity.NOW, "coolant temperature 121 °C, limit 120 °C")),
        (112.0, Holds(Severity.SOON, "coolant temperature 112 °C, limit 110 °C")),
        (105.0, Unsure("105 °C is between the levels")),
        (100.0, Clear("100 °C, clear level 100 °C")),
        (0.0, Clear("0 °C, clear level 100 °C")),
        (None, Unsure("no reading of coolant temperature", missing=True)),
    ],
)
def test_a_threshold_has_a_clear_level_of_its_own(value, expected, profiles: dict[str, Profile]):
    bench = Bench(
        rises_to(
            COOLANT, now=OfProfile("coolant_stop_c", 120, plus=2), soon=OfProfile("coolant_max_c", 110), clear=100
        ),
        profiles["petrol_hatch"],
    )
    assert bench.at(0, coolant=value) == expected


@pytest.mark.parametrize("value, kind", [(3.0, Holds), (30.0, Unsure), (60.0, Clear), (0.0, Holds), (None, Unsure)])
def test_a_threshold_can_be_one_that_is_fallen_to(value, kind, profiles: dict[str, Profile]):
    assert type(Bench(falls_to(FLUID, soon=10, clear=50), profiles["petrol_hatch"]).at(0, fluid=value)) is kind


def test_a_condition_keeps_a_threshold_silent(profiles: dict[str, Profile]):
    bench = Bench(
        rises_to(COOLANT, soon=100, clear=90, only=(Only(SPEED, low=30, words="it stands"),)), profiles["petrol_hatch"]
    )
    assert bench.at(0, coolant=105) == Unsure("it stands")
    assert bench.at(1, coolant=105, speed=10) == Unsure("it stands")
    assert type(bench.at(2, coolant=105, speed=80)) is Holds
    assert type(bench.at(3, coolant=80)) is Clear


def test_a_flag_is_bad_at_one_and_good_at_zero(profiles: dict[str, Profile]):
    bench = Bench(flag(FAULTED, Severity.SOON), profiles["electric_car"])
    assert [type(bench.at(n, faulted=v)) for n, v in enumerate((0, 1, None))] == [Clear, Holds, Unsure]


def test_a_count_holds_when_it_happened_often_enough_and_forgets(profiles: dict[str, Profile]):
    bench = Bench(
        CountInWindow(FLUID, bad_below=20, urgent_below=5, times=3, urgent_times=2, within_s=3_600, apart_s=60),
        profiles["petrol_hatch"],
    )
    assert [type(bench.at(m, fluid=v)) for m, v in ((0, 50), (1, 10), (1.5, 10), (5, 10), (9, 50))] == [
        Clear,
        Unsure,
        Unsure,
        Unsure,
        Unsure,
    ]
    assert bench.at(10, fluid=15) == Holds(Severity.SOON, "brake fluid level 15 %; out of bounds 3 times within 1 h")
    assert bench.at(12, fluid=4).severity is Severity.SOON and bench.at(14, fluid=4).severity is Severity.NOW
    assert type(bench.at(90, fluid=50)) is Clear


def test_a_rate_is_between_readings_far_enough_apart(profiles: dict[str, Profile]):
    bench = Bench(RateOfChange(FLUID, per_hour=-5.0, over_s=1_800), profiles["petrol_hatch"])
    assert type(bench.at(0, fluid=90)) is Unsure and type(bench.at(10, fluid=85)) is Unsure
    assert bench.at(60, fluid=80) == Holds(Severity.SOON, "brake fluid level moves -10 percent an hour, limit -5")
    slow = Bench(RateOfChange(FLUID, per_hour=-5.0), profiles["petrol_hatch"])
    slow.at(0, fluid=90)
    assert type(slow.at(120, fluid=89)) is Clear


def test_a_line_knows_when_it_reaches_a_limit_and_how_surely():
    exact = fit([(10.0 - n, 50.0 - n) for n in range(8)])
    assert exact is not None and exact.reaches(60.0) == pytest.approx((10.0, 10.0, 10.0))
    noisy = fit([(10.0 - n, 50.0 - n + (0.6 if n % 2 else -0.6)) for n in range(8)])
    assert noisy is not None
    likely, early, late = noisy.reaches(60.0)
    assert early < likely < late and noisy.sigma > 0
    assert fit([(1.0, 2.0), (2.0, 3.0)]) is None and fit([(1.0, 2.0)] * 5) is None


def test_one_wild_point_does_not_turn_a_line():
    points = [(10.0 - n, 50.0 - n) for n in range(9)]
    points[4] = (points[4][0], 90.0)
    assert fit(points).slope == pytest.approx(1.0)


NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "silent_for, pause, kind",
    [
        (timedelta(days=2), timedelta(days=1), Clear),
        (timedelta(days=8), timedelta(days=1), Holds),
        (timedelta(days=8), timedelta(days=5), Clear),
    ],
)
def test_silence_is_judged_by_habit_and_never_before_a_week(silent_for, pause, kind):
    assert type(silence(NOW - silent_for, NOW, usual_pause=pause)) is kind


def test_a_car_never_heard_or_planned_to_rest_is_unsure():
    assert type(silence(None, NOW)) is Unsure
    assert type(silence(NOW - timedelta(days=30), NOW, planned_until=NOW + timedelta(days=1))) is Unsure


def test_swept_rules_open_once_and_close_once():
    verdict = recalls(["24V-1"])["24V-1"]
    opened = step_for("recall", 1, "24V-1", None, verdict, NOW)
    assert [(s.state, s.episode, s.step) for s in opened] == [(AlertState.PENDING, 1, 0), (AlertState.ACTIVE, 1, 1)]
    standing = Standing(AlertState.ACTIVE, 1, 1, Severity.ADVICE)
    assert step_for("recall", 1, "24V-1", standing, verdict, NOW) == ()
    (closed,) = step_for("recall", 1, "24V-1", standing, Clear("done"), NOW)
    assert (closed.state, closed.step) == (AlertState.RESOLVED, 2)
    again = step_for("recall", 1, "24V-1", Standing(AlertState.RESOLVED, 1, 2, Severity.ADVICE), verdict, NOW)
    assert again[0].episode == 2


def test_a_fast_leak_is_not_hidden_by_the_quiet_days_before_it(
    fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    """Eleven quiet days, then 1.5 % a day: over all days there is hardly a slope, over the newest it is plain."""
    air = {**{f"warm_{w}": 20 for w in ("fl", "fr", "rl", "rr")}, "tyre_fr": 234, "tyre_rl": 220, "tyre_rr": 220}

    def told(loss):
        rows = [
            reading(1_440 * day + 30 * n, 100 * day + n + 1, tyre_fl=loss(day), **air)
            for day in range(16)
            for n in range(3)
        ]
        return [s.ts for s in fold(rows) if s.rule == "tyre_leak" and s.state.value == "active"], rows[0].ts

    steady, begin = told(lambda day: 335.3 * (1 - 0.015 * max(0, day - 11)) - 101.3)
    assert steady and (steady[0] - begin) / 86_400 < 15.5  # the level alone would tell a day later
    changed, _ = told(lambda day: 335.3 * (0.95 if day > 11 else 1) - 101.3)
    assert changed == [], "all at once is another wheel, not a leak"
