"""How warm a healthy engine would be by now: a heat balance with the thermostat closed, on the careful side."""

from __future__ import annotations

from math import exp

from rules.level import COOLANT, OUTSIDE, SPEED, signal_of
from rules.own import State
from rules.snapshot import Snapshot
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

_COOLANT, _SPEED, _OUTSIDE = signal_of(COOLANT).id, signal_of(SPEED).id, signal_of(OUTSIDE).id
HEAT_KJ_K, LOSS_KW_K = 105.0, 0.06  #: heavier and leakier than the engines we know
COOLS_S = 4_000.0  #: a standing engine loses its heat in this time, faster than most
SURE_C = 85.0  #: the model must be this warm before a cold engine is a fault
PAUSE_S = 300.0  #: after a longer pause the engine has stood
ENOUGH_S = 240.0


def heat_kw(speed: float) -> float:
    """Heat into the coolant: 1.8 kW idling, about 12 at 100 km/h."""
    return 1.8 + 10.0 * min(1.4, max(0.0, speed) / 100.0)


def never_warm(seen: Snapshot, state: State) -> Verdict:
    """Cold although the model is warm, for minutes: the thermostat does not close."""
    coolant = seen.now(_COOLANT)
    if coolant is None:
        return Unsure("no reading of coolant temperature")
    warm = seen.profile.limits.get("coolant_warm_c", 80.0)
    pause = seen.ts - state["last_ts"]
    state["last_ts"] = seen.ts
    if coolant >= warm:
        state["model_c"], state["cold_s"] = max(state["model_c"], coolant), 0.0
        return Clear(f"coolant {coolant:.0f} °C: warm")
    speed, outside = seen.get(_SPEED), seen.get(_OUTSIDE, 7_200.0)
    air = 0.0 if outside is None else outside
    if pause > PAUSE_S or pause < 0 or state["model_c"] == 0.0:
        stood = air + (state["model_c"] - air) * exp(-pause / COOLS_S) if 0 < pause < 86_400 else coolant
        state["model_c"], state["cold_s"] = min(SURE_C, max(coolant, stood)), 0.0
        return Unsure("the engine has just started")
    if speed is None:
        return Unsure("no reading of vehicle speed")
    rate = (heat_kw(speed) - LOSS_KW_K * (state["model_c"] - air)) / HEAT_KJ_K
    state["model_c"] = min(95.0, max(coolant, state["model_c"] + rate * min(pause, 120.0)))
    if state["model_c"] < SURE_C or coolant >= warm - 6.0:
        return Unsure(f"coolant {coolant:.0f} °C; a healthy engine could be at {state['model_c']:.0f} °C")
    state["cold_s"] += min(pause, 120.0)
    if state["cold_s"] < ENOUGH_S and not seen.open:
        return Unsure(f"cold for {state['cold_s']:.0f} s although it should be warm")
    return Holds(Severity.SOON, f"coolant {coolant:.0f} °C although a healthy engine would have {SURE_C:.0f} °C by now: the thermostat does not close")
