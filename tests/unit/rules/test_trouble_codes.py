"""Lamps, failure modes and spellings of trouble codes, and lists that come in the wrong order."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from rules.engine.code_book import CodeBook, canonical
from rules.engine.judge import Judge
from rules.service.wording import Wording
from schemas.alert import AlertState
from schemas.reading import Reading
from telltale import data


def lit(row, **lamps):
    row.diagnostics = row.diagnostics.model_copy(update=lamps)
    return row


def active(steps):
    return {s.component: s.severity.value for s in steps if s.state is AlertState.ACTIVE}


@pytest.mark.parametrize("listed", [[], [("520192/31", "active")], [("980/9", "active")]])
def test_a_red_stop_lamp_is_urgent_whatever_the_codes(
    listed, fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    assert active(fold([lit(reading(0, 1, codes=listed), stop=True)], "truck"))["stop_lamp"] == "now"


def test_a_flashing_lamp_is_urgent_also_beside_its_code(
    fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    told = active(fold([lit(reading(0, 1, codes=[("P0301", "confirmed")], mil=True), flash={"mil": "fast"})]))
    assert told["flashing_lamp"] == "now" and "P0301" in told


@pytest.mark.parametrize("lamp", ["warning", "protect"])
def test_each_lamp_alone_comes_and_goes(lamp, fold: Callable[..., list[Any]], reading: Callable[..., Reading]):
    steps = fold([lit(reading(0, 1, codes=[]), **{lamp: True}), reading(9, 2, codes=[])], "truck")
    assert [(s.component, s.state.value) for s in steps] == [
        (f"{lamp}_lamp", state) for state in ("pending", "active", "resolved")
    ]


def test_a_code_that_comes_later_does_not_put_the_lamp_out(
    fold: Callable[..., list[Any]], reading: Callable[..., Reading]
):
    steps = fold([reading(0, 1, codes=[], mil=True), reading(9, 2, codes=[("P0420", "confirmed")], mil=True)])
    assert not [s for s in steps if s.state is AlertState.RESOLVED]


def test_the_failure_mode_is_part_of_the_meaning(codes):
    assert [codes.word(f"100/{mode}").severity.value for mode in (1, 18, 17, 4)] == ["now", "now", "soon", "soon"]
    assert codes.word("100/1").title.endswith(": far too low") and codes.word("100/31").title.endswith(
        ": condition exists"
    )
    assert [CodeBook().word(f"520192/{mode}").severity.value for mode in (0, 15, 16, 20)] == [
        "now",
        "advice",
        "soon",
        "soon",
    ]
    assert len({CodeBook().word(f"520192/{mode}").title for mode in range(32)}) == 32


@pytest.mark.parametrize(
    "text, one",
    [
        ("P0217-00", "P0217"),
        ("P021700", "P0217"),
        ("p0217", "P0217"),
        ("P03011A", "P0301-1A"),
        ("P0000", ""),
        ("P0000-00", ""),
        ("980/9", "980/9"),
    ],
)
def test_one_spelling(text, one):
    assert canonical(text) == one


def test_one_fault_is_one_alert_and_no_code_is_none(fold: Callable[..., list[Any]], reading: Callable[..., Reading]):
    steps = fold(
        [
            reading(n, n + 1, codes=[(code, "confirmed")])
            for n, code in enumerate(["P0217", "P0217-00", "P021700", "P0217"])
        ]
    )
    assert [(s.component, s.state.value) for s in steps] == [("P0217", "pending"), ("P0217", "active")]
    assert fold([reading(0, 1, codes=[("P0000", "confirmed")])]) == []


def test_in_any_order_of_lists_the_newest_has_the_last_word(judge: Judge, reading: Callable[..., Reading]):
    lists = [(0, []), (10, [("P0301", "confirmed")]), (20, []), (30, [("P0420", "confirmed")])]
    for order in itertools.permutations(lists):
        memory, steps = judge.memory("petrol_hatch"), []
        for place, (minute, codes) in enumerate(order, start=1):
            steps += judge.step(memory, reading(minute, place, codes=codes))
        assert [track.component for track in judge.open_alerts(memory)] == ["P0420"]
        for component in {s.component for s in steps}:
            times = [s.ts for s in steps if s.component == component]
            assert times == sorted(times)


def test_lamps_have_words_in_every_language():
    wording = Wording(data.texts())
    for language in wording.languages:
        words = [
            wording.what(language, "trouble_code", lamp)
            for lamp in ("MIL", "stop_lamp", "warning_lamp", "protect_lamp", "flashing_lamp")
        ]
        assert len(set(words)) == 5 and not any("_" in one_text or "MIL" in one_text for one_text in words)
