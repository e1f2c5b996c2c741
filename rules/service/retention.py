"""Which days of readings may go. Pure.

Nothing irreversible rests on one witness. A day is past retention when *every* clock says so: ours, the database's, and
the cars' own, of which the newest reading tells. Then it is detached, which can be undone, and dropped a day of machine
time later. Few go at once: an ordinary day has one, and more is rather a wrong clock than a wish.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from schemas.retention import RetentionWord

MOST_A_DAY: Final = 7  #: days of readings that go in one day, unless a person says more
GRACE: Final = timedelta(
    days=1
)  #: machine time between detaching and dropping; the database holds it too (drop_detached_day)
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Whoever knows what day it is.

    `machine` is the database's own clock, `speed` business seconds in a machine second.
    """

    own: datetime  #: this gateway's business clock
    told: datetime  #: business time as the database tells it
    newest: int | None  #: the newest day of which a car spoke by its own clock
    machine: datetime
    speed: float = 1.0
    word: RetentionWord | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with which days, the oldest first.

    `refused` says why days stay that somebody might think past retention.
    """

    attach: tuple[int, ...] = ()
    drop: tuple[int, ...] = ()
    detach: tuple[int, ...] = ()
    first_kept: int | None = None  #: every witness says that what is before this day is past retention
    refused: str = ""


def plan(attached: Iterable[int], detached: Mapping[int, datetime], keep_days: int, by: Witnesses) -> Plan:
    """`attached` days are there, `detached` ones since when (machine time)."""
    word, spoken = _word(by), _spoken(by)
    clocks = sorted((day_of(by.own), day_of(by.told)))
    if spoken is None:
        return (
            Plan(refused="no reading tells what day it is")
            if any(day < clocks[1] - keep_days for day in attached)
            else Plan()
        )
    first = min(clocks[0], spoken) - keep_days
    lately = sum(at > by.machine - GRACE for at in detached.values())
    allowed = (word.at_once if word and word.at_once else None) or int(MOST_A_DAY * max(1.0, by.speed))
    old = sorted(day for day in attached if day < first)
    detach = tuple(old[: max(0, allowed - lately)])
    held = sum(first <= day < clocks[1] - keep_days for day in attached)
    return Plan(
        attach=tuple(sorted(day for day in detached if day >= first)),
        drop=tuple(sorted(day for day, at in detached.items() if day < first and at <= by.machine - GRACE)),
        detach=detach,
        first_kept=first,
        refused=_disagreement(by, spoken, held) or _too_many(len(old), allowed, len(old) - len(detach)),
    )


def today(by: Witnesses) -> int | None:
    """The day that no witness calls a future one; None while no car says what day it is."""
    spoken = _spoken(by)
    return None if spoken is None else min(day_of(by.own), day_of(by.told), spoken)


def _word(by: Witnesses) -> RetentionWord | None:
    return by.word if by.word is not None and timedelta(0) <= by.machine - by.word.said_at <= GRACE else None


def _spoken(by: Witnesses) -> int | None:
    word = _word(by)
    return max(
        (day for day in (by.newest, day_of(word.today) if word and word.today else None) if day is not None),
        default=None,
    )


def _disagreement(by: Witnesses, spoken: int, held: int) -> str:
    if held <= 1:  # at midnight the clocks are ahead of the cars for a moment
        return ""
    return (
        f"{held} days stay that are past retention by one clock and not by all: this gateway's says {by.own:%Y-%m-%d}, "
        "the database's "
        f"{by.told:%Y-%m-%d}, the newest reading is of {date_of(spoken)}"
    )


def _too_many(past: int, allowed: int, left: int) -> str:
    return f"{past} days are past retention, and no more than {allowed} go in a day; {left} wait" if left else ""


def day_of(at: datetime | date) -> int:
    """The day since 1970-01-01, in UTC."""
    return int(at.timestamp() // 86_400) if isinstance(at, datetime) else (at - _EPOCH).days


def date_of(day: int) -> date:
    """The date of that day."""
    return datetime.fromtimestamp(day * 86_400, UTC).date()
