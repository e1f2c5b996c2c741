"""Permission: consent, STOP, quiet hours over the nights when clocks change, and the budget."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rules.service.permission import FRESH, Go, Never, TooLate, Wait, decent, may_send, quiet
from schemas.consent import Consent, Owner
from schemas.message import Message, MessageKind, MessageState, Purpose
from schemas.verdict import Severity

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
ALL = tuple(p for p in Purpose if p is not Purpose.STAFF)


def owner(**changed: Any) -> Owner:
    values: dict[str, Any] = {
        "id": 1,
        "dealer_id": 1,
        "name": "Jo",
        "phone": "+491701",
        "email": None,
        "channel": "phone",
        "language": "de",
        "zone": "Europe/Berlin",
        "quiet_from": time(20),
        "quiet_to": time(8),
        "address": None,
        "stopped_at": None,
    }
    return Owner(**(values | changed))


def message(kind: MessageKind, purpose: Purpose) -> Message:
    return Message(
        id=1,
        dealer_id=1,
        thread_id=1,
        owner_id=1,
        staff_id=None,
        case_id=None,
        kind=kind,
        purpose=purpose,
        channel="phone",
        to_address="+491701",
        language="de",
        body="x",
        facts={},
        state=MessageState.QUEUED,
        reason=None,
        reference="r",
        attempts=0,
        queued_at=NOON,
        due_at=NOON,
        sent_at=None,
    )


def consented(given: bool = True, *purposes: Purpose) -> dict[Purpose, Consent]:
    return {
        p: Consent(owner_id=1, purpose=p, given=given, at=NOON, source="desk", wording="yes") for p in purposes or ALL
    }


@pytest.mark.parametrize("purpose", ALL)
@pytest.mark.parametrize("kind", list(MessageKind))
@pytest.mark.parametrize("state", ["none", "no", "yes", "yes to others only", "stopped"])
def test_nothing_goes_without_a_recorded_yes_to_its_purpose(kind: MessageKind, purpose: Purpose, state: str) -> None:
    consents = {
        "none": {},
        "no": consented(False),
        "yes": consented(),
        "yes to others only": consented(True, *(p for p in ALL if p is not purpose)),
        "stopped": consented(),
    }[state]
    who = owner(stopped_at=NOON if state == "stopped" else None)
    answer = may_send(message(kind, purpose), who, consents, NOON)
    answers = kind in (MessageKind.SOLD, MessageKind.WRONG) and state != "stopped"
    owed = kind in (MessageKind.STOPPED, MessageKind.HELP) or answers
    assert isinstance(answer, Go if owed or state == "yes" else Never)
    assert answer.reason


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("kind", list(MessageKind))
def test_nobody_is_told_today_what_was_due_yesterday_but_for_danger_and_our_own_people(
    kind: MessageKind, purpose: Purpose
) -> None:
    late = NOON + FRESH + timedelta(seconds=1)
    answer = may_send(message(kind, purpose), owner(), consented(), late)
    assert isinstance(answer, Go if purpose in (Purpose.STAFF, Purpose.SAFETY) else TooLate)
    assert not isinstance(may_send(message(kind, purpose), owner(), consented(), NOON + FRESH), TooLate)


def test_our_own_people_need_no_consent_and_a_lost_owner_gets_nothing() -> None:
    assert isinstance(may_send(message(MessageKind.STAFF_ALERT, Purpose.STAFF), None, {}, NIGHT), Go)
    assert isinstance(may_send(message(MessageKind.OFFER, Purpose.SERVICE), None, {}, NOON), Never)


@pytest.mark.parametrize(
    ("kind", "purpose", "goes"),
    [
        (MessageKind.OFFER, Purpose.SERVICE, False),
        (MessageKind.OFFER, Purpose.SAFETY, True),
        (MessageKind.ALL_CLEAR, Purpose.STATUS, False),
        (MessageKind.REMINDER, Purpose.STATUS, False),
        (MessageKind.FEEDBACK, Purpose.SURVEY, False),
        (MessageKind.FREE, Purpose.STATUS, False),
        (MessageKind.ON_THE_WAY, Purpose.STATUS, True),
        (MessageKind.WAITING, Purpose.STATUS, True),
        (MessageKind.BOOKED, Purpose.STATUS, True),
        (MessageKind.PASSED_ON, Purpose.STATUS, True),
        (MessageKind.STOPPED, Purpose.STATUS, True),
    ],
)
def test_in_quiet_hours_only_what_cannot_wait_goes(kind: MessageKind, purpose: Purpose, goes: bool) -> None:
    answer = may_send(message(kind, purpose), owner(), consented(), NIGHT)
    if goes:
        assert isinstance(answer, Go)
    else:
        assert isinstance(answer, Wait)
        assert answer.until == datetime(2026, 11, 24, 7, 0, tzinfo=UTC)  # 08:00 in Berlin
        assert "Europe/Berlin" in answer.reason


@pytest.mark.parametrize(
    ("zone", "now", "until"),
    [
        # the night the clocks go forward: 08:00 comes an hour sooner
        ("Europe/Berlin", "2026-03-28T22:00", "2026-03-29T06:00"),
        ("Europe/Berlin", "2026-03-27T22:00", "2026-03-28T07:00"),
        # the night they go back: an hour later
        ("Europe/Berlin", "2026-10-24T22:00", "2026-10-25T07:00"),
        ("America/New_York", "2026-11-01T05:30", "2026-11-01T13:00"),
        ("America/New_York", "2026-11-01T06:30", "2026-11-01T13:00"),
        ("America/New_York", "2026-03-08T06:59", "2026-03-08T12:00"),
        # half-hour and odd zones, and the other hemisphere
        ("Asia/Kolkata", "2026-11-23T20:00", "2026-11-24T02:30"),
        ("Asia/Kathmandu", "2026-11-23T20:00", "2026-11-24T02:15"),
        ("Australia/Lord_Howe", "2026-04-04T12:00", "2026-04-04T21:30"),
        ("Pacific/Chatham", "2026-09-26T12:00", "2026-09-26T18:15"),
    ],
)
def test_a_text_waits_for_eight_o_clock_on_the_owners_wall(zone: str, now: str, until: str) -> None:
    who = owner(zone=zone)
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert quiet(who, moment)
    assert decent(who, moment) == datetime.fromisoformat(until).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "zone",
    [
        "America/New_York",
        "America/St_Johns",
        "Europe/Madrid",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "America/Santiago",
        "Antarctica/Troll",
    ],
)
@pytest.mark.parametrize(
    ("start", "end"),
    [(time(20), time(8)), (time(22, 30), time(2, 30)), (time(0), time(1, 30)), (time(1, 15), time(2, 45))],
)
def test_over_a_year_nobody_is_woken_and_nothing_waits_longer_than_it_must(zone: str, start: time, end: time) -> None:
    who = owner(zone=zone, quiet_from=start, quiet_to=end)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    while at < datetime(2027, 1, 1, tzinfo=UTC):
        found = decent(who, at + timedelta(seconds=7))
        wall = found.astimezone(ZoneInfo(zone)).time()
        assert not (start <= wall < end if start <= end else wall >= start or wall < end)
        assert found == at + timedelta(minutes=1) or quiet(who, found - timedelta(minutes=1))
        at += timedelta(hours=7, minutes=13)


def test_equal_ends_mean_no_quiet_hours() -> None:
    assert not quiet(owner(quiet_from=time(0), quiet_to=time(0)), NIGHT)


def test_who_wrote_a_moment_ago_may_be_answered_at_night() -> None:
    free = message(MessageKind.FREE, Purpose.SERVICE)
    assert isinstance(may_send(free, owner(), consented(), NIGHT, wrote_at=NIGHT - timedelta(minutes=29)), Go)
    assert isinstance(may_send(free, owner(), consented(), NIGHT, wrote_at=NIGHT - timedelta(minutes=31)), Wait)


def test_the_budget_holds_back_what_is_not_urgent() -> None:
    lately = tuple(NOON - timedelta(days=d) for d in (6, 5, 3, 1))
    offer = message(MessageKind.OFFER, Purpose.SERVICE)
    answer = may_send(offer, owner(), consented(), NOON, severity=Severity.SOON, lately=lately)
    assert isinstance(answer, Wait)
    assert answer.until == NOON + timedelta(days=1)
    assert isinstance(may_send(offer, owner(), consented(), NOON, severity=Severity.NOW, lately=lately), Go)
    assert isinstance(may_send(offer, owner(), consented(), NOON, severity=Severity.SOON, lately=lately[1:]), Go)
    for kind in (MessageKind.ON_THE_WAY, MessageKind.FREE):
        assert isinstance(may_send(message(kind, Purpose.SERVICE), owner(), consented(), NOON, lately=lately * 3), Go)
