"""The numbers of a house, from its journeys: how far each case came, how long each step took, what was lost on the way,
and how well we kept our word. Each number carries the cases that it counts. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import sqrt
from statistics import median

from schemas.journey import JOURNEY, Journey, Step, Stop

_LOW = 2  #: a score that asks for a call
_SURE = 1.96  #: standard deviations of a normal distribution around 95 %
_ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Passage:
    """One step of the funnel. Those who reached it, those who were lost before it, and those who have still to come;
    `took` is the median time since the step before, `late` are those who took longer than the map allows.
    """

    stop: Stop
    reached: tuple[int, ...]
    lost: tuple[int, ...]
    open: tuple[int, ...]
    late: tuple[int, ...]
    took: timedelta | None


@dataclass(frozen=True, slots=True)
class Number:
    """One number, and the cases behind it. `count` of `of`; `between`: the share's 95 % interval, both in percent."""

    key: str
    title: str
    hint: str
    count: int
    of: int | None
    cases: tuple[int, ...] = field(repr=False)
    between: tuple[int, int] | None = None

    @property
    def percent(self) -> int | None:
        """Whole percent, or nothing where there is nothing to count."""
        return round(100 * self.count / self.of) if self.of else None


@dataclass(frozen=True, slots=True)
class OfRule:
    """What came of one rule's finds."""

    rule: str
    found: tuple[int, ...]
    repaired: tuple[int, ...]
    proved: tuple[int, ...]
    dismissed: tuple[int, ...]


def funnel(journeys: Sequence[Journey]) -> tuple[Passage, ...]:
    """How far they came. Whoever took a later step has passed the ones before, also where nobody wrote it down."""
    came = {one.case_id: _furthest(one) for one in journeys}
    passages = []
    for n, stop in enumerate(JOURNEY):
        there = [one for one in journeys if came[one.case_id] >= n]
        ahead = [one for one in journeys if came[one.case_id] == n - 1]
        spans = {one.case_id: span for one in there if (span := _span(one, n)) is not None}
        passages.append(
            Passage(
                stop,
                reached=_ids(there),
                lost=_ids(one for one in ahead if one.closed),
                open=_ids(one for one in ahead if not one.closed),
                late=tuple(case for case, span in spans.items() if stop.within is not None and span > stop.within),
                took=timedelta(seconds=median(span.total_seconds() for span in spans.values())) if spans else None,
            )
        )
    return tuple(passages)


def numbers(journeys: Sequence[Journey], *, patience: timedelta) -> tuple[Number, ...]:
    """The numbers beside the funnel; `patience`: how long somebody who waits here may hear nothing."""
    repaired = [one for one in journeys if Step.REPAIRED in one.reached or one.comebacks]
    settled = [one for one in repaired if one.comebacks or one.closed]
    told = [one for one in journeys if Step.TOLD in one.reached]
    living = [one for one in journeys if not one.dismissed]
    waited = [one for one in journeys if one.longest_silence is not None]
    asked, scored = [one for one in journeys if one.asked], [one for one in journeys if one.score is not None]
    given = sum(one.kept + one.moved + one.broken for one in journeys)

    def some(key: str, title: str, hint: str, of: Sequence[Journey], which: Callable[[Journey], bool]) -> Number:
        found = [one for one in of if which(one)]
        return Number(key, title, hint, count=len(found), of=len(of), cases=_ids(found))

    def promises(key: str, title: str, hint: str, count: Callable[[Journey], int]) -> Number:
        cases = _ids(one for one in journeys if count(one))
        return Number(key, title, hint, count=sum(map(count, journeys)), of=given, cases=cases)

    first = some(
        "first_time",
        "Fixed the first time",
        "by what the cars showed afterwards",
        settled,
        lambda one: not one.comebacks,
    )
    return (
        Number(
            first.key,
            first.title,
            hint=first.hint,
            count=first.count,
            of=first.of,
            cases=first.cases,
            between=interval(first.count, len(settled)),
        ),
        some("comebacks", "Came back", "with the same fault", settled, lambda one: one.comebacks > 0),
        some("by_word", "Closed on a person's word", "the car could not show it", settled, lambda one: one.confirmed),
        promises("kept", "Promises kept", "of the times that we gave", lambda one: one.kept),
        promises("moved", "Promises moved", "another time was told before", lambda one: one.moved),
        promises("broken", "Promises broken", "the time passed", lambda one: one.broken),
        promises("silent", "Broken in silence", "and nobody had told the owner", lambda one: one.silent),
        some(
            "never_asked",
            "Owners never asked",
            "no text, no call",
            living,
            lambda one: not one.texts and Step.TOLD not in one.reached and Step.AGREED not in one.reached,
        ),
        some(
            "never_reached",
            "Owners not reached",
            "written to, but no text left",
            living,
            lambda one: one.texts > 0 and Step.TOLD not in one.reached and Step.AGREED not in one.reached,
        ),
        some(
            "no_answer",
            "Owners without an answer",
            "told, and nothing came back",
            told,
            lambda one: not one.answered and Step.AGREED not in one.reached,
        ),
        some(
            "long_silence",
            "Waited without a word",
            f"here, for more than {int(patience.total_seconds() // 60)} minutes",
            waited,
            lambda one: (one.longest_silence or _ZERO) > patience,
        ),
        some("scored", "Told us how it was", "of those whom we asked", asked, lambda one: one.score is not None),
        some(
            "low_score",
            f"Scores of {_LOW} or less",
            "each asks for a call",
            scored,
            lambda one: (one.score or 9) <= _LOW,
        ),
    )


def mean_score(journeys: Iterable[Journey]) -> float | None:
    """Of 1 to 5, or nothing when nobody answered."""
    scores = [one.score for one in journeys if one.score is not None]
    return sum(scores) / len(scores) if scores else None


def by_rule(journeys: Sequence[Journey]) -> tuple[OfRule, ...]:
    """What came of each rule's finds, the most frequent first."""
    rules: dict[str, list[Journey]] = {}
    for one in journeys:
        for rule in one.rules:
            rules.setdefault(rule, []).append(one)
    found = [
        OfRule(
            rule,
            found=_ids(some),
            repaired=_ids(one for one in some if Step.REPAIRED in one.reached),
            proved=_ids(one for one in some if Step.PROVED in one.reached),
            dismissed=_ids(one for one in some if one.dismissed),
        )
        for rule, some in rules.items()
    ]
    return tuple(sorted(found, key=lambda one: (-len(one.found), one.rule)))


def interval(count: int, of: int) -> tuple[int, int] | None:
    """Between which whole percents a share lies, 95 times of 100 (Wilson's score interval)."""
    if not of:
        return None
    share, z = count / of, _SURE
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return round(100 * max(0.0, middle - half)), round(100 * min(1.0, middle + half))


def _furthest(journey: Journey) -> int:
    return max((n for n, stop in enumerate(JOURNEY) if stop.step in journey.reached), default=0)


def _span(journey: Journey, n: int) -> timedelta | None:
    """Since the last step before it that was written down; what came first is no time at all."""
    at = journey.reached.get(JOURNEY[n].step)
    before = [journey.reached[stop.step] for stop in JOURNEY[:n] if stop.step in journey.reached]
    return None if at is None or not before else max(_ZERO, at - before[-1])


def _ids(journeys: Iterable[Journey]) -> tuple[int, ...]:
    return tuple(one.case_id for one in journeys)
