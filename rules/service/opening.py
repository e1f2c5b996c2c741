"""When a dealer is open, and how far the workshop gets in that time."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Container
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import holidays
import opening_hours

from schemas.account import Dealer
from schemas.errors import BadInput
from schemas.moment import local, zone
from schemas.slot import Window


def check_hours(text: str, zone_name: str, country: str) -> None:
    """BadInput unless `text` is an opening_hours string of OpenStreetMap."""
    try:
        _parsed(text, zone_name, country)
    except opening_hours.ParserError as error:  # type: ignore[attr-defined]  # missing in its stub
        raise BadInput("opening_hours", f"cannot be read: {str(error).splitlines()[0]}. Write it as in 'Mo-Fr 08:00-18:00; Sa 09:00-13:00; PH off'") from None


def open_times(dealer: Dealer, since: datetime, until: datetime) -> tuple[Window, ...]:
    """When the dealer is open, public holidays considered, in UTC and in order."""
    where = zone(dealer.zone)
    hours, knows_holidays = _parsed(dealer.opening_hours, dealer.zone, dealer.country)
    off = _holidays(dealer.country) if not knows_holidays and "PH off" in dealer.opening_hours else frozenset()
    found = []
    for start, end, state, _ in hours.intervals(since.astimezone(where), until.astimezone(where)):
        if str(state) == "open" and start.date() not in off:
            found.append(Window(starts_at=start.astimezone(UTC), ends_at=end.astimezone(UTC)))
    return tuple(found)


class Opening:
    """A dealer's open times from `since` to `until`, to be asked often."""

    def __init__(self, dealer: Dealer, since: datetime, until: datetime) -> None:
        self._spans = open_times(dealer, since, until)
        self._starts = [span.starts_at for span in self._spans]
        self._days = [local(start, dealer.zone).date() for start in self._starts]
        spent: dict[date, timedelta] = defaultdict(timedelta)
        for day, span in zip(self._days, self._spans, strict=True):
            spent[day] += span.ends_at - span.starts_at
        self._longest = max(spent.values(), default=timedelta(0))

    def holds(self, span: Window) -> bool:
        """Whether all of it lies between one opening and the next closing."""
        n = bisect_right(self._starts, span.starts_at) - 1
        return n >= 0 and span.ends_at <= self._spans[n].ends_at

    def work(self, start: datetime, labour: timedelta) -> Window | None:
        """From `start` until `labour` is spent, in open times only: over breaks, and over nights when no day is long enough for it.

        None when it cannot begin then, would leave the car here for a night without need, or ends after all that is known.
        """
        first = bisect_right(self._starts, start) - 1
        if first < 0 or start >= self._spans[first].ends_at:
            return None
        left = labour
        for day, span in zip(self._days[first:], self._spans[first:], strict=True):
            if day != self._days[first] and labour <= self._longest:
                return None
            done = max(start, span.starts_at) + left
            if done <= span.ends_at:
                return Window(starts_at=start, ends_at=done)
            left = done - span.ends_at
        return None


@lru_cache(maxsize=256)
def _parsed(text: str, zone_name: str, country: str) -> tuple[opening_hours.OpeningHours, bool]:
    """The hours, and whether their library has a calendar of that country's public holidays."""
    try:
        return opening_hours.OpeningHours(text, timezone=zone(zone_name), country=country), True
    except opening_hours.UnknownCountryError:  # type: ignore[attr-defined]  # missing in its stub
        return opening_hours.OpeningHours(text, timezone=zone(zone_name)), False


@lru_cache(maxsize=64)
def _holidays(country: str) -> Container[date]:
    """The public holidays of a country; none when nobody knows them."""
    try:
        found: Container[date] = holidays.country_holidays(country)
    except NotImplementedError:
        return frozenset()
    return found
