"""A sensor, its wire or its unit says what no car can: for the technician, and never a fault of the car."""

from __future__ import annotations

from datetime import timedelta

from rules.detectors.believable import Believable
from rules.engine.repair_verification import Proof
from rules.engine.rule import ANY_FEED, Rule

RULE = Rule(
    name="sensor_implausible",
    version=3,
    title="Sensor or unit implausible",
    needs=(),
    watch=ANY_FEED,
    hold=timedelta(minutes=2),  # on top of three samples
    settle=timedelta(days=3),  # what drifts comes and goes with the heat and the weekend: one item, not one a day
    judge=Believable(),
    proof=Proof(kind="none"),
    about_the_car=False,
    group="sensor",
)
