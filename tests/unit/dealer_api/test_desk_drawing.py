"""The desk's charts: no peak is lost by thinning, a silence is a gap, and the numbers stand beside the picture."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from dealer_api.desk.chart_views import chart, measured, thin
from schemas.alert import Evidence, Limit, Sample, Series

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
T0 = NOW.timestamp() - 36_000


def a_line(values: list[float], step: float = 60.0, label: str = "front left", unit: str = "kPa") -> Series:
    return Series.model_construct(
        label=label, unit=unit, samples=tuple(Sample(ts=T0 + n * step, value=v) for n, v in enumerate(values))
    )


def test_thinning_keeps_every_peak() -> None:
    values = [230.0] * 5000
    values[1234], values[4321] = 99.0, 301.0
    kept = thin(a_line(values), 400)
    assert len(kept.samples) <= 410
    assert {min(s.value for s in kept.samples), max(s.value for s in kept.samples)} == {99.0, 301.0}
    assert [s.ts for s in kept.samples] == sorted(s.ts for s in kept.samples)


def test_a_silence_is_a_gap_in_the_movable_chart() -> None:
    points = [(T0, 12.0), (T0 + 60, 12.1), (T0 + 7200, 11.0), (T0 + 7260, 11.1)]
    made = chart(measured("Voltage", "V", points), "Europe/Berlin", NOW, title="Voltage", key="k")
    assert made is not None
    assert json.loads(made.json)["lines"][0]["v"] == [12.0, 12.1, None, 11.0, 11.1]


def test_limits_and_numbers_stand_beside_the_picture() -> None:
    evidence = Evidence(
        because="x",
        series=(a_line([230, 200, 168]), a_line([231, 231, 230], label="front right")),
        limits=(Limit(label="stop below", value=170),),
    )
    made = chart(evidence, "Europe/Berlin", NOW, title="Tyre", key="k")
    assert made is not None
    assert made.limits[0].label == "Stop below" and made.limits[0].value == "170 kPa"
    assert made.rows[0][1:] == ("168", "230") and made.thinned == 0
    assert made.caption == "Tyre in kPa, today 00:00 to 00:02"


def test_nothing_to_draw_is_no_chart() -> None:
    assert chart(Evidence(because="x"), "Europe/Berlin", NOW, title="x", key="k") is None


def test_a_label_cannot_leave_its_place() -> None:
    evidence = Evidence(because="x", series=(a_line([1, 2], label='"><script>'),))
    made = chart(evidence, "Europe/Berlin", NOW, title="</title><script>", key="k")
    assert made is not None and "<script>" not in made.wide
