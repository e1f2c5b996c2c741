"""The quick looks.

A cell that collapses, a pack that heats up by itself, oil pressure and coolant that are gone, a tyre that bursts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.detectors.cell_balance import cell_words, loose_wire
from rules.detectors.pressure import BUILT_UP_S
from rules.detectors.sudden import Danger, Quick, QuickDetector
from rules.engine.snapshot import Snapshot
from rules.engine.thresholds import COOLANT, ENGINE, PACK, RPM, SPEED, WHEELS, number, signal_of
from schemas.profile import Profile

_LOW, _MEDIAN, _MAX = (signal_of(f"{PACK}.CellVoltage.{name}") for name in ("Min", "Median", "Max"))
_CURRENT, _CHARGE = signal_of(f"{PACK}.CurrentCurrent").id, signal_of(f"{PACK}.StateOfCharge.Current").id
_NUMBER = signal_of(f"{PACK}.CellVoltage.IdMin").id
_OIL, _RPM, _RUN = signal_of(f"{ENGINE}.EOP"), signal_of(RPM).id, signal_of(f"{ENGINE}.RunTime").id
_LEVEL, _COOLANT, _SPEED = signal_of(f"{ENGINE}.EngineCoolant.Level"), signal_of(COOLANT).id, signal_of(SPEED).id

COLLAPSE = 9.0  #: times the gap that the model calls weak
SPREAD_BELOW = 12.0  #: percent of charge below which all cells spread
NO_CLOCK_S = 8.0  #: where nobody says for how long it has run, lost pressure must last so long
ROLLS_KMH = 15.0


@dataclass(frozen=True, slots=True)
class CellCollapse(QuickDetector):
    """One cell far below the others, load and charge taken out.

    Where its neighbour is too high by as much, a sense wire is open.
    """

    def fit(self, profile: Profile) -> Quick | None:
        return _Cell(profile) if _LOW.path in profile.fitted else None


class _Cell(Quick):
    signal, span_s = _LOW, 1.0

    def __init__(self, profile: Profile) -> None:
        self.gap = COLLAPSE * profile.limits.get("cell_gap_mv", 28.0) / 1000.0
        self.limit = profile.limits.get("cell_min_v", 2.8)
        fitted = {signal_of(path).id for path in profile.fitted}
        self.triggers = (_LOW.id,)
        self.carries = tuple(i for i in (_NUMBER, _CURRENT, _CHARGE) if i in fitted)

    def calm(self, names: Mapping[int, str]) -> str:
        """Against the median, else the highest; where the lowest comes alone it is looked at each time."""
        above = names.get(_MEDIAN.id) or names.get(_MAX.id)
        return f"{above} - {names[_LOW.id]} < {self.gap!r}" if above else ""

    def look(self, seen: Snapshot) -> Danger | None:
        low, median, high = seen.now(_LOW.id), seen.now(_MEDIAN.id), seen.now(_MAX.id)
        charge = seen.get(_CHARGE, 3_600.0)
        if low is None or (charge is not None and charge < SPREAD_BELOW):
            return None
        above = high if median is None else median
        if above is None:
            return None if low > self.limit else Danger(f"{cell_words(seen)} has collapsed to {low:.2f} V")
        gap = (above - low) / (1.0 + abs(seen.get(_CURRENT, 5.0) or 0.0) / 350.0)
        if above - low < self.gap or gap < self.gap or loose_wire(low, median, high):
            return None
        return Danger(
            f"{cell_words(seen)} has collapsed to {low:.2f} V, {(above - low) * 1000:.0f} mV below the others"
        )


@dataclass(frozen=True, slots=True)
class OilLost(QuickDetector):
    """Less than `share` of what the model has at idle, while the engine turns and has had time to build it up."""

    share: float = 0.6

    def fit(self, profile: Profile) -> Quick | None:
        return _Oil(self, profile) if {_OIL.path, RPM} <= set(profile.fitted) else None


class _Oil(Quick):
    signal = _OIL

    def __init__(self, detector: OilLost, profile: Profile) -> None:
        self.limit = detector.share * profile.limits.get("oil_pressure_idle_kpa", 80.0)
        self.triggers = (_OIL.id,)
        self.carries = (_RPM, _RUN) if f"{ENGINE}.RunTime" in profile.fitted else (_RPM,)

    def calm(self, names: Mapping[int, str]) -> str:
        return f"{names[_OIL.id]} >= {self.limit!r}"

    def look(self, seen: Snapshot) -> Danger | None:
        pressure, rpm = seen.now(_OIL.id), seen.get(_RPM, 5.0)
        if pressure is None or pressure >= self.limit or rpm is None or rpm < 500:
            return None
        run = seen.get(_RUN, 5.0)
        if run is not None and run < BUILT_UP_S:
            return None
        words = f"oil pressure {number(round(pressure, 1))} kPa at {rpm:.0f} rpm, limit {number(self.limit)} kPa"
        return Danger(words, span_s=NO_CLOCK_S if run is None else None)


@dataclass(frozen=True, slots=True)
class CoolantGone(QuickDetector):
    """The level at the bottom for some seconds; at once where the engine is too hot by then.

    A bend empties the sensor, too.
    """

    level: float = 15.0

    def fit(self, profile: Profile) -> Quick | None:
        return _Coolant(self, profile) if _LEVEL.path in profile.fitted else None


class _Coolant(Quick):
    signal, times, span_s = _LEVEL, 3, 5.0

    def __init__(self, detector: CoolantGone, profile: Profile) -> None:
        self.limit, self.hot = detector.level, profile.limits.get("coolant_max_c", 110.0) - 4.0
        self.triggers, self.carries = (_LEVEL.id,), (_COOLANT,) if COOLANT in profile.fitted else ()

    def calm(self, names: Mapping[int, str]) -> str:
        return f"{names[_LEVEL.id]} > {self.limit!r}"

    def look(self, seen: Snapshot) -> Danger | None:
        level = seen.now(_LEVEL.id)
        if level is None or level > self.limit:
            return None
        celsius = seen.get(_COOLANT, 60.0)
        sure = celsius is not None and celsius >= self.hot
        hot = f" and coolant {celsius:.0f} °C" if sure else ""
        return Danger(f"coolant level {number(round(level, 1))} %{hot}, limit {number(self.limit)} %", sure=sure)


@dataclass(frozen=True, slots=True)
class Burst(QuickDetector):
    """One tyre far below its placard while the others are not, and the car rolls."""

    share: float = 0.70
    others: float = 0.80

    def fit(self, profile: Profile) -> Quick | None:
        paths = {f"{branch}.Tire.Pressure" for branch in WHEELS.values()}
        return _Burst(self, profile) if paths | {SPEED} <= set(profile.fitted) else None


class _Burst(Quick):
    def __init__(self, detector: Burst, profile: Profile) -> None:
        self.wheels = {signal_of(f"{branch}.Tire.Pressure").id: wheel for wheel, branch in WHEELS.items()}
        placards = (profile.limits.get(f"tyre_placard_{wheel.partition('_')[0]}_kpa", 230.0) for wheel in WHEELS)
        self.placard = dict(zip(self.wheels, placards, strict=True))
        self.share, self.others = detector.share, detector.others
        self.triggers, self.carries = tuple(self.wheels), (*self.wheels, _SPEED)
        self.signals = {wheel: signal_of(f"{branch}.Tire.Pressure") for wheel, branch in WHEELS.items()}
        self.signal, self.limit = next(iter(self.signals.values())), self.share * next(iter(self.placard.values()))

    def calm(self, names: Mapping[int, str]) -> str:
        present = [i for i in self.wheels if i in names]
        return " and ".join(f"{names[i]} >= {self.share * self.placard[i]!r}" for i in present)

    def look(self, seen: Snapshot) -> Danger | None:
        low = [i for i in self.wheels if (p := seen.now(i)) is not None and p < self.share * self.placard[i]]
        if len(low) != 1:
            return None
        speed = seen.get(_SPEED, 120.0)
        others = [(seen.get(i, 86_400.0), placard) for i, placard in self.placard.items() if i != low[0]]
        if speed is None or speed < ROLLS_KMH or any(p is None or p < self.others * placard for p, placard in others):
            return None
        wheel, kpa = self.wheels[low[0]], seen.now(low[0])
        words = (
            f"{wheel.replace('_', ' ')} tyre {kpa:.0f} kPa at {speed:.0f} km/h, placard {self.placard[low[0]]:.0f} kPa"
        )
        return Danger(words, wheel, rank=low[0])
