"""The ledger of promises: each time that was given is kept, moved, void, or broken with a word before it passes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rules.service import promises
from rules.service.promises import Act, Standing
from schemas.account import Dealer
from schemas.booking import Booking, BookingKind, BookingState
from schemas.pickup import Leg, LegKind, LegState
from schemas.promise import PROMISE, Promise, Promised, PromiseEvent, PromiseState
from tests.unit.rules.dealers import dealer

DUE = datetime(2026, 11, 23, 9, tzinfo=UTC)
READY = DUE + timedelta(hours=4)
MINUTE = timedelta(minutes=1)


def booking(kind="pickup", state="agreed", **changes):
    facts = {
        "id": 7,
        "dealer_id": 1,
        "case_id": 5,
        "vehicle_id": 1,
        "kind": BookingKind(kind),
        "state": BookingState(state),
        "starts_at": DUE - timedelta(hours=1),
        "ends_at": DUE,
        "wall_start": "2026-11-23T09:00",
        "zone": "Europe/Berlin",
        "address": "a",
        "loaner_id": None,
        "ready_by": READY,
        "last_word_at": None,
        "made_at": DUE - timedelta(days=1),
        **changes,
    }
    return Booking(**facts)


def leg(kind="collect", state="planned", ends_at=DUE):
    return Leg(
        id={"collect": 1, "return": 2}[kind],
        dealer_id=1,
        booking_id=7,
        kind=LegKind(kind),
        state=LegState(state),
        driver_id=3,
        slot_id=None,
        address="a",
        starts_at=ends_at - timedelta(hours=1),
        ends_at=ends_at,
        changed_at=DUE,
    )


def row(what="collect", due_at=DUE, leg_id=1, state="open", **changes):
    facts = {
        "id": 11,
        "dealer_id": 1,
        "booking_id": 7,
        "leg_id": leg_id,
        "what": Promised(what),
        "due_at": due_at,
        "state": PromiseState(state),
        "made_at": DUE,
        "warned_at": None,
        "owner_told_at": None,
        "must_ring": False,
        "settled_at": None,
        "done_at": None,
        **changes,
    }
    return Promise(**facts)


def test_a_pickup_promises_its_collection_its_work_and_its_return_and_a_customer_that_they_come() -> None:
    legs = [leg(), leg("return", ends_at=READY + timedelta(hours=1))]
    assert {(one.what, one.due_at) for one in promises.standing(booking(), legs)} == {
        (Promised.COLLECT, DUE),
        (Promised.READY, READY),
        (Promised.RETURN, READY + timedelta(hours=1)),
    }
    assert {one.what for one in promises.standing(booking("drop_off"), [])} == {Promised.BRING, Promised.READY}
    assert promises.standing(booking(state="cancelled"), legs) == ()


@pytest.mark.parametrize(
    ("stands", "now", "event"),
    [
        (None, DUE - MINUTE, PromiseEvent.VOID),
        (Standing(Promised.COLLECT, DUE, 1, True, True), DUE, PromiseEvent.KEPT),
        (Standing(Promised.COLLECT, DUE, 1, True, True), DUE + MINUTE, PromiseEvent.BROKEN),
        (Standing(Promised.COLLECT, DUE + MINUTE, 1), DUE - MINUTE, PromiseEvent.MOVED),
        (Standing(Promised.COLLECT, DUE, 1), DUE + timedelta(days=1), None),
    ],
)
def test_what_becomes_of_an_open_promise(stands: Standing | None, now: datetime, event: PromiseEvent | None) -> None:
    found = promises.settle([row()], [stands] if stands else [], now)
    assert [event for _, event in found.ends] == ([event] if event else [])
    assert len(found.late) == (event is PromiseEvent.BROKEN), "what comes true too late says how late"
    assert len(found.opens) == (event is PromiseEvent.MOVED), "another time is a promise of its own"


def test_settling_twice_changes_nothing_and_a_time_that_was_moved_away_can_come_back() -> None:
    stands = [Standing(Promised.COLLECT, DUE, 1), Standing(Promised.READY, READY)]
    assert promises.settle([row(), row("ready", READY, None)], stands, DUE - MINUTE) == promises.Settlement((), (), ())
    assert promises.settle([row(state="moved"), row("ready", READY, None, "broken")], stands, DUE).opens == (stands[0],)


def _run(stands: Standing, visit: Booking, start: Promise, where: Dealer = dealer()) -> list[tuple[int, Act]]:
    """(minutes after the time that was given, what was done), a look each minute from an hour before to an hour
    after.
    """
    found, one = [], start
    for minute in range(-60, 61):
        now = one.due_at + minute * MINUTE
        act = promises.due(one, stands, visit, where, now)
        if act is None:
            continue
        found.append((minute, act))
        match act:
            case Act.WARN:
                one = one.model_copy(update={"warned_at": now})
            case Act.TELL:
                one = one.model_copy(update={"owner_told_at": now})
            case _:
                one = one.model_copy(
                    update={
                        "state": PROMISE.next(one.state, PromiseEvent.VOID if act is Act.VOID else PromiseEvent.BROKEN)
                    }
                )
    return found


def test_our_people_hear_first_then_the_owner_and_only_then_it_breaks() -> None:
    assert _run(Standing(Promised.COLLECT, DUE, 1), booking(), row()) == [
        (-15, Act.WARN),
        (-5, Act.TELL),
        (0, Act.BREAK),
    ]
    assert _run(Standing(Promised.COLLECT, DUE, 1, begun=True), booking(), row()) == [(-5, Act.TELL), (0, Act.BREAK)]
    assert _run(Standing(Promised.COLLECT, DUE, 1, True, True), booking(), row()) == []


def test_a_customer_who_does_not_come_is_rung_once_and_what_rested_on_them_is_void() -> None:
    assert _run(Standing(Promised.BRING, DUE), booking("drop_off"), row("bring", leg_id=None)) == [(30, Act.MISSED)]
    assert _run(Standing(Promised.READY, READY), booking("drop_off"), row("ready", READY, None)) == [(-15, Act.VOID)]


def test_who_cannot_be_texted_is_given_to_a_person_and_the_promise_still_ends() -> None:
    asked = row(must_ring=True, warned_at=DUE - 15 * MINUTE)
    assert _run(Standing(Promised.COLLECT, DUE, 1), booking(), asked) == [(0, Act.BREAK)]


def test_how_long_before_is_the_dealer_s_to_say() -> None:
    slow = dealer(late_warn_minutes=40, late_tell_minutes=20, no_show_minutes=10)
    assert _run(Standing(Promised.COLLECT, DUE, 1), booking(), row(), slow) == [
        (-40, Act.WARN),
        (-20, Act.TELL),
        (0, Act.BREAK),
    ]
    assert _run(Standing(Promised.BRING, DUE), booking("drop_off"), row("bring", leg_id=None), slow) == [
        (10, Act.MISSED)
    ]
    assert _run(
        Standing(Promised.COLLECT, DUE, 1), booking(), row(), dealer(late_warn_minutes=5, late_tell_minutes=20)
    ) == [(-20, Act.TELL), (0, Act.BREAK)]
