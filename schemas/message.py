"""One text in the outbox: written in the same transaction as its cause, checked for truth when it is claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.lifecycle import Lifecycle


class MessageState(StrEnum):
    """The states of a message."""

    QUEUED = "queued"
    CLAIMED = "claimed"  #: a worker is about to hand it over; its reference is fixed
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"  #: for good, with a reason
    CANCELLED = "cancelled"  #: no longer true, or no longer allowed


class MessageEvent(StrEnum):
    """What moves a message."""

    CLAIMED = "claimed"
    SENT = "sent"
    PUT_BACK = "put_back"  #: not now: quiet hours, or a failure that may pass
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


_S, _E = MessageState, MessageEvent

MESSAGE = Lifecycle(
    noun="message",
    start=_S.QUEUED,
    moves={
        _S.QUEUED: {_E.CLAIMED: _S.CLAIMED, _E.PUT_BACK: _S.QUEUED, _E.CANCELLED: _S.CANCELLED, _E.FAILED: _S.FAILED},
        _S.CLAIMED: {_E.SENT: _S.SENT, _E.PUT_BACK: _S.QUEUED, _E.FAILED: _S.FAILED, _E.CANCELLED: _S.CANCELLED},
        _S.SENT: {_E.DELIVERED: _S.DELIVERED, _E.FAILED: _S.FAILED},
        _S.DELIVERED: {},
        _S.FAILED: {},
        _S.CANCELLED: {},
    },
)


class Purpose(StrEnum):
    """What a consent covers; a text belongs to exactly one."""

    SAFETY = "safety"  #: stop now
    SERVICE = "service"  #: something needs care, and our offer
    STATUS = "status"  #: my visit, as it goes
    SURVEY = "survey"
    STAFF = "staff"  #: to our own people: no owner's consent involved


class MessageKind(StrEnum):
    """Every text we send; each has its words in `rules/texts/<language>.toml`."""

    SAFETY = "safety"  #: do not drive on: told by itself, at any hour
    SAFETY_OVER = "safety_over"  #: what it warned of is over
    OFFER = "offer"
    OFFER_EXPIRED = "offer_expired"
    BOOKED = "booked"
    MOVED = "moved"  #: the visit has another time
    EXTRA_WORK = "extra_work"  #: the workshop found more, and asks
    LATE = "late"  #: we will not keep a time that we gave, said before it passes
    NEW_TIME = "new_time"  #: when the car is ready or back instead
    DECLINED = "declined"
    STOPPED = "stopped"
    STARTED = "started"
    HELP = "help"
    SOLD = "sold"  #: heard that the car is theirs no longer
    WRONG = "wrong"  #: heard that the number is not the owner's: the last text that goes there
    PASSED_ON = "passed_on"  #: "a person will read this"
    REMINDER = "reminder"
    ON_THE_WAY = "on_the_way"
    COLLECTED = "collected"
    AT_WORKSHOP = "at_workshop"
    ON_THE_WAY_BACK = "on_the_way_back"
    HANDED_OVER = "handed_over"
    WAITING = "waiting"  #: the waiting customer's true word
    READY = "ready"
    CANCELLED = "cancelled"
    ALL_CLEAR = "all_clear"
    FEEDBACK = "feedback"
    FEEDBACK_THANKS = "feedback_thanks"
    FREE = "free"  #: written by a person
    STAFF_ALERT = "staff_alert"
    STAFF_ESCALATION = "staff_escalation"
    STAFF_COMEBACK = "staff_comeback"
    STAFF_REPLY = "staff_reply"  #: an owner wrote something a person must read
    STAFF_NOTE = "staff_note"  #: a colleague named them in a note beside a conversation
    STAFF_SILENCE = "staff_silence"  #: a customer waits and has not heard from us for too long
    STAFF_LATE = "staff_late"  #: a promise is about to break
    STAFF_MISSED = "staff_missed"  #: a customer was to bring the car and did not come
    STAFF_LEG = "staff_leg"  #: a drive is this driver's now
    STAFF_RESET = "staff_reset"  #: one of our people chooses a new password
    STAFF_TEST = "staff_test"  #: a manager tries whether texts leave the house
    STAFF_RING = "staff_ring"  #: a visit or an offer did not come about: somebody must ring its owner
    STAFF_TRIAL = "staff_trial"  #: a rule that was on trial speaks now: what it had found comes into the queue
    STAFF_UNREACHED = "staff_unreached"  #: a text to an owner cannot be delivered: somebody must ring


@dataclass(frozen=True, slots=True)
class OwnerRecipient:
    """An owner, on the channel that they are written to."""

    owner_id: int
    channel: str
    address: str
    language: str


@dataclass(frozen=True, slots=True)
class StaffRecipient:
    """One of the dealer's people, on the channel that they are written to."""

    staff_id: int
    channel: str
    address: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text before it has words: to whom, about what, on which consent.

    `asserts` is what it states, and must still be so when it is sent. Two drafts with one `reference` are one message.
    `due_at` None means at once (business time).
    """

    dealer_id: int
    to: OwnerRecipient | StaffRecipient
    kind: MessageKind
    purpose: Purpose
    author: str
    case_id: int | None = None
    asserts: Sequence[dict[str, Any]] = ()
    due_at: datetime | None = None
    reference: str | None = None


def asserts(noun: str, subject_id: int, *states: str, at: datetime | None = None) -> dict[str, Any]:
    """One fact that a text states, as the sender will read it again: this noun is in one of these states and, where
    `at` is given, begins then.
    """
    return {"noun": noun, "id": subject_id, "state": [str(state) for state in states]} | (
        {} if at is None else {"at": at.astimezone(UTC).isoformat()}
    )


class Message(BaseModel):
    """One text. `facts` is what it asserts: the sender reads them again before it sends."""

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    thread_id: int | None
    owner_id: int | None
    staff_id: int | None
    case_id: int | None
    kind: MessageKind
    purpose: Purpose
    channel: str
    to_address: str
    language: str
    body: str
    facts: dict[str, Any]
    state: MessageState
    reason: str | None
    reference: str  #: our name for it at the provider, so that it is never sent twice
    attempts: int
    queued_at: datetime
    due_at: datetime
    sent_at: datetime | None
