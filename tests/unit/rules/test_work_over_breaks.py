"""Work is spent in opening hours only, over breaks and nights, and its bay stays taken in between: told by an oracle
that walks the minutes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rules.service import capacity
from schemas.booking import BookingKind
from schemas.moment import local
from schemas.slot import Use, Window
from tests.unit.rules.dealers import dealer, resources

MINUTE = timedelta(minutes=1)
#: Minutes of the wall clock at which a dealer opens and closes, from Monday on.
WEEKS = {
    "Mo-Fr 08:00-12:00,13:00-18:00; Sa 09:00-13:00": [[(480, 720), (780, 1080)]] * 5 + [[(540, 780)], []],
    "Mo,We 10:00-12:30": [[(600, 750)], [], [(600, 750)], [], [], [], []],
    "Mo-Su 07:30-18:30": [[(450, 1110)]] * 7,
}
LABOUR = (30, 120, 270, 480, 600, 1300)
#: A Thursday in November, and a Saturday before each night on which the clocks of Berlin change.
NOWS = (
    datetime(2026, 11, 26, 7, 40, tzinfo=UTC),
    datetime(2026, 10, 24, 5, 10, tzinfo=UTC),
    datetime(2027, 3, 27, 6, 10, tzinfo=UTC),
)


def is_open(week, moment):
    wall = local(moment, "Europe/Berlin")
    return any(start <= wall.hour * 60 + wall.minute < end for start, end in week[wall.weekday()])


def walked(week, start, labour):
    """When the work ends, minute by minute; None when it cannot begin then, or would stay for a night that one day
    makes needless.
    """
    if not is_open(week, start):
        return None
    day, at = local(start, "Europe/Berlin").date(), start
    while labour:
        labour -= is_open(week, at)
        at += MINUTE
    longest = max(sum(end - start for start, end in day) for day in week)
    spent = sum(is_open(week, start + n * MINUTE) for n in range(int((at - start) / MINUTE)))
    return None if spent <= longest and local(at - MINUTE, "Europe/Berlin").date() != day else at


@pytest.mark.parametrize("labour", LABOUR)
@pytest.mark.parametrize("hours", WEEKS)
def test_labour_is_spent_in_opening_hours_as_somebody_counts_who_looks_at_every_minute(hours, labour):
    week = WEEKS[hours]
    for now in NOWS:
        where = dealer(opening_hours=hours, workshop_minutes=labour, notice_minutes=0)
        for start in (now.replace(minute=30) + n * timedelta(minutes=210) for n in range(12)):
            option = capacity.at(where, BookingKind.DROP_OFF, start, now, resources(), {})
            ends = walked(week, start, labour)
            through_the_door = all(is_open(week, start + n * MINUTE) for n in range(30))
            assert (option.ready_by if option else None) == (ends if through_the_door else None), (start, ends)
            waits = capacity.at(where, BookingKind.WAITING, start, now, resources(), {})
            stays = ends is not None and all(is_open(week, start + n * MINUTE) for n in range(labour))
            assert (waits.window if waits else None) == (Window(starts_at=start, ends_at=ends) if stays else None)


def test_a_bay_stays_taken_over_the_night_and_drives_lie_between_opening_and_closing():
    now, hours = NOWS[0], "Mo-Fr 08:00-12:00,13:00-18:00"
    where = dealer(opening_hours=hours, workshop_minutes=900)  # fifteen hours: no day has as many
    option = capacity.offered(where, BookingKind.PICKUP, now, resources(), {})[0]
    span = {claim.use: claim.window for claim in option.claims}
    assert [
        local(span[use].starts_at, "Europe/Berlin").strftime("%a %H:%M") for use in (Use.COLLECT, Use.WORK, Use.RETURN)
    ] == ["Thu 10:00", "Thu 11:00", "Mon 08:00"]
    assert option.ready_by == span[Use.WORK].ends_at == datetime(2026, 11, 27, 17, tzinfo=UTC)
    night = Window(starts_at=datetime(2026, 11, 26, 22, tzinfo=UTC), ends_at=datetime(2026, 11, 26, 23, tzinfo=UTC))
    bay = next(claim.resource_id for claim in option.claims if claim.use is Use.WORK)
    later = capacity.offered(where, BookingKind.PICKUP, now, resources(), {bay: [night]})[0]
    assert next(claim.window.starts_at for claim in later.claims if claim.use is Use.WORK) > night.ends_at
