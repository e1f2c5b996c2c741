"""The register of rules, written out: the order is the order of judgement, causes before what they explain away."""

from __future__ import annotations

from rules.catalogue import (
    alternator,
    battery_12v,
    brake_fluid,
    brake_pad_uneven,
    brake_pads,
    charging_fault,
    coolant_hot,
    coolant_low,
    coolant_sensor,
    distance_unit,
    dpf,
    dpf_regeneration,
    ev_alarm,
    ev_cell,
    ev_health,
    ev_heat,
    ev_insulation,
    misfire,
    oil_life,
    oil_pressure,
    oil_sensor,
    parasitic_drain,
    recall,
    sensor_implausible,
    service_due,
    silent_vehicle,
    thermostat_open,
    transmission_hot,
    trouble_code,
    tyre_leak,
    tyre_low,
    vacuum_leak,
)
from rules.engine.rule import Rule

RULES: tuple[Rule, ...] = (
    sensor_implausible.RULE,  # what it doubts the others do not see
    distance_unit.RULE,
    oil_sensor.RULE,
    coolant_sensor.RULE,
    tyre_leak.RULE,
    tyre_low.RULE,
    alternator.RULE,
    parasitic_drain.RULE,
    battery_12v.RULE,
    thermostat_open.RULE,
    coolant_low.RULE,
    coolant_hot.RULE,
    misfire.RULE,
    vacuum_leak.RULE,
    oil_pressure.RULE,
    oil_life.RULE,
    dpf_regeneration.RULE,
    dpf.RULE,
    transmission_hot.RULE,
    brake_pads.RULE,
    brake_pad_uneven.RULE,
    brake_fluid.RULE,
    ev_heat.RULE,
    ev_alarm.RULE,
    ev_cell.RULE,
    ev_insulation.RULE,
    ev_health.RULE,
    charging_fault.RULE,
    service_due.RULE,
    trouble_code.RULE,
    recall.RULE,
    silent_vehicle.RULE,
)

BY_NAME: dict[str, Rule] = {rule.name: rule for rule in RULES}


def about_the_car(rule: str) -> bool:
    """Whether an alert of this rule concerns who drives the car, and not a sensor or the unit."""
    return rule not in BY_NAME or BY_NAME[rule].about_the_car
