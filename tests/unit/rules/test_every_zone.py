"""Each zone that there is, each change of its clocks from 2026 to 2030: the minute that a person reads names the
instant that was meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from rules.service import capacity
from rules.service.wording import Wording
from schemas.booking import BookingKind
from schemas.errors import BadInput
from schemas.moment import from_local, local
from telltale import data
from tests.unit.rules.dealers import dealer, resources

FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def changes(name: str) -> Iterator[datetime]:
    """The first minute of each new offset."""
    zone, day = ZoneInfo(name), timedelta(days=1)
    at, before = FIRST, FIRST.astimezone(zone).utcoffset()
    while at < LAST:
        low, at = at, at + day
        if (after := at.astimezone(zone).utcoffset()) != before:
            high = at
            while high - low > MINUTE:
                middle = low + (high - low) // 2 // MINUTE * MINUTE
                low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
            yield high
            before = after


CHANGES = {name: found for name in sorted(available_timezones()) if (found := list(changes(name)))}


def test_more_than_a_hundred_zones_change_their_clocks():
    assert len(CHANGES) > 150 and sum(len(found) for found in CHANGES.values()) > 1_500


def test_the_minute_that_is_read_names_the_instant_in_every_zone():
    words, wrong = Wording(data.texts()), []
    for name, found in CHANGES.items():
        for n, change in enumerate(found):
            for ahead in (-121, -61, -60, -31, -1, 0, 1, 29, 59, 60, 119):
                moment = change + ahead * MINUTE
                wall = local(moment, name)
                text = words.time(("en", "de", "es")[n % 3], moment, name)
                if (
                    f"{wall:%H:%M}" not in text
                    or from_local(wall.date(), wall.time().replace(tzinfo=None), name, fold=wall.fold) != moment
                ):
                    wrong.append(f"{name} {moment}: {text}")
    assert not wrong, wrong[:10]


def test_a_minute_that_is_skipped_is_refused_and_one_that_comes_twice_asks_which():
    skipped = twice = 0
    for name, found in CHANGES.items():
        for change in found:
            before, after = (
                local(change - MINUTE, name).replace(tzinfo=None) + MINUTE,
                local(change, name).replace(tzinfo=None),
            )
            if before == after:
                continue
            wall = min(before, after) + MINUTE
            with pytest.raises(BadInput, match="go forward" if after > before else "happens twice") as refused:
                from_local(wall.date(), wall.time(), name)
            assert refused.value.field == "time"
            skipped, twice = skipped + (after > before), twice + (after < before)
            if after < before:
                assert (
                    from_local(wall.date(), wall.time(), name, fold=1)
                    - from_local(wall.date(), wall.time(), name, fold=0)
                    == before - after
                )
    assert skipped > 700 and twice > 700


def test_no_window_of_any_zone_begins_where_its_minute_is_not_one_instant():
    wrong = []
    for name, found in CHANGES.items():
        where = dealer(zone=name, country="US", opening_hours="24/7", drive_minutes=60, notice_minutes=0)
        for change in found[:2]:  # one of each kind; the others follow the same rule
            for option in capacity.free(
                where, BookingKind.DROP_OFF, change - timedelta(hours=4), resources(), {}, count=12
            ):
                wall = local(option.window.starts_at, name)
                try:
                    meant = from_local(wall.date(), wall.time().replace(tzinfo=None), name)
                except BadInput:
                    meant = None
                if meant != option.window.starts_at:
                    wrong.append(f"{name}: {option.window.starts_at}")
    assert not wrong, wrong[:10]
