"""The weakest cell of a traction battery against the pack's median, loads and low charge taken out."""

from __future__ import annotations

from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import PACK, signal_of

_LOW, _MEDIAN = signal_of(f"{PACK}.CellVoltage.Min").id, signal_of(f"{PACK}.CellVoltage.Median").id
_MAX, _NUMBER = signal_of(f"{PACK}.CellVoltage.Max").id, signal_of(f"{PACK}.CellVoltage.IdMin").id
_CURRENT, _CHARGE = signal_of(f"{PACK}.CurrentCurrent").id, signal_of(f"{PACK}.StateOfCharge.Current").id
OPEN_WIRE_V = 0.1  #: a cell cannot be so far above the median while another is as far below: they share a wire
DAY_S = 86_400.0


def loose_wire(low: float, median: float | None, high: float | None) -> bool:
    """Whether a neighbour reads too much by what this cell reads too little.

    The wire between them is open, no cell is weak.
    """
    if median is None or high is None:
        return False
    return high - median > OPEN_WIRE_V and high - median > 0.5 * (median - low)


def cell_words(seen: Snapshot) -> str:
    """The lowest cell by its number, where the car says it."""
    number = seen.get(_NUMBER, DAY_S)
    return "the lowest cell" if number is None else f"cell {number:.0f}"


def gap_mv(seen: Snapshot) -> float | None:
    """How far the lowest cell lies below the median, in mV at rest.

    None at low charge or high current, where all cells spread. A feed without a median has the highest cell: the gap
    is then at most by the pack's own spread too large.
    """
    low, median, high = seen.now(_LOW), seen.get(_MEDIAN, 5.0), seen.now(_MAX)
    if low is None or loose_wire(low, median, high):
        return None
    above = high if median is None else median
    if above is None:
        return None
    current, charge = seen.get(_CURRENT, 5.0), seen.get(_CHARGE, 3_600.0)
    if charge is not None and charge < 25.0:
        return None
    load = abs(current) if current is not None else 0.0
    return None if load > 150.0 else (above - low) * 1000.0 / (1.0 + load / 350.0)
