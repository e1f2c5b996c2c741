"""How far a gearbox runs above the outside air, once it is warm: what is left when weather and load are taken out."""

from __future__ import annotations

from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import ENGINE, OUTSIDE, signal_of

_HEAT = signal_of("Vehicle.Powertrain.Transmission.Temperature").id
_OUTSIDE, _RUN = signal_of(OUTSIDE).id, signal_of(f"{ENGINE}.RunTime").id
_LOAD = signal_of(f"{ENGINE}.Load").id
WARMED_S = 600.0
#: Kelvin that a percent of engine load is worth in the long run (assumed; the car's own habit takes up the rest)
PER_LOAD = 0.5


def above_air(seen: Snapshot) -> float | None:
    """Kelvin above the outside air at no load; None before the gearbox had ten minutes to warm up."""
    heat, outside, run, load = seen.now(_HEAT), seen.get(_OUTSIDE, 3_600.0), seen.get(_RUN, 5.0), seen.get(_LOAD, 5.0)
    if heat is None or outside is None or run is None or run < WARMED_S or load is None:
        return None
    return heat - outside - PER_LOAD * load
