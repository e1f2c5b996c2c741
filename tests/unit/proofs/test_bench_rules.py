"""The bench of the rules gives the keys that callers rely on, and every peer agrees that the healthy cars are
healthy.
"""

from __future__ import annotations

import pytest

from proofs.bench import rules as bench
from proofs.score.living import the_judge


@pytest.mark.slow
async def test_the_bench_answers_with_its_keys(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "REPEATS", 1)
    facts = await bench.main(None, vehicles=2_000)
    assert {"ns_per_rule_reading", "bytes_per_vehicle", "ratio_to_fastest_peer"} <= set(facts)
    assert set(facts["peers_ns_per_evaluated_rule"]) == {"rule-engine", "zen-engine", "cel"}
    assert set(facts["memory"]) == {"1000", "2000", "10000", "100000"} and facts["bytes_per_vehicle"] < 2_000


def test_all_engines_say_the_same_of_the_same_condition():
    values = {f"v{i}": 0.0 for _, ids in bench.CONDITIONS.values() for i in ids}
    hot, calm = {**values, "v11": 110.0}, {**values, "v11": 90.0}
    for engine in (bench._rule_engine(), bench._zen(), bench._cel()):
        assert set(engine) == set(bench.CONDITIONS)
        assert engine["coolant_hot"](hot) and not engine["coolant_hot"](calm)


def test_the_bench_has_a_condition_for_every_rule_that_readings_move():
    moved = {line.name for line in the_judge().program(bench.MODEL).lines if line.fitted.triggers}
    assert moved == set(bench.CONDITIONS)
