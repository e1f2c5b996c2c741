"""Fixed is a claim until the car proves it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rules.catalogue import BY_NAME, RULES
from rules.engine.repair_verification import Disproved, NotYet, Proved, check, demand
from schemas.profile import Profile
from schemas.reading import Reading


def wanted(rule, profiles, component="", model="petrol_hatch"):
    return [demand(BY_NAME[rule].proof, rule, component, profiles[model])]


def test_a_tyre_is_proved_by_two_drives_at_its_placard(profiles: dict[str, Profile], reading: Callable[..., Reading]):
    demands = wanted("tyre_leak", profiles, "front_left")
    first = [reading(m, m + 1, tyre_fl=233) for m in range(0, 15, 5)]
    assert isinstance(check(demands, first), NotYet)
    second = [reading(60 + m, 60 + m, tyre_fl=234) for m in range(0, 15, 5)]
    assert isinstance(check(demands, first + second), Proved)


def test_the_band_follows_the_axle(profiles: dict[str, Profile]):
    front, rear = (wanted("tyre_leak", profiles, c)[0] for c in ("front_left", "rear_left"))
    assert front["low"] == pytest.approx(0.9 * 234) and rear["low"] == pytest.approx(0.9 * 220)


def test_a_tyre_that_is_low_again_disproves_it(profiles: dict[str, Profile], reading: Callable[..., Reading]):
    demands = wanted("tyre_leak", profiles, "front_left")
    assert isinstance(check(demands, [reading(m, m + 1, tyre_fl=180) for m in range(0, 40, 5)]), Disproved)


def test_a_cold_engine_proves_nothing_yet_and_a_warm_one_does(
    profiles: dict[str, Profile], reading: Callable[..., Reading]
):
    demands = wanted("thermostat_open", profiles)
    cold = [reading(m, m + 1, coolant=30 + m) for m in range(20)]
    assert isinstance(check(demands, cold), NotYet)
    assert isinstance(check(demands, [*cold, *(reading(20 + m, 30 + m, coolant=88) for m in range(8))]), Proved)


def test_a_code_is_proved_gone_over_two_drives(profiles: dict[str, Profile], reading: Callable[..., Reading]):
    demands = wanted("trouble_code", profiles, "P0301")
    assert isinstance(check(demands, []), NotYet)
    permanent = [reading(0, 1, codes=[("P0301", "permanent")])]
    assert isinstance(check(demands, permanent), NotYet)
    gone = [reading(1, 2, codes=[]), reading(60, 3, coolant=80)]
    assert isinstance(check(demands, gone), Proved)
    again = [reading(1, 2, codes=[]), reading(90, 3, codes=[("P0301", "confirmed")])]
    assert isinstance(check(demands, again), Disproved)


def test_silence_proves_nothing(profiles: dict[str, Profile]):
    for rule in RULES:
        assert isinstance(check([demand(rule.proof, rule.name, "front_left", profiles["petrol_hatch"])], []), NotYet)
