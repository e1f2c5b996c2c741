"""The numbers of a house are those that a patient person would count by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.service.funnel import by_rule, funnel, interval, mean_score, numbers
from schemas.journey import JOURNEY, Journey, Step

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
PATIENCE = timedelta(minutes=30)


def _journey(case: int, *steps: Step, **more: object) -> Journey:
    return Journey(case, {step: MONDAY + timedelta(hours=n) for n, step in enumerate(steps)}, **more)  # type: ignore[arg-type]


_journeys = st.lists(
    st.builds(
        Journey,
        st.just(0),
        st.dictionaries(st.sampled_from(Step), st.datetimes(timezones=st.just(UTC))).map(
            lambda found: {Step.FOUND: MONDAY, **found}
        ),
        closed=st.booleans(),
        comebacks=st.integers(0, 2),
        texts=st.integers(0, 3),
        answered=st.booleans(),
        kept=st.integers(0, 3),
        broken=st.integers(0, 2),
        asked=st.booleans(),
        rules=st.lists(st.sampled_from(["a", "b"]), unique=True).map(tuple),
    ),
    max_size=30,
).map(lambda found: [Journey(**{**_fields(one), "case_id": n}) for n, one in enumerate(found, 1)])


def _fields(one: Journey) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


@given(_journeys)
def test_nobody_is_lost_between_two_steps(journeys: list[Journey]) -> None:
    passages = funnel(journeys)

    assert len(passages[0].reached) == len(journeys)
    for before, after in zip(passages, passages[1:], strict=False):
        parts = [*after.reached, *after.lost, *after.open]
        assert sorted(parts) == sorted(before.reached)


@given(_journeys)
def test_each_number_is_the_cases_behind_it(journeys: list[Journey]) -> None:
    known = {one.case_id for one in journeys}
    for number in numbers(journeys, patience=PATIENCE):
        assert set(number.cases) <= known and len(set(number.cases)) == len(number.cases)
        assert number.count <= (number.of or 0)
        if number.key not in ("kept", "moved", "broken", "silent"):
            assert number.count == len(number.cases)


def test_a_step_that_nobody_wrote_down_was_passed_by_whoever_took_a_later_one() -> None:
    passages = {one.stop.step: one for one in funnel([_journey(1, Step.FOUND, Step.AGREED)])}

    assert passages[Step.TOLD].reached == (1,)
    assert passages[Step.TOLD].took is None
    assert passages[Step.AGREED].took == timedelta(hours=1)
    assert passages[Step.HERE].open == (1,)


def test_a_case_that_was_closed_is_lost_before_the_step_that_it_never_took() -> None:
    passages = {one.stop.step: one for one in funnel([_journey(7, Step.FOUND, Step.TAKEN, closed=True)])}

    assert passages[Step.TOLD].lost == (7,) and not passages[Step.TOLD].open
    assert not passages[Step.AGREED].lost


def test_who_took_longer_than_the_map_allows_is_named() -> None:
    slow = Journey(1, {Step.FOUND: MONDAY, Step.TAKEN: MONDAY + timedelta(hours=4, seconds=1)})
    quick = Journey(2, {Step.FOUND: MONDAY, Step.TAKEN: MONDAY + timedelta(hours=4)})

    taken = funnel([slow, quick])[1]

    assert taken.late == (1,)


def test_an_owner_who_was_never_asked_is_not_one_who_did_not_answer() -> None:
    found = {
        one.key: one.cases
        for one in numbers(
            [
                _journey(1, Step.FOUND),
                _journey(2, Step.FOUND, texts=1),
                _journey(3, Step.FOUND, Step.TOLD, texts=1, left=1),
                _journey(4, Step.FOUND, Step.TOLD, texts=1, left=1, answered=True),
            ],
            patience=PATIENCE,
        )
    }

    assert (found["never_asked"], found["never_reached"], found["no_answer"]) == ((1,), (2,), (3,))


def test_fixed_the_first_time_counts_what_is_settled_and_says_how_sure_it_is() -> None:
    healed = [_journey(n, Step.FOUND, Step.REPAIRED, Step.PROVED, closed=True) for n in range(9)]
    back, waiting = _journey(9, Step.FOUND, comebacks=1), _journey(10, Step.FOUND, Step.REPAIRED)

    first = numbers([*healed, back, waiting], patience=PATIENCE)[0]

    assert (first.key, first.count, first.of, first.percent) == ("first_time", 9, 10, 90)
    assert first.between == (60, 98)


def test_an_interval_lies_in_what_is_possible() -> None:
    assert interval(0, 0) is None
    assert interval(0, 5) == (0, 43)
    assert interval(5, 5) == (57, 100)


def test_rules_stand_in_the_order_of_their_finds() -> None:
    found = by_rule([_journey(1, Step.FOUND, rules=("a", "b")), _journey(2, Step.FOUND, rules=("b",), dismissed=True)])

    assert [(one.rule, one.found, one.dismissed) for one in found] == [("b", (1, 2), (2,)), ("a", (1,), ())]


def test_without_an_answer_there_is_no_mean() -> None:
    assert mean_score([_journey(1, Step.FOUND)]) is None
    assert mean_score([_journey(1, score=4), _journey(2, score=5)]) == 4.5


def test_the_map_begins_with_the_car_and_ends_with_it() -> None:
    assert [stop.step for stop in JOURNEY] == list(Step)
    assert JOURNEY[0].who == JOURNEY[-1].who == "the car"
