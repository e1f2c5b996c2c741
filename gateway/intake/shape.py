"""What a set of signal names means: the same set comes again and again, so it is worked out once and kept."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from rules.engine.plausibility import ODOMETER
from schemas.signal import ALIASES, BY_PATH
from store import readings

_SHAPES: Final = 4096


class Shape:
    """What one set of signal names means. Cars send the same set again and again, so it is worked out once."""

    __slots__ = (
        "believable",
        "convert",
        "highs",
        "ids",
        "lows",
        "odometer",
        "pack",
        "paths",
        "plain",
        "stored",
        "take",
        "unknown",
        "unpack",
    )

    def __init__(self, paths: tuple[str, ...]) -> None:
        found, self.convert, self.unknown = [], [], []
        for n, path in enumerate(paths):
            alias = ALIASES.get(path)
            signal = BY_PATH.get(alias[0] if alias else path)
            if signal is None:
                self.unknown.append(path)
            else:
                found.append(signal)
                self.convert.append((n, alias[1] if alias else None))
        self.ids = tuple(signal.id for signal in found)
        self.paths = tuple(signal.path for signal in found)
        self.lows = tuple(signal.low for signal in found)
        self.highs = tuple(signal.high for signal in found)
        self.odometer = self.ids.index(ODOMETER) if ODOMETER in self.ids else -1
        twice = len(set(self.ids)) < len(self.ids)
        self.plain = not self.unknown and not twice and all(way is None for _, way in self.convert)
        layout = struct.Struct(f"<{len(found)}f")
        self.pack, self.unpack = layout.pack, layout.unpack
        self.stored = readings.layout(self.ids).unpack
        self.believable, self.take = _generated(self.ids, self.lows, self.highs)


def _generated(
    ids: tuple[int, ...], lows: tuple[float, ...], highs: tuple[float, ...]
) -> tuple[Callable[..., bool], Callable[..., bytes | None]]:
    """Whether these values all lie in their ranges, and then how the row keeps them: one expression each, which takes
    half the time of any loop."""
    names = [f"v{n}" for n in range(len(lows))]
    # not `low <= v <= high`: two comparisons of floats with a jump behind each are what the interpreter does fastest
    tests = (
        " and ".join(
            f"{name} >= {low!r} and {name} <= {high!r}" for name, low, high in zip(names, lows, highs, strict=True)
        )
        or "True"
    )
    how = readings.layout(ids)
    parts = {"pack": how.pack, "prefix": how.prefix}
    takes = ", ".join(["prefix", *(f"4, {name}" for name in names), "-1"])
    believable: Callable[..., bool] = eval(f"lambda {', '.join(names)}: {tests}", {})
    take: Callable[..., bytes | None] = eval(f"lambda {', '.join(names)}: pack({takes}) if {tests} else None", parts)
    return believable, take


known_shapes: dict[tuple[str, ...], Shape] = {}


def shape_of(paths: tuple[str, ...]) -> Shape:
    shape = known_shapes.get(paths)
    if shape is None:
        if len(known_shapes) >= _SHAPES:  # somebody sends ever new names: forget, rather than grow
            known_shapes.clear()
        shape = known_shapes[paths] = Shape(paths)
    return shape


@lru_cache(_SHAPES)
def shared_ids(ids: tuple[int, ...]) -> tuple[int, ...]:
    """One tuple per set of signals, shared by all rows that have it."""
    return ids
