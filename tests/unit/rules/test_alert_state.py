"""The alert machine, walked: every state under every verdict, then its times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from rules.engine.alert_state import LONG_SETTLE_S, LOWER_S, advance, take_sample, withdraw
from rules.engine.memory import Samples, Track
from schemas.verdict import Clear, Holds, Severity, Unsure

SOON, NOW, ADVICE = Severity.SOON, Severity.NOW, Severity.ADVICE
HOLD, SETTLE = 600.0, 3600.0
VERDICTS = {"holds": Holds(SOON, "bad"), "clear": Clear("good"), "unsure": Unsure("no reading")}


def moved(track, verdict, ts, hold=HOLD, settle=SETTLE):
    return [(m.state.value, m.severity.value, m.step) for m in advance(track, verdict, ts, int(ts), hold, settle)]


def track_in(state):
    track = Track("rule", "")
    if state in ("pending", "active"):
        moved(track, VERDICTS["holds"], 0.0)
    if state == "active":
        moved(track, VERDICTS["holds"], HOLD)
    if state in ("resolved", "lapsed"):
        moved(track, VERDICTS["holds"], 0.0, hold=0.0 if state == "resolved" else HOLD)
        moved(track, VERDICTS["clear"], 1.0, settle=0.0)
    return track


@pytest.mark.parametrize(
    "state, verdict, expected",
    [
        ("idle", "holds", [("pending", "soon", 0)]),
        ("idle", "clear", []),
        ("idle", "unsure", []),
        ("resolved", "holds", [("pending", "soon", 0)]),
        ("resolved", "clear", []),
        ("resolved", "unsure", []),
        ("lapsed", "holds", [("pending", "soon", 0)]),
        ("lapsed", "clear", []),
        ("lapsed", "unsure", []),
        ("pending", "holds", [("active", "soon", 1)]),
        ("pending", "clear", [("lapsed", "soon", 1)]),
        ("pending", "unsure", []),
        ("active", "holds", []),
        ("active", "clear", []),
        ("active", "unsure", []),
    ],
)
def test_each_state_under_each_verdict(state, verdict, expected):
    assert moved(track_in(state), VERDICTS[verdict], 5_000.0) == expected


@pytest.mark.parametrize("samples, states", [(2, ["pending", "active"]), (3, ["pending"]), (1, ["pending", "active"])])
def test_a_hold_is_time_and_samples(samples, states):
    track = Track("rule", "")
    found = [m for ts in (0.0, 5_000.0) for m in advance(track, VERDICTS["holds"], ts, 1, HOLD, SETTLE, samples)]
    kept = Track.from_row(from_json(to_json(track.row())), Samples())
    found += advance(kept, VERDICTS["holds"], 5_000.0, 2, HOLD, SETTLE, samples)  # the same instant is no sample
    assert [m.state.value for m in found] == states
    found += advance(kept, VERDICTS["holds"], 5_001.0, 3, HOLD, SETTLE, samples)
    assert [m.state.value for m in found] == ["pending", "active"]


def test_a_hold_fires_at_the_first_reading_at_or_after_its_end():
    track = Track("rule", "")
    assert moved(track, VERDICTS["holds"], 0.0) == [("pending", "soon", 0)]
    assert moved(track, VERDICTS["holds"], HOLD - 1) == []
    assert moved(track, VERDICTS["holds"], HOLD) == [("active", "soon", 1)]


def test_no_hold_means_pending_and_active_at_once():
    assert moved(Track("rule", ""), VERDICTS["holds"], 0.0, hold=0.0) == [("pending", "soon", 0), ("active", "soon", 1)]


def test_a_silent_car_keeps_its_alert():
    track = track_in("active")
    assert moved(track, VERDICTS["unsure"], 9e9) == [] and track.state == "active"


def test_an_active_alert_resolves_only_after_it_was_clear_for_the_settle_time():
    track = track_in("active")
    assert moved(track, VERDICTS["clear"], 10_000.0) == []
    assert moved(track, VERDICTS["clear"], 10_000.0 + SETTLE - 1) == []
    assert moved(track, VERDICTS["clear"], 10_000.0 + SETTLE) == [("resolved", "soon", 2)]


def test_a_bad_reading_begins_the_settle_time_anew():
    track = track_in("active")
    moved(track, VERDICTS["clear"], 10_000.0)
    moved(track, VERDICTS["holds"], 11_000.0)
    assert moved(track, VERDICTS["clear"], 10_000.0 + SETTLE) == []


def test_worse_is_told_at_once_and_better_only_after_a_day():
    track = track_in("active")
    assert moved(track, Holds(NOW, "worse"), 5_000.0) == [("active", "now", 2)]
    assert moved(track, Holds(ADVICE, "better"), 6_000.0) == []
    assert moved(track, Holds(NOW, "worse"), 7_000.0) == []
    assert moved(track, Holds(ADVICE, "better"), 8_000.0) == []
    assert moved(track, Holds(ADVICE, "better"), 8_000.0 + LOWER_S - 1) == []
    assert moved(track, Holds(ADVICE, "better"), 8_000.0 + LOWER_S) == [("active", "advice", 3)]


def test_a_severity_around_one_limit_is_said_once():
    track, told = track_in("active"), []
    for hour in range(1, 31):
        told += moved(track, Holds(NOW if hour % 6 == 0 else SOON, "around the limit"), 3_600.0 * hour)
    assert told == [("active", "now", 2)]


def test_two_dips_with_unsure_between_are_not_one_that_held():
    track = track_in("pending")
    moved(track, VERDICTS["holds"], 100.0)
    moved(track, VERDICTS["unsure"], 110.0)
    assert moved(track, VERDICTS["holds"], 90_000.0) == []
    kept = Track.from_row(track.row(), Samples())
    for one in (track, kept):
        assert moved(one, VERDICTS["holds"], 90_499.0) == []
        assert moved(one, VERDICTS["holds"], 90_500.0) == [("active", "soon", 1)], "what was held before still counts"


def test_a_message_that_says_nothing_about_it_does_not_pause_a_hold():
    track = track_in("pending")
    moved(track, Unsure("no reading", missing=True), 300.0)
    assert moved(track, VERDICTS["holds"], HOLD) == [("active", "soon", 1)]


def test_what_was_only_pending_is_no_coming_and_going():
    track = Track("rule", "")
    for n in range(40):
        moved(track, VERDICTS["holds"], n * 120.0)
        assert moved(track, VERDICTS["clear"], n * 120.0 + 60) == [("lapsed", "soon", 1)]
    assert not track.flips and Track.from_row(track.row(), Samples()).newest == track.newest


@given(
    st.lists(
        st.tuples(st.sampled_from(["holds", "now", "advice", "clear", "unsure"]), st.integers(0, 400)), max_size=60
    ),
    st.sampled_from([0.0, 30.0]),
    st.sampled_from([0.0, 50.0]),
)
def test_evidence_in_any_order_never_answers_what_is_newer(evidence, hold, settle):
    result = {**VERDICTS, "now": Holds(NOW, "worse"), "advice": Holds(ADVICE, "better")}
    track, held, told = Track("rule", ""), -1.0, -1.0
    for name, ts in evidence:
        was = (track.state, track.severity, track.clear_since, track.since)
        for move in advance(track, result[name], float(ts), 0, hold, settle):
            assert ts >= told, "no step is dated before the one it follows"
            told = ts
            if move.state.value in ("resolved", "lapsed"):
                assert ts >= held, "a Clear never rests on evidence older than what it answers"
        if name != "clear" and name != "unsure":
            held = max(held, ts)
        elif ts < held:
            assert (track.state, track.severity, track.clear_since, track.since) == was
        assert track.clear_since is None or track.clear_since >= track.since


def test_an_older_clear_heals_nothing_and_an_older_fault_begins_nothing():
    track = track_in("active")
    moved(track, VERDICTS["holds"], 9_000.0)
    assert moved(track, VERDICTS["clear"], 8_999.0, settle=0.0) == []
    assert moved(track, Holds(NOW, "worse"), 8_999.0) == []
    assert moved(track, VERDICTS["clear"], 9_000.0, settle=0.0) == [("resolved", "soon", 2)]
    assert moved(track, VERDICTS["holds"], 8_999.0) == []
    assert moved(track, VERDICTS["holds"], 9_001.0) == [("pending", "soon", 0)]


def test_a_track_kept_by_an_earlier_release_answers_from_when_it_began():
    row = track_in("active").row()
    track = Track.from_row(row[:13], Samples())
    assert track.newest == track.since and Track.from_row(["rule", "", "", 3, [5.0, 9.0]], Samples()).newest == 9.0
    assert Track.from_row(row, Samples()).newest == HOLD


def test_a_new_occurrence_is_a_new_episode():
    track = track_in("resolved")
    moved(track, VERDICTS["holds"], 90_000.0)
    assert (track.episode, track.step) == (2, 0)


def test_what_comes_and_goes_becomes_one_intermittent_alert():
    track, told = Track("rule", ""), []
    for n in range(400):
        verdict = VERDICTS["holds"] if n % 2 == 0 else VERDICTS["clear"]
        told += advance(track, verdict, n * 60.0, n, 0.0, 0.0)
    assert sum(m.state.value == "active" for m in told) == 3
    assert track.state == "active" and told[-1].because == "intermittent, 3 times within a day: bad"
    assert moved(track, VERDICTS["clear"], 400 * 60.0 + LONG_SETTLE_S) == [("resolved", "soon", 2)]


def test_a_person_can_take_an_open_alert_back():
    track = track_in("active")
    move = withdraw(track, "the odometer was misread", 700.0)
    assert move is not None and move.state.value == "withdrawn" and not track.open
    assert withdraw(track, "again", 701.0) is None


def test_samples_are_thinned_out_but_keep_their_ends():
    track = track_in("pending")
    for n in range(5_000):
        take_sample(track, float(n), float(n))
    pairs = track.samples.pairs()
    assert len(pairs) == len(track.samples) <= 121 and pairs[0] == [0.0, 0.0] and pairs[-1] == [4999.0, 4999.0]


def test_a_row_without_any_evidence_is_read_back_as_it_was() -> None:
    """Minus infinity is no number of JSON: what writes the tail must say it so that what reads it knows it."""
    idle = Track("brake_pads", "front")
    assert Track.from_row(from_json(to_json(idle.row())), Samples()).newest == float("-inf")
