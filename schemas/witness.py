"""The car as witness of a drive that we made with it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Trip(BaseModel):
    """What is known of a drive beside its telemetry."""

    model_config = ConfigDict(frozen=True)

    planned_minutes: int
    workshop_km: float | None = None  #: driven between our driver's two drives
    recorded_km: int | None = None  #: as the handover record says
    car_km: float | None = None  #: as the car says at the same moment


class Witness(BaseModel):
    """The line of one drive, as it was written."""

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    booking_id: int
    leg_id: int
    since: datetime
    until: datetime
    messages: int  #: how many readings it rests on
    distance_km: float | None
    minutes: int | None
    top_speed_kmh: float | None
    codes_before: list[str]
    codes_after: list[str]
    odd: list[str]
    written_at: datetime
    seen_at: datetime | None
    seen_by: str | None
