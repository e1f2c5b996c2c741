"""What a time in a file means.

Pure; local times of spring that nobody saw are refused, those of autumn are told apart by their order.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.errors import BadInput

NOT_A_TIME, NO_SUCH_TIME, AMBIGUOUS = "not_a_time", "no_such_time", "ambiguous_time"
_KEPT: Final = 50_000
_NEAR_S: Final = 3_600.0  #: a car heard so shortly before an hour that comes twice goes on into its first time
#: of an hourly feed the same local time again is the next hour; of a quick one it is the same line again
_SLOW_S: Final = 1_800.0


class Refused(Exception):
    """(reason, in words)"""


class Moments:
    """Texts of one column as epoch seconds. `of` has to see a car's lines in their order."""

    def __init__(self, kind: str, zone: str | None) -> None:
        self._kind, self._scale = kind, {"unix": 1.0, "unix_ms": 1e-3}.get(kind)
        self._known: dict[
            str, tuple[float, float]
        ] = {}  #: text -> epoch seconds of its first and of its second time: the same but in autumn
        self._before: dict[
            str, tuple[float, float]
        ] = {}  #: car -> its last moment, and how far that was from the one before
        try:
            self._zone = UTC if zone in ("UTC", "Z") else ZoneInfo(zone) if zone else None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise BadInput("zone", f"{zone!r} is not a time zone: write UTC, or a place as Europe/Berlin") from None

    def of(self, car: str, text: str) -> float:
        """Epoch seconds, or Refused."""
        found = self._known.get(text)
        if found is None:
            if len(self._known) > _KEPT:
                self._known.clear()
            found = self._known[text] = self._read(text)
        first, second = found
        ts = first if first == second else self._which(car, first, second, text)
        before = self._before.get(car)
        self._before[car] = ts, (ts - before[0] if before is not None else 0.0)
        return ts

    def _which(self, car: str, first: float, second: float, text: str) -> float:
        last, step = self._before.get(car, (float("-inf"), 0.0))
        if last == first:
            return second if step >= _SLOW_S else first
        if first < last <= second:
            return second
        if first - _NEAR_S <= last < first:
            return first
        raise Refused(AMBIGUOUS, f"{text} came twice that night, and the lines before it do not tell which one it is")

    def _read(self, text: str) -> tuple[float, float]:
        try:
            if self._scale is not None:
                ts = float(text) * self._scale
                datetime.fromtimestamp(ts, UTC)
                return ts, ts
            if self._kind == "iso":
                at = datetime.fromisoformat(text.strip())
            else:
                at = datetime.strptime(text.strip(), self._kind)  # noqa: DTZ007 - the column's zone is given below
            if at.tzinfo is not None:
                return at.timestamp(), at.timestamp()
        except (ValueError, OverflowError, OSError):
            raise Refused(NOT_A_TIME, f"{text[:60]!r} is not a time") from None
        if self._zone is None:
            raise BadInput(
                "zone",
                f'the time {text!r} names none: say it in the mapping, as zone = "UTC" or zone = "Europe/Berlin"',
            )
        try:
            first, second = (at.replace(tzinfo=self._zone, fold=fold).timestamp() for fold in (0, 1))
        except (ValueError, OverflowError):
            raise Refused(NOT_A_TIME, f"{text[:60]!r} is not a time") from None
        if datetime.fromtimestamp(first, self._zone).replace(tzinfo=None, fold=0) - at.replace(fold=0) != timedelta(0):
            raise Refused(NO_SUCH_TIME, f"{text} did not exist in {self._zone}: the clocks went forward")
        return first, second
