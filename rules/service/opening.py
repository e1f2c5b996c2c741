"""When a dealer is open, and how far the workshop gets in that time.

The week's hours are OpenStreetMap's; public holidays are those of the dealer's country and region; a dealer's own days
come before both.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays
import opening_hours

from schemas.account import Dealer
from schemas.errors import BadInput
from schemas.moment import local, zone
from schemas.slot import Window

Spans = tuple[tuple[int, int], ...]  #: minutes of a day's wall clock: from, and until
_DAY = timedelta(days=1)
_MINUTES = 24 * 60
_CLOSED = frozenset({"closed", "off"})
_HOLIDAY = "PH"  #: what opening hours call a public holiday
#: Holidays that the hours' library knows of this country, among them one on each weekday in each season.
_ASKED = "DE"
_KNOWN = tuple(
    date(year, month, day) for year in range(2020, 2048) for month, day in ((1, 1), (5, 1), (10, 3), (12, 25))
)


def check_hours(text: str, zone_name: str, country: str) -> None:
    """BadInput unless `text` is an opening_hours string of OpenStreetMap."""
    try:
        _parsed(text, zone_name, country)
    except opening_hours.ParserError as error:  # type: ignore[attr-defined]  # missing in its stub
        raise BadInput(
            "opening_hours",
            f"cannot be read: {str(error).splitlines()[0]}. Write it as in 'Mo-Fr 08:00-18:00; Sa 09:00-13:00; PH off'",
        ) from None


def open_times(dealer: Dealer, since: datetime, until: datetime) -> tuple[Window, ...]:
    """When the dealer is open, in UTC and in order: the week's hours, but for the days that differ from them."""
    where = zone(dealer.zone)
    since, until = since.astimezone(where), until.astimezone(where)
    hours, _ = _parsed(dealer.opening_hours, dealer.zone, dealer.country)
    found = [
        (start.astimezone(UTC), end.astimezone(UTC))
        for start, end, state, _ in hours.intervals(since, until)
        if str(state) == "open"
    ]
    for day, instead in _differing(dealer, since.date(), until.date()).items():
        midnight, next_one = (datetime.combine(day + n * _DAY, time(), where).astimezone(UTC) for n in (0, 1))
        found = [
            part
            for start, end in found
            for part in ((start, min(end, midnight)), (max(start, next_one), end))
            if part[0] < part[1]
        ]
        at = [tuple(_wall(day, minute, where) for minute in span) for span in instead]
        found += [(max(start, since), min(end, until)) for start, end in at if start < until and end > since]
    return tuple(_joined(sorted(found)))


def days_that_differ(dealer: Dealer, since: date, until: date) -> dict[date, tuple[str, Spans]]:
    """Public holidays and the dealer's own days between two dates: how a holiday is called, and the minutes of the day
    at which it is open.
    """
    named = _holidays(dealer.country, dealer.region)
    days = [since + n * _DAY for n in range((until - since).days + 1)]
    own, where = special_days(dealer.special_days), zone(dealer.zone)
    return {
        day: (str(named.get(day) or ""), _minutes_open(dealer, day, where))
        for day in days
        if day in named or day in own
    }


def special_days(text: str) -> dict[date, Spans]:
    """The days that a dealer has said themselves, as in "2026-12-24 08:00-12:00; 2026-12-31 closed", or BadInput."""
    found: dict[date, Spans] = {}
    for line in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
        date_text, _, hours = line.partition(" ")
        try:
            day = date.fromisoformat(date_text)
            spans = [] if hours.strip() in _CLOSED else sorted(_span(span) for span in hours.split(","))
        except ValueError:
            raise BadInput(
                "special_days",
                f"{line[:60]!r} cannot be read. "
                "Write one day a line, as in 2026-12-24 08:00-12:00 or 2026-12-31 closed",
            ) from None
        if any(end <= start for start, end in spans) or any(
            later[0] < earlier[1] for earlier, later in pairwise(spans)
        ):
            raise BadInput("special_days", f"{line[:60]!r}: hours end after they begin and do not overlap")
        if day in found:
            raise BadInput("special_days", f"{day} is there twice")
        found[day] = tuple(spans)
    return found


def regions(country: str) -> dict[str, str]:
    """The regions whose holidays are known, by their ISO 3166-2 code: DE-HH to Hamburg."""
    try:
        known = holidays.country_holidays(country)
    except NotImplementedError:
        return {}
    names = {code: name for name, code in reversed(known.subdivisions_aliases.items())}
    return {f"{country}-{code}": names.get(code, code) for code in known.subdivisions}


def check_region(region: str, country: str) -> str:
    """That region's code, or BadInput; "" is the country as a whole."""
    wanted = region.strip().lower()
    known = regions(country)
    found = next((code for code in known if wanted in (code.lower(), code.partition("-")[2].lower())), None)
    if wanted and found is None:
        example = ", ".join(list(known)[:3]) or "none is known"
        raise BadInput(
            "region", f"{region.strip()[:20]!r} is no region of {country} whose holidays are known ({example})"
        )
    return found or ""


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
        """From `start` until `labour` is spent, in open times only: over breaks, and over nights when no day is long
        enough for it.

        None when it cannot begin then, would leave the car here for a night without need, or ends after all that is
        known.
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


@lru_cache(maxsize=256)
def _holidays(country: str, region: str) -> Mapping[date, str]:
    """The public holidays of a country or one of its regions, years as they are asked for; none when nobody knows
    them.
    """
    try:
        found: Mapping[date, str] = holidays.country_holidays(
            country, subdiv=region.partition("-")[2] or None, language="en_US"
        )
    except NotImplementedError:
        return {}
    return found


def _differing(dealer: Dealer, first: date, last: date) -> dict[date, Spans]:
    """The days on which the parsed hours do not hold: holidays that they do not know, and the dealer's own days."""
    found: dict[date, Spans] = {}
    if _HOLIDAY in dealer.opening_hours:
        named, (asked, knows) = (
            _holidays(dealer.country, dealer.region),
            _parsed(f"{_HOLIDAY} open", dealer.zone, dealer.country),
        )
        for day in (first + n * _DAY for n in range((last - first).days + 1)):
            if day in named and not (knows and asked.is_open(datetime.combine(day, time(12), zone(dealer.zone)))):
                found[day] = _as_a_holiday(dealer, day)
    return found | {day: spans for day, spans in special_days(dealer.special_days).items() if first <= day <= last}


def _as_a_holiday(dealer: Dealer, day: date) -> Spans:
    """The hours of a holiday that their library does not know: those of one that it knows, on the same weekday and near
    in the year.
    """
    alike = [known for known in _KNOWN if known.weekday() == day.weekday()]
    near = min(alike, key=lambda known: abs((known.timetuple().tm_yday - day.timetuple().tm_yday + 182) % 365 - 182))
    return _minutes_open(
        dealer.model_copy(update={"country": _ASKED, "region": "", "special_days": ""}), near, zone(dealer.zone)
    )


def _minutes_open(dealer: Dealer, day: date, where: ZoneInfo) -> Spans:
    """From which minute of the wall clock to which the dealer is open that day."""
    midnight, next_one = datetime.combine(day, time(), where), datetime.combine(day + _DAY, time(), where)
    spans = [
        (local(span.starts_at, dealer.zone), local(span.ends_at, dealer.zone))
        for span in open_times(dealer, midnight, next_one)
    ]
    return tuple(
        (start.hour * 60 + start.minute, end.hour * 60 + end.minute if end.date() == day else _MINUTES)
        for start, end in spans
    )


def _wall(day: date, minute: int, where: ZoneInfo) -> datetime:
    """The instant at which the wall clock shows that minute of the day; of two, the first."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    return wall.replace(tzinfo=where).astimezone(UTC)


def _span(text: str) -> tuple[int, int]:
    """`08:00-12:30` in minutes of the day; ValueError when it is none."""
    start, end = (re.fullmatch(r"(\d\d):([0-5]\d)", wall.strip()) for wall in text.split("-"))
    if start is None or end is None:
        raise ValueError
    minutes = (int(start[1]) * 60 + int(start[2]), int(end[1]) * 60 + int(end[2]))
    if minutes[1] > _MINUTES:
        raise ValueError
    return minutes


def _joined(spans: Sequence[tuple[datetime, datetime]]) -> Iterator[Window]:
    """Sorted spans, those that touch made one."""
    held: tuple[datetime, datetime] | None = None
    for start, end in spans:
        if held is not None and start <= held[1]:
            held = (held[0], max(held[1], end))
            continue
        if held is not None:
            yield Window(starts_at=held[0], ends_at=held[1])
        held = (start, end)
    if held is not None:
        yield Window(starts_at=held[0], ends_at=held[1])
