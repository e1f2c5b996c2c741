"""Which days of readings have a partition (a leaf) of their own. Pure; the caller brings machine time.

A car's clock may say anything. Days that are kept have a leaf each, up to tomorrow; every other day shares one, and so
does, for the moment, a day whose leaf would be one too many in a minute. So no clock of one car makes work for the
others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gateway.intake.normalise import IMPOSSIBLE_DAY
from gateway.token_bucket import Allowance

NEW_BURST, NEW_EVERY_S = (
    20,
    3.0,
)  #: leaves that are made at once, and how often one more: each costs the writer some milliseconds
KEPT_DAYS: Final = 400


class Leaves:
    """`open` are the days that may be written to; whoever meets another asks `of`."""

    def __init__(self, kept_days: int = KEPT_DAYS) -> None:
        self.open: set[int] = set()
        self._kept_days = kept_days
        self._today = -1
        self._new = Allowance(NEW_BURST, NEW_EVERY_S)

    def turn(self, received_at: float) -> None:
        """What day it is, by business time; what is past retention is no longer written to."""
        today = int(received_at // 86_400)
        if today != self._today:
            self._today = today
            self.open = {day for day in self.open if self._kept(day)} | {today, today + 1}

    def exist(self, days: Iterable[int]) -> None:
        """These have a leaf already: to write to them costs nothing."""
        self.open |= {day for day in days if self._kept(day)}

    def of(self, day: int, now: float) -> int:
        """Where a row of that day is written to: its own leaf or the shared one."""
        if day in self.open:
            return day
        if not self._kept(day) or not self._new.take("house", now):
            return IMPOSSIBLE_DAY
        self.open.add(day)
        return day

    def _kept(self, day: int) -> bool:
        return self._today - self._kept_days <= day <= self._today + 1
