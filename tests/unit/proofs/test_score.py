"""The score's arithmetic, and the whole way on a few cars."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from proofs import score
from proofs.score import table
from proofs.score.living import START, Lived, Raised
from proofs.score.matching import judged, parts_of, summary, wilson
from simulator.engine import power_kw, warm
from simulator.failures import Failures
from simulator.population import population
from simulator.wear import Fault, Truth, wear_of
from telltale import data

DAY = 86_400.0
TRUTH = Truth(
    "tyre_leak", "front_left", "tyre_front_left", START + 10 * DAY, START + 12 * DAY, START + 30 * DAY, START + 29 * DAY
)


def a_life(*raised, truths=(TRUTH,)):
    specimen = next(iter(population(data.profiles(), 1, 60, 1, START)))
    alerts = [Raised(rule, component, START + day * DAY, "") for rule, component, day in raised]
    return Lived(specimen, list(truths), START + 60 * DAY, 60.0, 1, 0.0, 0.0, {"telltale": alerts})


@pytest.mark.parametrize(
    "raised, hits, missed, false, wrong",
    [
        ([("tyre_leak", "front_left", 15)], 1, 0, 0, 0),
        (
            [("tyre_leak", "front_left", 15), ("tyre_leak", "front_left", 18)],
            1,
            0,
            0,
            0,
        ),  # again within a week is the same
        ([("tyre_leak", "front_left", 29.5)], 0, 1, 0, 0),  # too late to help, yet not imagined
        ([("tyre_leak", "front_left", 5)], 0, 1, 1, 0),  # before anything was wrong
        ([("tyre_leak", "rear_left", 15)], 0, 1, 1, 1),
        ([("battery_12v", "", 14), ("tyre_leak", "front_left", 16)], 1, 0, 1, 1),
        ([], 0, 1, 0, 0),
    ],
)
def test_an_alert_is_a_hit_only_on_the_right_part_and_in_time(raised, hits, missed, false, wrong):
    found = judged([a_life(*raised)], "telltale")
    tally = found.all()
    assert (tally.hits, tally.missed, len(found.false), tally.wrong) == (hits, missed, false, wrong)


def test_a_fault_that_had_no_time_to_fail_is_open_and_not_missed():
    late = Truth(
        "tyre_leak",
        "front_left",
        "tyre_front_left",
        START + 58 * DAY,
        START + 59 * DAY,
        START + 90 * DAY,
        START + 89 * DAY,
    )
    assert judged([a_life(truths=(late,))], "telltale").all().open == 1


@pytest.mark.parametrize("heard, unwatched", [("Distance", 0), ("Time", 1)])
def test_a_service_by_distance_is_not_watched_where_only_its_date_is_heard(heard, unwatched):
    life, far = a_life(), START + 20 * DAY
    life.plan, life.truths = (
        replace(life.plan, real=True),
        [Truth("service_due", "", "service", START, START, far, far)],
    )
    life.heard = frozenset({f"Vehicle.Service.{heard}ToService"})
    tally = judged([life], "telltale").all()
    assert (tally.unwatched, tally.missed) == (unwatched, 1 - unwatched)


def test_a_fault_that_never_showed_is_told_from_one_that_nobody_found():
    far = START + 900 * DAY
    shown = Truth("cooling_blocked", "", "cooling", START, START, far, far)
    tally = judged([a_life(truths=(shown,)), a_life(truths=(replace(shown, visible=False),))], "telltale").all()
    assert (tally.open, tally.unseen, tally.missed) == (2, 1, 0) and tally.facts()["open_unseen"] == 1


@pytest.mark.parametrize("floor, speed, visible", [(0.1, 130.0, True), (0.9, 130.0, False), (0.1, 30.0, False)])
def test_a_blocked_radiator_shows_only_where_it_is_asked_for_more_than_it_gives(floor, speed, visible):
    """At 5 °C outside an engine that idles along needs a fifteenth of its radiator."""
    failures, c = Failures(truck=False), next(iter(population(data.profiles(), 1, 60, 1, START))).car(START).condition
    fault = Fault.of("cooling_blocked", "", START, {"floor": floor})
    for _ in range(240):
        warm(c, wear_of([fault], START + 60 * DAY), 5.0, power_kw(speed, 0.0), 30.0)
        failures.see(c, 30.0)
    assert failures.truths([fault])[0].visible is visible


def test_cost_and_rates_follow_from_the_counts():
    facts = summary(
        judged([a_life(("tyre_leak", "rear_left", 15)), a_life(("tyre_leak", "front_left", 15))], "telltale")
    )
    assert facts["cost"] == 510 and facts["recall"] == 0.5
    assert facts["false_per_1000_vehicle_days"] == pytest.approx(1000 / 120, abs=1e-3)


def test_the_interval_is_wilson_s():
    assert wilson(9, 10) == pytest.approx((0.596, 0.982), abs=1e-3)
    assert wilson(0, 0) == (0.0, 1.0)


def test_codes_blame_the_part_that_the_workshop_mends():
    assert parts_of(Raised("trouble_code", "P0301", 0, "")) == ("ignition",)
    assert parts_of(Raised("trouble_code", "P0AA6-00", 0, "")) == ("pack",)
    assert "brake_pads_front" in parts_of(Raised("brake_pads", "front_left", 0, ""))


def test_a_small_fleet_is_scored_the_same_twice():
    one, other = (score.main(vehicles=4, days=12, seed=7, jobs=jobs) for jobs in (1, 2))
    for fleeting in ("jobs", "wall_seconds", "ms_per_vehicle_day_and_core", "judge_us_per_reading"):
        one.pop(fleeting), other.pop(fleeting)
    assert (
        one == other
        and one["vehicle_days"] == 48.0
        and set(one["baselines"]) == {"trouble_codes_only", "fixed_thresholds"}
    )


def test_the_page_s_table_of_real_feeds_adds_the_seeds_up(tmp_path, monkeypatch):
    page, runs = tmp_path / "page.md", []
    page.write_text(f"before\n{table.REAL_BEGIN}\nstale\n{table.REAL_END}\nafter\n")
    monkeypatch.setattr(table, "PAGE", page)
    for seed in (7, 8):
        facts = score.main(vehicles=3, days=6, seed=seed)
        facts["by_feed"]["full"] = {"vehicles": 2, "vehicle_days": 12.0, "episodes": 10, "recall": 0.9}
        facts["by_feed"]["full"] |= {"unwatched": 1, "median_lead_days": float(seed), "false_alerts": seed - 7}
        runs.append(tmp_path / f"{seed}.json")
        runs[-1].write_text(json.dumps(facts))
    table.main([str(run) for run in runs])
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "stale" not in text
    assert "| full | 4 | 20 | 90.0% (69.9% to 97.2%), 18 of 20 | 2 | 7.0 to 8.0 | 41.667 (1) |" in text
    assert "Seeds 7, 8: 3 cars, 6 days each, 36 vehicle-days." in text and "| all | 6 |" in text
