"""In which unit a car says a signal, judged by its history and by its other signals; a person accepts it, or not.

What is proposed must explain all that was said: off by one known factor from the first day on, and moving as such a
part moves. A sensor that stands still, jumps, fell to where it is, or is alone among its like, is broken; there is
nothing to convert.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from rules.detectors.oil_sensor import NEVER, TURNS_RPM
from rules.detectors.pressure import BUILT_UP_S, need_of
from rules.engine.thresholds import COOLANT, ENGINE, ODOMETER, RPM, SPEED, WHEELS, middle, number, signal_of
from schemas.correction import MILE, UNITS, Unit
from schemas.profile import Profile
from schemas.signal import BY_ID

Points = Sequence[tuple[float, float]]  #: epoch seconds and value, oldest first
Histories = Mapping[int, Points]  #: by signal

WHEEL_IDS: Final = tuple(signal_of(f"{branch}.Tire.Pressure").id for branch in WHEELS.values())
_AXLES = tuple(wheel.partition("_")[0] for wheel in WHEELS)
_SPEED, _ODOMETER = signal_of(SPEED).id, signal_of(ODOMETER).id
_SINCE_CLEAR, _TO_SERVICE = (
    signal_of("Vehicle.OBD.DistanceSinceDTCClear").id,
    signal_of("Vehicle.Service.DistanceToService").id,
)
_OIL, _RPM = signal_of(f"{ENGINE}.EOP").id, signal_of(RPM).id
LEAST: Final = 12  #: values before anything is proposed
NEARLY_ALL: Final = 0.95
TOGETHER_S: Final = 120.0  #: two values of speed so near to each other are of one drive
STRETCH_M: Final = 10_000.0  #: distances are compared over so far: odometers count whole kilometres
STRETCHES: Final = 3
NEAR: Final = (0.93, 1.13)  #: of a factor: tyres wear, and a speedometer may read a tenth too high
SAME: Final = 0.15  #: so far from their middle most stretches lie: a factor is always the same
MOST_ALIKE: Final = 0.8  #: of what a part says while it is warm; a word that is all but never another is an end stop
BEYOND_K: Final = 40.0  #: above the hottest of a healthy part: so hot for so long is none that still works
LEAP_K: Final = 25.0  #: within ten seconds: no part warms so fast, whatever its unit


OIL_HOURS: Final = 3  #: hours of driving: without oil pressure no engine has them
OIL_NORMAL: Final = (1.0, 2.6)  #: times what an engine needs: what it has, most of the time
OIL_RISES: Final = 1.2  #: from slow to fast
OIL_LEAPS: Final = 0.5  #: of the pressure, within ten seconds at one speed


class Reason(StrEnum):
    """Why nothing is proposed."""

    UNKNOWN = "no other unit of this signal is known"
    TOO_LITTLE = "too few values to tell"
    PLAUSIBLE = "what it says is plausible in its own unit"
    CHANGED = "it has said plausible values before: a unit does not change by itself"
    STILL = "it stands still: a sensor that is stuck, not a unit"
    LEAPS = "it leaps: a wire or a second sensor, not a unit"
    ALONE = "the others of its kind say something else: one sensor is broken, and a unit is the same for all"
    NO_FACTOR = "no known unit explains what it says"
    NOTHING_ELSE = "there is no other signal to hold it against"


@dataclass(frozen=True, slots=True)
class Proposal:
    """These signals are said in that unit."""

    signals: tuple[int, ...]
    unit: Unit
    because: str


Decision = Proposal | Reason
#: Of a part that gets warm: what it has when it is warm, by the model's limits, and the hottest that it gets in health.
_WARM: Final[Mapping[int, tuple[tuple[str, float, float], tuple[str, float, float]]]] = {
    signal_of(COOLANT).id: (("coolant_warm_c", 80.0, -10.0), ("coolant_max_c", 110.0, 0.0)),
    signal_of(f"{ENGINE}.EngineOil.Temperature").id: (("coolant_warm_c", 80.0, -15.0), ("coolant_max_c", 110.0, 10.0)),
    signal_of("Vehicle.Powertrain.Transmission.Temperature").id: (
        ("coolant_warm_c", 80.0, -30.0),
        ("transmission_max_c", 125.0, 0.0),
    ),
}
#: The components of `sensor_implausible` (rules/detectors/believable.py) that a unit can explain.
_BY_COMPONENT: Final[Mapping[str, int]] = {
    **{f"tyre_pressure_{wheel}": i for wheel, i in zip(WHEELS, WHEEL_IDS, strict=True)},
    "coolant_temperature": signal_of(COOLANT).id,
    "oil_pressure": signal_of(f"{ENGINE}.EOP").id,
    "gearbox_temperature": signal_of("Vehicle.Powertrain.Transmission.Temperature").id,
}


def wanted(signal_id: int) -> tuple[int, ...]:
    """The histories that are looked at to tell the unit of that signal."""
    if signal_id in WHEEL_IDS:
        return WHEEL_IDS
    if signal_id == _OIL:
        return _OIL, _RPM
    if signal_id in (_SPEED, _ODOMETER, _TO_SERVICE):
        return _SPEED, _ODOMETER, _TO_SERVICE, _SINCE_CLEAR
    return (signal_id,)


def asked_by(rule: str, component: str) -> tuple[int, ...]:
    """The signals whose unit such an item may be about."""
    if rule == "distance_unit":
        return _ODOMETER, _SPEED
    if rule == "oil_sensor":
        return (_OIL,)
    return (_BY_COMPONENT[component],) if rule == "sensor_implausible" and component in _BY_COMPONENT else ()


def asked_after(read_anew: Collection[int]) -> tuple[int, ...]:
    """What may be said in the same way as what is read anew: a cluster in miles counts the way to its service in
    miles, too.
    """
    return (_TO_SERVICE,) if _ODOMETER in read_anew and _TO_SERVICE not in read_anew else ()


def unit_of(signal_id: int, histories: Histories, profile: Profile) -> Decision:
    """The unit in which it is said, or why none is proposed."""
    if signal_id in WHEEL_IDS:
        return _tyres(signal_id, histories, profile)
    if signal_id in _WARM:
        return _warm(signal_id, histories.get(signal_id, ()), profile)
    if signal_id == _OIL:
        return _oil(histories, profile)
    if signal_id in (_SPEED, _ODOMETER):
        return _distance(signal_id, histories)
    if signal_id == _TO_SERVICE:
        return _to_service(histories)
    return Reason.UNKNOWN


# -- tyres ------------------------------------------------------------------------------------------------------------


def _tyres(signal_id: int, histories: Histories, profile: Profile) -> Decision:
    """All wheels alike: one unit for all, and pressures that differ and move as tyres' do."""
    placards = {
        i: profile.limits.get(f"tyre_placard_{axle}_kpa", 230.0) for i, axle in zip(WHEEL_IDS, _AXLES, strict=True)
    }
    heard = {i: [v for _, v in histories.get(i, ())] for i in WHEEL_IDS}
    mine = heard[signal_id]
    if len(mine) < LEAST:
        return Reason.TOO_LITTLE
    if _share(mine, 0.5 * placards[signal_id], 1.6 * placards[signal_id]) > 1 - NEARLY_ALL:
        return Reason.PLAUSIBLE if _share(mine[-LEAST:], 0.5 * placards[signal_id], 1e9) > 0.5 else Reason.CHANGED
    for unit in UNITS["kPa"]:
        fits = {
            i: _share([unit.read(v) for v in values], 0.6 * placards[i], 1.5 * placards[i])
            for i, values in heard.items()
            if len(values) >= LEAST
        }
        if fits.get(signal_id, 0.0) < NEARLY_ALL:
            continue
        alike = tuple(i for i, share in fits.items() if share >= NEARLY_ALL)
        if len(alike) < 3 or len(alike) < len(fits):
            return Reason.ALONE
        if len({v for i in alike for v in heard[i]}) < 3:
            return Reason.STILL
        words = f"in {unit.words} each is near its placard: {_span(mine)} are {_span([unit.read(v) for v in mine])} kPa"
        return Proposal(alike, unit, words)
    return Reason.STILL if len(set(mine)) == 1 else Reason.NO_FACTOR


# -- temperatures -----------------------------------------------------------------------------------------------------


def _warm(signal_id: int, points: Points, profile: Profile) -> Decision:
    """Warm, it stays where no such part is in °C and each is in °F; and it got there by getting warm."""
    (low_name, low, below), (high_name, high, above) = _WARM[signal_id]
    warm, hot = profile.limits.get(low_name, low) + below, profile.limits.get(high_name, high) + above
    values = [v for _, v in points]
    if len(values) < LEAST:
        return Reason.TOO_LITTLE
    (unit,) = UNITS["Celsius"]
    ordered = sorted(values)
    upper = ordered[3 * len(ordered) // 4 :]
    if upper[0] <= hot + BEYOND_K:
        return Reason.PLAUSIBLE
    warmer = Counter(ordered[len(ordered) // 2 :])
    if warmer.most_common(1)[0][1] > MOST_ALIKE * warmer.total() or ordered[-1] - ordered[0] < 4.0:
        return Reason.STILL
    if any(b[0] - a[0] <= 10.0 and abs(b[1] - a[1]) > LEAP_K for a, b in pairwise(points)):
        return Reason.LEAPS
    if not (unit.read(upper[0]) >= warm and unit.read(ordered[-1]) <= hot):
        return Reason.NO_FACTOR
    between = [v for v in values if warm <= v <= hot]
    if len(between) > 0.3 * len(values):  # most of what a car says it says while it is warm
        return Reason.CHANGED
    words = f"warm it has {_span(upper)}, in °F that is {_span([unit.read(v) for v in upper])} °C"
    return Proposal((signal_id,), unit, words)


# -- oil pressure -----------------------------------------------------------------------------------------------------


def _oil(histories: Histories, profile: Profile) -> Decision:
    """Never enough in our unit, over hours that no engine would drive so, and by the engine's speed as oil pumps do."""
    turning, standing = _turning(histories.get(_OIL, ()), histories.get(_RPM, ()))
    if len(turning) < 2 * LEAST or len({int(ts // 3_600) for ts, _, _ in turning}) < OIL_HOURS:
        return Reason.TOO_LITTLE if histories.get(_RPM) else Reason.NOTHING_ELSE
    values = [v for _, v, _ in turning]
    shares = [v / need_of(rpm, profile.limits) for _, v, rpm in turning]
    enough = _share(shares, NEVER / 100.0, float("inf"))
    if enough > 1 - NEARLY_ALL:
        return Reason.PLAUSIBLE if _share(shares[-LEAST:], NEVER / 100.0, float("inf")) > 0.5 else Reason.CHANGED
    if max(Counter(values).values()) > MOST_ALIKE * len(values):
        return Reason.STILL
    by_speed = sorted((rpm, v) for _, v, rpm in turning)
    few = max(3, len(by_speed) // 50)
    slow, fast = by_speed[:few], by_speed[-few:]
    if middle([rpm for rpm, _ in fast]) < 1.5 * middle([rpm for rpm, _ in slow]):
        return Reason.TOO_LITTLE
    at_rest = middle(standing) if standing else 0.0
    if middle([v for _, v in fast]) < OIL_RISES * middle([v for _, v in slow]) or at_rest > 0.25 * middle(values):
        return Reason.STILL
    alike = [(a, b) for a, b in pairwise(turning) if b[0] - a[0] <= 10.0 and abs(b[2] - a[2]) <= 100.0]
    if sum(abs(b[1] - a[1]) > OIL_LEAPS * max(a[1], b[1]) for a, b in alike) > (1 - NEARLY_ALL) * len(alike):
        return Reason.LEAPS
    for unit in UNITS["kPa"]:
        read = [unit.read(share) for share in shares]
        if _share(read, 0.6, 5.0) >= NEARLY_ALL and OIL_NORMAL[0] <= middle(read) <= OIL_NORMAL[1]:
            words = f"in {unit.words} it is what such an engine has: {_span(values)} are "
            return Proposal((_OIL,), unit, f"{words}{_span([unit.read(v) for v in values])} kPa")
    return Reason.NO_FACTOR


def _turning(oil: Points, rpm: Points) -> tuple[list[tuple[float, float, float]], list[float]]:
    """Pressure and speed of an engine that has turned for long enough to have built it up; and pressures at rest."""
    turning, standing = list[tuple[float, float, float]](), list[float]()
    n, since, now = 0, float("inf"), (float("-inf"), 0.0)
    for ts, value in oil:
        while n < len(rpm) and rpm[n][0] <= ts:
            turns, paused = rpm[n][1] >= TURNS_RPM, rpm[n][0] - now[0] > TOGETHER_S
            since = (rpm[n][0] if since == float("inf") or paused else since) if turns else float("inf")
            now, n = rpm[n], n + 1
        if ts - now[0] > 5.0:
            continue
        if now[1] < 50.0:
            standing.append(value)
        elif ts - since >= BUILT_UP_S:
            turning.append((ts, value, now[1]))
    return turning, standing


# -- distances --------------------------------------------------------------------------------------------------------


def _distance(signal_id: int, histories: Histories) -> Decision:
    """Speed over time against the odometer; one of the two is right where a unit of the other explains the ratio."""
    speed, odometer = histories.get(_SPEED, ()), histories.get(_ODOMETER, ())
    if not speed or not odometer:
        return Reason.NOTHING_ELSE
    found = _stretches(speed, odometer)
    if len(found) < STRETCHES:
        return Reason.TOO_LITTLE
    ratio = middle(found)
    if sum(abs(r / ratio - 1) <= SAME for r in found) < 0.8 * len(found):
        return Reason.NO_FACTOR
    counted = _counted(histories.get(_SINCE_CLEAR, ()), odometer)
    if _near(ratio, 1.0):
        miles = counted is not None and _near(counted, MILE)  # an OBD counter is in km, by the standard
        unit = _unit(signal_id, "miles" if signal_id == _ODOMETER else "mph") if miles else None
        words = "speed and odometer agree, and the car's own counter of kilometres says 1.61 times as much"
        return Proposal((signal_id,), unit, words) if unit is not None else Reason.PLAUSIBLE
    for unit in UNITS[BY_ID[signal_id].unit]:
        expected = unit.factor if signal_id == _ODOMETER else 1 / unit.factor
        if _near(ratio, expected):
            words = (
                f"by its speed the car drives {number(round(ratio, 3))} times as far as its odometer counts: "
                f"{BY_ID[signal_id].title} in {unit.words}"
            )
            return Proposal((signal_id,), unit, words)
    other = _ODOMETER if signal_id == _SPEED else _SPEED
    explained = any(_near(ratio, u.factor if other == _ODOMETER else 1 / u.factor) for u in UNITS[BY_ID[other].unit])
    return Reason.PLAUSIBLE if explained else Reason.NO_FACTOR


def _to_service(histories: Histories) -> Decision:
    """What is left to the service falls as the odometer grows; miles fall by less than kilometres."""
    left, odometer = histories.get(_TO_SERVICE, ()), histories.get(_ODOMETER, ())
    if not left or not odometer:
        return Reason.NOTHING_ELSE
    fallen = driven = 0.0
    at = _by_time(odometer)
    last: tuple[float, float] | None = None
    for ts, value in left:
        metres = at(ts)
        if metres is None:
            continue
        if last is not None and value <= last[0] and metres >= last[1]:
            fallen, driven = fallen + last[0] - value, driven + (metres - last[1]) / 1000.0
        last = value, metres
    if driven < 100.0:
        return Reason.TOO_LITTLE
    (unit,) = UNITS["km"]
    if _near(fallen / driven, 1.0):
        return Reason.PLAUSIBLE
    if not _near(fallen / driven * unit.factor, 1.0):
        return Reason.NO_FACTOR
    words = f"it fell by {fallen:.0f} while the car drove {driven:.0f} km"
    return Proposal((_TO_SERVICE,), unit, words)


def _stretches(speed: Points, odometer: Points) -> list[float]:
    """Of each stretch of driving: the distance by its speed over the distance by its odometer."""
    found: list[float] = []
    at = _by_time(odometer)
    by_speed = counted = 0.0
    for (t0, one), (t1, other) in pairwise(speed):
        if t1 - t0 > TOGETHER_S:
            continue  # parked, or nothing was said
        begun, ended = at(t0), at(t1)
        if begun is None or ended is None or ended < begun:
            continue
        by_speed, counted = by_speed + (one + other) / 2 / 3.6 * (t1 - t0), counted + ended - begun
        if by_speed >= STRETCH_M:
            if counted > 0:
                found.append(by_speed / counted)
            by_speed = counted = 0.0
    return found


def _counted(counter: Points, odometer: Points) -> float | None:
    """Kilometres by the car's OBD counter over those by its odometer; None when it did not come far."""
    at, km, metres = _by_time(odometer), 0.0, 0.0
    last: tuple[float, float] | None = None
    for ts, value in counter:
        here = at(ts)
        if here is None:
            continue
        if last is not None and value >= last[0] and here >= last[1]:
            km, metres = km + value - last[0], metres + here - last[1]
        last = value, here
    return km * 1000.0 / metres if km >= 20 and metres > 0 else None


class _by_time:
    """The value of a growing history at an instant, between its neighbours; asked in the order of time."""

    def __init__(self, points: Points) -> None:
        self._points, self._n = points, 0

    def __call__(self, ts: float) -> float | None:
        points = self._points
        if not points or ts < points[0][0] - TOGETHER_S or ts > points[-1][0] + TOGETHER_S:
            return None
        n = self._n if self._n and points[self._n - 1][0] <= ts else 0
        while n + 1 < len(points) and points[n + 1][0] <= ts:
            n += 1
        self._n = n
        if n + 1 == len(points) or ts <= points[n][0]:
            return points[n][1]
        (t0, v0), (t1, v1) = points[n], points[n + 1]
        return v0 + (v1 - v0) * (ts - t0) / (t1 - t0) if t1 > t0 else v1


def _near(ratio: float, factor: float) -> bool:
    return NEAR[0] * factor <= ratio <= NEAR[1] * factor


def _unit(signal_id: int, name: str) -> Unit | None:
    return next((unit for unit in UNITS[BY_ID[signal_id].unit] if unit.name == name), None)


def _share(values: Sequence[float], low: float, high: float) -> float:
    return sum(low <= v <= high for v in values) / len(values)


def _span(values: Sequence[float]) -> str:
    low, high = number(round(min(values), 1)), number(round(max(values), 1))
    return low if low == high else f"{low} to {high}"
