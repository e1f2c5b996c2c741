"""The case says what people do about a car; people move it, only its proof comes from the car."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.lifecycle import Lifecycle
from schemas.verdict import Severity


class CaseState(StrEnum):
    """The states of a case."""

    OPEN = "open"  #: somebody must act
    CONTACTED = "contacted"  #: the owner has an offer
    BOOKED = "booked"  #: a window is agreed
    IN_WORKSHOP = "in_workshop"  #: the car is here
    VERIFYING = "verifying"  #: repaired, says the workshop; the car has not proved it yet
    DONE = "done"  #: the car proved it, or a person confirmed it
    DISMISSED = "dismissed"  #: closed without work, with a reason


class Confirmation(StrEnum):
    """How it is known that a repair holds, when it was not the car that showed it."""

    OWNER = "owner"  #: the owner was asked and says so
    TEST_DRIVE = "test_drive"  #: somebody of the dealer drove it
    TECHNICIAN = "technician"  #: a technician looked at it again


class CaseEvent(StrEnum):
    """What moves a case."""

    OFFERED = "offered"
    BOOKED = "booked"
    DECLINED = "declined"  #: the owner said not now
    OFFER_EXPIRED = "offer_expired"
    CANCELLED = "cancelled"  #: the booking fell through
    ARRIVED = "arrived"
    REPAIRED = "repaired"
    PROVED = "proved"  #: the rule's own proof came from the car
    CONFIRMED = "confirmed"  #: a person says how it is known, where the car cannot show it
    CAME_BACK = "came_back"  #: the fault returned
    DISMISSED = "dismissed"
    REOPENED = "reopened"


_S, _E = CaseState, CaseEvent

CASE = Lifecycle(
    noun="case",
    start=_S.OPEN,
    moves={
        _S.OPEN: {
            _E.OFFERED: _S.CONTACTED,
            _E.BOOKED: _S.BOOKED,
            _E.ARRIVED: _S.IN_WORKSHOP,
            _E.DISMISSED: _S.DISMISSED,
        },
        _S.CONTACTED: {
            _E.BOOKED: _S.BOOKED,
            _E.OFFERED: _S.CONTACTED,
            _E.DECLINED: _S.OPEN,
            _E.OFFER_EXPIRED: _S.OPEN,
            _E.ARRIVED: _S.IN_WORKSHOP,
            _E.DISMISSED: _S.DISMISSED,
        },
        _S.BOOKED: {_E.ARRIVED: _S.IN_WORKSHOP, _E.CANCELLED: _S.OPEN, _E.DISMISSED: _S.DISMISSED},
        _S.IN_WORKSHOP: {_E.REPAIRED: _S.VERIFYING},  # a car in the building is handed over before its case can end
        _S.VERIFYING: {_E.PROVED: _S.DONE, _E.CONFIRMED: _S.DONE, _E.CAME_BACK: _S.OPEN},
        _S.DONE: {_E.CAME_BACK: _S.OPEN},
        _S.DISMISSED: {_E.REOPENED: _S.OPEN},
    },
)


class Case(BaseModel):
    """A dealer's work with one vehicle. `severity` is the highest of its alerts; `assignee_id` owns it."""

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    vehicle_id: int
    state: CaseState
    severity: Severity
    title: str
    origin: str  #: alert | call
    assignee_id: int | None
    comebacks: int
    opened_at: datetime
    changed_at: datetime
    acknowledged_at: datetime | None  #: when a person of the dealer first took it
    escalated_at: datetime | None
    repaired_at: datetime | None
    owner_id: int | None = None  #: of the ownership epoch in which it was opened
    note: str = ""  #: what the customer said on the phone
    proof: list[dict[str, Any]] | None  #: what the car still has to show; see rules.engine.repair_verification
    #: how a person knew that it is healed; None: the car proved it, or nobody has yet
    confirmed: Confirmation | None = None
