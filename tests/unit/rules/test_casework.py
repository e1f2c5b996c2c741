"""Which case an alert belongs to, the queue's order, and the one obvious next step in every state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rules.service.casework import (
    CameBack,
    JoinsCase,
    OpensCase,
    case_for,
    next_step,
    queue_key,
    severity_of,
    waiting_word,
)
from schemas.alert import Alert, AlertState
from schemas.booking import Booking, BookingKind, BookingState, Offer, OfferState
from schemas.case import Case, CaseState
from schemas.pickup import LEGS, Leg, LegEvent, LegKind, LegState
from schemas.verdict import Severity

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def alert(severity="soon", rule="tyre_pressure", component="front_left", state="active"):
    return Alert(
        id=1,
        dealer_id=1,
        vehicle_id=1,
        rule=rule,
        rule_version=1,
        component=component,
        episode=1,
        step=0,
        state=AlertState(state),
        severity=Severity(severity),
        because="it leaks",
        first_at=NOW,
        changed_at=NOW,
        received_at=NOW,
        case_id=None,
        shadow=False,
        evidence={},
    )


def case(state="open", severity="soon", id=5, opened=NOW, **changes):
    facts = {
        "id": id,
        "dealer_id": 1,
        "vehicle_id": 1,
        "state": CaseState(state),
        "severity": Severity(severity),
        "title": "t",
        "origin": "alert",
        "assignee_id": 1,
        "comebacks": 0,
        "opened_at": opened,
        "changed_at": opened,
        "acknowledged_at": NOW,
        "escalated_at": None,
        "repaired_at": None,
        "proof": None,
        **changes,
    }
    return Case(**facts)


def booking(state="agreed", kind="pickup"):
    return Booking(
        id=7,
        dealer_id=1,
        case_id=5,
        vehicle_id=1,
        kind=BookingKind(kind),
        state=BookingState(state),
        starts_at=NOW,
        ends_at=NOW + timedelta(hours=1),
        wall_start="2026-11-23T10:00",
        zone="Europe/Berlin",
        address="a",
        loaner_id=None,
        ready_by=None,
        last_word_at=None,
        made_at=NOW,
    )


def offer(state="open"):
    return Offer(
        id=3, dealer_id=1, case_id=5, kind=BookingKind.PICKUP, state=OfferState(state), made_at=NOW, expires_at=NOW
    )


def leg(kind="collect", state="planned"):
    return Leg(
        id=9,
        dealer_id=1,
        booking_id=7,
        kind=LegKind(kind),
        state=LegState(state),
        driver_id=2,
        slot_id=1,
        address="a",
        starts_at=NOW,
        ends_at=NOW,
        changed_at=NOW,
    )


def test_a_fault_of_a_car_without_open_work_opens_a_case():
    assert isinstance(case_for(alert(), None, None, (), NOW), OpensCase)


def test_a_second_fault_joins_the_open_case_and_may_raise_it():
    joined = case_for(alert("now"), case(severity="soon"), None, (), NOW)
    assert isinstance(joined, JoinsCase) and joined.raised and joined.severity is Severity.NOW
    quiet = case_for(alert("advice"), case(severity="soon"), None, (), NOW)
    assert isinstance(quiet, JoinsCase) and not quiet.raised and quiet.severity is Severity.SOON


def test_the_same_fault_after_a_repair_is_a_comeback_for_thirty_days():
    done = case("done", repaired_at=NOW - timedelta(days=10))
    back = case_for(alert(), None, done, [("tyre_pressure", "front_left")], NOW)
    assert isinstance(back, CameBack) and back.same and "10 days after" in back.because
    assert isinstance(case_for(alert(), None, done, [("tyre_pressure", "front_right")], NOW), OpensCase)
    assert isinstance(
        case_for(alert(), None, done, [("tyre_pressure", "front_left")], NOW + timedelta(days=21)), OpensCase
    )


def test_a_fault_while_the_repair_is_being_proved_reopens_the_case_and_says_whether_it_is_the_same():
    verifying = case("verifying", repaired_at=NOW)
    same = case_for(alert(), verifying, verifying, [("tyre_pressure", "front_left")], NOW)
    other = case_for(alert(rule="battery"), verifying, verifying, [("tyre_pressure", "front_left")], NOW)
    assert isinstance(same, CameBack) and same.same
    assert isinstance(other, CameBack) and not other.same


def test_a_case_is_as_urgent_as_its_most_urgent_active_alert():
    assert (
        severity_of([alert("advice"), alert("now", state="resolved"), alert("soon")], Severity.ADVICE) is Severity.SOON
    )
    assert severity_of([], Severity.NOW) is Severity.NOW


def test_the_queue_shows_the_most_urgent_first_then_the_oldest():
    old, new, urgent = case(id=1, opened=NOW - timedelta(days=2)), case(id=2), case(id=3, severity="now")
    assert [c.id for c in sorted([new, old, urgent], key=queue_key)] == [3, 1, 2]


@pytest.mark.parametrize(
    "situation, act",
    [
        ((case(acknowledged_at=None), None, None, ()), "acknowledge"),
        ((case(), None, None, ()), "offer"),
        ((case(), offer("declined"), None, ()), "offer"),
        ((case("contacted"), offer(), None, ()), "wait"),
        ((case("contacted"), offer("expired"), None, ()), "offer"),
        ((case("booked"), offer("accepted"), booking(), [leg()]), "move"),
        ((case("booked"), None, booking(kind="drop_off"), ()), "arrive"),
        ((case("booked"), None, None, ()), "offer"),
        ((case("in_workshop"), None, booking("arrived"), ()), "start"),
        ((case("in_workshop"), None, booking("working"), ()), "finish"),
        ((case("verifying"), None, booking("ready"), [leg("collect", "at_workshop"), leg("return")]), "move"),
        ((case("verifying"), None, booking("ready", "waiting"), ()), "hand_over"),
        ((case("verifying"), None, booking("completed"), ()), "wait"),
        ((case("done"), None, booking("completed"), ()), "nothing"),
        ((case("dismissed"), None, None, ()), "nothing"),
    ],
)
def test_there_is_one_obvious_next_step(situation, act):
    step = next_step(*situation)
    assert step.act == act and step.label and step.because
    assert (step.path is None) == (act in ("wait", "nothing"))


def test_every_state_of_case_booking_offer_and_leg_has_a_next_step():
    legs = [
        [leg(kind, state) for kind, state in pair]
        for pair in ((("collect", c), ("return", r)) for c in LegState for r in LegState)
    ]
    for state in CaseState:
        for visit in (None, *(booking(b, k) for b in BookingState for k in BookingKind)):
            for answer in (None, *(offer(o) for o in OfferState)):
                for drives in ((), *legs):
                    step = next_step(case(state), answer, visit, drives)
                    if step.act == "move":
                        which = next(
                            drive for drive in drives if LegEvent(step.event) in LEGS[drive.kind].allowed(drive.state)
                        )
                        assert which is not None


def test_without_an_owner_the_next_step_is_to_say_who_it_is():
    assert next_step(case(), None, None, (), has_owner=False).act == "owner"


def test_a_waiting_customer_is_only_told_what_is_true():
    assert waiting_word(booking("working"), "waiting").template == "in_work"
    assert waiting_word(booking("arrived"), "part").template == "part"
    assert waiting_word(booking("working"), "arrived").template is None
    assert waiting_word(booking("ready"), "waiting").template is None


def test_a_customer_who_did_not_come_is_rung() -> None:
    step = next_step(case("booked"), None, booking(kind="drop_off"), [], missed=True)
    assert step.act == "ring" and next_step(case("booked"), None, booking(kind="drop_off"), []).act == "arrive"
