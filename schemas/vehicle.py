"""A vehicle, named by its VIN, and the MQTT topics that are its own."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated
from zlib import crc32

from pydantic import AfterValidator, BaseModel, ConfigDict

BUCKETS = 16
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")


def _checked_vin(value: str) -> str:
    vin = value.strip().upper()
    if not _VIN.fullmatch(vin):
        raise ValueError("a VIN has 17 characters, digits and capital letters without I, O and Q")
    return vin


#: ISO 3779. The check digit is not enforced: it holds in North America only.
Vin = Annotated[str, AfterValidator(_checked_vin)]


def is_vin(value: str) -> bool:
    """Whether `value` is written exactly as a VIN."""
    return _VIN.fullmatch(value) is not None


def bucket_of(vin: str) -> int:
    """The bucket 0..15 whose MQTT session carries this car (crc32 of the VIN, so that every language agrees)."""
    return crc32(vin.encode("ascii")) % BUCKETS


def topic(vin: str, way: str) -> str:
    """The topic of a car; `way` is `up/telemetry`, `up/diagnostics`, `up/status`, `down/acks`, `down/asks` or
    `down/alerts`.
    """
    return f"vehicles/{bucket_of(vin):02d}/{vin}/{way}"


def pulse_topic(bucket: int) -> str:
    """On which the gateway hears itself through the broker."""
    return f"vehicles/{bucket:02d}/gateway/up/pulse"


def trial_topic(name: str) -> str:
    """On which a gateway tries out a broker before it trusts it; `name` is made up each time."""
    return f"vehicles/check/{name}/up/x"


class Vehicle(BaseModel):
    """A car that some dealer looks after."""

    model_config = ConfigDict(frozen=True)

    id: int
    vin: Vin
    dealer_id: int
    owner_id: int | None
    profile: str
    title: str  #: as people say it: "VW Golf, B-TT 204"
    plate: str | None
    enrolled_at: datetime | None  #: None: it has no credentials yet
    revoked_at: datetime | None
    last_heard_at: datetime | None = None  #: when we received its newest committed word
    online: bool = False  #: a hint of its unit, not a fact
