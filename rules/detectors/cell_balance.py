"""The weakest cell of a traction battery against the pack's median, loads and low charge taken out."""

from __future__ import annotations

from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import PACK, signal_of

_LOW, _MEDIAN = signal_of(f"{PACK}.CellVoltage.Min").id, signal_of(f"{PACK}.CellVoltage.Median").id
_CURRENT, _CHARGE = signal_of(f"{PACK}.CurrentCurrent").id, signal_of(f"{PACK}.StateOfCharge.Current").id


def gap_mv(seen: Snapshot) -> float | None:
    """How far the lowest cell lies below the median, in mV at rest; None at low charge or high current, where all cells
    spread.
    """
    low, median = seen.now(_LOW), seen.get(_MEDIAN, 5.0)
    if low is None or median is None:
        return None
    current, charge = seen.get(_CURRENT, 5.0), seen.get(_CHARGE, 3_600.0)
    if charge is not None and charge < 25.0:
        return None
    load = abs(current) if current is not None else 0.0
    return None if load > 150.0 else (median - low) * 1000.0 / (1.0 + load / 350.0)
