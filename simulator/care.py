"""What an ordinary owner does for a car: air now and then, oil, service in time, new pads, a seasonal set of wheels."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from schemas.profile import Profile
from simulator import chassis
from simulator.condition import Condition, inflate, mended
from simulator.wear import DAY, Fault


class Care:
    """One owner's habits. Whoever has a fault leaves it alone: finding it is somebody else's business."""

    def __init__(
        self, profile: Profile, rng: Random, since: float, top_up_days: float, swap_on_day: int | None
    ) -> None:
        self._profile, self._rng = profile, rng
        self._top_up_s = top_up_days * DAY
        self._swap_at = None if swap_on_day is None else since + swap_on_day * DAY
        self.topped_up = since

    def look_after(self, c: Condition, faults: Sequence[Fault], air_c: float) -> None:
        """At the end of a drive."""
        broken = {fault.kind for fault in faults if fault.healed_at is None}
        if not any(fault.kind == "tyre_leak" and fault.severity(c.ts) > 0 for fault in faults):
            self._tyres(c, air_c)
        if c.oil_level < 45.0:
            c.oil_level = 90.0
        if not broken & {"oil_worn", "service_due"} and (
            c.oil_life < 22.0 or c.service_km < 2_500.0 or c.service_s < 40 * DAY
        ):
            mended(c, self._profile, "service", air_c)
        if c.coolant_level < 60.0 and "coolant_leak" not in broken:
            c.coolant_level = 92.0
        if not broken & {"worn_pads", "sticking_calliper"}:
            for axle in ((0, 1), (2, 3)):
                if max(c.pads[wheel] for wheel in axle) > 62.0:
                    for wheel in axle:
                        c.pads[wheel] = 1.0

    def _tyres(self, c: Condition, air_c: float) -> None:
        front, rear = self._profile.limits["tyre_placard_front_kpa"], self._profile.limits["tyre_placard_rear_kpa"]
        placards, rng = (front, front, rear, rear), self._rng
        lowest = min(seen / placard for seen, placard in zip(chassis.pressures(c, air_c), placards, strict=True))
        if lowest < (0.985 if c.ts - self.topped_up > self._top_up_s else 0.88):
            extra = rng.uniform(1.0, 1.04)
            inflate(c, (front * extra, front * extra, rear * extra, rear * extra), air_c)
            self.topped_up = c.ts
        if self._swap_at is not None and c.ts > self._swap_at:
            self._swap_at = None
            inflate(c, (front * 1.02, front * 1.01, rear * 1.02, rear * 1.0), air_c)
            c.pressure_bias = [rng.uniform(-2.0, 2.0) for _ in range(4)]
            c.temperature_bias = [rng.uniform(-1.0, 1.0) for _ in range(4)]
