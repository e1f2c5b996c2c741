"""Dealers, their staff and what each role may do."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict

from schemas.handover import Records
from schemas.keeping import AUDIT, POSITIONS, READINGS, TEXTS
from schemas.setting import Section, Setting, minutes


class Role(StrEnum):
    """The four roles of dealer staff. A manager may do what an advisor may."""

    ADVISOR = "advisor"
    DRIVER = "driver"
    TECHNICIAN = "technician"
    MANAGER = "manager"


class DealerSettings(BaseModel):
    """What a manager may change: this list is the columns, the API's body, and the settings page
    (schemas/setting.py).
    """

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Setting("Name", section="house", most=200)]
    phone: Annotated[str, Setting("Phone", "What owners ring.", "house", least=3, most=40)]
    address: Annotated[str, Setting("Address", section="house", most=300)]
    opening_hours: Annotated[
        str,
        Setting(
            "Opening hours",
            "As on OpenStreetMap: Mo-Fr 08:00-18:00; Sa 09:00-13:00; PH off. Windows are offered inside them.",
            "house",
        ),
    ]
    region: Annotated[
        str,
        Setting(
            "Region", "Whose public holidays you keep beside those of the whole country.", "house", least=0, most=20
        ),
    ] = ""
    special_days: Annotated[
        str,
        Setting(
            "Days of your own",
            "One a line: 2026-12-24 08:00-12:00, or 2026-12-31 closed. They come before hours and holidays.",
            "house",
            least=0,
            most=4000,
        ),
    ] = ""
    day_limits: Annotated[
        str,
        Setting(
            "Places a day",
            "One a line: pickup 8, desk 2. Only the desk gives the last 2. Also drop_off, waiting, tow, loaner; and "
            "shuttle, if you have one.",
            "house",
            least=0,
            most=400,
        ),
    ] = ""
    parts_shelf: Annotated[
        str,
        Setting(
            "Parts on the shelf",
            "One a line: Valve. Offers wait for parts that must be ordered. All are: nothing. Empty: no wait.",
            "house",
            least=0,
            most=2000,
        ),
    ] = ""
    place: Annotated[
        str,
        Setting(
            "Where the house is",
            "Latitude and longitude, as on a map: 53.5503, 9.9920. Drivers' ways are reckoned from here.",
            "drives",
            least=0,
            most=60,
        ),
    ] = ""
    pickup_radius_km: Annotated[
        int,
        Setting(
            "Collect cars within",
            "As the crow flies; 0 is no limit. A tow truck goes anywhere.",
            "drives",
            "km",
            least=0,
            most=1_000,
        ),
    ] = 0
    language: Annotated[str, Setting("Language", least=2, most=10)]
    acknowledge_minutes_now: Annotated[int, minutes("Take a “now” case within", "Then the manager is told.")]
    acknowledge_minutes_soon: Annotated[int, minutes("Take a “soon” case within", "Then the manager is told.")]
    waiting_word_minutes: Annotated[
        int, minutes("A word to waiting customers every", "Their card turns red after that.")
    ]
    offer_hold_minutes: Annotated[int, minutes("Hold offered windows for", "Driver and bay are kept free so long.")]
    notice_minutes: Annotated[
        int, minutes("Earliest window from now", "Time the workshop needs to prepare.", least=0)
    ] = 60
    workshop_minutes: Annotated[int, minutes("Time in the workshop", "Planned for one visit.")] = 120
    drive_minutes: Annotated[int, minutes("One drive of a driver", "There, the handover, and back.")] = 60
    late_warn_minutes: Annotated[
        int,
        minutes("Warn before a promise breaks", "Whoever has the case hears so long before, with an apology drafted."),
    ] = 15
    late_tell_minutes: Annotated[
        int, minutes("Tell the owner before it breaks", "They hear it then, if nobody has given them another time.")
    ] = 5
    no_show_minutes: Annotated[
        int, minutes("Ring who has not come after", "Counted from the end of their window.", least=0)
    ] = 30
    handover_record: Annotated[
        Records,
        Setting(
            "Handover record",
            "Photos, mileage and a signature when a car changes hands. Where it must be written "
            "no drive ends without it.",
            "house",
        ),
    ] = Records.RETURN
    second_factor: Annotated[
        Literal["nobody", "managers", "everybody"], Setting("Second factor", section="signing in")
    ] = "nobody"
    two_units: Annotated[
        Literal["tell", "stop"],
        Setting(
            "Two units that speak as one car",
            "A device was cloned, or an old unit was fitted elsewhere. Who is enrolled anew speaks alone.",
            "signing in",
        ),
    ] = "tell"
    keep_readings_days: Annotated[int, READINGS.as_setting] = READINGS.usual
    keep_positions_days: Annotated[int, POSITIONS.as_setting] = POSITIONS.usual
    keep_texts_days: Annotated[int, TEXTS.as_setting] = TEXTS.usual
    keep_audit_days: Annotated[int, AUDIT.as_setting] = AUDIT.usual


#: Each setting's name and what is said about it.
SETTINGS: Final[dict[str, Setting]] = {
    name: mark
    for name, field in DealerSettings.model_fields.items()
    for mark in field.metadata
    if isinstance(mark, Setting)
}


def settings_of(section: Section) -> dict[str, Setting]:
    """Those of one section of the settings page, in their order."""
    return {name: setting for name, setting in SETTINGS.items() if setting.section == section}


class Dealer(DealerSettings):
    """A dealer. `opening_hours` is an OSM string; the limits are minutes of business time."""

    id: int
    zone: str
    country: str

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
