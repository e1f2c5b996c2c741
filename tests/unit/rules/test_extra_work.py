"""Extra work: what may still be answered, what holds the work up, what comes back; and money as it is typed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.service import money
from rules.service.extra_work import ASKED_OF, advice, holds_up, past
from schemas.booking import BookingState
from schemas.errors import BadInput
from schemas.estimate import EstimateLine

NOW = datetime(2026, 11, 27, 10, tzinfo=UTC)


def line(title: str = "Front pads", answer: str | None = None, *, withdrawn: bool = False, n: int = 1) -> EstimateLine:
    return EstimateLine(
        id=n, booking_id=1, title=title, amount_minor=100, answer=answer, withdrawn_at=NOW if withdrawn else None
    )


@given(
    st.lists(st.tuples(st.sampled_from([None, "approved", "declined"]), st.booleans())), st.sampled_from(BookingState)
)
def test_work_waits_for_exactly_what_may_still_be_answered(kinds, state):
    lines = [line(f"Line {n}", answer, withdrawn=gone and answer is None) for n, (answer, gone) in enumerate(kinds)]
    open_ = [one for one in lines if past(one, BookingState.WORKING) is None]
    assert (holds_up(lines) is None) == (open_ == [])
    assert all(one.title in (holds_up(lines) or "") for one in open_)
    for one in lines:
        assert (past(one, state) is None) == (one.open and state in ASKED_OF)


def test_what_was_declined_comes_back_until_it_is_done():
    lines = [line("Pads", "declined"), line("Wipers", "approved"), line("pads ", "approved"), line("Fluid", "declined")]
    assert [one.title for one in advice(lines)] == ["Fluid"]
    assert [one.title for one in advice(lines[:1])] == ["Pads"] and advice([line("Pads")]) == ()


@pytest.mark.parametrize(
    ("text", "country", "minor"),
    [("189.90", "DE", 18990), ("189,9", "DE", 18990), (" 1 189,90 ", "DE", 118990), ("60", "DE", 6000), ("", "DE", 0)]
    + [("500", "JP", 500), ("0.5", "US", 50)],
)
def test_money_is_read_as_people_write_it(text, country, minor):
    assert money.read(text, country, "parts") == minor


@pytest.mark.parametrize(
    ("text", "country"),
    [("1.189", "DE"), ("-5", "DE"), ("12,345,6", "DE"), ("5.5", "JP"), ("five", "DE"), ("9" * 9, "DE")],
)
def test_what_could_be_two_amounts_is_none(text, country):
    with pytest.raises(BadInput) as refused:
        money.read(text, country, "parts")
    assert refused.value.field == "parts"


@given(st.integers(0, money.MOST), st.sampled_from(["DE", "GB", "US", "JP", "CH"]))
def test_an_amount_comes_back_as_it_was_written(amount, country):
    digits = money.written(amount, country, "en").replace(",", "")
    plain = "".join(c for c in digits if c.isdigit() or c == ".")
    assert money.read(plain, country, "parts") == amount
