"""The owner's journey ticks only what happened, and promises no proof of a car that does not speak."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from dealer_api.owner.formatting import Speech
from dealer_api.owner.journey import Drive, journey_of
from rules.service.wording import Wording
from schemas.booking import Booking, BookingKind, BookingState
from schemas.case import Case, CaseState, Confirmation
from schemas.pickup import LEGS, Leg, LegEvent, LegKind, LegState
from schemas.verdict import Severity
from telltale import data

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SPEECH = Speech(Wording(data.texts()), "en", "Europe/Berlin", NOW)
CASE_OF = {
    BookingState.AGREED: CaseState.BOOKED,
    BookingState.ARRIVED: CaseState.IN_WORKSHOP,
    BookingState.WORKING: CaseState.IN_WORKSHOP,
    BookingState.READY: CaseState.VERIFYING,
    BookingState.COMPLETED: CaseState.VERIFYING,
}


def walks(kind, state=None, made=()):
    """Each way a leg can have gone: (state, the states it was in)."""
    state = state or LEGS[kind].start
    yield state, made
    for event in LEGS[kind].allowed(state):
        if event is LegEvent.UNDONE:  # leads back to where a way that is walked has been
            continue
        after = LEGS[kind].next(state, event)
        yield from walks(kind, after, made if event is LegEvent.CANCELLED else (*made, after.value))


def journey(booking_state, there=LegState.PLANNED, back=LegState.PLANNED, made=(), case_state=None, **facts):
    case = Case(
        id=1,
        dealer_id=1,
        vehicle_id=1,
        state=case_state or CASE_OF[booking_state],
        severity=Severity.SOON,
        title="Tyre",
        origin="call",
        assignee_id=1,
        comebacks=0,
        opened_at=NOW,
        changed_at=NOW,
        acknowledged_at=NOW,
        escalated_at=None,
        repaired_at=NOW,
        proof=[],
        confirmed=facts.pop("confirmed", None),
    )
    booking = Booking(
        id=1,
        dealer_id=1,
        case_id=1,
        vehicle_id=1,
        kind=BookingKind.PICKUP,
        state=booking_state,
        starts_at=NOW,
        ends_at=NOW + timedelta(hours=1),
        wall_start="2026-11-24T13:00",
        zone="Europe/Berlin",
        address="Weg 1",
        loaner_id=None,
        ready_by=None,
        last_word_at=None,
        made_at=NOW,
    )
    drives = tuple(
        Drive(
            Leg(
                id=n,
                dealer_id=1,
                booking_id=1,
                kind=kind,
                state=state,
                driver_id=1,
                slot_id=n,
                address="Weg 1",
                starts_at=NOW,
                ends_at=NOW,
                changed_at=NOW,
            ),
            "Mila",
        )
        for n, (kind, state) in enumerate(((LegKind.COLLECT, there), (LegKind.RETURN, back)))
    )
    times = dict.fromkeys(("agreed", *made), NOW)
    return journey_of(
        SPEECH, dealer="Nord", dealer_address="Kai 1", case=case, booking=booking, drives=drives, times=times, **facts
    )


@pytest.mark.parametrize("booking_state", CASE_OF)
def test_a_drivers_step_is_ticked_only_when_it_was_made_and_one_that_was_called_off_is_not_awaited(booking_state):
    for (there, went), (back, came) in product(walks(LegKind.COLLECT), walks(LegKind.RETURN)):
        steps = {step.key: step.state for step in journey(booking_state, there, back, (*went, *came)).steps}
        for key in ("on_the_way", "collected", "on_the_way_back"):
            assert steps.get(key) != "done" or key in (*went, *came), (there, back, steps)
        assert there is not LegState.CANCELLED or all(steps.get(key) != "todo" for key in ("on_the_way", "collected"))
        assert back is not LegState.CANCELLED or steps.get("on_the_way_back") != "todo"


def test_an_owner_who_came_by_themselves_sees_no_driver_on_the_way():
    steps = [(step.key, step.state) for step in journey(BookingState.ARRIVED, LegState.CANCELLED).steps]
    assert steps[:3] == [("agreed", "done"), ("at_workshop", "current"), ("ready", "todo")]


def test_a_car_that_does_not_speak_is_not_said_to_prove_anything():
    silent = journey(BookingState.COMPLETED, proves=False)
    assert (
        silent.headline == "You have your car back"
        and "prove" not in silent.lead
        and "The car shows" not in str(silent.steps)
    )
    assert journey(BookingState.COMPLETED).headline == "Drive as usual. Your car proves the repair"
    driven = journey(BookingState.COMPLETED, case_state=CaseState.DONE, proves=False, confirmed=Confirmation.TEST_DRIVE)
    assert (driven.headline, driven.lead) == ("All clear", "We have driven it after the repair: it is healed.")
