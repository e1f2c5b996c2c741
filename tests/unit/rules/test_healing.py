"""The picture of a healing: both sides of the repair, its band, and nothing where there is nothing to see."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rules.service.healing import picture, wanted
from schemas.signal import BY_PATH

TYRE = BY_PATH["Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure"].id
DEMAND: dict[str, Any] = {"kind": "band", "signals": [TYRE], "low": 220.0, "high": None}
LINE = st.lists(st.floats(0, 400), min_size=1, max_size=900).map(lambda vs: [(float(n), v) for n, v in enumerate(vs)])


def test_the_first_signal_that_has_a_band_is_drawn() -> None:
    codes = {"kind": "codes", "signals": [], "low": None, "high": None}
    assert wanted([codes, DEMAND]) is DEMAND and wanted([codes]) is None and wanted([]) is None


def test_without_one_of_both_sides_nothing_is_seen_to_heal() -> None:
    assert picture(DEMAND, [], [(1.0, 230.0)]) is None and picture(DEMAND, [(1.0, 170.0)], []) is None


@given(before=LINE, after=LINE)
def test_a_long_line_keeps_its_ends_of_both_kinds(before: Any, after: Any) -> None:
    found = picture(DEMAND, before, after)
    assert found is not None and [limit.value for limit in found.limits] == [220.0]
    for line, points in zip(found.series, (after, before), strict=True):
        values = [sample.value for sample in line.samples]
        assert len(values) <= 201 and line.unit == "kPa"
        assert (min(values), max(values)) == (min(v for _, v in points), max(v for _, v in points))
