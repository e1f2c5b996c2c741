"""What is kept of rules that fail: how often, how last, with which cars."""

from __future__ import annotations

from dataclasses import dataclass, field

from rules.engine.detector import Overrun

MOST_OVERRUNS = 2  #: a rule that did not come back so often is not asked again: each time all cars waited for it
MOST_CARS = 1_000  #: a rule that breaks everywhere need not be told for each car of a large fleet


@dataclass(slots=True)
class Broken:
    """How often a rule failed, and how last: it was unsure each time and the others went on."""

    count: int = 0
    last: str = ""
    overruns: int = 0
    cars: dict[int, int] = field(default_factory=dict)  #: vehicle -> how often, for the first MOST_CARS

    def again(self, error: Exception, vehicle_id: int) -> bool:
        """It failed once more; whether it must rest now, for it did not come back too often."""
        self.count += 1
        if vehicle_id in self.cars or len(self.cars) < MOST_CARS:
            self.cars[vehicle_id] = self.cars.get(vehicle_id, 0) + 1
        self.last = f"{type(error).__name__}: {error}"[:300]
        if isinstance(error, Overrun):
            self.overruns += 1
            return self.overruns == MOST_OVERRUNS
        return False
