"""A scenario: how a car is used, what is wrong with it, and which faults its data has. One TOML per scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import BadInput, Misconfigured
from schemas.profile import Profile
from simulator.car import DAY, Life
from simulator.driving import Habit
from simulator.wear import KINDS, Fault

DataFault = Literal[
    "missing_trips",
    "duplicates",
    "out_of_order",
    "clock_jump",
    "kilometres_for_metres",
    "not_available",
    "stuck_sensor",
    "counters_reset",
    "vin_swap",
    "codes_cleared",
]


class FaultPlan(BaseModel):
    """One fault, with its onset counted from the start of the run (negative: it began before)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    component: str = ""
    onset_days: float = 0.0
    values: dict[str, float] = Field(default_factory=dict)


class Scenario(BaseModel):
    """What one simulated car lives through."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    profiles: Annotated[
        tuple[str, ...], Field(min_length=1)
    ]  #: models that it makes sense for; the first is the default
    habit: Habit = "shuttle"
    faults: tuple[FaultPlan, ...] = ()
    data: tuple[DataFault, ...] = ()
    mean_c: float = 12.0
    season_k: float = 0.0
    fronts: float = 0.2
    snap_on_day: int | None = None
    top_up_days: float = 55.0
    tyre_swap_on_day: int | None = None
    start: dict[str, float] = Field(default_factory=dict)  #: levels to begin with

    @property
    def healthy(self) -> bool:
        """Whether nothing may be raised for this car."""
        return not self.faults

    def life(self, profile: Profile, since: float, zone: str, region: int, stretch_s: float = 30.0) -> Life:
        """This scenario for one car that begins at `since`."""
        faults = []
        for plan in self.faults:
            fault = Fault.of(plan.kind, plan.component, since + plan.onset_days * DAY, plan.values)
            if profile.drive not in KINDS[plan.kind].drives:
                raise BadInput("profile", f"{self.name} is no scenario for a {profile.drive} model")
            faults.append(fault)
        return Life(
            habit=self.habit,
            faults=tuple(faults),
            zone=zone,
            region=region,
            mean_c=self.mean_c,
            season_k=self.season_k,
            fronts=self.fronts,
            snap_on_day=self.snap_on_day,
            top_up_days=self.top_up_days,
            tyre_swap_on_day=self.tyre_swap_on_day,
            stretch_s=stretch_s,
            start=dict(self.start),
        )


def scenario_of(name: str, values: Mapping[str, Any]) -> Scenario:
    """A checked scenario, or one line that says what is wrong with the file."""
    try:
        found = Scenario.model_validate({"name": name, **values})
        for plan in found.faults:
            Fault.of(plan.kind, plan.component, 0.0, plan.values)
    except ValidationError as error:
        first = error.errors()[0]
        raise Misconfigured(f"scenario {name}", f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except BadInput as error:
        raise Misconfigured(f"scenario {name}", f"{error.field}: {error.reason}") from None
    return found
