"""What a rule says it needs of a feed is what it needs: listed as not watched it never judges, not listed it does.

Each rule gets a car with its fault, and the car's values as four feeds bring them: all together each twenty seconds,
one message an hour, each signal in a message of its own, and only while the car stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rules.catalogue import RULES
from rules.engine.feed import Feed, Moment, moments, unwatched
from rules.engine.judge import Judge
from rules.engine.rule import Rule
from schemas.profile import Profile
from schemas.signal import BY_ID, BY_PATH
from schemas.telemetry import Diagnostics, TroubleCode
from tests.unit.rules.conftest import SHORT

ENGINE, PACK = "Vehicle.Powertrain.CombustionEngine", "Vehicle.Powertrain.TractionBattery"
FILTER, GEARBOX = f"{ENGINE}.DieselParticulateFilter", "Vehicle.Powertrain.Transmission.Temperature"
SWEPT = ("recall", "silent_vehicle")  #: judged by no message
WHEELS = ("tyre_fl", "tyre_fr", "tyre_rl", "tyre_rr")
PADS = ("pad_fl", "pad_fr", "pad_rl", "pad_rr")
ON, OFF = {"ignition": 2, "speed": 70}, {"ignition": 0, "speed": 0}
RUNS, RESTS = {**ON, "rpm": 2200}, {**OFF, "rpm": 0}

Said = dict[str, float]
Fault = tuple[str, Callable[[float, bool], Said]]  #: a model, and what it says at a time


def always(drive: str = "petrol_hatch", **values: float) -> Fault:
    """A fault that shows whenever one looks."""
    return drive, lambda t, driving: values


def while_running(at_rest: Said, drive: str = "petrol_hatch", **values: float) -> Fault:
    """A fault that shows while the engine runs; at rest these signals say nothing of it."""
    return drive, lambda t, driving: {**RUNS, **values} if driving else {**RESTS, **at_rest}


def miles(t: float, driving: bool) -> Said:
    kmh = 110.0
    far = 40_000_000.0 + (t * kmh / 3.6 / 1.609344 if driving else 0.0)
    return {"speed": kmh if driving else 0.0, "odometer": far, "ignition": 2 if driving else 0}


def thin(t: float, driving: bool) -> Said:
    """Too little, and it moves as pressure does."""
    return {**RUNS, f"{ENGINE}.EOP": 150.0 + t // 20 % 7} if driving else {**RESTS, f"{ENGINE}.EOP": 0}


def stuck(t: float, driving: bool) -> Said:
    """The same at idle and on the road."""
    return {
        **(RUNS if driving else RESTS),
        f"{ENGINE}.EOP": 210.0,
        "rpm": (800.0, 2_400.0)[int(t // 1_300) % 2] * driving,
    }


def drifting(t: float, driving: bool) -> Said:
    """Two hours that are well, then more each hour, while the oil is as warm as ever."""
    later = max(0.0, t / 3_600.0 - 4.0)
    if not driving:
        return {**RESTS, "coolant": 15.0, "oil": 15.0, "run": 0.0}
    return {**RUNS, "coolant": 90.0 + min(20.0, 4.0 * later), "oil": 96.0, "run": 5_000.0}


def heating(t: float, driving: bool) -> Said:
    """Ten Kelvin a minute, again and again; who looks each hour sees nothing."""
    return {f"{PACK}.Temperature.Max": 25.0 + t % 300 / 6}


def burnt(t: float, driving: bool) -> Said:
    """Clean each 120 km: of whatever looks."""
    return {f"{FILTER}.DistanceSinceRegeneration": 30.0 + (t / 20 * 5.5) % 120 if t < 1e6 else 1.0}


FAULTS: dict[str, Fault] = {
    "sensor_implausible": always(**dict.fromkeys(WHEELS, 34.0)),
    "distance_unit": ("petrol_hatch", miles),
    "oil_sensor": ("petrol_hatch", stuck),
    "coolant_sensor": ("petrol_hatch", drifting),
    "tyre_leak": always(tyre_fl=190, tyre_fr=233, tyre_rl=219, tyre_rr=220),
    "tyre_low": always(**dict.fromkeys(WHEELS, 165)),
    "alternator": while_running({"volts": 12.6}, volts=12.3),
    "parasitic_drain": always(rest=12.05),
    "battery_12v": always(crank=9.3, air=25),
    "thermostat_open": while_running({"coolant": 15}, coolant=55, air=5),
    "coolant_low": always(**{f"{ENGINE}.EngineCoolant.Level": 45}),
    "coolant_hot": while_running({"coolant": 15}, coolant=117),
    "misfire": while_running({f"{ENGINE}.MisfireShare": 0}, **{f"{ENGINE}.MisfireShare": 3}),
    "vacuum_leak": while_running({"Vehicle.OBD.LongTermFuelTrim1": 0}, **{"Vehicle.OBD.LongTermFuelTrim1": 12}),
    "oil_pressure": ("petrol_hatch", thin),
    "oil_life": always(**{f"{ENGINE}.EngineOil.LifePercent": 3}),
    "dpf_regeneration": ("diesel_van", burnt),
    "dpf": always("diesel_van", **{f"{FILTER}.SootLoad": 130}),
    "transmission_hot": while_running(
        {GEARBOX: 15, "air": 10, f"{ENGINE}.RunTime": 0, f"{ENGINE}.Load": 0},
        **{GEARBOX: 111, "air": 10, f"{ENGINE}.RunTime": 3_000, f"{ENGINE}.Load": 30},
    ),
    "brake_pads": always(**dict.fromkeys(PADS, 98)),
    "brake_pad_uneven": always(pad_fl=70, pad_fr=30, pad_rl=20, pad_rr=20),
    "brake_fluid": always(fluid=45),
    "ev_heat": ("electric_car", heating),
    "ev_alarm": always("electric_car", **{f"{PACK}.AlarmLevel": 2}),
    "ev_cell": always(
        "electric_car",
        **{f"{PACK}.CellVoltage.Min": 3.5, f"{PACK}.CellVoltage.Median": 3.7, f"{PACK}.CellVoltage.Max": 3.705},
    ),
    "ev_insulation": always("electric_car", **{f"{PACK}.InsulationResistance": 60}),
    "ev_health": always("electric_car", **{f"{PACK}.StateOfHealth": 60}),
    "charging_fault": always("electric_car", **{f"{PACK}.Charging.IsFaulted": 1}),
    "service_due": always(service_km=-600, service_s=-4e6),
    "trouble_code": always(speed=50),
}
FEEDS = {  #: seconds between messages, for how long, whether it drives, and whether each signal comes alone
    "all together": (20.0, 9 * 3_600.0, True, False),
    "an hour apart": (3_600.0, 40 * 86_400.0, True, False),
    "one by one": (20.0, 30 * 3_600.0, True, True),
    "only while it stands": (300.0, 5 * 86_400.0, False, False),
}


def said_of(name: str, feed: str) -> Iterator[tuple[float, Said]]:
    every, lasts, driving, alone = FEEDS[feed]
    values = FAULTS[name][1]
    t = 0.0
    while t < lasts:
        now = {**(ON if driving else OFF), **values(t, driving)}
        if not alone:
            yield t, now
            t += every
            continue
        for signal, value in now.items():
            yield t, {signal: value}
            t += every


def codes(ts: float) -> Diagnostics:
    return Diagnostics(ts=ts, codes=(TroubleCode(code="P0301", status="confirmed"),))


def lacking(name: str, feed: str, profiles: dict[str, Profile], *, with_codes: bool = True) -> dict[str, str]:
    model = FAULTS[name][0]
    rows = [
        (1.79e9 + t, [BY_PATH[SHORT.get(k, k)].id for k in said], list(said.values()))
        for t, said in said_of(name, feed)
    ]
    heard = {BY_ID[i].path for _, ids, _ in rows for i in ids}
    found = unwatched([of(name)], profiles[model], heard, Feed(list(moments(rows)), codes=with_codes))
    return {one.rule: one.words for one in found}


def test_each_rule_of_the_catalogue_states_what_it_needs_of_a_feed():
    assert [rule.name for rule in RULES if rule.watch is None] == []
    assert {rule.name for rule in RULES} - set(SWEPT) == set(FAULTS)


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("name", [n for n in FAULTS if n != "trouble_code"])
def test_listed_as_not_watched_it_never_judges_and_not_listed_it_does(
    name: str, feed: str, profiles: dict[str, Profile], fold: Callable[..., list[Any]], reading: Callable[..., Any]
):
    found = lacking(name, feed, profiles)
    rows = (reading(t / 60, n + 1, **said) for n, (t, said) in enumerate(said_of(name, feed)))
    steps = [s for s in fold(rows, FAULTS[name][0]) if s.rule == name]
    judged = any(s.state.value == "active" for s in steps)
    assert judged is (name not in found), found.get(name)


def test_a_feed_without_lists_of_codes_is_told_so(profiles: dict[str, Profile]):
    assert "trouble_code" not in lacking("trouble_code", "all together", profiles)
    words = lacking("trouble_code", "all together", profiles, with_codes=False)["trouble_code"]
    assert words == "the car's list of trouble codes; this feed has never brought one"


@pytest.mark.parametrize(
    "name, feed, words",
    [
        ("ev_heat", "an hour apart", "a value each 2 min; this feed sends one each 60 min"),
        ("thermostat_open", "an hour apart", "a value each 12 min while driving; this feed sends one each 60 min"),
        (
            "oil_pressure",
            "only while it stands",
            "oil pressure, engine speed while driving; this feed brings that only while the car stands",
        ),
        (
            "alternator",
            "one by one",
            "12 V battery voltage or control module voltage, engine speed within 15 s; this feed sends them apart",
        ),
        ("oil_pressure", "one by one", "oil pressure, engine speed within 5 s; this feed sends them apart"),
    ],
)
def test_the_reason_says_what_is_needed_and_what_comes(name: str, feed: str, words: str, profiles: dict[str, Profile]):
    assert lacking(name, feed, profiles)[name] == words


def of(name: str) -> Rule:
    return next(rule for rule in RULES if rule.name == name)


def test_a_drive_that_is_too_short_is_named_and_a_choice_of_messages_proves_no_such_thing(profiles: dict[str, Profile]):
    car, asks = profiles["petrol_hatch"], ("Vehicle.Speed", SHORT["coolant"])
    ids = frozenset(BY_PATH[path].id for path in asks)
    short = [Moment(86_400.0 * day + 20.0 * n, ids, True) for day in range(9) for n in range(12)]
    (found,) = unwatched([of("thermostat_open")], car, asks, Feed(short))
    assert found.words == "8 min while driving in one piece; the longest of this feed was 4 min"
    assert unwatched([of("thermostat_open")], car, asks, Feed(short, whole=False)) == []


def test_of_a_feed_that_was_hardly_heard_nothing_is_said(profiles: dict[str, Profile]):
    car, rule = profiles["petrol_hatch"], of("coolant_hot")
    rows = [(float(n), [BY_PATH[SHORT["coolant"]].id, 1], [20.0, 0.0]) for n in range(8)]
    assert unwatched([rule], car, [SHORT["coolant"]], Feed(list(moments(rows)))) == []


def test_where_nothing_says_whether_it_drives_nothing_is_claimed(profiles: dict[str, Profile], judge: Judge):
    car, rule = profiles["petrol_hatch"], of("coolant_hot")
    rows = [(600.0 * n, [BY_PATH[SHORT["coolant"]].id], [20.0]) for n in range(80)]
    assert unwatched([rule], car, [SHORT["coolant"]], Feed(list(moments(rows)))) == []
