"""A pause: work on a car that is here has to wait for something, until a time that somebody named."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from schemas.lifecycle import Lifecycle


class Awaited(StrEnum):
    """What the work waits for."""

    PART = "part"
    ANSWER = "answer"  #: the owner's yes or no
    OTHER = "other"


class PauseState(StrEnum):
    """The states of a pause."""

    OPEN = "open"  #: the work waits
    OVER = "over"  #: it went on, or waits until another time


class PauseEvent(StrEnum):
    """What moves a pause."""

    ENDED = "ended"


PAUSE = Lifecycle(
    noun="pause",
    start=PauseState.OPEN,
    moves={PauseState.OPEN: {PauseEvent.ENDED: PauseState.OVER}, PauseState.OVER: {}},
)


class Pause(BaseModel):
    """One wait of one visit. `due_at`: when what is awaited should be there."""

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    booking_id: int
    state: PauseState
    awaits: Awaited
    what: str  #: which part, which question
    due_at: datetime
    made_at: datetime
    made_by: str
    over_at: datetime | None
