"""A person's word on how long readings are kept, where the clocks cannot agree by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class RetentionWord:
    """It counts for a day of machine time."""

    today: date | None  #: what day it is, where no car speaks any more
    at_once: int | None  #: how many days of readings may go in one day
    said_at: datetime  #: machine time
