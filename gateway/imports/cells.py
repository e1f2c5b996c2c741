"""From cells to believed values: units converted by name, ranges as for what comes by MQTT.

A bad cell costs only itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress
from typing import Final

from gateway.intake.shape import Shape, shape_of
from schemas.mapping import Column, Refusals
from schemas.signal import Signal

NOT_A_NUMBER, NOT_FINITE, OUT_OF_RANGE = "not_a_number", "not_finite", "out_of_range"
EMPTY: Final = frozenset(
    {"", "-", "--", "—", "null", "none", "n/a", "na", "nan"}
)  #: what people write where nothing was measured
_WORDS: Final = {
    "bool": {"true": 1.0, "yes": 1.0, "on": 1.0, "false": 0.0, "no": 0.0, "off": 0.0},
    "enum": {"off": 0.0, "lock": 0.0, "acc": 1.0, "accessory": 1.0, "on": 2.0, "start": 3.0},
}
Read = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Field:
    """One signal of the file and how its cells are read."""

    name: str  #: as the file has it
    signal: Signal
    read: Read
    expression: str  #: the same as an expression of `cell`, where it is one

    @classmethod
    def of(cls, name: str, meant: Column, decimal: str) -> Field:
        """As the mapping says."""
        factor, offset = meant.conversion
        if meant.signal.unit in _WORDS:
            return cls(name, meant.signal, partial(_word, _WORDS[meant.signal.unit]), "")
        number = "float(cell)" if decimal == "." else "float(cell.replace(',', '.'))"
        expression = number if (factor, offset) == (1.0, 0.0) else f"{number} * {factor!r} + {offset!r}"
        return cls(name, meant.signal, eval(f"lambda cell: {expression}", {}), expression)


def _word(words: dict[str, float], cell: str) -> float:
    found = words.get(cell.strip().casefold())
    return float(cell) if found is None else found


Values = tuple[
    Shape, tuple[float, ...], bytes
]  #: the set of signals, their values as they are stored, and the same packed for the row
Take = Callable[[Sequence[str]], bytes | None]


def _generated(fields: Sequence[Field], filled: Sequence[bool], shape: Shape) -> Take:
    """All cells of a line read, converted, held to their ranges and packed in one expression, which takes half the time
    of any loop.
    """
    known: dict[str, object] = {"take": shape.take}
    parts = []
    for n, field in enumerate(fields):
        if filled[n]:
            known[f"read{n}"] = field.read
            parts.append(field.expression.replace("cell", f"c[{n}]") or f"read{n}(c[{n}])")
    made: Take = eval(f"lambda c: take({', '.join(parts)})", known)
    return made


class Fields:
    """All fields of a file; lines with the same cells filled share their shape."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = tuple(fields)
        self._kept: dict[tuple[bool, ...], tuple[Shape, Take]] = {}
        self._all = self._of((True,) * len(self.fields))

    def _of(self, filled: tuple[bool, ...]) -> tuple[Shape, Take]:
        found = self._kept.get(filled)
        if found is None:
            shape = shape_of(tuple(field.signal.path for field in compress(self.fields, filled)))
            found = self._kept[filled] = shape, _generated(self.fields, filled, shape)
        return found

    def read(self, cells: Sequence[str], lines: Iterable[int], refused: Refusals) -> Values | None:
        """`cells` are those of the fields, in their order, `lines` where each stands.

        None: nothing in them can be believed.
        """
        shape, take = self._of(tuple(map(bool, cells))) if "" in cells else self._all
        try:
            packed = take(cells) if shape.ids else None
        except ValueError:
            packed = None
        return self._carefully(cells, lines, refused) if packed is None else (shape, shape.stored(packed), packed)

    def _carefully(self, cells: Sequence[str], lines: Iterable[int], refused: Refusals) -> Values | None:
        good: list[float] = []
        filled = []
        for field, cell, line in zip(self.fields, cells, lines):
            value = self._one(field, cell, line, refused)
            filled.append(value is not None)
            if value is not None:
                good.append(value)
        if not good:
            return None
        shape, _ = self._of(tuple(filled))
        packed = shape.take(*good)
        assert packed is not None
        return shape, shape.stored(packed), packed

    def _one(self, field: Field, cell: str, line: int, refused: Refusals) -> float | None:
        if cell.strip().casefold() in EMPTY:
            return None
        signal = field.signal
        try:
            value = field.read(cell)
        except ValueError:
            refused.add(NOT_A_NUMBER, line, f"{field.name} = {cell[:60]!r}")
            return None
        if not math.isfinite(value):
            refused.add(NOT_FINITE, line, f"{field.name} = {cell[:60]!r}")
        elif not signal.low <= value <= signal.high:
            refused.add(
                OUT_OF_RANGE,
                line,
                f"{field.name} = {cell[:60]}: {signal.path} = {value:g} {signal.unit} is outside {signal.low:g} … "
                f"{signal.high:g}",
            )
        else:
            return value
        return None
