"""A vehicle model: what is fitted, its limits and its service plan. One TOML per model in `schemas/profiles/`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class ServicePlan(BaseModel):
    """Service is due at the first of distance, months or engine hours; None means it does not count."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every_km: float | None = None
    every_months: float | None = None
    every_hours: float | None = None


class Profile(BaseModel):
    """A vehicle model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]  #: the file's name
    title: str  #: as people say it
    drive: Literal["petrol", "diesel", "electric", "truck"]
    fitted: tuple[str, ...]  #: VSS paths that this model reports
    dbc: tuple[str, ...]  #: DBC files of its buses, in `simulator/dbc/`
    uds: tuple[
        str, ...
    ] = ()  #: layouts of the maker's own data identifiers (`simulator/uds.py`); none named: all whose length fits
    #: Ids beyond 0x700-0x7FF and 18DA.. on which control units of this model answer diagnostic questions.
    answers: tuple[Annotated[int, Field(ge=0, lt=1 << 29)], ...] = ()
    limits: dict[str, float] = Field(default_factory=dict)  #: e.g. tyre_placard_front_kpa, coolant_max_c
    service: ServicePlan = ServicePlan()
    codes: dict[str, str] = Field(default_factory=dict)  #: trouble code -> severity of this brand (or "ignore")
    physics: dict[str, float] = Field(default_factory=dict)  #: parameters of the stand-in car
