"""What thermometers of an engine say when it has stood: what was hot has cooled, and after a night all say the same."""

from __future__ import annotations

from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import COOLANT, ENGINE, OUTSIDE, middle, signal_of

_COOLANT, _GEARBOX = signal_of(COOLANT).id, signal_of("Vehicle.Powertrain.Transmission.Temperature").id
_OIL, _INTAKE = signal_of(f"{ENGINE}.EngineOil.Temperature").id, signal_of(f"{ENGINE}.IntakeAirTemperature").id
_OUTSIDE, _RUN = signal_of(OUTSIDE).id, signal_of(f"{ENGINE}.RunTime").id
_COLD = (_COOLANT, _GEARBOX, _OIL, _INTAKE, _OUTSIDE)
LOOKED_AT = (*_COLD, _RUN)  #: of a message

STOOD_S = 7_200  #: what was hot and has stood so long says something else
MOVES_K = 1.0  #: less is the same value
FAR_K = 25.0  #: above the air around it: so far it cools by more than that
STARTED_S = 600.0  #: an engine that has run for longer was running while nobody heard it
NIGHT_S, APART_K = 8 * 3_600.0, 10.0  #: after a night all thermometers of an engine show the same, within …
STANDS_STILL = "it says what it said hours ago, and has cooled since"
OFFSET = "after a night's stand it was far from the car's other thermometers"


def just_started(seen: Snapshot) -> bool:
    """Only then: an engine that ran while nobody heard it may well be as warm as before."""
    run = seen.get(_RUN, 60.0)
    return run is not None and run <= STARTED_S


def unmoved(value: float, before: float, seen: Snapshot) -> bool:
    """Whether it is as hot as hours ago, far above the air around it."""
    if abs(value - before) > MOVES_K:
        return False
    outside = seen.get(_OUTSIDE, 7_200.0)
    return value - (FAR_K if outside is None else outside) > FAR_K


def apart(signal_id: int, value: float, stood_s: float, seen: Snapshot) -> bool | None:
    """Whether it is far from what at least two others agree on; None where a night has not passed, or they do not.

    Coolant that is warmer may have been heated for the start.
    """
    if stood_s <= NIGHT_S:
        return None
    others = [v for i in _COLD if i != signal_id and (v := seen.now(i)) is not None]
    if len(others) < 2 or max(others) - min(others) > APART_K:
        return None
    away = value - middle(others)
    return away < -APART_K or (away > APART_K and signal_id != _COOLANT)
