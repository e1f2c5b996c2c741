"""A promise is a time that was given: when we come for the car or to it, when it is ready, when it is back; and when
its owner brings it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from schemas.lifecycle import Lifecycle


class Promised(StrEnum):
    """What was promised."""

    COLLECT = "collect"  #: we have the car by then
    BRING = "bring"  #: its owner brings it by then: the one promise that is not ours
    READY = "ready"
    RETURN = "return"
    VISIT = "visit"  #: our technician is at the car by then


class PromiseState(StrEnum):
    """The states of a promise."""

    OPEN = "open"
    KEPT = "kept"
    MOVED = "moved"  #: another time was agreed or told before it was kept
    BROKEN = "broken"  #: the time has passed
    VOID = "void"  #: nothing is owed any more: the visit was called off, or the other side did it themselves


class PromiseEvent(StrEnum):
    """What moves a promise."""

    KEPT = "kept"
    MOVED = "moved"
    BROKEN = "broken"
    VOID = "void"


_S, _E = PromiseState, PromiseEvent

PROMISE = Lifecycle(
    noun="promise",
    start=_S.OPEN,
    moves={
        _S.OPEN: {_E.KEPT: _S.KEPT, _E.MOVED: _S.MOVED, _E.BROKEN: _S.BROKEN, _E.VOID: _S.VOID},
        _S.KEPT: {},
        _S.MOVED: {},
        _S.BROKEN: {},
        _S.VOID: {},
    },
)


class Promise(BaseModel):
    """One time that was given, and what became of it. All times are business time.

    `done_at` minus `due_at` is how late it came. A promise of ours that is broken while `owner_told_at` is unset or
    lies after `due_at`, and for which nobody was asked to ring (`must_ring`), was broken in silence.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    booking_id: int
    leg_id: int | None
    what: Promised
    due_at: datetime
    state: PromiseState
    made_at: datetime
    warned_at: (
        datetime | None
    )  #: when our own people were told that it is about to break, or that a customer did not come
    owner_told_at: datetime | None  #: when the owner was told that we will not make it
    must_ring: bool  #: the owner cannot be texted: our people were asked to ring
    settled_at: datetime | None  #: when it left `open`
    done_at: datetime | None  #: when what was promised came true
