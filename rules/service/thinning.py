"""A line of a chart with fewer points. Pure."""

from __future__ import annotations

from schemas.alert import Sample, Series


def thin(line: Series, most: int) -> Series:
    """At most about `most` samples. Of each stretch its lowest and highest stay, so that no peak is lost."""
    if len(line.samples) <= most:
        return line
    size = -(-len(line.samples) * 2 // most)
    kept: list[Sample] = []
    for start in range(0, len(line.samples), size):
        stretch = line.samples[start : start + size]
        ends = {id(s): s for s in (min(stretch, key=lambda s: s.value), max(stretch, key=lambda s: s.value))}
        kept += sorted(ends.values(), key=lambda s: s.ts)
    return Series.model_construct(label=line.label, unit=line.unit, samples=tuple(kept))
