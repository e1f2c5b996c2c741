"""Every scenario file: checked, alive on every model it names, and the same for the same seed."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from schemas.errors import Misconfigured
from schemas.signal import BY_ID
from simulator.car import DAY, Car
from simulator.direct import telemetry
from simulator.population import lived, population
from simulator.scenario import Scenario, scenario_of
from simulator.wear import KINDS
from telltale.data import profiles, scenarios

START = datetime.fromisoformat("2026-11-23T07:30:00+00:00").timestamp()
ALL = {name: scenario_of(name, values) for name, values in scenarios().items()}
PAIRS = [(name, model) for name, scenario in ALL.items() for model in scenario.profiles]


def _told(scenario: Scenario, model: str, days: float, seed: int = 3):
    profile = profiles()[model]
    return list(
        telemetry(
            Car(profile, scenario.life(profile, START, "Europe/Berlin", 1, stretch_s=60.0), seed, START),
            START + days * DAY,
        )
    )


@pytest.mark.parametrize(("name", "model"), PAIRS)
def test_a_scenario_lives_a_day_in_order_and_within_the_signals_ranges(name: str, model: str) -> None:
    told = _told(ALL[name], model, 1.5)
    assert len(told) > 15
    assert all(a.ts <= b.ts for a, b in zip(told, told[1:], strict=False))
    for one in told:
        for signal, value in zip(one.ids, one.values, strict=True):
            assert BY_ID[signal].low <= value <= BY_ID[signal].high, BY_ID[signal].path
            assert BY_ID[signal].path in profiles()[model].fitted


def test_the_same_seed_says_the_same_and_another_does_not() -> None:
    scenario = ALL["slow_tyre_leak"]
    assert _told(scenario, "petrol_hatch", 0.3) == _told(scenario, "petrol_hatch", 0.3)
    assert _told(scenario, "petrol_hatch", 0.3) != _told(scenario, "petrol_hatch", 0.3, seed=4)


def test_every_kind_of_fault_has_a_scenario() -> None:
    assert {plan.kind for scenario in ALL.values() for plan in scenario.faults} == set(KINDS)


def test_ground_truth_names_fault_component_and_time() -> None:
    profile = profiles()["petrol_hatch"]
    car = Car(profile, ALL["slow_tyre_leak"].life(profile, START, "Europe/Berlin", 1), 3, START)
    (truth,) = car.truths()
    assert (truth.fault, truth.component, truth.part) == ("tyre_leak", "front_left", "tyre_front_left")
    assert truth.onset < truth.detectable < truth.too_late < truth.failure
    assert truth.onset < START
    assert ALL["healthy"].healthy and not ALL["slow_tyre_leak"].healthy


def test_the_workshop_heals_and_the_car_shows_it() -> None:
    profile = profiles()["petrol_hatch"]
    car = Car(profile, ALL["slow_tyre_leak"].life(profile, START, "Europe/Berlin", 1), 3, START)
    pressures, healed = [], False
    for told in telemetry(car, START + 0.3 * DAY):
        if told.ts > START + 0.15 * DAY and not healed:
            assert car.heal("front_left") == ["tyre_front_left"]
            healed = True
        if 70 in told.ids:
            pressures.append((healed, told.values[told.ids.index(70)]))
    assert max(p for healed, p in pressures if not healed) < 0.85 * 234
    assert min(p for healed, p in pressures[-3:]) > 0.9 * 234


def test_a_restarted_car_goes_on_with_its_wear_and_stays_healed() -> None:
    profile = profiles()["petrol_hatch"]
    life = ALL["worn_brake_pads"].life(profile, START, "Europe/Berlin", 1)
    car = Car(profile, life, 3, START)
    last = list(telemetry(car, START + 0.2 * DAY))[-1]
    again = Car(profile, life, 3, last.ts + 600, car.dump())
    assert again.condition.pads == car.condition.pads
    assert again.condition.odometer_m == car.condition.odometer_m
    again.heal("all")
    third = Car(profile, life, 3, last.ts + 900, again.dump())
    assert third.faults[0].healed_at is not None


@pytest.mark.parametrize(
    "values",
    [
        {"title": "x", "profiles": ["petrol_hatch"], "faults": [{"kind": "gremlins"}]},
        {"title": "x", "profiles": ["petrol_hatch"], "faults": [{"kind": "tyre_leak", "component": "spare"}]},
        {"title": "x", "profiles": ["petrol_hatch"], "faults": [{"kind": "misfire", "values": {"valve": 1.0}}]},
        {"title": "x", "profiles": ["petrol_hatch"], "habit": "flying"},
        {"title": "x", "profiles": []},
    ],
)
def test_a_wrong_scenario_file_is_one_line_that_names_it(values: dict[str, object]) -> None:
    with pytest.raises(Misconfigured, match="scenario wrong"):
        scenario_of("wrong", values)


def test_a_population_is_the_same_for_the_same_seed_and_has_every_model() -> None:
    one, other = (list(population(profiles(), 60, 90, 7, START)) for _ in range(2))
    assert [(s.profile.name, s.life, s.seed) for s in one] == [(s.profile.name, s.life, s.seed) for s in other]
    assert {s.profile.name for s in one} == set(profiles())
    assert 15 < sum(bool(s.life.faults) for s in one) < 45


def test_what_broke_down_is_mended_two_days_later() -> None:
    specimen = next(
        s
        for s in population(profiles(), 400, 60, 7, START)
        if s.life.faults and s.life.faults[0].kind == "tyre_leak" and s.life.habit != "rare"
    )
    car = specimen.car(START)
    (truth,) = car.truths()
    assert list(lived(car, truth.failure + 6 * DAY))
    assert car.faults[0].healed_at is not None
    assert truth.failure + 2 * DAY <= car.faults[0].healed_at < truth.failure + 5 * DAY


def test_the_howtos_scenario_works_as_written() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "howto" / "add_a_scenario.md").read_text()
    written = scenario_of("torn_hose", tomllib.loads(page.split("```toml")[1].split("```")[0]))
    told = _told(written, "diesel_van", 0.3)
    fluid = [one.values[one.ids.index(61)] for one in told if 61 in one.ids]
    assert fluid[-1] < fluid[0] < 80
