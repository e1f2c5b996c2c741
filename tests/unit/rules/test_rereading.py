"""A person has accepted that a car sends another unit: rules read it in ours, live, late, anew and after a restart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rules.catalogue import RULES
from rules.engine.judge import Judge
from rules.engine.rule import Rule
from schemas.correction import CORRECTABLE, UNITS, kept, marked, number_of
from schemas.reading import Mark
from schemas.signal import BY_ID

WHEELS = ("tyre_fl", "tyre_fr", "tyre_rl", "tyre_rr")
DRIVE = {"speed": 95, "ignition": 2, "air": 5, "rpm": 2200}
PSI = dict.fromkeys(WHEELS, 34.0)


def marker(reading: Any, minute: float, place: int, unit: str | None, signals: tuple[int, ...] = (70, 71, 72, 73)):
    ids, values = marked(signals, unit)
    return replace(reading(minute, place), ids=ids, values=values, mark=Mark.NO_COUNTER | Mark.REREAD)


def told(steps: Any) -> list[tuple[str, str, str]]:
    return [(s.rule, s.component, s.state.value) for s in steps]


def doubted(judge: Judge, reading: Any) -> Any:
    memory = judge.memory("petrol_hatch")
    steps = [s for n in range(40) for s in judge.step(memory, reading(n / 6, n + 1, **DRIVE, **PSI))]
    assert {s.component for s in steps if s.state.value == "active"} == {
        f"tyre_pressure_{wheel}" for wheel in ("front_left", "front_right", "rear_left", "rear_right")
    }
    return memory


def test_the_item_closes_with_the_click_and_values_are_believed_from_then_on(judge: Judge, reading: Any):
    memory = doubted(judge, reading)
    steps = judge.step(memory, marker(reading, 7, 41, "psi"))
    assert [s.state.value for s in steps] == ["withdrawn"] * 4 and all("psi" in s.because for s in steps)
    assert all(s.component.removeprefix("tyre_pressure_").replace("_", " ") in s.because for s in steps), "each its own"
    assert not judge.open_alerts(memory)
    after = [s for n in range(60) for s in judge.step(memory, reading(8 + n / 6, 42 + n, **DRIVE, **PSI))]
    assert after == [], "34 psi are 234 kPa"
    flat = {**PSI, "tyre_rl": 20.0}
    low = [s for n in range(400) for s in judge.step(memory, reading(20 + n / 6, 102 + n, **DRIVE, **flat))]
    active = [s for s in low if s.state.value == "active"]
    assert "tyre_leak" in {s.rule for s in active} and {s.component for s in active} == {"rear_left"}
    assert "138 kPa" in active[0].because, "what is said of it is in our unit"


def test_it_is_taken_back_and_the_item_comes_back(judge: Judge, reading: Any):
    memory = doubted(judge, reading)
    judge.step(memory, marker(reading, 7, 41, "psi"))
    for n in range(10):
        assert judge.step(memory, reading(8 + n / 6, 42 + n, **DRIVE, **PSI)) == ()
    assert judge.step(memory, marker(reading, 12, 60, None)) == () and not judge.read_as(memory)
    steps = [s for n in range(40) for s in judge.step(memory, reading(13 + n / 6, 61 + n, **DRIVE, **PSI))]
    assert {s.rule for s in steps if s.state.value == "active"} == {"sensor_implausible"}


def test_a_checkpoint_keeps_it_also_for_rules_of_another_version(judge: Judge, profiles: Any, reading: Any):
    memory = doubted(judge, reading)
    judge.step(memory, marker(reading, 7, 41, "psi"))
    kept_memory = judge.dump(memory)
    newer: list[Rule] = [replace(r, version=r.version + 1) for r in RULES]
    for other in (judge, Judge(newer, profiles)):
        again = other.load("petrol_hatch", kept_memory)
        assert {u.name for u in other.read_as(again).values()} == {"psi"} and len(other.read_as(again)) == 4
        assert [s for n in range(60) for s in other.step(again, reading(8 + n, 42 + n, **DRIVE, **PSI))] == []


def test_the_long_way_says_the_same(judge: Judge, profiles: Any, reading: Any):
    plain = Judge(RULES, profiles, compile_plans=False)
    rows = [reading(n / 6, n + 1, **DRIVE, **PSI) for n in range(30)]
    rows += [marker(reading, 6, 31, "psi"), *(reading(7 + n, 32 + n, **DRIVE, **PSI) for n in range(30))]
    one, two = judge.memory("petrol_hatch"), plain.memory("petrol_hatch")
    assert [told(judge.step(one, row)) for row in rows] == [told(plain.step(two, row)) for row in rows]
    assert one == two


def test_a_late_reading_is_read_so_too(judge: Judge, reading: Any):
    line = next(line for line in judge.program("petrol_hatch").lines if line.name == "tyre_leak")

    def learned(memory: Any) -> bool:
        before = bytes(memory[line.at : line.at + line.fitted.size])
        judge.step(memory, replace(reading(9, 42, **PSI), mark=Mark.LATE))
        return bytes(memory[line.at : line.at + line.fitted.size]) != before

    memory = doubted(judge, reading)
    assert not learned(memory), "as it was said no history takes it in"
    judge.step(memory, marker(reading, 7, 41, "psi"))
    assert learned(memory)


@pytest.mark.parametrize("signal_id", CORRECTABLE)
def test_each_unit_has_a_number_that_a_memory_keeps(signal_id: int):
    for unit in UNITS[BY_ID[signal_id].unit]:
        assert 0 < number_of(signal_id, unit.name) < 16
    assert number_of(signal_id, None) == 0 and kept(bytes(8), 0) == {}
