"""Extra work between the workshop and the owner: what may still be answered, what holds the work up, what comes back as
advice. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from schemas.booking import BookingState
from schemas.estimate import EstimateLine

ASKED_OF = (BookingState.ARRIVED, BookingState.WORKING)  #: while the car is here and its work is not done
GATHERED = timedelta(minutes=2)  #: lines that are found one after the other are one text
PATIENCE = timedelta(minutes=30)  #: then whoever has the case rings: a car stands on the lift


def unanswered(lines: Sequence[EstimateLine]) -> tuple[EstimateLine, ...]:
    """What the owner is still to say yes or no to."""
    return tuple(line for line in lines if line.open)


def holds_up(lines: Sequence[EstimateLine]) -> str | None:
    """Why the work cannot be finished: the owner was asked and has not answered. None: nothing does."""
    waits = unanswered(lines)
    if not waits:
        return None
    return f"the owner has not answered yet: {', '.join(line.title for line in waits)}. Ring them, or withdraw it"


def past(line: EstimateLine, state: BookingState) -> str | None:
    """Why an answer comes too late; None while it counts."""
    if line.withdrawn_at is not None:
        return "it was withdrawn"
    if line.answer is not None:
        return "it has been answered"
    if state not in ASKED_OF:
        return "the work has ended"
    return None


def advice(earlier: Sequence[EstimateLine]) -> tuple[EstimateLine, ...]:
    """What was declined at earlier visits and has not been done since, the newest of each; `earlier` in order."""
    newest = {line.title.casefold().strip(): line for line in earlier if line.answer is not None}
    return tuple(line for line in newest.values() if line.answer == "declined")
