"""The alert says what the car says; readings and time move it, people never do."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.lifecycle import Lifecycle
from schemas.reading import Measured
from schemas.verdict import Severity


class AlertState(StrEnum):
    """The states of an alert."""

    PENDING = "pending"  #: the fault shows, not long enough yet
    ACTIVE = "active"  #: held for the rule's hold: the dealer knows
    RESOLVED = "resolved"  #: clear for the rule's settle
    LAPSED = "lapsed"  #: went away before it became active
    WITHDRAWN = "withdrawn"  #: the readings behind it were rejected by a person


class AlertEvent(StrEnum):
    """What moves an alert."""

    HELD = "held"
    CLEARED = "cleared"
    CHANGED = "changed"  #: severity moved, with its reason
    REJECTED = "rejected"


ALERT = Lifecycle(
    noun="alert",
    start=AlertState.PENDING,
    moves={
        AlertState.PENDING: {
            AlertEvent.HELD: AlertState.ACTIVE,
            AlertEvent.CLEARED: AlertState.LAPSED,
            AlertEvent.REJECTED: AlertState.WITHDRAWN,
        },
        AlertState.ACTIVE: {
            AlertEvent.CHANGED: AlertState.ACTIVE,
            AlertEvent.CLEARED: AlertState.RESOLVED,
            AlertEvent.REJECTED: AlertState.WITHDRAWN,
        },
        AlertState.RESOLVED: {},
        AlertState.LAPSED: {},
        AlertState.WITHDRAWN: {},
    },
)


class Sample(BaseModel):
    """One point of an evidence chart: epoch seconds and value."""

    model_config = ConfigDict(frozen=True)

    ts: float
    value: Measured


class Series(BaseModel):
    """One line of an evidence chart."""

    model_config = ConfigDict(frozen=True)

    label: str
    unit: str
    samples: Annotated[tuple[Sample, ...], Field(max_length=400)]


class Limit(BaseModel):
    """A level drawn across the chart."""

    model_config = ConfigDict(frozen=True)

    label: str
    value: float


class Evidence(BaseModel):
    """Why an alert was raised: enough to draw it and to judge it again."""

    model_config = ConfigDict(frozen=True)

    because: str
    series: tuple[Series, ...] = ()
    limits: tuple[Limit, ...] = ()
    freeze_frame: dict[str, Measured] | None = None
    first_place: int | None = None  #: the car's running numbers that were looked at
    last_place: int | None = None
    #: What a rule knew that no reading tells: when a car was heard last, whether a campaign was open. Absent elsewhere.
    facts: Annotated[dict[str, str] | None, Field(exclude_if=lambda value: value is None)] = None


class AlertStep(BaseModel):
    """One move of an alert, as judged: what the gateway commits. (vehicle, rule, component, episode, step) is
    unique.
    """

    model_config = ConfigDict(frozen=True)

    rule: str
    rule_version: int
    component: str  #: "" or which one: front_left, cell_41, P0301
    episode: int  #: a new occurrence is a new episode
    step: int  #: 0, 1, 2 … within the episode
    state: AlertState
    severity: Severity
    because: str
    ts: float  #: epoch seconds of the reading that moved it
    place: int
    late: bool = False
    shadow: bool = False  #: a rule on trial: recorded, never told to anybody
    evidence: Evidence | None = None


class Alert(BaseModel):
    """One episode of one rule on one component of one car."""

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    vehicle_id: int
    rule: str
    rule_version: int
    component: str
    episode: int
    step: int
    state: AlertState
    severity: Severity
    because: str
    first_at: datetime  #: reading time at which it began
    changed_at: datetime  #: reading time of the last step
    received_at: datetime  #: when we heard the reading of the last step
    case_id: int | None
    shadow: bool
    late: bool = False  #: judged on a reading that was old when it came: history, never "now"
    evidence: dict[str, Any]
