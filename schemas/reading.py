"""What we believe: one message as a row of values at one instant, in canonical units."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntFlag, StrEnum
from typing import Annotated

from pydantic import PlainSerializer

from schemas.telemetry import Diagnostics


def seven_digits(value: float) -> float:
    """A value as it was said: stored as float32, 12.14 comes back as 12.140000343322754."""
    return float(f"{value:.7g}")


UNIT = (
    2**54
    #: a boot is kept as the number of the car's unit times this, plus what the unit counts: what another unit says is
    #: another message
)


def unit_of(boot: int) -> int:
    """Which of its units in turn the car spoke with: 0 is its first."""
    return max(0, boot) // UNIT


def boot_of(boot: int) -> int:
    """The boot as the unit counts it, of one by which a message is kept."""
    return boot % UNIT if boot >= 0 else boot


#: A measured value; as JSON it has the digits that a float32 really carries.
Measured = Annotated[float, PlainSerializer(seven_digits, return_type=float, when_used="json")]


class Mark(IntFlag):
    """What is special about a row; stored as a smallint."""

    PLAIN = 0
    CLOCK_SUSPECT = 1  #: the car's clock is impossible: judged at its receive time, `car_ts` keeps what it said
    LATE = 2  #: came after the reorder window: for history and trends, never worded as now
    NO_COUNTER = 4  #: a device without boot and seq: its timestamp and payload are its key
    ACCEPTED = 8  #: was in quarantine and a person let it in
    #: … and thought better of it: left out of charts; the fold leaves it out from the row that takes it back
    TAKEN_BACK = 16
    TAKES_BACK = 32  #: no message of the car: from this place on the row (-1, -seq) counts as never said
    IMPORTED = 64  #: from a file of history (`telltale import-readings`)
    REREAD = 128  #: no message of the car: from this place on signals are read in another unit (schemas/correction.py)


@dataclass(slots=True)
class Reading:
    """One row of `readings`.

    `ts` and `received_at` are epoch seconds (UTC, business time): the hot path makes no datetime objects.
    `ids` are `schemas.signal` ids, `values` their values in the same order. `place` is the car's running
    number, given when the row is judged.
    """

    vehicle_id: int
    boot: int
    seq: int
    ts: float
    received_at: float
    ids: tuple[int, ...]
    values: tuple[float, ...]
    day: int  #: days since 1970-01-01 of the `ts` that the car wrote; the partition
    car_ts: float | None = None
    mark: Mark = Mark.PLAIN
    diagnostics: Diagnostics | None = None
    place: int | None = None
    packed: bytes | None = field(
        default=None, compare=False, repr=False
    )  #: ids and values as the store wants them, if whoever read them has made them already


class Refusal(StrEnum):
    """Why telemetry was not believed."""

    NOT_JSON = "not_json"  #: the body cannot be read at all
    NOT_TELEMETRY = "not_telemetry"  #: JSON, but not of the contract's shape; of values and codes, the others are kept
    NOT_FINITE = "not_finite"  #: NaN or infinite; the other values are kept
    TOO_LARGE = "too_large"  #: more than 64 KiB, or more than 2,048 parts
    UNKNOWN_SIGNAL = "unknown_signal"  #: a path that is not in the table below; the known ones of the message are kept
    OUT_OF_RANGE = "out_of_range"  #: a value no such sensor can give; the others are kept
    FOREIGN_VIN = "foreign_vin"  #: the payload names another car than the topic
    UNKNOWN_VEHICLE = "unknown_vehicle"  #: nobody enrolled this VIN
    UNMAPPED = "unmapped"  #: a feed's car that nobody has mapped to a VIN: `telltale feed map`
    #: the car's credentials were taken away; it gets no ack, so it keeps what it said until it is enrolled again
    REVOKED = "revoked"
    RETAINED = "retained"  #: a retained message is something old, never an event
    ODOMETER = "odometer"  #: ran backwards, or faster than a car can, or began as no odometer does
    FLOOD = "flood"  #: this source sends nothing but poison: counted, no longer kept one by one
    DATABASE = "database"  #: the row could not be stored; bisected out of its batch


@dataclass(frozen=True, slots=True)
class Refused:
    """Telemetry that was not believed, with its reason: a row of `quarantine`."""

    vin: str | None
    vehicle_id: int | None
    topic: str
    payload: bytes
    reason: Refusal
    detail: str
    received_at: datetime
    boot: int | None = None
    seq: int | None = None
