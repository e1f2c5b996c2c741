"""What an odometer can have done since it was last believed: it only grows, and no faster than a car drives.

The first word is believed within sane bounds, and until the second and the third contradict it together.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Final

from schemas.reading import Mark, Reading
from schemas.signal import BY_PATH

ODOMETER: Final = BY_PATH["Vehicle.TraveledDistance"].id
MAX_MPS: Final = 400 / 3.6  #: faster than any car
ODOMETER_SLACK_M: Final = 2_000.0  #: float32 metres are 32 m apart at 300,000 km; cars round to whole km
_NO_MILEAGE: Final = frozenset(
    struct.unpack("<f", struct.pack("<f", unit * word))[0]
    for word in (0, 2**16 - 1, 2**24 - 1, 2**31 - 1, 2**32 - 1)
    for unit in (1, 1000)
)
_FARTHEST_M: Final = 4e9  #: farther than any vehicle has come


def first_fault(metres: float) -> str | None:
    """Why the first word of an odometer is none, or None: what a unit says that has none, or has not heard it yet."""
    if metres in _NO_MILEAGE or metres > _FARTHEST_M:
        return f"an odometer that begins at {metres / 1000:.1f} km: that is what a unit says that does not know it"
    return None


def odometer_fault(metres: float, ts: float, last: float, last_ts: float) -> str | None:
    """Why an odometer cannot be right after an earlier one, or None."""
    if metres < last - ODOMETER_SLACK_M:
        return f"odometer went back from {last / 1000:.1f} km to {metres / 1000:.1f} km"
    reach = max(0.0, ts - last_ts) * MAX_MPS + ODOMETER_SLACK_M
    if metres > last + reach:
        return f"odometer jumped from {last / 1000:.1f} km to {metres / 1000:.1f} km in {max(0.0, ts - last_ts):.0f} s"
    return None


@dataclass(frozen=True, slots=True)
class Believed:
    """An odometer as it was last believed, at `ts`; `since` is when the first was that it agrees with; `contrary`, one
    that does not.
    """

    metres: float | None = None
    ts: float = 0.0
    since: float = 0.0
    contrary: tuple[float, float] | None = None


def weigh(metres: float, ts: float, last: Believed) -> tuple[str | None, Believed]:
    """Why this word of an odometer is not believed, or None; and what is believed after it."""
    if last.metres is None:
        fault = first_fault(metres)
        return (fault, last) if fault else (None, Believed(metres, ts, ts))
    fault = odometer_fault(metres, ts, last.metres, last.ts)
    if fault is None:
        return None, Believed(metres, ts, last.since)
    if last.ts > last.since:  # two have agreed: one that does not is wrong
        return fault, last
    if last.contrary is not None and odometer_fault(metres, ts, *last.contrary) is None:
        return None, Believed(metres, ts, last.contrary[1])
    return fault, replace(last, contrary=(metres, ts))


@dataclass(slots=True)
class Odometer:
    """The last one that was believed, while stored rows are looked at again."""

    last: Believed = Believed()

    def stand(self) -> None:
        """What follows was believed because of a row that is taken back: two of that do not contradict the one before
        it.
        """
        self.last = replace(self.last, since=-1.0)

    def see(self, row: Reading) -> Reading:
        """The row as it would have been believed after the rows before it: with its odometer, or without."""
        if ODOMETER not in row.ids or row.mark & Mark.CLOCK_SUSPECT:
            return row
        at = row.ids.index(ODOMETER)
        if not row.mark & Mark.ACCEPTED:  # a person's word stands above plausibility
            if row.ts < self.last.ts:
                return row
            fault, self.last = weigh(row.values[at], row.ts, self.last)
            return (
                replace(row, ids=row.ids[:at] + row.ids[at + 1 :], values=row.values[:at] + row.values[at + 1 :])
                if fault
                else row
            )
        self.last = Believed(row.values[at], row.ts, -1.0)
        return row
