"""Each zone, each change of its clocks from 2026 to 2030: text, mail, page and calendar name the same minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from icalendar import Calendar

from dealer_api.owner.formatting import Speech
from rules.service.calendar_feed import Entry, feed
from rules.service.wording import Wording
from schemas.message import MessageKind
from schemas.moment import local
from telltale import data
from tests.unit.rules.test_every_zone import CHANGES, MINUTE

AHEAD = (-121, -61, -60, -31, -1, 0, 1, 29, 59, 60, 119)
HOUR = timedelta(hours=1)


def test_the_calendar_the_text_the_mail_and_the_page_name_the_same_minute() -> None:
    words, wrong = Wording(data.texts()), []
    for name, found in CHANGES.items():
        moments = {f"{n}-{ahead}": change + ahead * MINUTE for n, change in enumerate(found) for ahead in AHEAD}
        entries = [Entry(uid, "Visit", moment, moment + HOUR, moment) for uid, moment in moments.items()]
        for event in Calendar.from_ical(feed("House", name, entries)).walk("VEVENT"):
            moment, said = moments[str(event["uid"])], event["dtstart"].dt
            shown = f"{said.astimezone(UTC).astimezone(local(moment, name).tzinfo):%H:%M}"
            page = Speech(words, "en", name, moment - HOUR).clock(moment)
            if said.astimezone(UTC) != moment or not shown == page == f"{local(moment, name):%H:%M}":
                wrong.append(f"{name} {moment}: {said} and {page}")
            if event["dtend"].dt.astimezone(UTC) != moment + HOUR:
                wrong.append(f"{name} {moment}: ends {event['dtend'].dt}")
        for n, change in enumerate(found):
            for channel in ("phone", "email"):
                text = words.text(
                    ("en", "de", "es")[n % 3],
                    MessageKind.BOOKED,
                    dealer="House",
                    kind="drop_off",
                    starts_at=change,
                    ends_at=change + HOUR,
                    zone=name,
                    now=change - HOUR,
                    channel=channel,
                    vehicle="Car",
                ).body
                if f"{local(change, name):%H:%M}" not in text:
                    wrong.append(f"{name} {change} by {channel}: {text}")
    assert not wrong, wrong[:10]


def test_a_calendar_names_its_zone_with_its_rules_and_says_what_is_over() -> None:
    at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    text = feed(
        "House", "Europe/Berlin", [Entry("a", "Collect", at, at + HOUR, at, "Eisweg 1", cancelled=True)]
    ).decode()
    assert "DTSTART;TZID=Europe/Berlin:20261123T100000" in text and "BEGIN:VTIMEZONE" in text
    assert "STATUS:CANCELLED" in text and "LOCATION:Eisweg 1" in text
