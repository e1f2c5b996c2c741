"""The fuzz proof itself: green on the house, red when a guard is taken out. Its time limit is not looked at here."""

from __future__ import annotations

import random

import pytest

from proofs import fuzz, poison


def run(switch: str | None, rounds: int) -> fuzz.Tally:
    dice, tally = random.Random("test"), fuzz.Tally()
    with fuzz._sabotaged(switch):
        for _ in range(rounds):
            for kind in poison.KINDS:
                payload = kind(dice)
                fuzz.decode(tally, payload, kind.__name__)
                fuzz._stream(tally, payload, kind.__name__, dice)
    return tally


def test_whatever_a_car_says_is_read_or_refused_for_a_reason():
    tally = run(None, 15)
    assert not tally.uncaught and not tally.untrue
    assert {"read", "read in part", "not_json", "not_telemetry", "not_finite"} <= set(tally.verdicts)


def test_a_decoder_that_trusts_is_found_out():
    tally = run("trusting-decoder", 5)
    assert tally.uncaught and tally.violations


@pytest.mark.parametrize("kind", poison.KINDS, ids=lambda kind: kind.__name__)
def test_the_same_seed_makes_the_same_poison(kind):
    assert [kind(random.Random(7)) for _ in range(5)] == [kind(random.Random(7)) for _ in range(5)]
