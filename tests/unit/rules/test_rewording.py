"""A text is worded in the minute in which it leaves, in every zone, and on the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import pytest

from rules.service.rewording import given, gone, kept
from rules.service.wording import Wording
from schemas.message import MessageKind
from schemas.moment import local
from schemas.slot import Window
from telltale import data

WORDING = Wording(data.texts())
_ODD = ("Etc/", "posix/", "right/")
ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(_ODD))
DAYS = [datetime(2027, 3, 14, tzinfo=UTC), datetime(2027, 3, 28, tzinfo=UTC), datetime(2027, 10, 31, tzinfo=UTC)]
BOOKED = {"dealer": "Nord", "kind": "drop_off", "address": "Weg 1", "link": "https://n.example/o/1", "channel": "phone"}


@pytest.mark.parametrize("day", DAYS, ids=lambda day: f"{day:%d.%m.}")
def test_today_is_today_and_tomorrow_tomorrow_when_it_leaves(day: datetime) -> None:
    for number, zone in enumerate(ZONES):
        starts = day + timedelta(hours=30 + number % 24, minutes=30)
        facts = BOOKED | {"starts_at": starts, "ends_at": starts + timedelta(hours=1), "zone": zone, "now": day}
        words = kept(facts)
        assert words is not None
        for hours in (0, 7, 19, 29):
            leaves = day + timedelta(hours=hours, minutes=number % 60)
            body = WORDING.text("en", MessageKind.BOOKED, **given(words, leaves)).body
            assert body == WORDING.text("en", MessageKind.BOOKED, **(facts | {"now": leaves})).body
            ahead = (local(starts, zone).date() - local(leaves, zone).date()).days
            assert ("today" in body) == (ahead == 0) and ("tomorrow" in body) == (ahead == 1), (zone, leaves, body)


def test_what_has_passed_is_neither_promised_nor_offered() -> None:
    now = datetime(2027, 3, 28, 9, tzinfo=UTC)
    hour = timedelta(hours=1)
    words = kept(
        {"now": now, "ready_by": now + hour, "windows": [Window(starts_at=now + hour, ends_at=now + 2 * hour)]}
    )
    assert words is not None
    assert given(words, now)["ready_by"] == now + hour and gone(given(words, now), now) is None
    late = given(words, now + hour)
    assert late["ready_by"] is None and gone(late, now + hour) == "a time that it offers has passed"


def test_words_that_do_not_depend_on_the_moment_are_not_kept() -> None:
    assert kept({"dealer": "Nord"}) is None
    assert kept({"now": datetime(2027, 3, 28, tzinfo=UTC), "odd": object()}) is None
