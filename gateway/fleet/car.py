"""What the gateway holds of one car while it speaks."""

from __future__ import annotations

from typing import Any

from gateway.fleet.sequence import MessageSequence
from schemas.correction import AS_SAID, ReadAs
from store import readings
from store.vehicles import Identity


class Car:
    """Identity, memory of the rules, what has arrived.

    Slots, and the memory is one bytearray: 100,000 of these cost the garbage collector little.
    """

    __slots__ = (
        "acked_at",
        "bucket",
        "dealer_id",
        "enrolled",
        "heard_ts",
        "id",
        "latest",
        "latest_ids",
        "loaded",
        "low_day",
        "memory",
        "odometer",
        "odometer_contrary",
        "odometer_since",
        "odometer_ts",
        "place",
        "profile",
        "read_as",
        "revoked",
        "row_head",
        "sequence",
        "since",
        "vin",
    )

    def __init__(self, who: Identity, bucket: int) -> None:
        self.bucket = bucket
        self.id, self.vin = who.id, who.vin
        self.profile = who.profile
        self.belongs_to(who.dealer_id)
        self.revoked = who.revoked_at is not None
        self.enrolled = who.enrolled_at.timestamp() if who.enrolled_at else 0.0
        self.acked_at = 0.0  #: machine time of the last application ack
        self.latest: bytes | None = None  #: the newest row, packed, until it is written for the desk
        self.latest_ids: tuple[int, ...] | None = None  #: of which set of signals it is
        self.read_as: ReadAs = AS_SAID  #: in which units it says what it says, as its memory has it
        self.forget()

    def belongs_to(self, dealer_id: int) -> None:
        """Who looks after it from now on."""
        self.dealer_id = dealer_id
        self.row_head = readings.of_car(dealer_id, self.id)

    def forget(self) -> None:
        """Back to what the database says: it is loaded again before the next reading."""
        self.loaded = False
        self.memory: Any = None
        self.sequence = MessageSequence()
        self.place = 0  #: running number of the last judged row
        self.since = 0  #: rows judged since the last checkpoint
        self.low_day = 0  #: an ordinary row lies in this partition or a later one; another forces a checkpoint
        self.odometer: float | None = None
        self.odometer_ts = 0.0
        self.odometer_since = 0.0  #: until a second one has agreed with the first, this is when that was
        self.odometer_contrary: tuple[float, float] | None = None  #: one that did not agree: metres, ts
        self.heard_ts = 0.0  #: when the car made its newest message
