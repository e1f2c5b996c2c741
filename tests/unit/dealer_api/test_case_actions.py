"""The desk's buttons come from the tables: every state has one primary step or says what it waits for, and nothing
illegal is offered.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from dealer_api.desk import case_actions
from dealer_api.desk.routes import ROUTES
from schemas.booking import Booking, BookingKind, BookingState, Offer, OfferState
from schemas.case import CASE, Case, CaseEvent, CaseState
from schemas.verdict import Severity

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PEOPLE = [(1, "Anna"), (2, "Ruth")]


def a_case(state: CaseState, *, taken: bool = True) -> Case:
    return Case(
        id=5,
        dealer_id=1,
        vehicle_id=3,
        state=state,
        severity=Severity.SOON,
        title="Tyre",
        origin="alert",
        assignee_id=1 if taken else None,
        comebacks=0,
        opened_at=NOW,
        changed_at=NOW,
        acknowledged_at=NOW if taken else None,
        escalated_at=None,
        repaired_at=None,
        proof=None,
    )


def an_offer(state: OfferState = OfferState.OPEN) -> Offer:
    return Offer(
        id=9,
        dealer_id=1,
        case_id=5,
        kind=BookingKind.PICKUP,
        state=state,
        made_at=NOW,
        expires_at=NOW + timedelta(hours=4),
    )


def a_booking(state: BookingState) -> Booking:
    return Booking(
        id=11,
        dealer_id=1,
        case_id=5,
        vehicle_id=3,
        kind=BookingKind.DROP_OFF,
        state=state,
        starts_at=NOW,
        ends_at=NOW,
        wall_start="2026-11-23T10:00",
        zone="Europe/Berlin",
        address=None,
        loaner_id=None,
        ready_by=None,
        last_word_at=None,
        made_at=NOW,
    )


SITUATIONS = [
    (a_case(CaseState.OPEN, taken=False), None, None),
    (a_case(CaseState.OPEN), None, None),
    (a_case(CaseState.OPEN), an_offer(OfferState.DECLINED), None),
    (a_case(CaseState.CONTACTED), an_offer(), None),
    (a_case(CaseState.BOOKED), an_offer(OfferState.ACCEPTED), a_booking(BookingState.AGREED)),
    (a_case(CaseState.IN_WORKSHOP), None, a_booking(BookingState.ARRIVED)),
    (a_case(CaseState.IN_WORKSHOP), None, a_booking(BookingState.WORKING)),
    (a_case(CaseState.VERIFYING), None, a_booking(BookingState.READY)),
    (a_case(CaseState.VERIFYING), None, a_booking(BookingState.COMPLETED)),
    (a_case(CaseState.DONE), None, a_booking(BookingState.COMPLETED)),
    (a_case(CaseState.DISMISSED), None, None),
]


def opens(address: str, method: str) -> bool:
    return any(
        route.method == method
        and re.fullmatch(re.sub(r"\{\w+\}", r"[^/]+", route.path), address.partition("?")[0].partition("#")[0])
        for route in ROUTES
    )


@pytest.mark.parametrize(("case", "offer", "booking"), SITUATIONS)
@pytest.mark.parametrize("role", ["advisor", "manager", "technician", "driver"])
def test_each_situation_has_one_sentence_and_only_doors_that_exist(
    case: Case, offer: Offer | None, booking: Booking | None, role: str
) -> None:
    main = case_actions.primary(case, offer, booking, [], has_owner=True, role=role, zone="Europe/Berlin", now=NOW)
    assert main.title and main.why.endswith((".", "!", "?"))
    shown = [main, *case_actions.others(case, offer, booking, main, [(1, "today 10:00–11:00")], role=role)]
    asked = case_actions.asks(case, booking, role=role, people=PEOPLE, promised="10:00")
    assert all(opens(button.post, "POST") for button in shown if button.post)
    assert all(opens(button.href, "GET") for button in shown if button.href)
    assert all(opens(ask.post, "POST") for ask in asked)
    if role in ("technician", "driver"):
        closes = role == "technician" and CaseEvent.CONFIRMED in CASE.allowed(case.state)
        assert len(shown) == 1 and [ask.id for ask in asked] == ["confirm"] * closes


@pytest.mark.parametrize(("case", "offer", "booking"), SITUATIONS)
def test_what_the_table_forbids_is_not_offered(case: Case, offer: Offer | None, booking: Booking | None) -> None:
    allowed = CASE.allowed(case.state)
    ids = {ask.id for ask in case_actions.asks(case, booking, role="manager", people=PEOPLE, promised="10:00")}
    assert ("dismiss" in ids) == (CaseEvent.DISMISSED in allowed)
    assert ("reopen" in ids) == (CaseEvent.REOPENED in allowed)


def test_a_technician_is_told_whose_step_it_is() -> None:
    main = case_actions.primary(
        a_case(CaseState.OPEN, taken=False),
        None,
        None,
        [],
        has_owner=True,
        role="technician",
        zone="Europe/Berlin",
        now=NOW,
    )
    assert main.post is None and "service advisor or manager" in main.why


def test_the_path_shows_what_is_past_and_what_is_ahead() -> None:
    assert [look for _, _, look in case_actions.path(CaseState.BOOKED)] == [
        "past",
        "past",
        "here",
        "ahead",
        "ahead",
        "ahead",
    ]
    assert [look for _, _, look in case_actions.path(CaseState.DONE)] == ["past"] * 5 + ["here"]
    assert case_actions.path(CaseState.DISMISSED) == []
