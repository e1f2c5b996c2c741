"""An offer of windows, and the booking that an answer makes of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from schemas.lifecycle import Lifecycle


class BookingKind(StrEnum):
    """How the car and the work come together."""

    PICKUP = "pickup"  #: we collect it and bring it back
    DROP_OFF = "drop_off"
    WAITING = "waiting"  #: the customer waits in the lounge
    TOW = "tow"  #: a tow truck fetches it, and we drive it back
    SHUTTLE = "shuttle"  #: its owner brings it, and our shuttle takes them on and fetches them
    MOBILE_REPAIR = "mobile_repair"  #: a technician comes to the car with a van

    @property
    def fetched(self) -> bool:
        """Whether we come for the car, and bring it back."""
        return self in (BookingKind.PICKUP, BookingKind.TOW)

    @property
    def brought(self) -> bool:
        """Whether its owner brings the car, and can be late with it."""
        return self in (BookingKind.DROP_OFF, BookingKind.WAITING, BookingKind.SHUTTLE)

    @property
    def left(self) -> bool:
        """Whether its owner leaves the car here and goes: the door is open for a while, whatever the work takes."""
        return self in (BookingKind.DROP_OFF, BookingKind.SHUTTLE)

    @property
    def at_theirs(self) -> bool:
        """Whether we come to the owner's address."""
        return not self.brought

    @property
    def driven(self) -> bool:
        """Whether somebody has to drive the car so that it comes to us: one that must stay where it is cannot."""
        return self not in (BookingKind.TOW, BookingKind.MOBILE_REPAIR)


class OfferState(StrEnum):
    """The states of an offer."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class OfferEvent(StrEnum):
    """What moves an offer."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


OFFER = Lifecycle(
    noun="offer",
    start=OfferState.OPEN,
    moves={
        OfferState.OPEN: {
            OfferEvent.ACCEPTED: OfferState.ACCEPTED,
            OfferEvent.DECLINED: OfferState.DECLINED,
            OfferEvent.EXPIRED: OfferState.EXPIRED,
            OfferEvent.WITHDRAWN: OfferState.WITHDRAWN,
        },
        OfferState.ACCEPTED: {},
        OfferState.DECLINED: {},
        OfferState.EXPIRED: {},
        OfferState.WITHDRAWN: {},
    },
)


class BookingState(StrEnum):
    """The states of a booking."""

    AGREED = "agreed"
    ARRIVED = "arrived"  #: the car is at the workshop, or the technician at the car
    WORKING = "working"
    READY = "ready"
    COMPLETED = "completed"  #: the owner has the car back
    CANCELLED = "cancelled"


class BookingEvent(StrEnum):
    """What moves a booking."""

    ARRIVED = "arrived"
    STARTED = "started"
    FINISHED = "finished"
    HANDED_OVER = "handed_over"
    CANCELLED = "cancelled"


_S, _E = BookingState, BookingEvent

BOOKING = Lifecycle(
    noun="booking",
    start=_S.AGREED,
    moves={
        _S.AGREED: {_E.ARRIVED: _S.ARRIVED, _E.CANCELLED: _S.CANCELLED},
        _S.ARRIVED: {_E.STARTED: _S.WORKING, _E.FINISHED: _S.READY},
        _S.WORKING: {_E.FINISHED: _S.READY},
        _S.READY: {_E.HANDED_OVER: _S.COMPLETED},
        _S.COMPLETED: {},
        _S.CANCELLED: {},
    },
)


class Offer(BaseModel):
    """Windows held for an owner, answered by digit or link."""

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    case_id: int
    kind: BookingKind
    state: OfferState
    made_at: datetime
    expires_at: datetime


class Booking(BaseModel):
    """An agreed visit. `wall_start` and `zone` keep what the person saw; `starts_at` is the same instant in UTC."""

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    case_id: int
    vehicle_id: int
    kind: BookingKind
    state: BookingState
    starts_at: datetime
    ends_at: datetime
    wall_start: str  #: 2026-11-23T13:00, in `zone`
    zone: str
    address: str | None
    loaner_id: int | None
    ready_by: datetime | None  #: what the customer was promised
    last_word_at: datetime | None  #: when a waiting customer last heard from us
    made_at: datetime
    finding: str | None = None  #: what the workshop found
