"""Where a message comes from, and the two numbers that stand for what a device does not say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NO_BOOT: Final = -1  #: boot of a device without counters
IMPOSSIBLE_DAY: Final = 0  #: day of what carries no believable time


@dataclass(frozen=True, slots=True)
class Source:
    """Who sent it, as the topic says."""

    vin: str
    vehicle_id: int
    topic: str
