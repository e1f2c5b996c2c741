"""What a car says, not yet believed: the JSON bodies of the MQTT contract (v1)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field, model_validator

from schemas.moment import Moment
from schemas.verdict import Severity

Counter = Annotated[int, Field(ge=0, le=2**53)]
#: A signal's value on the wire. Booleans are 0 and 1; null is "no reading", not 0.
WireValue = float | bool | None
#: Validation ends with the first value that is none: thousands of errors in one message would hold up everybody else's.
WireValues = Annotated[dict[str, WireValue], FailFast()]


class _Sequenced(BaseModel):
    """`boot` counts restarts of the car's unit, `seq` its messages; devices without counters leave all three out."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    boot: Counter | None = None
    seq: Counter | None = None
    oldest: Counter | None = None
    ts: Moment

    @model_validator(mode="after")
    def _together(self) -> _Sequenced:
        if (self.boot is None) != (self.seq is None):
            raise ValueError("boot and seq come together or not at all")
        return self


class Telemetry(_Sequenced):
    """A sample: VSS 6.0 paths with their VSS units."""

    signals: Annotated[WireValues, Field(max_length=256)]


class TroubleCode(BaseModel):
    """One stored code. `system` is obd, uds or j1939; `code` is P0301, P0301-1A or 980/9 (SPN/FMI)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    system: Literal["obd", "uds", "j1939"]
    code: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Z0-9/\-]+$")]
    status: Literal["pending", "confirmed", "permanent", "active", "previous"]
    first_seen: Moment | None = None


class FreezeFrame(BaseModel):
    """What the car measured when the code was stored."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    code: str
    signals: WireValues


LampName = Literal["mil", "stop", "warning", "protect"]
LAMPS: tuple[LampName, ...] = ("mil", "stop", "warning", "protect")
MOST_CODES = 256  #: of one list


class Diagnostics(_Sequenced):
    """The whole list of codes as the car sees it now; a code that is missing is gone.

    `codes` is the union over all control units, and a lamp is on while any of them says so: the malfunction indicator
    (`mil`) and, on J1939, the red stop, the amber warning and the protect lamp. `flash` names the lamps that flash.
    `unread` names the parts that are not whole, because a control unit did not answer or we could not read an entry:
    what such a part does not name is not gone.
    """

    codes: Annotated[list[TroubleCode], Field(max_length=MOST_CODES), FailFast()]
    mil: bool
    stop: bool = False
    warning: bool = False
    protect: bool = False
    flash: dict[LampName, Literal["slow", "fast"]] = Field(default_factory=dict)
    freeze_frame: FreezeFrame | None = None
    unread: list[Literal["codes", "flash"] | LampName] = Field(default_factory=list, max_length=8)

    @property
    def incomplete(self) -> bool:
        """Whether there may be more codes than it names."""
        return "codes" in self.unread


class Status(BaseModel):
    """A hint that the car is there or went away: shown, never judged."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    state: Literal["online", "offline"]
    signals: WireValues = Field(default_factory=dict)


class Ack(BaseModel):
    """Ours to the car: everything of this boot up to and including `upto` is stored for good."""

    boot: Counter
    upto: Counter


class Ask(BaseModel):
    """Ours to the car: send these again, both ends included."""

    model_config = ConfigDict(populate_by_name=True)

    boot: Counter
    first: Counter = Field(alias="from")
    last: Counter = Field(alias="to")


class AlertTold(BaseModel):
    """Ours to the car, for the driver's screen: an alert was raised, is over, or was withdrawn."""

    rule: str
    component: str
    state: Literal["active", "resolved", "withdrawn"]
    severity: Severity
    because: str
