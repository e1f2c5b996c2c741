"""Drives: a collection and a return in five steps, or a technician's way to a car."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from schemas.lifecycle import Lifecycle


class LegKind(StrEnum):
    """Which way."""

    COLLECT = "collect"
    RETURN = "return"
    VISIT = "visit"  #: a technician's way to a car that is repaired where it stands


class LegState(StrEnum):
    """The states of a leg."""

    PLANNED = "planned"
    ON_THE_WAY = "on_the_way"
    COLLECTED = "collected"  #: collect leg: the driver has the car
    AT_WORKSHOP = "at_workshop"  #: collect leg: done
    ON_THE_WAY_BACK = "on_the_way_back"
    HANDED_OVER = "handed_over"  #: return leg: done; visit: the work at the car is done
    AT_CAR = "at_car"  #: visit: the technician works on it
    CANCELLED = "cancelled"


class LegEvent(StrEnum):
    """The driver's five steps, a technician's own, the cancellation, and a step taken back."""

    ON_THE_WAY = "on_the_way"
    COLLECTED = "collected"
    AT_WORKSHOP = "at_workshop"
    ON_THE_WAY_BACK = "on_the_way_back"
    HANDED_OVER = "handed_over"
    AT_CAR = "at_car"
    CANCELLED = "cancelled"
    UNDONE = "undone"  #: a step that was pressed by mistake, within a minute


_S, _E = LegState, LegEvent

COLLECT_LEG = Lifecycle(
    noun="collection",
    start=_S.PLANNED,
    moves={
        _S.PLANNED: {_E.ON_THE_WAY: _S.ON_THE_WAY, _E.CANCELLED: _S.CANCELLED},
        _S.ON_THE_WAY: {_E.COLLECTED: _S.COLLECTED, _E.CANCELLED: _S.CANCELLED, _E.UNDONE: _S.PLANNED},
        _S.COLLECTED: {_E.AT_WORKSHOP: _S.AT_WORKSHOP, _E.UNDONE: _S.ON_THE_WAY},
        _S.AT_WORKSHOP: {},
        _S.CANCELLED: {},
    },
)

RETURN_LEG = Lifecycle(
    noun="return",
    start=_S.PLANNED,
    moves={
        _S.PLANNED: {_E.ON_THE_WAY_BACK: _S.ON_THE_WAY_BACK, _E.CANCELLED: _S.CANCELLED},
        _S.ON_THE_WAY_BACK: {_E.HANDED_OVER: _S.HANDED_OVER, _E.UNDONE: _S.PLANNED},
        _S.HANDED_OVER: {},
        _S.CANCELLED: {},
    },
)

VISIT_LEG = Lifecycle(
    noun="mobile repair",
    start=_S.PLANNED,
    moves={
        _S.PLANNED: {_E.ON_THE_WAY: _S.ON_THE_WAY, _E.CANCELLED: _S.CANCELLED},
        _S.ON_THE_WAY: {_E.AT_CAR: _S.AT_CAR, _E.CANCELLED: _S.CANCELLED, _E.UNDONE: _S.PLANNED},
        _S.AT_CAR: {_E.HANDED_OVER: _S.HANDED_OVER},
        _S.HANDED_OVER: {},
        _S.CANCELLED: {},
    },
)

LEGS: dict[LegKind, Lifecycle[LegState, LegEvent]] = {
    LegKind.COLLECT: COLLECT_LEG,
    LegKind.RETURN: RETURN_LEG,
    LegKind.VISIT: VISIT_LEG,
}


class Door(BaseModel):
    """What a drive finds at the owner's end of it."""

    model_config = ConfigDict(frozen=True)

    place: str | None = None  #: where the address is, as schemas/place.py writes it
    access_notes: str | None = None  #: what the driver must know at the door
    contact: str | None = None  #: whom they meet there, where that is not the owner
    travel_minutes: int | None = None  #: from the house to there; None: nobody knows
    travel_by: str | None = None  #: who says so: estimate, or a road service


class Leg(Door):
    """One drive of one driver."""

    id: int
    dealer_id: int
    booking_id: int
    kind: LegKind
    state: LegState
    driver_id: int | None
    slot_id: int | None
    address: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
