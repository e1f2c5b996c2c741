"""Outside air of a region: seasons, days, slow weather and cold snaps. The same seed is the same weather."""

from __future__ import annotations

from math import cos, pi
from random import Random

DAY = 86_400.0
YEAR_DAYS = 365.25


class Weather:
    """Central Europe: 10 Celsius on average, 10 K of season, 4 K of day and night, fronts of some days (assumed)."""

    def __init__(
        self, seed: int, mean_c: float = 10.0, season_k: float = 10.0, fronts: float = 1.0, snap_on: int | None = None
    ) -> None:
        self._seed, self._mean, self._season, self._strength = seed, mean_c, season_k, fronts
        self._snap_on = snap_on  # a day number on which a cold snap begins for certain
        self._fronts: dict[int, float] = {}

    def air(self, ts: float) -> float:
        """Air temperature in Celsius."""
        day, second = divmod(ts, DAY)
        share = second / DAY
        here = self._front(int(day)) * (1 - share) + self._front(int(day) + 1) * share
        season = -cos(2 * pi * (day / YEAR_DAYS - 20 / YEAR_DAYS))  # coldest about 20 January; 1970 began on 1 January
        return self._mean + self._season * season - 4.0 * cos(2 * pi * (second - 14_400) / DAY) * 0.9 + here

    def _front(self, day: int) -> float:
        """The deviation of a day: a smooth sum over the last days, so that it needs no earlier state."""
        found = self._fronts.get(day)
        if found is None:
            total, weight = 0.0, 1.0
            for back in range(8):
                rng = Random(f"{self._seed}/{day - back}")
                total += weight * rng.gauss(0.0, 2.4)
                if rng.random() < 0.012 and back < 4:  # a cold snap: -15 K, gone after some days
                    total -= 13.0 if back else 8.0
                weight *= 0.75
            total *= self._strength
            if self._snap_on is not None and 0 <= day - self._snap_on < 3:
                total -= 15.0
            found = self._fronts[day] = total
            if len(self._fronts) > 2_000:
                self._fronts.pop(next(iter(self._fronts)))
        return found
