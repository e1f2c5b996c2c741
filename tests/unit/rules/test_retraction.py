"""A person takes back what was let in: a table of what each alert that stands at that moment becomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import pytest

from rules.engine.judge import Judge
from rules.engine.memory import BODY_AT, tracks_of
from rules.engine.plausibility import Odometer
from rules.engine.retraction import Again, without
from schemas.reading import Mark, Reading

LET_IN = Mark.ACCEPTED | Mark.LATE
QUARANTINED = 7  #: the number in quarantine of the row that is let in


def stream(reading, *rows):
    """(minutes, values) in their places; a third entry marks the one that was let in."""
    made = []
    for place, (minutes, values, *accepted) in enumerate(rows, 1):
        row = reading(minutes, place, mark=LET_IN if accepted else Mark.PLAIN, **values)
        made.append(replace(row, boot=-1, seq=QUARANTINED) if accepted else row)
    return made


def lived(judge, rows: Sequence[Reading], profile="petrol_hatch"):
    memory = judge.memory(profile)
    return memory, [step for row in rows for step in judge.step(memory, row)]


def again(judge, rows: Sequence[Reading], gone=frozenset({QUARANTINED}), profile="petrol_hatch") -> Again:
    found = Again(judge, profile, gone)
    for row in rows:
        found.take(row)
    return found


def taken_back(judge, reading, rows, profile="petrol_hatch"):
    memory, steps = lived(judge, rows, profile)
    at = reading(rows[-1].ts / 60 - reading(0).ts / 60 + 1, len(rows) + 1, mark=Mark.TAKES_BACK)
    after, withdrawn = without(memory, again(judge, rows, profile=profile), at)
    return memory, steps, after, withdrawn


WEAK, GOOD, DAY = {"crank": 9.3, "air": 25}, {"crank": 11.4, "air": 25}, 24 * 60
TABLE = {
    "an alert that would not be is withdrawn": (
        [(0, {"crank": 9.2, "air": 25}, True), (60, WEAK), (120, WEAK)],
        ["pending", "active"],
        ["withdrawn"],
    ),
    "an alert that stands without it stays": (
        [(0, {"crank": 9.2, "air": 25}, True), (60, WEAK), (120, WEAK), (180, WEAK)],
        ["pending", "active"],
        [],
    ),
    "an alert that is over is history": (
        [(0, {"crank": 9.2, "air": 25}, True), (60, WEAK), (120, WEAK), *((180 + 60 * n, GOOD) for n in range(9))],
        ["pending", "active", "resolved"],
        [],
    ),
    "a car without any alert only forgets": ([(0, {"crank": 9.2, "air": 25}, True), (60, GOOD), (120, GOOD)], [], []),
}


@pytest.mark.parametrize("rows, before, after", TABLE.values(), ids=TABLE)
def test_what_becomes_of_the_battery_s_alert(judge: Judge, reading: Callable[..., Reading], rows, before, after):
    rows = stream(reading, *rows)
    _, steps, memory, withdrawn = taken_back(judge, reading, rows)
    assert [s.state.value for s in steps if s.rule == "battery_12v"] == before
    assert [s.state.value for s in withdrawn] == after
    expected, _ = lived(judge, [row for row in rows if not row.mark & Mark.ACCEPTED])
    end = judge.program("petrol_hatch").body_end
    assert memory[BODY_AT:end] == expected[BODY_AT:end], "what the rules remember is not the fold without the row"


def test_the_reason_is_said_in_words_and_names_when(judge: Judge, reading: Callable[..., Reading]):
    rows = stream(reading, *TABLE["an alert that would not be is withdrawn"][0])
    *_, (step,) = taken_back(judge, reading, rows)
    assert "a person had let in and has taken back on 2026-11-23 at 09:31 UTC" in step.because
    assert (step.episode, step.step, step.place) == (1, 2, 4)


def test_a_number_is_never_given_twice(judge: Judge, reading: Callable[..., Reading]):
    rows = stream(reading, *TABLE["an alert that would not be is withdrawn"][0])
    _, _, memory, _ = taken_back(judge, reading, rows)
    assert judge.open_alerts(memory) == ()
    later = [step for n in range(3) for step in judge.step(memory, reading(600 + 60 * n, 10 + n, crank=9.1, air=25))]
    assert [(s.state.value, s.episode) for s in later if s.rule == "battery_12v"] == [("pending", 2), ("active", 2)]


def test_an_alert_that_stands_goes_on_under_its_number_and_can_still_resolve(
    judge: Judge, reading: Callable[..., Reading]
):
    rows = stream(reading, *TABLE["an alert that stands without it stays"][0])
    _, steps, memory, _ = taken_back(judge, reading, rows)
    (track,) = judge.open_alerts(memory)
    assert (track.rule, track.state, track.episode) == ("battery_12v", "active", 1)
    later = [step for n in range(12) for step in judge.step(memory, reading(600 + 60 * n, 10 + n, **GOOD))]
    assert [(s.state.value, s.episode, s.step) for s in later if s.rule == "battery_12v"] == [("resolved", 1, 2)]


def test_a_withdrawn_alternator_does_not_excuse_a_weak_battery_afterwards(
    judge: Judge, reading: Callable[..., Reading]
):
    """A real alternator alert mutes the battery's for three days after its end; one that never was does not."""
    rows = stream(reading, *TABLE["an alert that would not be is withdrawn"][0])
    _, _, memory, _ = taken_back(judge, reading, rows)
    tracks = tracks_of(memory, judge.program("petrol_hatch").body_end)
    assert [track.flips for track in tracks.values()] == [[]]


def odometer_rows(reading, a_week_later=1_995_250_000):
    """A cluster that reads ten times too much: refused, let in by mistake; the next ones are believed because of it."""
    far = {"service_km": 15_000}
    return [
        *stream(
            reading, (0, {"odometer": 199_105_000, **far}), (DAY, far), (DAY, {"odometer": 1_991_050_000, **far}, True)
        ),
        reading(2 * DAY, 4, odometer=1_991_650_000, **far),
        *[reading(8 * DAY + n, 5 + n, odometer=a_week_later, **far) for n in range(15)],
    ]


def test_what_was_believed_only_because_of_it_is_not_believed_any_more(judge: Judge, reading: Callable[..., Reading]):
    rows = odometer_rows(reading)
    _, steps, memory, withdrawn = taken_back(judge, reading, rows)
    assert [(s.rule, s.state.value) for s in steps] == [("service_due", "pending"), ("service_due", "active")]
    assert [(s.rule, s.state.value) for s in withdrawn] == [("service_due", "withdrawn")]
    found = again(judge, rows)
    assert (found.odometer.last.metres, found.odometer.last.ts) == (199_104_992.0, rows[0].ts)  # a float of 32 bits
    later = [
        step
        for n in range(15)
        for step in judge.step(memory, reading(15 * DAY + n, 20 + n, odometer=199_705_000, service_km=14_400))
    ]
    assert later == []


def test_the_jump_itself_is_no_distance_driven(judge: Judge, reading: Callable[..., Reading]):
    """The rule on service does not believe 200,000 km a day: it counts from there on, and that is 50 km a day."""
    _, steps, _, withdrawn = taken_back(judge, reading, odometer_rows(reading, a_week_later=1_991_950_000))
    assert not steps and not withdrawn


@pytest.mark.parametrize(
    "metres, minutes, mark, believed",
    [
        (100_050, 10, Mark.PLAIN, True),
        (50_000, 10, Mark.PLAIN, False),
        (9_000_000, 10, Mark.PLAIN, False),
        (50_000, 10, LET_IN, True),
        (50_000, 10, Mark.CLOCK_SUSPECT, True),
        (50_000, -10, Mark.PLAIN, True),
        (99_000, 10, Mark.PLAIN, True),
    ],
)
def test_an_odometer_is_believed_anew_as_the_gateway_believed_it(
    reading: Callable[..., Reading], metres, minutes, mark, believed
):
    odometer = Odometer()
    odometer.see(reading(0, 1, odometer=100_000, speed=50))
    row = odometer.see(reading(minutes, 2, odometer=metres, speed=50, mark=mark))
    assert len(row.ids) == (2 if believed else 1) and len(row.values) == len(row.ids)


def test_two_taken_back_one_after_the_other_leave_the_fold_without_both(judge: Judge, reading: Callable[..., Reading]):
    first, second = {"crank": 9.2, "air": 25}, {"crank": 9.0, "air": 25}
    rows = stream(reading, (0, first, True), (60, second, True), (120, WEAK), (180, GOOD))
    rows[1] = replace(rows[1], seq=8)
    memory, steps = lived(judge, rows)
    assert steps
    for n, gone in enumerate(({7}, {7, 8}), 5):
        memory, withdrawn = without(memory, again(judge, rows, gone), reading(200 + n, n, mark=Mark.TAKES_BACK))
        rows = [*rows, reading(200 + n, n, mark=Mark.TAKES_BACK)]
    expected, _ = lived(judge, [row for row in rows if not row.mark])
    end = judge.program("petrol_hatch").body_end
    assert memory[BODY_AT:end] == expected[BODY_AT:end] and judge.open_alerts(memory) == ()


def test_whatever_a_car_said_nothing_open_rests_on_what_was_taken_back(judge: Judge, reading: Callable[..., Reading]):
    """Five hundred random lives: afterwards every open alert is open in the fold without the row, and the rest is that
    fold.
    """
    end = judge.program("petrol_hatch").body_end
    withdrawn_in = 0
    for seed in range(500):
        luck = Random(seed)
        rows = []
        for n in range(luck.randint(3, 14)):
            values = {"crank": luck.choice([8.9, 9.3, 11.2]), "air": 25, "coolant": luck.choice([88, 117])}
            row = reading(60 * n, n + 1, **values)
            if luck.random() < 0.25:
                row = replace(row, boot=-1, seq=100 + n, mark=LET_IN)
            rows.append(row)
        accepted = [row.seq for row in rows if row.mark]
        if not accepted:
            continue
        gone = {luck.choice(accepted)}
        memory, _ = lived(judge, rows)
        after, withdrawn = without(memory, again(judge, rows, gone), reading(2_000, 99, mark=Mark.TAKES_BACK))
        expected, _ = lived(judge, [row for row in rows if row.seq not in gone or not row.mark])
        assert after[BODY_AT:end] == expected[BODY_AT:end]
        would = {(t.rule, t.component): t for t in judge.open_alerts(expected)}
        stand = {(t.rule, t.component): t for t in judge.open_alerts(after)}
        assert set(stand) <= set(would)
        assert all(would[key].state == "active" for key, track in stand.items() if track.state == "active")
        gone_now = {(t.rule, t.component) for t in judge.open_alerts(memory)} - set(stand)
        assert {(s.rule, s.component) for s in withdrawn} == gone_now
        withdrawn_in += bool(withdrawn)
    assert withdrawn_in > 10
