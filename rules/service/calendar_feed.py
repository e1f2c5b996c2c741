"""A calendar to subscribe to (RFC 5545): visits and drives on the wall clock of the dealer's place. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event

from schemas.moment import zone

REFRESH = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece of time. `uid` stays the same when it moves; `changed_at` says that it did."""

    uid: str
    title: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    where: str = ""
    words: str = ""
    cancelled: bool = False


def feed(name: str, zone_name: str, entries: Iterable[Entry]) -> bytes:
    """The whole calendar, its times named on the clock of `zone_name` together with that zone's rules."""
    where, calendar, shown = zone(zone_name), Calendar(), list(entries)
    calendar.add("prodid", "-//Telltale//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for entry in shown:
        event = Event()
        event.add("uid", entry.uid)
        event.add("summary", entry.title)
        event.add("dtstamp", entry.changed_at.astimezone(UTC))
        event.add("last-modified", entry.changed_at.astimezone(UTC))
        event.add("dtstart", _named(entry.starts_at, where))
        event.add("dtend", _named(entry.ends_at, where))
        event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
        if entry.where:
            event.add("location", entry.where)
        if entry.words:
            event.add("description", entry.words)
        calendar.add_component(event)
    if shown:  # the rules of the years that are shown, and of no others
        years = [entry.starts_at.year for entry in shown]
        calendar.add_missing_timezones(first_date=date(min(years) - 1, 1, 1), last_date=date(max(years) + 1, 12, 31))
    return bytes(calendar.to_ical())


def _named(moment: datetime, where: object) -> datetime:
    """On the wall clock of that place; an hour that comes twice is named in UTC, where it comes once."""
    wall = moment.astimezone(where)  # type: ignore[arg-type]
    twice = wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset()
    return moment.astimezone(UTC) if twice else wall
