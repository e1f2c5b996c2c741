"""The words and times of one page, in one person's language and on the wall clock of the place it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rules.service import money
from rules.service.wording import Wording, away, ltr
from schemas.moment import local, minutes_between

#: How people name their language themselves.
LANGUAGES = {"en": "English", "de": "Deutsch", "es": "Español", "ar": "العربية"}


@dataclass(frozen=True)
class Speech:
    """`language` is one that we speak; `zone` is the place's. A reader whose clock shows another time (`reader_zone`)
    is told whose it is.
    """

    wording: Wording
    language: str
    zone: str
    now: datetime
    reader_zone: str | None = None

    @property
    def direction(self) -> str:
        """Which way its words run."""
        return "rtl" if self.wording.right_to_left(self.language) else "ltr"

    @property
    def place_time(self) -> str:
        """'All times are Berlin time.', for who lives by another clock."""
        return (
            self.say("place-time", place=self.wording.place_time(self.language, self.zone))
            if self._calendar is None
            else ""
        )

    @property
    def _calendar(self) -> datetime | None:
        """Whose today and tomorrow: of a reader far away it may be neither's, so no day is called so."""
        return None if away(self.zone, self.reader_zone, self.now) else self.now

    def say(self, key: str, /, **facts: Any) -> str:
        """A phrase of the pages; a fact that is missing is said as `none`."""
        return self.wording.say(
            self.language,
            f"page-{key}",
            **{name: "none" if fact in (None, "") else fact for name, fact in facts.items()},
        )

    def what(self, rule: str | None, component: str, severity: str) -> str:
        """What the car reports, as a headline."""
        return capitalised(self.wording.what(self.language, rule, component, severity))

    def drive(self, rule: str | None, component: str, severity: str) -> str:
        """How urgent it is and whether to drive."""
        return self.wording.drive(self.language, rule, severity, component)

    def limit(self, label: str) -> str:
        """What a level of a chart is called; one that a rule named itself is called just that in English, and a limit
        elsewhere.
        """
        known = f"limit-{label}"
        if f"page-{known}" in self.wording.keys(self.language):
            return self.say(known)
        return label if self.language == "en" else self.say("limit-limit")

    def measured(self, rule: str) -> str:
        """What a rule's chart measures; of a rule that has no words for it, that something was measured."""
        known = f"measured-{rule}"
        if f"page-{known}" not in self.wording.keys(self.language):
            return self.say("chart-caption")
        return self.say("chart-caption-of", what=self.say(known))

    def day(self, moment: datetime) -> str:
        """Today, Tomorrow, Tue 24 Nov."""
        return capitalised(self.wording.day(self.language, moment, self.zone, self._calendar))

    def is_today(self, moment: datetime) -> bool:
        """Whether it lies on the present day of both, the place and the reader."""
        return self._calendar is not None and local(moment, self.zone).date() == local(self.now, self.zone).date()

    def span(self, starts_at: datetime, ends_at: datetime) -> str:
        """11:00–12:00, held together by word joiners."""
        hours = f"{local(starts_at, self.zone):%H:%M}\u2060–\u2060{local(ends_at, self.zone):%H:%M}"
        return ltr(hours) if self.direction == "rtl" else hours

    def window(self, starts_at: datetime, ends_at: datetime) -> str:
        """today 11:00–12:00, inside a sentence."""
        return (
            f"{self.wording.day(self.language, starts_at, self.zone, self._calendar)} {self.span(starts_at, ends_at)}"
        )

    def when(self, moment: datetime) -> str:
        """14:30 today, tomorrow 08:00 else."""
        return self.wording.time(self.language, moment, self.zone, self._calendar)

    def clock(self, moment: datetime) -> str:
        """14:30, without the day."""
        return f"{local(moment, self.zone):%H:%M}"

    def money(self, amount_minor: int, country: str) -> str:
        """An amount in the currency of a country, as this language writes it."""
        return money.written(amount_minor, country, self.language)

    def ago(self, moment: datetime) -> str:
        """just now, 4 minutes ago, 3 hours ago, 2 days ago: never finer than it is true."""
        minutes = minutes_between(moment, self.now)
        if minutes < 60:
            return self.say("ago", minutes=minutes)
        return (
            self.say("ago-hours", hours=minutes // 60)
            if minutes < 48 * 60
            else self.say("ago-days", days=minutes // 1440)
        )


def capitalised(words: str) -> str:
    """The first letter large, the rest as it is."""
    return words[:1].upper() + words[1:]


def first_name(name: str | None) -> str | None:
    """What an owner is told of a driver."""
    return name.split()[0] if name and name.split() else None
