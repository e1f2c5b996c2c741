"""Who may sign in, and what too many tries cost whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ops.sign_ins import RIGHT_BURST, STRANGERS, WRONG_BURST, Reason, SignIns, is_session_of
from gateway.token_bucket import Allowance
from schemas.credentials import secret_hash

VIN, OTHER = "WVWZZZ1JZXW000001", "WVWZZZ1JZXW000002"


def made() -> SignIns:
    return SignIns({VIN: secret_hash("right"), OTHER: secret_hash("other")})


def test_a_right_secret_is_let_in_however_many_wrong_ones_came_from_its_address() -> None:
    """A stranger behind the same carrier, or somebody who knows a VIN, locks nobody out."""
    doors = made()
    for n in range(1_000):
        doors.judge(VIN, f"wrong {n}", VIN, "198.51.100.7", 0.0)
    assert doors.judge(VIN, "right", VIN, "198.51.100.7", 0.0) is None
    assert doors.judge(OTHER, "other", OTHER, "198.51.100.7", 0.0) is None


@pytest.mark.parametrize(
    "places",
    [
        ["198.51.100.7"] * 1_000,
        [f"2001:db8::{n:x}" for n in range(1_000)],
        [f"198.51.{n // 250}.{n % 250}" for n in range(1_000)],
    ],
    ids=["one address", "one IPv6 customer", "many addresses against one car"],
)
def test_beyond_a_few_wrong_tries_get_no_answer(places: list[str]) -> None:
    doors = made()
    result = [doors.judge(VIN, "wrong", VIN, place, 0.0) for place in places]
    assert result.count(Reason.WRONG_SECRET) == WRONG_BURST and result.count(Reason.UNANSWERED) == 1_000 - WRONG_BURST
    assert doors.judge(VIN, "wrong", VIN, places[0], 3_600.0) is Reason.WRONG_SECRET  # an hour later


def test_a_car_may_come_often_but_not_all_the_time() -> None:
    doors = made()
    sessions = [VIN, *(f"{VIN}-{n}" for n in range(1, 10))]
    result = [doors.judge(VIN, "right", sessions[n % 10], "198.51.100.7", 0.001 * n) for n in range(600)]
    assert result.count(None) == RIGHT_BURST and result.count(Reason.TOO_OFTEN) == 600 - RIGHT_BURST
    assert doors.judge(OTHER, "other", OTHER, "198.51.100.7", 0.6) is None
    assert doors.judge(VIN, "right", VIN, "198.51.100.7", 60.0) is None


def test_what_is_refused_is_counted_for_the_car_and_made_up_names_together() -> None:
    doors = made()
    for n in range(500):
        doors.judge(f"WVWZZZ1JZXW{n:06d}", "wrong", "x", f"198.51.100.{n % 250}", 0.0)
    doors.judge(VIN, "right", "gateway-03", "198.51.100.1", 0.0)
    told = doors.refused()
    assert {vin for vin, _ in told} == {STRANGERS, VIN, OTHER}
    assert told[(VIN, Reason.CLIENT_ID)].times == 1 and told[(VIN, Reason.CLIENT_ID)].place == "198.51.100.1"
    assert sum(times.times for times in told.values()) == 501
    assert doors.refused() == {}


@given(st.text(max_size=30))
def test_a_car_has_ten_names_for_its_sessions(client_id: str) -> None:
    assert is_session_of(VIN, client_id) == (client_id in {VIN, *(f"{VIN}-{n}" for n in range(1, 10))})
    assert (
        is_session_of(VIN, VIN)
        and is_session_of(VIN, f"{VIN}-9")
        and not is_session_of(VIN, f"{VIN}-0")
        and not is_session_of(VIN, f"{VIN}-٣")
    )


@given(st.lists(st.tuples(st.floats(0, 50), st.sampled_from("ab"), st.integers(1, 3)), max_size=300))
def test_an_allowance_is_never_more_than_its_burst_and_what_time_gave_back(tries: list[tuple[float, str, int]]) -> None:
    allowance, had = Allowance(5, 2.0), {"a": 0, "b": 0}
    for now, key, much in sorted(tries):
        if allowance.take(key, now, much):
            had[key] += much
        assert had[key] <= 5 + now / 2.0 + 1e-6


def test_an_allowance_forgets_whoever_was_quiet_and_stays_small() -> None:
    allowance = Allowance(5, 1.0)
    for n in range(50_000):
        assert allowance.take(n, float(n))
    assert len(allowance._paid_at) <= 10_000
