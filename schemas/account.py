"""Dealers, their staff and what each role may do."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.keeping import AUDIT, POSITIONS, READINGS, TEXTS


class Role(StrEnum):
    """The four roles of dealer staff. A manager may do what an advisor may."""

    ADVISOR = "advisor"
    DRIVER = "driver"
    TECHNICIAN = "technician"
    MANAGER = "manager"


class Dealer(BaseModel):
    """A dealer. `opening_hours` is an OSM string; the limits are minutes of business time."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    zone: str
    country: str
    phone: str
    address: str
    opening_hours: str
    language: str
    acknowledge_minutes_now: int
    acknowledge_minutes_soon: int
    waiting_word_minutes: int
    offer_hold_minutes: int
    notice_minutes: int = 60  #: no window begins sooner than this
    workshop_minutes: int = 120  #: how long a visit is planned to take
    drive_minutes: int = 60  #: the width of a collection or return window
    second_factor: Literal["nobody", "managers", "everybody"] = "nobody"  #: of whom more than a password is asked
    keep_readings_days: int = READINGS.usual
    keep_positions_days: int = POSITIONS.usual
    keep_texts_days: int = TEXTS.usual
    keep_audit_days: int = AUDIT.usual

    def asks_second_factor(self, role: Role) -> bool:
        """Whether somebody of this role must have one."""
        return self.second_factor == "everybody" or (self.second_factor == "managers" and role is Role.MANAGER)


class Staff(BaseModel):
    """A person at a dealer."""

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    name: str
    email: str
    phone: str | None
    role: Role
    language: str
    disabled_at: datetime | None
    joined_at: datetime | None = None  #: when they chose their first password; None: the invitation still waits
