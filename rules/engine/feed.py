"""Whether a rule can decide at all for a car, by what its feed brings: a rule that hears nothing says nothing, and
silence is not health. Pure.

A rule states what it needs (`Rule.needs`, `Rule.watch`): signals, said together, so often, for so long, while the car
drives. A feed is what a car has said lately.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rules.engine.rule import Rule, Watch
from rules.engine.thresholds import RPM, SPEED, middle, signal_of
from schemas.profile import Profile

LEAST = 12  #: messages before anything is said of how a feed sends
ROLLS_KMH, TURNS_RPM, ON = 3.0, 400.0, 2.0
KNOWN_S = 300.0  #: so long a word on whether the car drives holds
DRIVE_SHOWN_BY = (signal_of(SPEED).id, signal_of(RPM).id, signal_of("Vehicle.LowVoltageSystemState").id)
_PAUSE_S = 900.0  #: what is further apart is not in one piece
TURNED_RPM = 60.0, TURNS_RPM  #: by the starter; slower nothing turns, faster the engine does it itself
TOGETHER_S = 15.0  #: a dongle asks for one after the other: what was said within one round of it is of one instant
ONE_START_S = 30.0
APART_S = 10 * 3600.0  #: one rest a day, where the first word of a dongle after the night is all that tells of it
LOOKED_BACK_S = 14 * 86_400.0  #: what is judged of starts and mornings that were seen by chance is no older


@dataclass(frozen=True, slots=True)
class Moment:
    """One message: which signals it brings, and whether the car drives; None: nothing says so."""

    ts: float
    ids: frozenset[int]
    driving: bool | None = None
    rpm: float | None = None  #: said in this very round


@dataclass(frozen=True, slots=True)
class Feed:
    """What a car has said lately. `whole`: these are all of its messages of that time, not a choice of them.

    `codes`: whether it ever sent a list of trouble codes; `known_s`: for how long it could have been heard, where that
    is known: a car that stands says nothing.
    """

    moments: Sequence[Moment]
    whole: bool = True
    codes: bool = True
    known_s: float | None = None


@dataclass(frozen=True, slots=True)
class Unwatched:
    """A rule that cannot decide, the signals that it lacks (VSS paths), and why where it lacks none."""

    rule: str
    title: str
    groups: tuple[tuple[str, ...], ...]  #: of each group one is enough
    why: str = ""

    @property
    def words(self) -> str:
        """What it needs, as people say it."""
        return self.why or _named(self.groups)

    @property
    def needs(self) -> tuple[str, ...]:
        """All of them, one after the other."""
        return tuple(path for group in self.groups for path in group)


def moments(messages: Iterable[tuple[float, Collection[int], Collection[float]]]) -> Iterator[Moment]:
    """Messages (time, ids, values) in the order of time, with what they say of driving."""
    said: dict[int, tuple[float, bool]] = {}
    turned, turns = float("-inf"), 0.0
    for ts, ids, values in messages:
        for i, value in zip(ids, values):
            if i in DRIVE_SHOWN_BY:
                said[i] = ts, _drives(i, value)
                if i == DRIVE_SHOWN_BY[1]:
                    turned, turns = ts, value
        words = [drives for at, drives in said.values() if ts - at <= KNOWN_S]
        yield Moment(ts, frozenset(ids), any(words) if words else None, turns if ts - turned <= TOGETHER_S else None)


def _drives(signal_id: int, value: float) -> bool:
    speed, rpm, _ = DRIVE_SHOWN_BY
    return value > ROLLS_KMH if signal_id == speed else value >= TURNS_RPM if signal_id == rpm else value == ON


def unwatched(
    rules: Iterable[Rule], profile: Profile, heard: Collection[str], feed: Feed | None = None
) -> list[Unwatched]:
    """The rules meant for this model that lack a signal, or that cannot decide on what the feed brings of them.

    `heard` are the paths that the car has ever sent.
    """
    found, heard = [], frozenset(heard)
    for rule in rules:
        if (rule.drives and profile.drive not in rule.drives) or rule.stage != "live":
            continue
        lacks = tuple(group for group in rule.asks(profile.drive) if heard.isdisjoint(group))
        why = "" if lacks or feed is None else _why(rule, profile.drive, feed)
        if lacks or why:
            found.append(Unwatched(rule.name, rule.title, lacks, why))
    return found


def _why(rule: Rule, drive: str, feed: Feed) -> str:
    """Why this feed is not enough, though each signal comes; "" where it is."""
    watch, asks = rule.watch or Watch(), rule.asks(drive)
    if len(feed.moments) < LEAST:
        return ""
    if watch.codes:
        return "" if feed.codes else "the car's list of trouble codes; this feed has never brought one"
    if not asks:
        return ""
    here = list(_instants(watch, asks, feed.moments))
    if not here:
        if not any(_said(asks, moment) for moment in feed.moments):
            return ""  # not said lately: how it comes is not known
        return f"{_named(asks)} {_together(watch, asks)}; this feed sends them apart"
    if watch.driving:
        if all(moment.driving is False for moment in here):
            return f"{_named(asks)} while driving; this feed brings that only while the car stands"
        here = [moment for moment in here if moment.driving is not False]
    where = " while driving" if watch.driving else ""
    if few := _too_few(watch, asks, feed.moments, feed.known_s):
        return few
    every_s = _every(watch, asks, feed.moments)
    apart = [later.ts - earlier.ts for earlier, later in pairwise(here)]
    if every_s is not None and apart and min(apart) > every_s:
        return f"a value each {_span(every_s)}{where}; this feed sends one each {_span(middle(apart))}"
    longest = _longest(here, watch.every_s or _PAUSE_S)
    if feed.whole and longest < watch.lasts_s:
        most = _span(longest) if longest else "a single value"
        return f"{_span(watch.lasts_s)}{where} in one piece; the longest of this feed was {most}"
    return ""


def _every(watch: Watch, asks: Sequence[tuple[str, ...]], all_of: Sequence[Moment]) -> float | None:
    """How far apart its samples may be, by the signals that are heard."""
    heard = {i for moment in all_of for i in moment.ids}
    alone = [group for group in asks if any(path in watch.every_of for path in group)]
    for group in alone:
        said = [path for path in group if signal_of(path).id in heard]
        if said and all(path in watch.every_of for path in said):
            return min(watch.every_of[path] for path in said)
    return watch.every_s


def _too_few(watch: Watch, asks: Sequence[tuple[str, ...]], all_of: Sequence[Moment], known_s: float | None) -> str:
    """Of a rule that judges starts or mornings by what was seen of them by chance: what there is too little of."""
    span = min(LOOKED_BACK_S, all_of[-1].ts - all_of[0].ts if known_s is None else known_s)
    if span < LOOKED_BACK_S / 2:
        return ""  # a car that is new, or was away: how it comes is not known
    heard = {i for moment in all_of for i in moment.ids}
    ways = (
        (watch.starts_of, TURNED_RPM, ONE_START_S, "while the starter turns, of {} starts in two weeks"),
        (watch.mornings_of, (0.0, TURNED_RPM[0]), APART_S, "before the engine turns, on {} days of two weeks"),
    )
    for wanted, revs, apart_s, words in ways:
        for group in asks:
            said = [path for path in group if signal_of(path).id in heard]
            if not said or any(path not in wanted for path in said):
                continue
            least, ids = min(wanted[path] for path in said), {signal_of(path).id for path in said}
            count = _seen_apart((m for m in all_of if ids & m.ids), revs, apart_s, all_of[-1].ts - LOOKED_BACK_S)
            if count < least * span / LOOKED_BACK_S:
                return f"{signal_of(said[0]).title} {words.format(least)}; this feed brought {count or 'none'}"
    return ""


def _seen_apart(here: Iterable[Moment], revs: tuple[float, float], apart_s: float, since: float) -> int:
    """How many moments there are with the engine turning at these revolutions."""
    count, newest = 0, float("-inf")
    for moment in here:
        turns = moment.ts >= since and moment.rpm is not None and revs[0] <= moment.rpm < revs[1]
        if turns and moment.ts - newest >= apart_s:
            count, newest = count + 1, moment.ts
    return count


def _instants(watch: Watch, asks: Sequence[tuple[str, ...]], all_of: Sequence[Moment]) -> Iterator[Moment]:
    """The messages with which the rule knows all that it asks for: said in them, or not longer ago than it takes."""
    groups = [{signal_of(path).id: watch.ages.get(path, 0.0) for path in group} for group in asks]
    wanted = {i for group in groups for i in group}
    said: dict[int, float] = {}
    for moment in all_of:
        mine = wanted & moment.ids
        if not mine:
            continue
        said.update(dict.fromkeys(mine, moment.ts))
        if all(any(i in said and moment.ts - said[i] <= age for i, age in group.items()) for group in groups):
            yield moment


def _said(asks: Sequence[tuple[str, ...]], moment: Moment) -> bool:
    return any(signal_of(path).id in moment.ids for group in asks for path in group)


def _longest(here: Sequence[Moment], every_s: float) -> float:
    longest = begun = 0.0
    for n, moment in enumerate(here):
        if not n or moment.ts - here[n - 1].ts > every_s:
            begun = moment.ts
        longest = max(longest, moment.ts - begun)
    return longest


def _together(watch: Watch, asks: Sequence[tuple[str, ...]]) -> str:
    """How near to each other they must be said."""
    ages = [max(watch.ages.get(path, 0.0) for path in group) for group in asks]
    return "in one message" if ages.count(0.0) > 1 else f"within {_span(min(age for age in ages if age))}"


def _named(groups: Iterable[tuple[str, ...]]) -> str:
    return ", ".join(" or ".join(signal_of(path).title for path in group) for group in groups)


def _span(seconds: float) -> str:
    for limit, unit, words in ((90.0, 1.0, "s"), (5_400.0, 60.0, "min"), (129_600.0, 3_600.0, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {words}"
    return f"{seconds / 86_400.0:.0f} days"
