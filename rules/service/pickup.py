"""The drives of a visit: which there are, what each step means for the owner, the booking and the case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.message import MessageKind
from schemas.moment import minutes_between
from schemas.pickup import LEGS, Leg, LegEvent, LegKind, LegState
from schemas.slot import Slot, Use

#: What the owner hears at each step.
TEXTS: dict[LegEvent, MessageKind] = {
    LegEvent.ON_THE_WAY: MessageKind.ON_THE_WAY,
    LegEvent.COLLECTED: MessageKind.COLLECTED,
    LegEvent.AT_WORKSHOP: MessageKind.AT_WORKSHOP,
    LegEvent.ON_THE_WAY_BACK: MessageKind.ON_THE_WAY_BACK,
    LegEvent.HANDED_OVER: MessageKind.HANDED_OVER,
    LegEvent.AT_CAR: MessageKind.AT_WORKSHOP,
}
#: A step that was pressed by mistake is taken back within this time, and its text does not leave before.
UNDO = timedelta(minutes=1)
#: A car brings what it said in a basement a little later: only then is it asked how the drive was.
WITNESS_AFTER = timedelta(minutes=10)
_USES = {Use.COLLECT: LegKind.COLLECT, Use.RETURN: LegKind.RETURN}


@dataclass(frozen=True, slots=True)
class Drive:
    """A leg that is to be made."""

    kind: LegKind
    driver_id: int | None
    slot_id: int
    starts_at: datetime
    ends_at: datetime


def drives(slots: Sequence[Slot], drivers: Mapping[int, int | None]) -> tuple[Drive, ...]:
    """The legs of a booking out of the time that is booked for it; `drivers`: resource to the person it is.

    On the road the van's way to the car is the leg, and the technician whose time is taken drives it.
    """
    way, labour = (next((slot for slot in slots if slot.use is use), None) for use in (Use.WAY, Use.LABOUR))
    if way is not None:
        who = None if labour is None else drivers.get(labour.resource_id)
        slot_id = way.id if labour is None else labour.id
        return (Drive(LegKind.VISIT, who, slot_id=slot_id, starts_at=way.starts_at, ends_at=way.ends_at),)
    return tuple(
        Drive(
            _USES[slot.use],
            drivers.get(slot.resource_id),
            slot_id=slot.id,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
        )
        for slot in slots
        if slot.use in _USES
    )


def next_event(leg: Leg) -> LegEvent | None:
    """The driver's next step; None when the leg is over, or what comes next is to say what was found at the car."""
    if leg.state is LegState.AT_CAR:
        return None
    return next((event for event in LEGS[leg.kind].allowed(leg.state) if event in TEXTS), None)


def undo_until(leg: Leg, reached_at: datetime) -> datetime | None:
    """Until when a step that led here may be taken back; its text waits as long. None: this state is not left that
    way.
    """
    return reached_at + UNDO if LegEvent.UNDONE in LEGS[leg.kind].allowed(leg.state) else None


def minutes_late(leg: Leg, now: datetime) -> int:
    """How long the driver should have been on the way already."""
    return minutes_between(leg.starts_at, now) if leg.state is LegState.PLANNED else 0


def in_our_hands(legs: Sequence[Leg]) -> str | None:
    """Why a visit cannot be called off: a driver of ours sits in the car. None: the car is with its owner."""
    if any(leg.kind is LegKind.COLLECT and leg.state is LegState.COLLECTED for leg in legs):
        return "our driver has the car already: let it arrive, from the workshop it can go back"
    return None


@dataclass(frozen=True, slots=True)
class GivenUp:
    """What a driver's cancellation means: the visit ends, or the drive waits for another driver."""

    ends_visit: bool
    because: str


def given_up(leg: Leg) -> GivenUp:
    """Whoever was on the way turns back because nobody was there; whoever has not set out gives the drive back."""
    if leg.state is LegState.ON_THE_WAY:
        who = "technician" if leg.kind is LegKind.VISIT else "driver"
        return GivenUp(True, f"nobody was there when our {who} came")
    if leg.kind is LegKind.VISIT:
        return GivenUp(False, "the technician cannot come: it needs another one, or another time")
    return GivenUp(False, "the driver cannot make this drive: it needs another one")
