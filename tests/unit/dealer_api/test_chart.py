"""The evidence chart is honest: axes with numbers and a unit, limits by name, gaps as gaps, the last value written
out.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dealer_api.charts import describe, evidence_svg, number
from schemas.alert import Evidence, Limit, Sample, Series

START = 1_795_500_000.0
FINITE = st.floats(-1e6, 1e6, allow_nan=False)


def evidence(values: list[float], every_s: float = 60, unit: str = "kPa", limits: tuple[Limit, ...] = ()) -> Evidence:
    samples = tuple(Sample(ts=START + n * every_s, value=value) for n, value in enumerate(values))
    return Evidence(because="test", series=(Series(label="front left", unit=unit, samples=samples),), limits=limits)


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_axis_unit_limit_and_last_value_are_written() -> None:
    result = texts(
        evidence_svg(evidence([230, 220, 183], limits=(Limit(label="soon", value=184),)), zone_name="Europe/Berlin")
    )
    assert result[0] == "kPa" and "soon 184" in result and result[-1] == "183 kPa"
    assert {"180", "200", "220"} <= set(result)


def test_a_silence_is_a_gap_and_not_a_line() -> None:
    samples = tuple(Sample(ts=START + n * 60 + (7200 if n >= 10 else 0), value=200) for n in range(20))
    svg = evidence_svg(Evidence(because="", series=(Series(label="x", unit="kPa", samples=samples),)))
    assert svg.count("<polyline") == 2


def test_nothing_to_draw_is_nothing() -> None:
    assert evidence_svg(Evidence(because="a code")) == ""


def test_what_is_wanted_is_quieter_than_what_is_feared() -> None:
    limits = tuple(Limit(label=label, value=200 + n) for n, label in enumerate(("now", "soon", "placard")))
    kinds = re.findall(r'<line class="(limit[^"]*)"', evidence_svg(evidence([200, 210], limits=limits)))
    assert kinds == ["limit", "limit soon", "limit wanted"]


def test_wall_time_of_the_reader() -> None:
    berlin, lisbon = (
        texts(evidence_svg(evidence([1, 2], every_s=7200), zone_name=zone))
        for zone in ("Europe/Berlin", "Europe/Lisbon")
    )
    assert berlin != lisbon


@pytest.mark.parametrize(
    ("value", "language", "text"),
    [(1234.5, "de", "1.234"), (13.94, "de", "13,9"), (0.123, "en", "0.12"), (14.0, "en", "14")],
)
def test_numbers_as_the_language_writes_them(value: float, language: str, text: str) -> None:
    assert number(value, language) == text


def test_a_limit_is_written_as_it_was_judged() -> None:
    assert "soon 9.75" in texts(evidence_svg(evidence([9.4, 9.5], unit="V", limits=(Limit(label="soon", value=9.75),))))


def test_a_limits_name_stands_where_the_line_does_not() -> None:
    svg = evidence_svg(evidence([184.0] * 20 + [230.0] * 20, limits=(Limit(label="soon", value=184),)))
    assert re.search(r'class="limit soon limit-label"[^>]*text-anchor="end"', svg)


def test_names_are_text_and_never_markup() -> None:
    hostile = Evidence(
        because="",
        series=(Series(label="<b>", unit="<i>", samples=(Sample(ts=START, value=1),)),),
        limits=(Limit(label="<script>", value=2),),
    )
    svg = evidence_svg(hostile, title="<u>")
    ElementTree.fromstring(svg)
    assert "<script" not in svg and "<b>" not in svg
    assert "<script>" in describe(hostile)


@settings(deadline=None)
@given(
    st.lists(FINITE, min_size=1, max_size=60),
    st.lists(FINITE, max_size=3),
    st.sampled_from([1, 60, 3600, 86400]),
    st.sampled_from(["en", "de", "es"]),
)
def test_whatever_is_drawn_stays_inside_the_picture(
    values: list[float], limits: list[float], every_s: float, language: str
) -> None:
    shown = evidence(values, every_s=every_s, limits=tuple(Limit(label="limit", value=value) for value in limits))
    svg = evidence_svg(shown, language=language, zone_name="Europe/Berlin", width=360, height=190)
    ElementTree.fromstring(svg)
    for points in re.findall(r'points="([^"]+)"', svg):
        for point in points.split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= 360 and 0 <= y <= 190
