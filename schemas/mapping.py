"""History from a file: what its columns mean (the mapping), and what came of its lines (the report)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import BadInput
from schemas.signal import ALIASES, BY_PATH, Signal
from schemas.unit import conversion

LINES_TOLD = 10  #: line numbers that are kept of each reason


class Column(BaseModel):
    """One column of a wide file, or one name in the signal column of a long one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str  #: VSS path, as in docs/reference/mqtt.md
    unit: str | None = None  #: as the file has it; without one it is the signal's own

    @property
    def signal(self) -> Signal:
        """The signal that is meant, under its present name; BadInput when there is none."""
        found = BY_PATH.get(ALIASES[self.path][0] if self.path in ALIASES else self.path)
        if found is None:
            raise BadInput("path", f"{self.path} is not a signal we know: docs/reference/mqtt.md lists them")
        return found

    @property
    def conversion(self) -> tuple[float, float]:
        """(factor, offset) to the signal's unit."""
        if self.unit is not None:
            return conversion(self.unit, self.signal.unit)
        way = ALIASES[self.path][1] if self.path in ALIASES else float
        return way(1.0) - way(0.0), way(0.0)


class Mapping(BaseModel):
    """What a file's columns are. Names of columns are those of its header."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["wide", "long"] = "wide"  #: a column for each signal; or a line for each value, with its name
    vin: str | None = None  #: of a file of one car
    vehicle: str | None = None  #: else the column that names the car
    vehicle_is: Literal["vin", "plate"] = "vin"
    time: str = "time"
    time_is: str = "iso"  #: iso, unix, unix_ms, or a pattern as `%d.%m.%Y %H:%M:%S`
    zone: str | None = None  #: of times that name none: UTC, Europe/Berlin
    signal: str = "signal"  #: of a long file
    value: str = "value"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None  #: default: what the header has most of
    decimal: Literal[".", ","] = "."
    ignore: (
        list[str] | Literal["*"]
    ) = []  #: columns, or names of signals, that are left out; "*": all that have no meaning here
    columns: dict[str, Column]

    @model_validator(mode="after")
    def _one_car_or_a_column(self) -> Self:
        if (self.vin is None) == (self.vehicle is None):
            raise ValueError("say either vin (all lines are of one car) or vehicle (the column that names the car)")
        if not self.columns:
            raise ValueError("columns: at least one has to be a signal")
        return self

    @classmethod
    def of(cls, fields: dict[str, Any], name: str) -> Mapping:
        """From a mapping file's content; BadInput names what is wrong in it, a path or a unit as well."""
        try:
            made = cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise BadInput(
                name, f"{where}: {first['msg']}" if where else first["msg"].removeprefix("Value error, ")
            ) from None
        for column, meant in made.columns.items():
            try:
                _ = meant.conversion
            except BadInput as error:
                raise BadInput(name, f"column {column!r}: {error.field}: {error.reason}") from None
        paths = [meant.signal.path for meant in made.columns.values()]
        if twice := next((path for path in paths if paths.count(path) > 1), None):
            raise BadInput(name, f"two columns are {twice}")
        return made


@dataclass(slots=True)
class Refusals:
    """What was not believed, by reason: how often, on which lines first, and one example in words."""

    reasons: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, reason: str, line: int, example: str) -> None:
        """One cell or one line."""
        one = self.reasons.get(reason)
        if one is None:
            one = self.reasons[reason] = {"times": 0, "lines": [], "example": example[:300]}
        one["times"] += 1
        if len(one["lines"]) < LINES_TOLD:
            one["lines"].append(line)

    def merge(self, others: Refusals) -> None:
        """What was refused after these."""
        for reason, one in others.reasons.items():
            mine = self.reasons.setdefault(reason, {"times": 0, "lines": [], "example": one["example"]})
            mine["times"] += one["times"]
            mine["lines"] += one["lines"][: max(0, LINES_TOLD - len(mine["lines"]))]

    @property
    def times(self) -> int:
        """All of them."""
        return sum(one["times"] for one in self.reasons.values())


@dataclass(slots=True)
class Progress:
    """How far an import has come; committed with the rows it speaks of."""

    id: int
    records: int = 0  #: lines of data that are settled
    stored: int = 0  #: rows
    known: int = 0  #: rows that were stored before
    late: int = 0  #: rows that came after a newer one of their car
    refused: Refusals = field(default_factory=Refusals)


@dataclass(frozen=True, slots=True)
class ReadingsImport:
    """One import of one file, as it stands in the database."""

    dealer_id: int
    file: str
    fingerprint: str  #: sha256 of the file and of what its columns mean
    started_at: datetime
    done_at: datetime | None
    progress: Progress
