"""The first days of a house: the steps until the first owner can be offered a time, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """In the order in which they are best done."""

    HOURS = "hours"
    PEOPLE = "people"
    BAYS = "bays"
    DRIVER = "driver"
    OWNERS = "owners"
    CAR = "car"
    TEXT = "text"


class How(StrEnum):
    """How far a step is, and why it is not further."""

    DONE = "done"
    ASIDE = "aside"  #: a manager said that this house does not need it
    NOT_YET = "not yet"
    INVITED = "invited"  #: people were asked in, and nobody of them has come
    NO_CARS = "no cars"  #: owners are there, cars are not
    NOT_ENROLLED = "not enrolled"  #: cars are there, none can speak
    NOT_HEARD = "not heard"  #: a car has its credentials, and has never spoken
    ON_ITS_WAY = "on its way"  #: the text has not left yet
    NO_WAY_OUT = "no way out"  #: no provider is set up: nothing can leave
    FAILED = "failed"  #: the provider did not take it, or could not deliver it


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rows say of a house."""

    hours_saved: bool  #: a manager has saved the settings with the hours, or a visit has been agreed within them
    joined: int  #: colleagues who sign in and do not drive, without whoever looks
    invited: int
    drivers: int
    drivers_invited: int
    bays: int
    owners: bool
    cars: bool
    enrolled: bool
    heard: bool
    text_state: str | None  #: of the newest text that was sent to try
