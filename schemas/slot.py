"""A slot is a piece of a resource's time: held for an offer, booked, or released. Held counts as taken."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from schemas.lifecycle import Lifecycle
from schemas.operation import Skill


class ResourceKind(StrEnum):
    """What can be taken once at a time."""

    DRIVER = "driver"
    BAY = "bay"
    LOANER = "loaner"
    TOW_TRUCK = "tow_truck"
    VAN = "van"  #: with tools and parts, for repairs where a car stands
    TECHNICIAN = "technician"  #: whose hours are planned, by what they know


class SlotState(StrEnum):
    """The states of a slot."""

    HELD = "held"  #: stands in an offer until `expires_at`
    BOOKED = "booked"
    RELEASED = "released"


class SlotEvent(StrEnum):
    """What moves a slot."""

    TAKEN = "taken"
    FREED = "freed"


SLOT = Lifecycle(
    noun="slot",
    start=SlotState.HELD,
    moves={
        SlotState.HELD: {SlotEvent.TAKEN: SlotState.BOOKED, SlotEvent.FREED: SlotState.RELEASED},
        SlotState.BOOKED: {SlotEvent.FREED: SlotState.RELEASED},
        SlotState.RELEASED: {},
    },
)


class Use(StrEnum):
    """What a slot's time is for."""

    COLLECT = "collect"
    WORK = "work"
    RETURN = "return"
    LOANER = "loaner"
    TOW = "tow"  #: the truck, while it is out to collect
    LABOUR = "labour"  #: of the technician who does the work; on the road with both ways
    WAY = "way"  #: the van, until it is at the car: the window that the owner is told
    VAN = "van"  #: the van, at the car and on its way back


class Window(BaseModel):
    """A half-open span of time, as offered to a person."""

    model_config = ConfigDict(frozen=True)

    starts_at: datetime
    ends_at: datetime


class Resource(BaseModel):
    """A bay, a loaner, a truck, a van, or the time of a driver or a technician."""

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    kind: ResourceKind
    name: str
    staff_id: int | None
    skills: tuple[Skill, ...] = ()  #: of a technician


class Claim(BaseModel):
    """A piece of a resource's time that a visit needs."""

    model_config = ConfigDict(frozen=True)

    resource_id: int
    use: Use
    window: Window


class Slot(BaseModel):
    """A piece of one resource's time."""

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    resource_id: int
    state: SlotState
    starts_at: datetime
    ends_at: datetime
    offer_id: int | None
    choice: int | None  #: the digit the owner answers with
    expires_at: datetime | None
    use: Use = Use.WORK
