"""The windows that an open offer still holds, as an owner reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from rules.service.claims import window_of
from schemas.booking import OfferState
from schemas.slot import SlotState
from store.views.journey import Visit


@dataclass(frozen=True, slots=True)
class Held:
    """One window and the digit that takes it."""

    choice: int
    starts_at: datetime
    ends_at: datetime


def held(visit: Visit, now: datetime) -> tuple[Held, ...]:
    """By choice, without what has begun already; empty as soon as the hold has run out, whether or not a worker came
    by.
    """
    offer = visit.offer
    if offer is None or offer.state is not OfferState.OPEN or offer.expires_at <= now:
        return ()
    still = sorted(
        (slot for slot in visit.slots if slot.state is SlotState.HELD and slot.choice is not None),
        key=lambda slot: slot.choice or 0,
    )
    found = []
    for choice, slots in groupby(still, key=lambda slot: slot.choice or 0):
        window = window_of(offer.kind, [(slot.use, slot.starts_at, slot.ends_at) for slot in slots])
        if window.starts_at > now:
            found.append(Held(choice, window.starts_at, window.ends_at))
    return tuple(found)
