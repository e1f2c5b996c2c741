"""The fold itself: late data, restarts, broken rules, generated code against the long way."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.catalogue import BY_NAME, RULES
from rules.detectors.custom_rule import CustomRule
from rules.engine.judge import Judge
from rules.engine.repair_verification import Proof
from rules.engine.rule import Rule
from schemas.alert import AlertState
from schemas.profile import Profile
from schemas.reading import Mark, Reading
from schemas.signal import BY_PATH
from schemas.verdict import Clear, Holds, Severity

COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"


def own(judge, name="trial", **more):
    return Rule(
        name=name,
        version=1,
        title="Trial",
        needs=(COOLANT,),
        hold=timedelta(minutes=10),
        judge=judge,
        proof=Proof(kind="none"),
        **more,
    )


def hot(seen, state):
    value = seen.now(BY_PATH[COOLANT].id)
    return Holds(Severity.SOON, "hot") if value > 100 else Clear("cool")


def states(steps, rule=None):
    return [s.state.value for s in steps if rule is None or s.rule == rule]


def test_ten_thousand_bad_samples_make_one_alert(fold: Callable[..., list[Any]], reading: Callable[..., Reading]):
    steps = fold(reading(n / 10, n + 1, coolant=117) for n in range(10_000))
    assert states(steps) == ["pending", "active"]


def test_a_restart_in_minute_seven_of_a_ten_minute_hold_still_fires_at_minute_ten(
    judge: Judge, reading: Callable[..., Reading]
):
    memory, steps = judge.memory("electric_car"), []
    for minute in range(12):
        if minute == 7:
            memory = judge.load("electric_car", judge.dump(memory), judge.versions)
        steps += judge.step(memory, reading(minute, minute + 1, fluid=70))
    assert [(s.state.value, s.place - 1) for s in steps] == [("pending", 0), ("active", 10)]


def test_late_readings_neither_hold_nor_settle(judge: Judge, reading: Callable[..., Reading]):
    memory = judge.memory("petrol_hatch")
    assert judge.step(memory, reading(0, 1, coolant=117)) and memory[1] == 1
    assert judge.step(memory, reading(9, 2, coolant=117, mark=Mark.LATE)) == ()
    assert judge.step(memory, reading(0.5, 3, coolant=90, mark=Mark.LATE)) == ()
    assert states(judge.step(memory, reading(1, 4, coolant=117))) == []


def test_a_late_start_counts_in_the_battery_s_history(judge: Judge, reading: Callable[..., Reading]):
    memory = judge.memory("petrol_hatch")
    for n, volts in enumerate((9.2, 9.3)):
        assert judge.step(memory, reading(60 * n, n + 1, crank=volts, air=25, mark=Mark.LATE)) == ()
    assert states(judge.step(memory, reading(300, 3, crank=9.3, air=25)), "battery_12v") == ["pending", "active"]


def test_a_backlog_after_hours_without_network_is_judged_but_never_worded_as_now(
    judge: Judge, reading: Callable[..., Reading]
):
    memory = judge.memory("petrol_hatch")
    steps = [s for n in range(8) for s in judge.step(memory, reading(n, n + 1, coolant=117, received_after=5 * 3600))]
    assert states(steps) == ["pending", "active"] and all(s.late for s in steps)


def test_what_was_history_is_so_now_once_a_live_reading_shows_the_same(judge: Judge, reading: Callable[..., Reading]):
    memory = judge.memory("petrol_hatch")
    for n in range(8):
        judge.step(memory, reading(n, n + 1, coolant=117, received_after=5 * 3600))
    assert judge.step(memory, reading(60, 9, coolant=95)) == ()  # live, and it shows nothing of it
    shown = judge.step(judge.load("petrol_hatch", judge.dump(memory)), reading(61, 10, coolant=117))
    assert [(s.state.value, s.severity.value, s.late) for s in shown] == [("active", "now", False)]
    assert [s.step for s in judge.step(memory, reading(61, 10, coolant=117))] == [2]
    assert judge.step(memory, reading(62, 11, coolant=117)) == ()  # once


def test_a_broken_rule_is_unsure_and_counted_and_the_others_go_on(
    profiles: dict[str, Profile], reading: Callable[..., Reading]
):
    def raises(seen, state):
        raise ValueError("no such thing")

    def nonsense(seen, state):
        return "hot"

    def wrong_state(seen, state):
        return Holds(Severity.SOON, state["nothing"])

    broken = {"raises": raises, "nonsense": nonsense, "wrong_state": wrong_state}
    rules = [*(own(CustomRule(judge=j, on=(COOLANT,)), name) for name, j in broken.items()), BY_NAME["coolant_hot"]]
    judge = Judge(rules, profiles)
    memory = judge.memory("petrol_hatch")
    steps = [s for n in range(10) for s in judge.step(memory, reading(n, n + 1, coolant=117))]
    assert states(steps, "coolant_hot") == ["pending", "active"] and {s.rule for s in steps} == {"coolant_hot"}
    assert {name: b.count for name, b in judge.broken.items()} == dict.fromkeys(broken, 10)
    assert "no such thing" in judge.broken["raises"].last


def test_a_rule_of_its_own_can_be_twenty_lines(
    profiles: dict[str, Profile], reading: Callable[..., Reading], fold: Callable[..., list[Any]]
):
    judge = Judge([own(CustomRule(judge=hot, on=(COOLANT,)))], profiles)
    steps = fold((reading(n, n + 1, coolant=105) for n in range(12)), judge=judge)
    assert states(steps) == ["pending", "active"] and steps[1].evidence.series[0].samples[0].value == 105


def test_a_shadow_rule_is_recorded_and_marked(
    profiles: dict[str, Profile], reading: Callable[..., Reading], fold: Callable[..., list[Any]]
):
    judge = Judge([BY_NAME["coolant_hot"]], profiles, stages={"coolant_hot": "shadow"})
    steps = fold((reading(n, n + 1, coolant=117) for n in range(6)), judge=judge)
    assert states(steps) == ["pending", "active"] and all(s.shadow for s in steps)


def test_a_rule_that_is_off_says_nothing(
    profiles: dict[str, Profile], reading: Callable[..., Reading], fold: Callable[..., list[Any]]
):
    judge = Judge(RULES, profiles, stages={"coolant_hot": "off"})
    assert fold((reading(n, n + 1, coolant=117) for n in range(6)), judge=judge) == []


def test_an_open_cause_mutes_its_consequence(
    judge: Judge, reading: Callable[..., Reading], fold: Callable[..., list[Any]]
):
    flat = [reading(n * 2, n + 1, volts=12.2, rpm=1500, ignition=2) for n in range(8)]
    weak = [reading(60 + n * 60, 20 + n, crank=9.0, air=25, volts=12.2, rpm=900, ignition=2) for n in range(5)]
    steps = fold([*flat, *weak])
    assert "active" in states(steps, "alternator") and states(steps, "battery_12v") == []
    assert "active" in states(fold([reading(n * 60, n + 1, crank=9.0, air=25) for n in range(5)]), "battery_12v")


def test_codes_are_alerts_of_their_own(fold: Callable[..., list[Any]], reading: Callable[..., Reading]):
    steps = fold(
        [
            reading(0, 1, codes=[("P0301", "pending")]),
            reading(30, 2, codes=[("P0301", "confirmed"), ("P0420", "confirmed"), ("P1234", "confirmed")], mil=True),
            reading(60, 3, codes=[("P0420", "confirmed"), ("P0301", "permanent")]),
            reading(90, 4, codes=[]),
        ]
    )
    active = {s.component: s for s in steps if s.state is AlertState.ACTIVE}
    assert (
        set(active) == {"P0301", "P0420", "P1234"} and active["P1234"].severity is Severity.SOON
    )  # unknown is not silence
    assert "misfires on cylinder 1" in active["P0301"].because and "lamp on" in active["P0301"].because
    assert [s.place for s in steps if s.state is AlertState.RESOLVED and s.component == "P0301"] == [4]


def test_a_lamp_without_a_code_is_not_silence(fold: Callable[..., list[Any]], reading: Callable[..., Reading]):
    steps = fold([reading(0, 1, codes=[], mil=True), reading(9, 2, codes=[], mil=False)])
    assert [(s.component, s.state.value) for s in steps] == [("MIL", "pending"), ("MIL", "active"), ("MIL", "resolved")]


def test_a_brand_can_ignore_a_code_or_make_it_urgent(
    profiles: dict[str, Profile], codes, reading: Callable[..., Reading], fold: Callable[..., list[Any]]
):
    brand = profiles["petrol_hatch"].model_copy(update={"codes": {"P0420": "ignore", "P0301": "now"}})
    judge = Judge(RULES, {"petrol_hatch": brand}, codes=codes)
    steps = fold([reading(0, 1, codes=[("P0420", "confirmed"), ("P0301", "confirmed")])], judge=judge)
    assert {(s.component, s.severity.value) for s in steps} == {("P0301", "now")}


def test_trucks_name_parts_and_failures(fold: Callable[..., list[Any]], reading: Callable[..., Reading]):
    steps = fold(
        [reading(0, 1, codes=[("980/9", "active"), ("3216/20", "active"), ("110/0", "previous")], mil=True)], "truck"
    )
    assert {s.component for s in steps if s.state is AlertState.ACTIVE} == {"980/9", "3216/20"}


def test_a_changed_rule_starts_anew_and_the_others_go_on(profiles: dict[str, Profile], reading: Callable[..., Reading]):
    old = Judge(RULES, profiles)
    memory = old.memory("petrol_hatch")
    for n, volts in enumerate((9.2, 9.3)):
        old.step(memory, reading(60 * n, n + 1, crank=volts, air=25))
    old.step(memory, reading(130, 3, coolant=117))
    from dataclasses import replace

    newer = Judge([replace(r, version=r.version + 1) if r.name == "battery_12v" else r for r in RULES[::-1]], profiles)
    same = Judge(RULES[::-1], profiles)
    for judge, expected in ((newer, []), (same, ["pending", "active"])):
        found = judge.load("petrol_hatch", old.dump(memory), old.versions)
        assert [t.rule for t in judge.open_alerts(found)] == ["coolant_hot"]
        assert states(judge.step(found, reading(131, 4, crank=9.3, air=25)), "battery_12v") == expected
        assert states(judge.step(found, reading(140, 5, coolant=117)), "coolant_hot") == ["active"]


def test_a_checkpoint_of_an_earlier_release_keeps_the_samples_of_its_open_alerts(
    judge: Judge, reading: Callable[..., Reading]
):
    """They stood in the JSON of the tail; now they follow it, packed."""
    memory = judge.memory("petrol_hatch")
    for minute in (0, 1):
        judge.step(memory, reading(minute, minute + 1, coolant=117))
    end = judge.program("petrol_hatch").body_end
    rows = [track.row() for track in judge.open_alerts(memory)]
    rows[0][11] = [[reading(minute).ts, 117.0] for minute in (0, 1)]
    found = judge.load(
        "petrol_hatch", judge.dump(memory[:end] + json.dumps(rows, separators=(",", ":")).encode()), judge.versions
    )
    assert found != memory and judge.open_alerts(found) == judge.open_alerts(memory)
    told = [judge.step(m, reading(2, 3, coolant=117)) for m in (found, memory)]
    assert told[0] == told[1] and len(told[0][0].evidence.series[0].samples) == 2 and found == memory


def test_what_shows_an_open_alert_again_moves_one_number_and_an_earlier_release_can_read_the_rest(
    judge: Judge, reading: Callable[..., Reading]
):
    """The time of the newest evidence lies behind the samples, where earlier releases do not look."""
    memory, end = judge.memory("petrol_hatch"), judge.program("petrol_hatch").body_end
    for n in range(4):
        judge.step(memory, reading(n, n + 1, coolant=117))
    before = bytes(memory[end:])
    judge.step(memory, reading(4, 5, coolant=117))
    assert memory[end:-8] == before[:-8] and memory[-8:] != before[-8:]
    (track,) = judge.open_alerts(memory)
    assert track.newest == reading(4).ts and len(track.samples) == 2
    assert judge.step(memory, reading(3.5, 6, coolant=60)) == () and judge.open_alerts(memory) == (track,)
    (earlier,) = judge.open_alerts(memory[:-8])
    assert earlier.newest == reading(2).ts and (earlier.samples, earlier.since) == (track.samples, track.since)


@pytest.mark.parametrize(
    ("more", "again"), [({"oil": 96}, False), ({"oil": 40}, True), ({}, True), ({"oil": 96, "coolant": 135}, True)]
)
def test_too_hot_an_engine_with_warm_oil_is_believed_without_a_second_look(
    judge: Judge, reading: Callable[..., Reading], monkeypatch: pytest.MonkeyPatch, more: dict[str, float], again: bool
):
    memory, looks = judge.memory("petrol_hatch"), []
    sifted = judge._sifted
    monkeypatch.setattr(judge, "_sifted", lambda *of: looks.append(of[2].ts) or sifted(*of))
    for n in range(40):
        judge.step(memory, reading(n, n + 1, **{"coolant": 117, "rpm": 900, **more}))
    assert (len(looks) > 30) is again


def test_rejected_readings_take_their_alert_back(judge: Judge, reading: Callable[..., Reading]):
    memory = judge.memory("petrol_hatch")
    for n in range(6):
        judge.step(memory, reading(n, n + 1, coolant=117))
    step = judge.withdraw(memory, "coolant_hot", "", ts=1.0, place=9, because="the sensor was unplugged")
    assert (
        step is not None
        and (step.state.value, step.episode, step.step) == ("withdrawn", 1, 2)
        and judge.open_alerts(memory) == ()
    )
    assert judge.withdraw(memory, "coolant_hot", "", ts=1.0, place=9, because="again") is None


SIGNALS = {
    "petrol_hatch": [
        "speed",
        "odometer",
        "air",
        "volts",
        "crank",
        "rest",
        "ignition",
        "rpm",
        "run",
        "oil",
        "gearbox",
        "coolant",
        "service_km",
        "service_s",
        "fluid",
        "tyre_fl",
        "tyre_fr",
        "tyre_rl",
        "tyre_rr",
        "warm_fl",
        "pad_fl",
        "pad_fr",
        "pad_rl",
        "pad_rr",
    ],
}
RANGES = {
    "odometer": (5e7, 5.01e7),
    "speed": (0, 130),
    "rpm": (0, 4000),
    "coolant": (20, 140),
    "oil": (20, 120),
    "gearbox": (20, 120),
    "run": (0, 2_000),
    "ignition": (0, 3),
    "service_km": (-900, 9e3),
    "service_s": (-1e6, 9e6),
}


def values_of(name):
    if name in RANGES:
        low, high = RANGES[name]
    elif name.startswith("tyre"):
        low, high = 120, 260
    elif name in ("volts", "crank", "rest"):
        low, high = 8, 15
    else:
        low, high = 0, 100
    return st.floats(low, high, allow_nan=False, width=32)


@st.composite
def streams(draw):
    names = SIGNALS["petrol_hatch"]
    sets = draw(st.lists(st.sets(st.sampled_from(names), max_size=12), min_size=1, max_size=4))
    rows, minute = [], 0.0
    for _ in range(draw(st.integers(1, 40))):
        minute += draw(st.sampled_from([0.5, 1.0, 7.0, 45.0, 700.0, 1500.0]))
        chosen = sorted(draw(st.sampled_from(sets)))
        codes = draw(st.sampled_from([None, None, None, [], [("P0301", "confirmed")], [("P0420", "pending")]]))
        late = draw(st.integers(0, 9)) == 0
        rows.append((minute, {n: draw(values_of(n)) for n in chosen}, codes, late))
    return rows


def rows_of(stream, reading) -> list[Reading]:
    return [
        reading(m, n + 1, codes=c, mark=Mark.LATE if late else Mark.PLAIN, **v)
        for n, (m, v, c, late) in enumerate(stream)
    ]


@pytest.fixture(scope="module")
def both(profiles: dict[str, Profile], codes):
    """The judge that generates code, and one that goes the long way: they keep no state of a car."""
    return Judge(RULES, profiles, codes=codes), Judge(RULES, profiles, codes=codes, compile_plans=False)


@pytest.fixture(scope="module")
def eager(profiles: dict[str, Profile], codes):
    """A judge that generates a function for every set of signals at its first sight."""
    judge = Judge(RULES, profiles, codes=codes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rules.engine.judge.WORTH_COMPILING", 1)
        patch.setattr("rules.engine.judge.MOST_PLANS", 10**6)
        yield judge


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(stream=streams())
def test_generated_code_judges_as_the_long_way_does(stream, both, eager, reading: Callable[..., Reading]):
    judges = (*both, eager)
    memories = [judge.memory("petrol_hatch") for judge in judges]
    for row in rows_of(stream, reading):
        first, *others = [judge.step(memory, row) for judge, memory in zip(judges, memories)]
        assert others == [first, first]
        assert memories[0] == memories[1] == memories[2]
    assert not any(judge.broken for judge in judges)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    text=st.lists(
        st.tuples(
            st.floats(-2, 90),
            st.dictionaries(
                st.sampled_from(["coolant", "speed", "fluid", "pad_fl"]),
                st.sampled_from([5.0, 90.0, 103.0, 117.0]),
                min_size=1,
            ),
        ),
        min_size=10,
        max_size=120,
    )
)
def test_what_comes_and_goes_is_judged_alike_while_it_is_calm(text, both, eager, reading: Callable[..., Reading]):
    """An open alert that is clear and has to stay so for a while is not looked at; the clock may go back, too."""
    judges, at = (*both, eager), 0.0
    memories = [judge.memory("petrol_hatch") for judge in judges]
    for n, (later, values) in enumerate(text):
        at += later
        row = reading(at, n + 1, **values)
        first, *others = [judge.step(memory, row) for judge, memory in zip(judges, memories)]
        assert others == [first, first] and memories[0] == memories[1] == memories[2]


def test_while_an_alert_only_has_to_stay_clear_a_quiet_message_costs_nothing(
    judge: Judge, reading: Callable[..., Reading], monkeypatch: pytest.MonkeyPatch
):
    memory, looks = judge.memory("petrol_hatch"), []
    slow = judge._slow
    monkeypatch.setattr(judge, "_slow", lambda *of: looks.append(of[2].ts) or slow(*of))
    for n in range(6):
        judge.step(memory, reading(n, n + 1, coolant=117))
    cooled = len(looks)
    steps = [s for n in range(6, 36) for s in judge.step(memory, reading(n, n + 1, coolant=90))]
    assert states(steps, "coolant_hot") == [] and len(looks) == cooled + 3, (
        "the first clear message is written down, and one of each twenty minutes is learned from"
    )
    assert states(judge.step(memory, reading(36, 37, coolant=90)), "coolant_hot") == ["resolved"], (
        "half an hour after it became clear"
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(stream=streams(), cuts=st.sets(st.integers(0, 39), max_size=6))
def test_a_restart_anywhere_changes_nothing(stream, cuts, both, reading: Callable[..., Reading]):
    judge, other = both
    whole, cut = judge.memory("petrol_hatch"), judge.memory("petrol_hatch")
    for n, row in enumerate(rows_of(stream, reading)):
        if n in cuts:
            cut = other.load("petrol_hatch", judge.dump(cut), judge.versions)
        assert judge.step(whole, row) == judge.step(cut, row)
        assert judge.dump(whole) == judge.dump(cut)


def test_an_unknown_model_is_named(judge: Judge):
    from schemas.errors import Misconfigured

    with pytest.raises(Misconfigured, match="no vehicle model"):
        judge.memory("hovercraft")


def test_a_memory_is_small_and_nothing_the_garbage_collector_walks(judge: Judge, profiles: dict[str, Profile]):
    import gc

    for name in profiles:
        memory = judge.memory(name)
        assert len(memory) < 1_960 and not gc.is_tracked(memory)


WEAK = {"crank": 9.0, "air": 25}


def drives(reading, volts):
    """Ten days: each day a weak start, then two hours of driving at that voltage."""
    for day in range(10):
        yield reading(1_440 * day, 1_000 * day + 1, **WEAK)
        for n in range(1, 25):
            yield reading(1_440 * day + 5 * n, 1_000 * day + 1 + n, volts=volts, rpm=2_000, speed=60, ignition=2)


def test_an_alternator_that_does_not_charge_mutes_the_weak_starts_that_it_explains(
    fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    told = {s.rule for s in fold(drives(reading, 14.1)) if s.state is AlertState.ACTIVE}
    assert told == {"battery_12v"}
    steps = [s for s in fold(drives(reading, 11.9)) if s.state is AlertState.ACTIVE]
    (cause,) = [s for s in steps if s.rule == "alternator"]
    assert all(
        s.ts < cause.ts for s in steps if s.rule == "battery_12v"
    )  # only what was told before the cause was known


def test_a_consequence_is_still_explained_for_days_after_its_cause_was_mended(
    judge: Judge, reading: Callable[..., Reading]
):
    memory = judge.memory("petrol_hatch")
    rows = [reading(5 * n, n + 1, volts=11.9, rpm=2_000, speed=60, ignition=2) for n in range(40)]
    rows += [reading(300 + 5 * n, 50 + n, volts=14.1, rpm=2_000, speed=60, ignition=2) for n in range(100)]
    steps = [s for row in rows for s in judge.step(memory, row)]
    assert states(steps, "alternator")[-1] == "resolved"
    end = (steps[-1].ts - rows[0].ts) / 60
    soon = [s for n in range(4) for s in judge.step(memory, reading(end + 60 * (n + 1), 500 + n, **WEAK))]
    assert states(soon, "battery_12v") == []
    late = [s for n in range(4) for s in judge.step(memory, reading(end + 4 * 1_440 + 60 * n, 600 + n, **WEAK))]
    assert "active" in states(late, "battery_12v")
