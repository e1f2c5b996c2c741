"""A chart as the desk shows it: a still drawing from the server, the same data for the movable one, and the numbers as
a table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from markupsafe import Markup

from dealer_api import reader
from dealer_api.charts import evidence_svg, number, unit_symbol
from dealer_api.desk import formatting
from dealer_api.desk.languages.saying import say
from dealer_api.desk.languages.spoken import sentence
from rules.service.thinning import thin
from schemas.alert import Evidence, Sample, Series
from schemas.moment import from_epoch

_TABLE_ROWS = 60
_POINTS = 1200  #: more than a screen has columns
_WIDE, _NARROW = 760, 340


@dataclass(frozen=True, slots=True)
class Line:
    """One line, for the legend."""

    label: str
    unit: str
    last: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One limit, for the legend."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All that the template `chart` needs."""

    title: str
    caption: str
    wide: Markup
    narrow: Markup
    json: str
    lines: tuple[Line, ...]
    limits: tuple[Mark, ...]
    rows: tuple[tuple[str, ...], ...]
    thinned: int  #: only every n-th sample stands in the table; 0: all


def chart(evidence: Evidence, zone: str, now: datetime, *, title: str, key: str) -> Chart | None:
    """The chart of this evidence, or None when there is nothing to draw. `key` is unique on the page."""
    drawn = [line for line in evidence.series if line.samples]
    if not drawn:
        return None
    drawn = [line for line in drawn if line.unit == drawn[0].unit]
    if reader.language() != reader.ENGLISH:
        title, drawn = sentence(title), [line.model_copy(update={"label": sentence(line.label)}) for line in drawn]
        limits = tuple(limit.model_copy(update={"label": sentence(limit.label)}) for limit in evidence.limits)
        evidence = evidence.model_copy(update={"limits": limits})
    unit = unit_symbol(drawn[0].unit)
    span = (min(line.samples[0].ts for line in drawn), max(line.samples[-1].ts for line in drawn))
    still = Evidence(because=evidence.because, series=tuple(thin(line, 400) for line in drawn), limits=evidence.limits)
    times = sorted({sample.ts for line in drawn for sample in line.samples}, reverse=True)
    every = max(1, -(-len(times) // _TABLE_ROWS))
    values = [{sample.ts: sample.value for sample in line.samples} for line in drawn]
    return Chart(
        title=title,
        caption=(
            f"{formatting.sentence(drawn[0].label) if len(drawn) == 1 else title}{_unit(unit)}, "
            f"{_span(*span, zone, now)}"
        ),
        wide=evidence_svg(
            still, language=reader.locale(), zone_name=zone, width=_WIDE, height=250, title=title, key=f"{key}-wide"
        ),
        narrow=evidence_svg(
            still, language=reader.locale(), zone_name=zone, width=_NARROW, height=210, title=title, key=f"{key}-narrow"
        ),
        json=_movable(drawn, evidence, unit, zone),
        lines=tuple(
            Line(
                formatting.sentence(line.label), unit_symbol(line.unit), number(line.samples[-1].value, reader.locale())
            )
            for line in drawn
        ),
        limits=tuple(
            Mark(formatting.sentence(limit.label), f"{number(limit.value, reader.locale())} {unit}".strip())
            for limit in evidence.limits
        ),
        rows=tuple(
            (
                formatting.when(from_epoch(ts), zone, now),
                *("" if (value := of.get(ts)) is None else number(value, reader.locale()) for of in values),
            )
            for ts in times[::every]
        ),
        thinned=0 if every == 1 else every,
    )


def _unit(unit: str) -> str:
    return " " + say("in {unit}", unit=unit) if unit else ""


def _span(first: float, last: float, zone: str, now: datetime) -> str:
    """'today 09:27 to 09:47', 'Sun 2 Nov 09:48 to today 09:48'."""
    start, end = from_epoch(first), from_epoch(last)
    same_day = formatting.day(start, zone, now) == formatting.day(end, zone, now)
    return say(
        "{start} to {end}",
        start=formatting.when(start, zone, now),
        end=formatting.clock(end, zone) if same_day else formatting.when(end, zone, now),
    )


def measured(label: str, unit: str, points: Sequence[tuple[float, float]]) -> Evidence:
    """One signal over time, as evidence of nothing but itself."""
    samples = tuple(Sample(ts=ts, value=value) for ts, value in points)
    return Evidence.model_construct(
        because="",
        series=(thin(Series.model_construct(label=label, unit=unit, samples=samples), _POINTS),),
        limits=(),
        freeze_frame=None,
    )


def _movable(drawn: Sequence[Series], evidence: Evidence, unit: str, zone: str) -> str:
    span = max(abs(sample.value) for line in drawn for sample in line.samples) or 1.0
    return json.dumps(
        {
            "zone": zone,
            "unit": unit,
            "decimals": 0 if span >= 200 else 1 if span >= 20 else 2,
            "lines": [{"label": formatting.sentence(line.label), **_broken(line.samples)} for line in drawn],
            "limits": [{"label": formatting.sentence(limit.label), "value": limit.value} for limit in evidence.limits],
        },
        separators=(",", ":"),
    )


def _broken(samples: Sequence[Sample]) -> dict[str, list[float | None]]:
    """Times and values, with an empty place in each silence: what the car did not say is not drawn."""
    times: list[float | None] = []
    values: list[float | None] = []
    gaps = [after.ts - before.ts for before, after in pairwise(samples)]
    silence = max(600.0, 6 * median(gaps)) if gaps else 0.0
    for n, sample in enumerate(samples):
        if n and gaps[n - 1] > silence:
            times.append(round(samples[n - 1].ts + 1, 1))
            values.append(None)
        times.append(round(sample.ts, 1))
        values.append(round(sample.value, 4))
    return {"t": times, "v": values}
