"""What the telematics unit reports, and when: by change, every 30 to 60 s of driving, and the extremes of each start.

Pure: values in, at most one sample out. Both ways to the judgement (over CAN, and straight in for `score`) use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

IGNITION, VOLTAGE, CRANKING, RESTING, CHARGING = 9, 5, 7, 8, 55
OFF, ON, START = 0.0, 2.0, 3.0
REST_S = 10_800.0  # standing this long, the battery's voltage is a resting voltage

#: Reported with every sample while driving; the others when they have changed.
FAST = frozenset(
    {1, 5, 10, 11, 13, 16, 18, 19, 21, 22, 25, 26, 27, 28, 30, 31, 32, 38, 41, 42, 45, 47, 48, 50, 51, 52, 53, 54, 4}
)
#: A change of one of these is reported at once.
SWITCHES = frozenset({9, 33, 34, 55, 57, 60, 82, 83, 84, 85})
_PARKED = frozenset({4, 5, 8, 9, 44, 45, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57})


@dataclass(slots=True)
class Sampler:
    """The memory of the sampling policy of one unit."""

    period_s: float = 30.0
    known: dict[int, float] = field(default_factory=dict)
    _sent: dict[int, float] = field(default_factory=dict)
    _ignition: float | None = None
    _last: float = 0.0
    _off_since: float | None = None
    _lowest: float | None = None

    def hear(self, ts: float, values: Mapping[int, float]) -> dict[int, float] | None:
        """The sample to publish for what the bus just said, or None."""
        self.known.update(values)
        ignition = values.get(IGNITION, self._ignition)
        before, self._ignition = self._ignition, ignition
        if ignition == START:
            volts = values.get(VOLTAGE)
            if volts is not None and (self._lowest is None or volts < self._lowest):
                self._lowest = volts
            return None
        if ignition == ON and before != ON:
            extra = {} if self._lowest is None else {CRANKING: self._lowest}
            self._lowest = None
            return self._all(ts, extra)
        if ignition == OFF and before == ON:
            self._off_since = ts
            return self._all(ts, {})
        if ignition == OFF:
            return self._parked(ts, values)
        sent, changed = self._sent, False
        for switch in SWITCHES:
            value = values.get(switch)
            if value is not None and value != sent.get(switch):
                changed = True
                break
        if not changed and ts - self._last < self.period_s - 0.5:
            return None
        sample = {s: v for s, v in values.items() if s in FAST or sent.get(s) != v}
        return self._keep(ts, sample)

    def _parked(self, ts: float, values: Mapping[int, float]) -> dict[int, float]:
        sample = {s: v for s, v in values.items() if s in _PARKED}
        if self._lowest is not None:  # it was cranked and did not start
            sample[CRANKING], self._lowest = self._lowest, None
        elif values.get(CHARGING):
            self._off_since = ts
        elif (self._off_since is None or ts - self._off_since >= REST_S) and VOLTAGE in values:
            sample[RESTING] = values[VOLTAGE]
        return self._keep(ts, sample)

    def _all(self, ts: float, extra: dict[int, float]) -> dict[int, float]:
        return self._keep(ts, self.known | extra)

    def _keep(self, ts: float, sample: dict[int, float]) -> dict[int, float]:
        self._last = ts
        self._sent.update(sample)
        return sample
