"""Oil pressure as a share of what the engine needs at its speed."""

from __future__ import annotations

from collections.abc import Mapping

from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import ENGINE, RPM, signal_of

_OIL = signal_of(f"{ENGINE}.EngineOil.Temperature").id
THINNER = 0.0042  #: warm oil is thinner: share of pressure per Kelvin, against 100 Celsius (assumed)
_RUN = signal_of(f"{ENGINE}.RunTime").id
BUILT_UP_S = 20.0  #: an engine that runs so long has its oil pressure; a cold one takes some seconds
_PRESSURE, _RPM = signal_of(f"{ENGINE}.EOP").id, signal_of(RPM).id


def need_of(rpm: float, limits: Mapping[str, float]) -> float:
    """What an engine of that model needs at this speed, in kPa."""
    idle, at_2000 = limits.get("oil_pressure_idle_kpa", 80.0), limits.get("oil_pressure_2000_kpa", 200.0)
    return idle + (at_2000 - idle) * min(1.6, max(0.0, (rpm - 700.0) / 1_300.0))


def share_of_need(seen: Snapshot) -> float | None:
    """Pressure over the profile's minimum at this engine speed, in percent and for oil of 100 Celsius; None when the
    engine does not turn. Several rules ask.
    """
    if "pressure" not in seen.shared:
        seen.shared["pressure"] = _share(seen)
    found: float | None = seen.shared["pressure"]
    return found


def _share(seen: Snapshot) -> float | None:
    pressure, rpm = seen.now(_PRESSURE), seen.get(_RPM, 5.0)
    run = seen.get(_RUN, 5.0)
    if pressure is None or rpm is None or rpm < 500 or (run is not None and run < BUILT_UP_S):
        return None
    need = need_of(rpm, seen.profile.limits)
    oil = seen.get(_OIL, 60.0)
    thick = 1.0 if oil is None else min(1.5, max(0.85, 1.0 + THINNER * (100.0 - oil)))
    return 100.0 * pressure / need / thick
