"""The evidence chart: a small honest SVG drawn on the server, for the desk and the owner alike.

Honest means: the axis has numbers and a unit, every limit that was judged against is drawn, a gap in the car's
reports is a gap in the line, and the last value is written out. Colours come from the page's style sheet by class;
the attributes alone (`currentColor`) already make it readable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median

from babel.dates import format_date
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from schemas.alert import Evidence, Limit, Sample, Series
from schemas.moment import zone

_SYMBOLS = {
    "Celsius": "°C",
    "percent": "%",
    "degrees": "°",
    "bool": "",
    "enum": "",
    "count": "",
    "id": "",
    "ohm": "Ω",
    "kOhm": "kΩ",
}
_X_STEPS_S = (60, 300, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000)
_DAY_S = 86400
_WANTED = frozenset({"placard", "usual", "clear"})  #: levels of a healthy car
_SOON = frozenset({"soon", "advice", "service"})


@dataclass(frozen=True, slots=True)
class _Frame:
    """The plot area in SVG units and what it shows."""

    left: float
    right: float
    top: float
    bottom: float
    first: float
    last: float
    low: float
    high: float

    def x(self, ts: float) -> float:
        return round(self.left + (ts - self.first) / ((self.last - self.first) or 1) * (self.right - self.left), 1)

    def y(self, value: float) -> float:
        return round(self.bottom - (value - self.low) / ((self.high - self.low) or 1) * (self.bottom - self.top), 1)


def unit_symbol(unit: str) -> str:
    """How people write a unit of ours: Celsius is °C."""
    return _SYMBOLS.get(unit, unit)


def number(value: float, language: str, *, step: float | None = None) -> str:
    """A number as the language writes it, with the decimals that `step` (or its own size) deserves."""
    size = abs(step if step else value)
    decimals = 0 if size >= 20 or (float(value).is_integer() and not step) else 1 if size >= 0.5 or size == 0 else 2
    if step:
        decimals = max(0, min(3, -math.floor(math.log10(step)))) if not float(step).is_integer() else 0
    return str(
        format_decimal(
            round(value, decimals), format="#,##0" + ("." + "0" * decimals if decimals else ""), locale=language
        )
    )


def exact(value: float, language: str) -> str:
    """A limit as it was judged against: two decimals where they matter, none where they do not."""
    return str(format_decimal(round(value, 2), format="#,##0.##", locale=language))


def evidence_svg(
    evidence: Evidence,
    *,
    language: str = "en",
    zone_name: str = "UTC",
    width: int = 360,
    height: int = 190,
    title: str = "",
    key: str = "chart",
    call: Callable[[str], str] | None = None,
) -> Markup:
    """The chart as inline SVG, `width` units wide (give about the pixels it will have, so that its text stays
    readable).

    `key` makes the ids of its title unique on a page; `call` says what a limit is called in the reader's
    language, and then the line is called by the title too. Empty when there is nothing to draw.
    """
    series = [line for line in evidence.series if line.samples]
    if not series:
        return Markup("")
    unit = unit_symbol(series[0].unit)
    drawn = [line for line in series if line.unit == series[0].unit]
    ticks = _value_ticks(drawn, evidence.limits)
    step = ticks[1] - ticks[0]
    labels = [number(tick, language, step=step) for tick in ticks]
    left = 10 + 7.2 * max(map(len, labels))
    value = f"{number(max(drawn[0].samples, key=lambda s: s.ts).value, language)} {unit}".strip()
    frame = _Frame(left, width - 16.0 - 7.4 * len(value), 26.0, height - 26.0, *_span(drawn), ticks[0], ticks[-1])
    parts = [f'<text class="unit" x="{left - 6:.0f}" y="13" text-anchor="end">{escape(unit)}</text>']
    for tick, label in zip(ticks, labels):
        y = frame.y(tick)
        parts.append(
            f'<line class="grid" x1="{frame.left:.1f}" x2="{frame.right}" y1="{y}" y2="{y}" stroke="currentColor" '
            'stroke-opacity=".14"/>'
        )
        parts.append(f'<text class="tick" x="{left - 6:.0f}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>')
    for ts, label in _time_ticks(frame, language, zone_name):
        anchor = "start" if frame.x(ts) < frame.left + 14 else "end" if frame.x(ts) > frame.right - 14 else "middle"
        parts.append(
            f'<text class="tick" x="{frame.x(ts)}" y="{height - 8}" text-anchor="{anchor}">{escape(label)}</text>'
        )
    parts += _limits(evidence.limits, frame, language=language, name=call or str, main=drawn[0])
    for place, line in reversed(list(enumerate(drawn))):
        parts += _line(line, frame, main=place == 0)
    parts += _last(drawn[0], frame, value)
    description = describe(evidence, language=language, call=call, title=title)
    return Markup(
        f'<svg class="evidence" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{escape(key)}-t '
        f'{escape(key)}-d" '
        f'font-family="inherit" font-size="12" fill="currentColor" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{escape(key)}-t">{escape(title or drawn[0].label)}</title><desc '
        f'id="{escape(key)}-d">{escape(description)}</desc>{"".join(parts)}</svg>'
    )


def describe(
    evidence: Evidence, *, language: str = "en", call: Callable[[str], str] | None = None, title: str = ""
) -> str:
    """The chart in words, for those who cannot see it: each line's last value, each limit.

    Our lines are named in English: with `call` only the first is said, by the title.
    """
    lines = [line for line in evidence.series if line.samples][: 1 if call else None]
    parts = [
        f"{title if call else line.label}: {number(line.samples[-1].value, language)} {unit_symbol(line.unit)}".strip()
        for line in lines
    ]
    return "; ".join(
        parts + [f"{(call or str)(limit.label)}: {exact(limit.value, language)}" for limit in evidence.limits]
    )


def _span(series: Sequence[Series]) -> tuple[float, float]:
    times = [s.ts for line in series for s in line.samples]
    first, last = min(times), max(times)
    return (first, last) if last > first else (first - 1800, last + 1800)


def _value_ticks(series: Sequence[Series], limits: Sequence[Limit]) -> list[float]:
    """Three to six round numbers around everything that is drawn, limits included."""
    values = [s.value for line in series for s in line.samples] + [limit.value for limit in limits]
    low, high = min(values), max(values)
    if high - low < 1e-9:
        low, high = low - (abs(low) * 0.05 or 1), high + (abs(high) * 0.05 or 1)
    rough = (high - low) / 4
    scale = 10 ** math.floor(math.log10(rough))
    step = next(scale * m for m in (1, 2, 2.5, 5, 10) if scale * m >= rough * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(n * step, 9) for n in range(first, max(last, first + 1) + 1)]


def _time_ticks(frame: _Frame, language: str, zone_name: str) -> list[tuple[float, str]]:
    """Two to five round times of the wall clock in `zone_name`."""
    where = zone(zone_name)
    wanted = max(2, int((frame.right - frame.left) // 84))
    span = frame.last - frame.first
    step = next((s for s in _X_STEPS_S if span / s <= wanted), _X_STEPS_S[-1])
    start = datetime.fromtimestamp(frame.first, UTC).astimezone(where)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    found: list[tuple[float, str]] = []
    for n in range(int((span + 2 * _DAY_S) / step) + 2):
        wall = midnight + timedelta(seconds=n * step)
        ts = wall.replace(tzinfo=where).timestamp()
        if frame.first <= ts <= frame.last:
            shown = wall.replace(tzinfo=where)
            midnightly = step >= _DAY_S or (wall.hour, wall.minute) == (0, 0)
            found.append((ts, _day(shown, language) if midnightly else f"{wall:%H:%M}"))
    if len(found) < 2:
        found = [(ts, f"{datetime.fromtimestamp(ts, UTC).astimezone(where):%H:%M}") for ts in (frame.first, frame.last)]
    return found


def _day(moment: datetime, language: str) -> str:
    return (
        str(format_date(moment.date(), "d MMM", locale=language))
        if language != "de"
        else str(format_date(moment.date(), "d. MMM", locale="de"))
    )


def _limits(
    limits: Sequence[Limit], frame: _Frame, language: str, name: Callable[[str], str], main: Series
) -> list[str]:
    """Each level with its name and value. What is wanted is drawn more quietly than what is feared."""
    parts = []
    for limit in limits:
        y = frame.y(limit.value)
        kind = "limit wanted" if limit.label in _WANTED else "limit soon" if limit.label in _SOON else "limit"
        label = f"{name(limit.label)} {exact(limit.value, language)}"
        x, base, anchor = _free_place(frame, main, y, 6.2 * len(label))
        parts.append(
            f'<line class="{kind}" x1="{frame.left:.1f}" x2="{frame.right:.1f}" y1="{y}" y2="{y}" '
            'stroke="currentColor" stroke-dasharray="5 4" stroke-width="1.5"/>'
            f'<text class="{kind} limit-label" x="{x:.1f}" y="{base:.1f}" text-anchor="{anchor}">{escape(label)}</text>'
        )
    return parts


def _free_place(frame: _Frame, main: Series, y: float, width: float) -> tuple[float, float, str]:
    """Above or below the level, at its left or right end: wherever the line is farthest from the words."""
    places = []
    for x, anchor, first in ((frame.left + 4, "start", frame.left), (frame.right - 4, "end", frame.right - width)):
        near = [frame.y(s.value) for s in main.samples if first <= frame.x(s.ts) <= first + width] or [frame.top - 99]
        for base in (y - 5, y + 14):
            if frame.top - 2 <= base - 4 <= frame.bottom:
                places.append(
                    (
                        min(min(abs(line - (base - 4)) for line in near), 16),
                        anchor == "start",
                        base < y,
                        x,
                        base,
                        anchor,
                    )
                )
    if not places:
        return frame.left + 4, y - 5, "start"
    best = max(places)
    return best[3], best[4], best[5]


def _line(line: Series, frame: _Frame, *, main: bool) -> list[str]:
    """One line, broken where the car was silent for much longer than it usually is."""
    kind, stroke = ("line main", 2.5) if main else ("line other", 1.5)
    opacity = "" if main else ' stroke-opacity=".45"'
    parts = []
    for run in _runs(line.samples):
        points = " ".join(f"{frame.x(s.ts)},{frame.y(s.value)}" for s in run)
        if len(run) == 1:
            parts.append(
                f'<circle class="{kind} dot" cx="{frame.x(run[0].ts)}" cy="{frame.y(run[0].value)}" r="{stroke}" '
                'fill="currentColor"/>'
            )
        else:
            parts.append(
                f'<polyline class="{kind}" points="{points}" fill="none" stroke="currentColor" stroke-width="{stroke}"'
                f' stroke-linejoin="round" stroke-linecap="round"{opacity}/>'
            )
    return parts


def _runs(samples: Sequence[Sample]) -> list[list[Sample]]:
    ordered = sorted(samples, key=lambda s: s.ts)
    gaps = [b.ts - a.ts for a, b in pairwise(ordered)]
    silence = max(600.0, 6 * median(gaps)) if gaps else 0.0
    runs: list[list[Sample]] = [[ordered[0]]]
    for before, sample in pairwise(ordered):
        if sample.ts - before.ts > silence:
            runs.append([])
        runs[-1].append(sample)
    return runs


def _last(line: Series, frame: _Frame, value: str) -> list[str]:
    """The newest value as a dot, written out beside it where no line runs."""
    last = max(line.samples, key=lambda s: s.ts)
    x, y = frame.x(last.ts), frame.y(last.value)
    return [
        f'<circle class="last" cx="{x}" cy="{y}" r="4.5" fill="currentColor"/>',
        f'<text class="last-label" x="{x + 9}" y="{y + 4.5:.1f}" font-weight="600">{escape(value)}</text>',
    ]
