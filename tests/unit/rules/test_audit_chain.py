"""The chain of history: whatever is done to a sealed row is found, at the row to which it was done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.service.audit_chain import LONGEST, START, TAKEN_OUT, Chain, head, link, removal, words_of
from schemas.audit import Entry, Fault, Seal

KEY = b"k" * 32
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def entry(n: int, **changed) -> Entry:
    result = Entry(n, 1, "case", 7, "open", "dismissed", "sold", "staff:3", NOON + timedelta(minutes=n))
    return replace(result, **changed)


def sealed(
    entries: list[Entry], *, every: timedelta = timedelta(seconds=1), key: bytes = KEY
) -> list[tuple[Seal, Entry | None]]:
    found, before = [], START
    for place, one in enumerate(entries, 1):
        at = NOON + timedelta(days=1) + every * place
        before = link(key, before, place, one, at)
        found.append((Seal(1, place, one.id, before, at), one))
    return found


def walked(
    rows: list[tuple[Seal, Entry | None]],
    *,
    end: Seal | None = None,
    also: tuple[Entry, ...] = (),
    known: dict[int, bytes] | None = None,
) -> list[Fault]:
    chain = Chain(KEY, 1)
    chain.known = known or {}
    found = [fault for seal, one in rows for fault in chain.walk(seal, one)]
    for one in also:
        chain.note(one)
    last = end or rows[-1][0]
    return found + chain.end(head(KEY, 1, last.position, last.hash))


ROWS = sealed([entry(n) for n in range(1, 8)])


def test_what_nobody_touched_holds():
    assert walked(ROWS) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"id": 99},
        {"dealer_id": 2},
        {"noun": "offer"},
        {"subject_id": 8},
        {"old": None},
        {"old": "Open"},
        {"new": "done"},
        {"reason": ""},
        {"reason": "sold "},
        {"actor": "staff:4"},
        {"at": NOON},
        {"removed": b"x" * 32, "erasure_id": 1},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_a_row_of_which_anything_was_changed_is_named(changed):
    rows = list(ROWS)
    rows[3] = (rows[3][0], replace(rows[3][1], **changed))
    found = walked(rows)
    assert {(fault.what, fault.position) for fault in found} >= {("changed", 4)}
    assert all(fault.position in (4, None) for fault in found)


@pytest.mark.parametrize(
    "changed",
    [{"hash": b"y" * 32}, {"sealed_at": NOON}, {"history_id": 99}, {"position": 40}],
    ids=lambda changed: next(iter(changed)),
)
def test_a_seal_of_which_anything_was_changed_is_named(changed):
    rows = list(ROWS)
    rows[3] = (replace(rows[3][0], **changed), rows[3][1] if "history_id" not in changed else None)
    assert walked(rows)


def test_a_row_that_is_gone_is_named_and_a_place_that_is_gone_too():
    rows = list(ROWS)
    rows[3] = (rows[3][0], None)
    assert [(fault.what, fault.history_id) for fault in walked(rows)] == [("removed", 4)]
    found = walked([*ROWS[:3], *ROWS[4:]])
    assert [(fault.what, fault.position) for fault in found] == [("removed", 4), ("changed", 5)]


def test_two_rows_that_change_places_are_both_named():
    rows = list(ROWS)
    rows[2], rows[4] = (rows[2][0], rows[4][1]), (rows[4][0], rows[2][1])
    assert {fault.position for fault in walked(rows)} == {3, 5}


def test_an_end_that_was_cut_off_no_longer_fits_its_head():
    assert [fault.what for fault in walked(ROWS[:-2], end=ROWS[-1][0])] == ["cut_off"]
    chain = Chain(KEY, 1)
    for seal, one in ROWS:
        chain.walk(seal, one)
    assert [fault.what for fault in chain.end(None)] == ["cut_off"]
    assert [fault.what for fault in Chain(KEY, 1).end(head(KEY, 1, 7, ROWS[-1][0].hash))] == ["cut_off"]


def test_a_chain_that_was_written_anew_fits_no_earlier_look_and_without_the_key_nothing():
    anew = sealed([entry(n, reason="never") for n in range(1, 8)])
    assert walked(anew) == []  # with the key, and without anybody who remembers
    assert [fault.what for fault in walked(anew, known={5: ROWS[4][0].hash})] == ["changed"]
    assert [fault.what for fault in walked(ROWS[:4], known={5: ROWS[4][0].hash})] == ["cut_off"]
    assert len(walked(sealed([entry(n) for n in range(1, 8)], key=b"another key"), end=ROWS[-1][0])) == 8


def test_a_row_that_was_put_in_among_old_ones_is_named():
    long_ago = sealed([entry(n) for n in range(10, 20)], every=timedelta(minutes=20))
    assert walked(long_ago) == []
    for late in (entry(3, at=NOON + timedelta(hours=3)), entry(30, at=NOON - timedelta(hours=3))):
        place = len(long_ago) + 1
        at = long_ago[-1][0].sealed_at + LONGEST
        seal = Seal(1, place, late.id, link(KEY, long_ago[-1][0].hash, place, late, at), at)
        assert [(fault.what, fault.history_id) for fault in walked([*long_ago, (seal, late)])] == [
            ("inserted", late.id)
        ]


def test_words_that_an_erasure_took_out_leave_the_chain_whole_and_nothing_else_may_take_them_out():
    taken = entry(2, reason=TAKEN_OUT, removed=words_of(KEY, 2, "sold"), erasure_id=50)
    erased = entry(50, noun="owner", new="erased", old=None, reason=f"asked for; {removal(KEY, [2])}")
    rows = [ROWS[0], (ROWS[1][0], taken), *ROWS[2:]]
    assert walked(rows, also=(erased,)) == []
    assert [fault.what for fault in walked(rows)] == ["unauthorised"]
    assert [
        fault.what for fault in walked(rows, also=(replace(erased, reason=f"asked for; {removal(KEY, [3])}"),))
    ] == ["unauthorised"]
    other = [ROWS[0], (ROWS[1][0], replace(taken, reason="bought")), *ROWS[2:]]
    assert [fault.what for fault in walked(other, also=(erased,))] == ["changed"]


@given(st.lists(st.text(), min_size=4, max_size=4), st.lists(st.text(), min_size=4, max_size=4))
def test_no_two_rows_have_one_hash(one, other):
    """Whatever stands in the fields, and however it is divided among them."""
    names = ("noun", "new", "reason", "actor")
    hashes = [link(KEY, START, 1, entry(1, **dict(zip(names, one_text))), NOON) for one_text in (one, other)]
    assert (hashes[0] == hashes[1]) is (one == other)
