"""The picture of a healing: what the car measured before the repair and since, against the band in which it is healthy.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from rules.service.thinning import thin
from schemas.alert import Evidence, Limit, Sample, Series
from schemas.signal import BY_ID

BEFORE = timedelta(days=3)  #: so much of the time before the repair is shown
_POINTS = 200  #: of each line
AFTER_REPAIR, BEFORE_REPAIR = "after the repair", "before the repair"


def wanted(demands: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Of what the car had to show, the first that is a signal in a band; None: there is nothing to draw."""
    return next((one for one in demands if one["kind"] == "band" and one["signals"]), None)


def picture(
    demand: Mapping[str, Any], before: Sequence[tuple[float, float]], after: Sequence[tuple[float, float]]
) -> Evidence | None:
    """Both lines as (epoch seconds, value in the signal's unit), oldest first. None without a line on either side:
    then nothing is seen to heal.
    """
    if not before or not after:
        return None
    signal = BY_ID[demand["signals"][0]]
    lines = tuple(
        thin(
            Series.model_construct(
                label=label, unit=signal.unit, samples=tuple(Sample(ts=ts, value=value) for ts, value in points)
            ),
            _POINTS,
        )
        for label, points in ((AFTER_REPAIR, after), (BEFORE_REPAIR, before))
    )
    levels = dict.fromkeys(demand[end] for end in ("low", "high") if demand[end] is not None)
    return Evidence(
        because=signal.title, series=lines, limits=tuple(Limit(label="clear", value=value) for value in levels)
    )
