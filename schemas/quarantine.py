"""What becomes of a message that was not believed: a person lets it in or keeps it out, and may think better of it."""

from __future__ import annotations

from enum import StrEnum

from schemas.lifecycle import Lifecycle
from schemas.reading import Refusal

#: What a person can let in: it could be read, and it was the car's own word.
READABLE = frozenset(
    {Refusal.UNKNOWN_SIGNAL, Refusal.OUT_OF_RANGE, Refusal.ODOMETER, Refusal.RETAINED, Refusal.DATABASE}
)


class QuarantineState(StrEnum):
    """The states of a refused message."""

    WAITING = "waiting"  #: nobody has decided
    ACCEPTED = "accepted"  #: believed after all: folded in as a late reading
    REJECTED = "rejected"  #: stays out
    #: was let in by mistake: everything is folded again without it, and the alerts that rested on it are withdrawn
    TAKEN_BACK = "taken_back"


class QuarantineEvent(StrEnum):
    """What a person does with it."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


QUARANTINE = Lifecycle(
    noun="quarantine",
    start=QuarantineState.WAITING,
    moves={
        QuarantineState.WAITING: {
            QuarantineEvent.ACCEPTED: QuarantineState.ACCEPTED,
            QuarantineEvent.REJECTED: QuarantineState.REJECTED,
        },
        QuarantineState.ACCEPTED: {QuarantineEvent.REJECTED: QuarantineState.TAKEN_BACK},
        QuarantineState.REJECTED: {
            QuarantineEvent.ACCEPTED: QuarantineState.ACCEPTED
        },  # it was never folded: nothing to undo
        QuarantineState.TAKEN_BACK: {},
    },
)
