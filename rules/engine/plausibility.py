"""What an odometer can have done since it was last believed: it only grows, and no faster than a car drives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from schemas.reading import Mark, Reading
from schemas.signal import BY_PATH

ODOMETER: Final = BY_PATH["Vehicle.TraveledDistance"].id
MAX_MPS: Final = 400 / 3.6  #: faster than any car
ODOMETER_SLACK_M: Final = 2_000.0  #: float32 metres are 32 m apart at 300,000 km; cars round to whole km


def odometer_fault(metres: float, ts: float, last: float, last_ts: float) -> str | None:
    """Why an odometer cannot be right after an earlier one, or None."""
    if metres < last - ODOMETER_SLACK_M:
        return f"odometer went back from {last / 1000:.1f} km to {metres / 1000:.1f} km"
    reach = max(0.0, ts - last_ts) * MAX_MPS + ODOMETER_SLACK_M
    if metres > last + reach:
        return f"odometer jumped from {last / 1000:.1f} km to {metres / 1000:.1f} km in {max(0.0, ts - last_ts):.0f} s"
    return None


@dataclass(slots=True)
class Odometer:
    """The last one that was believed, while stored rows are looked at again."""

    metres: float | None = None
    ts: float = 0.0

    def see(self, row: Reading) -> Reading:
        """The row as it would have been believed after the rows before it: with its odometer, or without."""
        if ODOMETER not in row.ids or row.mark & Mark.CLOCK_SUSPECT:
            return row
        at = row.ids.index(ODOMETER)
        if not row.mark & Mark.ACCEPTED:  # a person's word stands above plausibility
            if row.ts < self.ts:
                return row
            if self.metres is not None and odometer_fault(row.values[at], row.ts, self.metres, self.ts):
                return replace(row, ids=row.ids[:at] + row.ids[at + 1 :], values=row.values[:at] + row.values[at + 1 :])
        self.metres, self.ts = row.values[at], row.ts
        return row
