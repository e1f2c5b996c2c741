"""How fast what a rule had found on trial comes before the desk, once the rule may speak: as fast as the workshop
could repair it.

A trial may have found two hundred cars. All of them on one morning would bury what the other rules say; none of them
would keep from the desk just those that convinced somebody. What is dangerous waits for nothing, and neither does what
joins a case that is open anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from rules.service.opening import open_times
from schemas.account import Dealer
from schemas.moment import local, zone
from schemas.verdict import Severity


@dataclass(frozen=True, slots=True)
class Found:
    """An active alert that was found on trial. `first_at`: when the fault began; `joins`: the car has an open case."""

    id: int
    vehicle_id: int
    severity: Severity
    first_at: datetime
    joins: bool = False


def day_of(dealer: Dealer, now: datetime) -> tuple[datetime, datetime]:
    """The dealer's day: from midnight to midnight on its wall clock, in UTC."""
    today = local(now, dealer.zone).date()
    begins, ends = (
        datetime.combine(today + timedelta(days=n), time(), zone(dealer.zone)).astimezone(UTC) for n in (0, 1)
    )
    return begins, ends


def visits_a_day(dealer: Dealer, bays: int, now: datetime) -> int:
    """How many visits the workshop could do today: none on a day when it is closed, on every other at least one."""
    minutes = sum(
        (span.ends_at - span.starts_at).total_seconds() / 60 for span in open_times(dealer, *day_of(dealer, now))
    )
    return max(1, int(minutes * max(1, bays) // max(1, dealer.workshop_minutes))) if minutes else 0


def in_turn(found: Sequence[Found], places: int) -> list[Found]:
    """Those that come before the desk now: all that is dangerous, all that joins an open case, and of `places` further
    cars everything. The most urgent come first, then the oldest; a car's finds come together, for they are one
    visit."""
    at_once = {one.vehicle_id for one in found if one.joins or one.severity is Severity.NOW}
    waiting = sorted((one for one in found if one.vehicle_id not in at_once), key=_order)
    cars = list(dict.fromkeys(one.vehicle_id for one in waiting))
    chosen = at_once | set(cars[: max(0, places)])
    return sorted((one for one in found if one.vehicle_id in chosen), key=_order)


def _order(one: Found) -> tuple[int, datetime, int]:
    return -one.severity.rank, one.first_at, one.id
