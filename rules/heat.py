"""How far a gearbox runs above the outside air, once it is warm: what is left when the weather is taken out."""

from __future__ import annotations

from rules.level import ENGINE, OUTSIDE, signal_of
from rules.snapshot import Snapshot

_HEAT = signal_of("Vehicle.Powertrain.Transmission.Temperature").id
_OUTSIDE, _RUN = signal_of(OUTSIDE).id, signal_of(f"{ENGINE}.RunTime").id
WARMED_S = 600.0


def above_air(seen: Snapshot) -> float | None:
    """Kelvin above the outside air; None before the gearbox had ten minutes to warm up."""
    heat, outside, run = seen.now(_HEAT), seen.get(_OUTSIDE, 3_600.0), seen.get(_RUN, 5.0)
    return None if heat is None or outside is None or run is None or run < WARMED_S else heat - outside
