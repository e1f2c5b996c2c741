"""Must the owner hear of this alert by themselves, now? Three answers, each with its reason: Tell, Ring, or Silent.
Pure.

A car that must not be driven on (`rules.service.driving.forbids`) is told to its owner at any hour and without a person
of ours: once for each time that it got so bad, and not again for another fault that asks the same of them. Where no
text can leave, a person rings; one who has rung is as good as a text. What is history, a rule on trial, a fault of a
sensor or a car that is with us is no reason to wake anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.service.driving import forbids
from schemas.alert import Alert, AlertState, AlertStep
from schemas.case import CaseState
from schemas.message import Message, MessageKind, MessageState

AGAIN = timedelta(
    hours=6
)  #: a fault that comes and goes around its limit is told again when it is worse again, but no oftener than this

#: What is less urgent now must stay so for as long before the owner hears it: a fault on its limit comes and goes.
EASED_FOR = timedelta(minutes=30)

CAME = (MessageState.SENT, MessageState.DELIVERED)
_UNDER_WAY = (MessageState.QUEUED, MessageState.CLAIMED)
#: The visit tells what became of the fault, or has told it.
_REPAIRED = (CaseState.IN_WORKSHOP, CaseState.VERIFYING, CaseState.DONE)


@dataclass(frozen=True, slots=True)
class Tell:
    """A text goes to the owner."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ring:
    """No text may or can go: one of our people rings at once."""

    because: str


@dataclass(frozen=True, slots=True)
class Silent:
    """There is nothing to say to the owner now."""

    reason: str


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning that stands, by text or spoken: of which step of which alert, what it asked of the owner, and when."""

    alert_id: int
    step: int
    advice: str
    at: datetime


def warn(
    alert: Alert,
    *,
    about_the_car: bool,
    late: bool,
    with_us: bool,
    owned: bool,
    refused: str | None,
    standing: Sequence[Warned],
    advice: str,
    step: int,
    now: datetime,
) -> Tell | Ring | Silent:
    """`refused`: why no text can reach the owner; `standing`: what they were told and nothing took back; `advice`: what
    this alert asks of them; `step`: the one with which it last began to forbid it.
    """
    if not bars(alert):
        return Silent("it may be driven: a person looks first")
    if alert.shadow:
        return Silent("the rule is on trial")
    if not about_the_car:
        return Silent("it is a fault of a sensor or the unit, not of the car")
    if late:
        return Silent("it is history: what was measured long ago is never said as now")
    if with_us:
        return Silent("the car is with us")
    if not owned:
        return Silent("nobody is known as the owner of this car")
    for warning in standing:
        if warning.alert_id == alert.id and (warning.step == step or now - warning.at < AGAIN):
            return Silent("the owner was told, and it still stands")
        if warning.alert_id != alert.id and warning.advice == advice:
            return Silent("the owner was told the same of another fault, and it still stands")
    return Tell("the car must not be driven on") if refused is None else Ring(refused)


def over(alerts: Sequence[Alert], state: CaseState, warned: bool, texts: Sequence[Message]) -> Tell | Silent:
    """An alert has ended.

    `alerts` are those of its case, `warned`: a warning has reached the owner and nothing took it back.
    """
    if not warned:
        return Silent("the owner was not warned")
    if any(text.kind is MessageKind.SAFETY_OVER and text.state in _UNDER_WAY for text in texts):
        return Silent("it is on its way already")
    if any(bars(alert) for alert in alerts):
        return Silent("another fault still forbids to drive on")
    if state in _REPAIRED:
        return Silent("the visit tells what became of it")
    return Tell("nothing forbids to drive on any more")


def standing(texts: Sequence[Message]) -> tuple[Message, ...]:
    """The warnings among these texts to one owner about one case (oldest first) that are on their way or came, and that
    nothing has taken back since.
    """
    found: list[Message] = []
    for message in texts:
        if message.kind is MessageKind.SAFETY_OVER and message.state in CAME:
            found.clear()
        elif message.kind is MessageKind.SAFETY and message.state in (*CAME, *_UNDER_WAY):
            found.append(message)
    return tuple(found)


def taken_back(texts: Sequence[Message]) -> datetime | None:
    """When the owner last heard that it is over: what was said before that counts no more."""
    return max(
        (
            text.sent_at
            for text in texts
            if text.kind is MessageKind.SAFETY_OVER and text.state in CAME and text.sent_at is not None
        ),
        default=None,
    )


def bars(alert: Alert) -> bool:
    """Whether this alert, as it stands, forbids to drive on."""
    return alert.state is AlertState.ACTIVE and forbids(alert.rule, alert.severity)


def began(steps: Sequence[AlertStep]) -> AlertStep | None:
    """The step with which an alert last began to forbid to drive on; None when it does not."""
    found: AlertStep | None = None
    for step in steps:
        bar = step.state is AlertState.ACTIVE and forbids(step.rule, step.severity)
        found = (found or step) if bar else None
    return found


def confirmed(steps: Sequence[AlertStep]) -> bool:
    """Whether the newest step says that what was history is so now: live readings show what old ones showed."""
    if len(steps) < 2:
        return False
    before, last = steps[-2:]
    return (
        before.late
        and not last.late
        and before.state is last.state is AlertState.ACTIVE
        and before.severity is last.severity
    )


@dataclass(frozen=True, slots=True)
class Knows:
    """The owner knows that the car must not be driven on, since then; by a text, or because one of us rang."""

    since: datetime
    rang: bool = False


@dataclass(frozen=True, slots=True)
class Unaware:
    """The owner does not know it, and why."""

    because: str


@dataclass(frozen=True, slots=True)
class LastWarning:
    """The newest text to this owner about this danger: one that came before one that did not."""

    state: MessageState
    sent_at: datetime | None
    reason: str | None


def knowledge(
    warning: LastWarning | None, *, rang: datetime | None, owned: bool, reachable: bool, stopped: bool, agreed: bool
) -> Knows | Unaware:
    """What the desk must know of an owner whose car must not be driven on.

    `rang`: when one of us last told them so; `agreed`: to safety texts; `reachable`: by a number or a mailbox.
    """
    came = warning.sent_at if warning is not None and warning.state in CAME else None
    if came is not None and (rang is None or came <= rang):
        return Knows(came)
    if rang is not None:
        return Knows(rang, rang=True)
    if not owned:
        return Unaware("nobody is known as the owner")
    if stopped:
        return Unaware("they said STOP")
    if not agreed:
        return Unaware("no consent to safety texts")
    if not reachable:
        return Unaware("no number or mailbox")
    if warning is None:
        return Unaware("no text has gone")
    return Unaware(
        "the text is on its way" if warning.state in _UNDER_WAY else warning.reason or "the text did not leave"
    )
