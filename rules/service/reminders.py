"""When to remind, and when to leave people alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from rules.service.permission import Go, Wait
from schemas.moment import from_local, local
from schemas.verdict import Severity

EVENING = time(18, 0)  #: of the day before, on the owner's wall clock: no zone changes its clocks at this hour
SHORTLY = timedelta(hours=1)
_TOO_FRESH = timedelta(hours=2)  #: who booked so recently remembers
DAY_BEGINS, DAY_ENDS = time(7, 0), time(20, 0)  #: when a driver is told of a drive that is not near
NEAR = timedelta(hours=4)  #: a drive so near is told at any hour
LADDER_DAYS = (0, 7, 14)  #: ask on these days, then stop: a maker's own rule for texts about maintenance


class Occasion(StrEnum):
    """Which reminder of a booking it is. Part of the message's reference: never reworded."""

    EVENING_BEFORE = "evening-before"
    ONE_HOUR_BEFORE = "one-hour-before"


@dataclass(frozen=True, slots=True)
class Remind:
    """Remind at this moment, on this occasion."""

    at: datetime
    occasion: Occasion


def booking_reminders(starts_at: datetime, made_at: datetime, zone: str) -> tuple[Remind, ...]:
    """The evening before and one hour before, each only if the booking was made long enough ahead of it."""
    eve = from_local(local(starts_at, zone).date() - timedelta(days=1), EVENING, zone)
    wanted = (Remind(eve, Occasion.EVENING_BEFORE), Remind(starts_at - SHORTLY, Occasion.ONE_HOUR_BEFORE))
    return tuple(remind for remind in wanted if remind.at - made_at >= _TOO_FRESH)


def tell_driver(starts_at: datetime, now: datetime, zone: str) -> Go | Wait:
    """Whether a driver is told now of a drive that has become theirs, on the dealer's wall clock."""
    if starts_at - now <= NEAR:
        return Go("it begins soon")
    wall = local(now, zone)
    if DAY_BEGINS <= wall.time() < DAY_ENDS:
        return Go("by day")
    morning = wall.date() + timedelta(days=wall.time() >= DAY_ENDS)
    return Wait(
        min(from_local(morning, DAY_BEGINS, zone), starts_at - NEAR), "it is night, and the drive is hours away"
    )


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Whether an owner who has not answered may be asked again, and from when."""

    at: datetime | None
    reason: str


def ask_again(asked: tuple[datetime, ...], severity: Severity, now: datetime) -> AskAgain:
    """`asked`: when offers for this case went out, oldest first. Urgent things may always be asked."""
    if severity is Severity.NOW:
        return AskAgain(now, "urgent: ask again at once, better by telephone")
    if not asked:
        return AskAgain(now, "not asked yet")
    if len(asked) >= len(LADDER_DAYS):
        return AskAgain(None, f"asked {len(asked)} times without an answer: leave them in peace unless it gets worse")
    at = asked[0] + timedelta(days=LADDER_DAYS[len(asked)])
    return AskAgain(max(at, now), f"no answer: ask again from {at:%Y-%m-%d} on")
