"""May this text go now? Four answers, each with its reason: Go, Wait until a moment, Never, or TooLate.

Consent is per purpose, and no row means no. STOP ends everything at once; only its own confirmation and an answer to
HELP still go. Quiet hours are the owner's, in the owner's zone: a text waits for the first decent minute. What cannot
wait (do not drive on) and what belongs to a visit under way or answers the owner's own text passes. Texts about
maintenance that is not urgent have a budget, so that nobody is nagged. And nobody is told today what was due yesterday:
a text that could not leave for a day, because workers or provider were away, is given to a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from schemas.consent import Consent, Owner
from schemas.message import MessageKind, Purpose
from schemas.moment import local
from schemas.verdict import Severity


@dataclass(frozen=True, slots=True)
class Go:
    """It may go now."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before `until`; it is checked again then."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Never:
    """It must not go, and will not be tried again."""

    reason: str


@dataclass(frozen=True, slots=True)
class TooLate:
    """It could not go while it was of use: somebody should ring instead."""

    reason: str


Permission = Go | Wait | Never | TooLate

#: Owed even to somebody who said STOP: the one confirmation, and the answer to HELP.
_OWED = frozenset({MessageKind.STOPPED, MessageKind.HELP})
#: One answer to what has consequences for whoever wrote it, whatever they agreed to; not after a STOP.
_HEARD = frozenset({MessageKind.SOLD, MessageKind.WRONG})
#: Answers to what the owner wrote a moment ago: they are awake.
_ANSWERS = frozenset(
    {
        MessageKind.STARTED,
        MessageKind.PASSED_ON,
        MessageKind.BOOKED,
        MessageKind.DECLINED,
        MessageKind.FEEDBACK_THANKS,
        MessageKind.OFFER_EXPIRED,
    }
)
#: Steps of a visit under way: late they would be useless, and the car is in our hands.
_UNDER_WAY = frozenset(
    {
        MessageKind.ON_THE_WAY,
        MessageKind.COLLECTED,
        MessageKind.AT_WORKSHOP,
        MessageKind.ON_THE_WAY_BACK,
        MessageKind.HANDED_OVER,
        MessageKind.WAITING,
        MessageKind.READY,
        MessageKind.CANCELLED,
        MessageKind.MOVED,
        MessageKind.LATE,
        MessageKind.NEW_TIME,
    }
)
#: What we send unasked and not urgently: so many of a kind in so long a time. What a person writes is not counted.
BUDGET: Mapping[MessageKind, tuple[int, timedelta]] = {
    MessageKind.OFFER: (4, timedelta(days=7)),
    MessageKind.FEEDBACK: (1, timedelta(days=14)),
}
AWAKE = timedelta(minutes=30)  #: who wrote so lately may be answered, whatever the hour
FRESH = timedelta(
    hours=24
    #: a text is of use for so long after its time; what concerns safety, and our own people, is of use as long as it is
    #: true
)
LONGEST_BUDGET = max(span for _, span in BUDGET.values())
_WORD = {
    Purpose.SAFETY: "safety texts",
    Purpose.SERVICE: "texts about maintenance",
    Purpose.STATUS: "texts about a visit",
    Purpose.SURVEY: "a question afterwards",
}
_MINUTE = timedelta(minutes=1)


class Sendable(Protocol):
    """What is asked about: a message in the outbox, or one that is only thought of."""

    @property
    def kind(self) -> MessageKind: ...

    @property
    def purpose(self) -> Purpose: ...

    @property
    def due_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Intended:
    """A text that nobody has written yet."""

    kind: MessageKind
    purpose: Purpose
    due_at: datetime


def may_send(
    message: Sendable,
    owner: Owner | None,
    consents: Mapping[Purpose, Consent],
    now: datetime,
    *,
    severity: Severity | None = None,
    lately: tuple[datetime, ...] = (),
    wrote_at: datetime | None = None,
) -> Permission:
    """`severity` is that of the case, `lately` when this owner got texts of the same kind, oldest first, `wrote_at`
    when they last wrote.
    """
    kind, purpose = message.kind, message.purpose
    if purpose is Purpose.STAFF:
        return Go("to our own people")
    if owner is None:
        return Never("nobody owns this number any more")
    if kind in _OWED and now - message.due_at <= FRESH:
        return Go("owed to everybody who asks for it")
    if kind in _HEARD and owner.stopped_at is None and now - message.due_at <= FRESH:
        return Go("the one answer to what they wrote")
    never = refused(purpose, owner, consents)
    if never is not None:
        return Never(never)
    if purpose is not Purpose.SAFETY and now - message.due_at > FRESH:
        return TooLate(f"it was due on {local(message.due_at, owner.zone):%d %B at %H:%M} and could not leave since")
    awake = kind in _ANSWERS | _UNDER_WAY or (wrote_at is not None and now - wrote_at <= AWAKE)
    wakes = purpose is Purpose.SAFETY and kind is not MessageKind.SAFETY_OVER  # good news may wait for the morning
    if not wakes and not awake and quiet(owner, now):
        return Wait(
            decent(owner, now),
            f"quiet hours of the owner, {owner.quiet_from:%H:%M} to {owner.quiet_to:%H:%M} in {owner.zone}",
        )
    return _within_budget(kind, severity, now, lately)


def refused(purpose: Purpose, owner: Owner, consents: Mapping[Purpose, Consent]) -> str | None:
    """Why no text of this purpose may ever go to them as things stand; None when one may, now or later."""
    if owner.stopped_at is not None:
        return "the owner said STOP"
    never = _consent(purpose, consents)
    return None if never is None else never.reason


def _consent(purpose: Purpose, consents: Mapping[Purpose, Consent]) -> Never | None:
    consent = consents.get(purpose)
    if consent is None:
        return Never(f"no consent to {_WORD[purpose]} on record")
    return None if consent.given else Never(f"the owner said no to {_WORD[purpose]} ({consent.source})")


def _within_budget(
    kind: MessageKind, severity: Severity | None, now: datetime, lately: tuple[datetime, ...]
) -> Permission:
    limit = BUDGET.get(kind)
    if limit is None or severity is Severity.NOW:
        return Go("allowed")
    most, span = limit
    counted = [at for at in lately if at > now - span]
    if len(counted) < most:
        return Go("allowed")
    return Wait(
        counted[-most] + span, f"already {len(counted)} in {span.days} days: the limit for such texts is {most}"
    )


def quiet(owner: Owner, moment: datetime) -> bool:
    """Whether the owner's wall clock stands in their quiet hours; equal ends mean that they have none."""
    wall = local(moment, owner.zone).time().replace(fold=0, tzinfo=None)
    start, end = _plain(owner.quiet_from), _plain(owner.quiet_to)
    if start <= end:
        return start <= wall < end
    return wall >= start or wall < end


def decent(owner: Owner, moment: datetime) -> datetime:
    """The first whole minute from `moment` on that is not quiet.

    Walks minute by minute: in the nights when clocks change there is no arithmetic to get wrong.
    """
    at = moment.astimezone(UTC)
    if at.second or at.microsecond:
        at = at.replace(second=0, microsecond=0) + _MINUTE
    last = at + timedelta(hours=50)
    while quiet(owner, at) and at < last:
        at += _MINUTE
    return at


def _plain(wall: time) -> time:
    return wall.replace(tzinfo=None, fold=0)
