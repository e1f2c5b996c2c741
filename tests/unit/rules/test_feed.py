"""A rule that can never decide for a car, because of what its feed brings, is named with what it needs."""

from __future__ import annotations

from rules.catalogue import RULES
from rules.engine.feed import unwatched
from schemas.profile import Profile

COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"


def lacking(profile, *heard):
    return {one.rule: one for one in unwatched(RULES, profile, heard)}


def test_a_feed_of_one_signal_leaves_all_but_its_rule_unwatched(profiles: dict[str, Profile]):
    found = lacking(profiles["petrol_hatch"], COOLANT)
    assert "coolant_hot" not in found and {"battery_12v", "tyre_low", "thermostat_open"} <= set(found)
    assert (
        found["thermostat_open"].words == "vehicle speed"
        and found["battery_12v"].words == "lowest voltage while cranking or control module voltage"
    )


def test_what_a_model_is_not_meant_for_is_not_missed(profiles: dict[str, Profile]):
    assert "ev_cell" not in lacking(profiles["petrol_hatch"]) and "coolant_hot" not in lacking(profiles["electric_car"])


def test_a_rule_that_takes_either_is_watched_with_one(profiles: dict[str, Profile]):
    assert "service_due" not in lacking(profiles["petrol_hatch"], "Vehicle.Service.TimeToService")
    words = lacking(profiles["petrol_hatch"])["alternator"].words
    assert words == "12 V battery voltage or control module voltage, engine speed"
    assert lacking(profiles["petrol_hatch"], "Vehicle.OBD.ControlModuleVoltage")["alternator"].words == "engine speed"


def test_one_wheel_that_is_never_heard_is_named(profiles: dict[str, Profile]):
    heard = [
        path for path in next(rule for rule in RULES if rule.name == "tyre_low").needs if "Row2.Wheel.Left" not in path
    ]
    assert lacking(profiles["petrol_hatch"], *heard)["tyre_low"].words == "tyre pressure rear left"


def test_a_feed_that_brings_all_that_the_model_has_is_watched_whole(profiles: dict[str, Profile]):
    for name in ("petrol_hatch", "electric_car"):
        fitted = set(profiles[name].fitted)
        assert all(not set(one.needs) <= fitted for one in unwatched(RULES, profiles[name], fitted)), name
