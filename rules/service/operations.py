"""Which work an alert suggests: the operation of its rule, with labour time, skill and likely parts. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.operation import Operation, Part, Skill

_M, _E, _HV, _T = Skill.MECHANICAL, Skill.ELECTRICAL, Skill.HIGH_VOLTAGE, Skill.TYRES


#: What can be done where the car stands: no lift, no second person, nothing that runs out or has to be bled.
MOBILE = frozenset({"TYR-10", "TYR-20", "ELE-10", "ELE-30", "BRA-10", "ENG-10", "SER-10", "DIA-10", "DIA-20"})


def _operation(code: str, title: str, minutes: int, skill: Skill, *parts: tuple[str, int]) -> Operation:
    found = tuple(Part(name=name, lead_days=days) for name, days in parts)
    return Operation(code=code, title=title, minutes=minutes, skill=skill, mobile=code in MOBILE, parts=found)


_TYRE = _operation("TYR-10", "Find the leak, repair or replace the tyre", 60, _T, ("Tyre", 1), ("Valve", 0))
_BATTERY = _operation("ELE-10", "Test and replace the 12 V battery", 60, _E, ("12 V battery", 1))
_COOLING = _operation("COO-10", "Find the coolant leak, refill and bleed", 120, _M, ("Coolant", 0), ("Hose or pump", 1))
_PADS = _operation("BRA-10", "Replace brake pads, measure the discs", 120, _M, ("Pad set", 0), ("Brake discs", 1))
_FILTER = _operation("EXH-10", "Clean the particulate filter, measure its ash", 180, _M, ("Pressure sensor", 2))
_CELLS = _operation("HVB-10", "Measure the traction battery cell by cell", 240, _HV, ("Cell module", 7))
_UNIT = _operation("DIA-20", "Check the sensor and the telematics unit", 60, _E, ("Sensor", 1))
#: What is done first where nobody knows more.
DIAGNOSE = _operation("DIA-10", "Read the codes, find the cause", 90, _E)
_MISFIRE = _operation("ENG-10", "Replace ignition parts", 90, _M, ("Spark plugs", 0), ("Ignition coil", 1))

#: The work that each rule of the catalogue suggests.
SUGGESTED: dict[str, Operation] = {
    "tyre_leak": _TYRE,
    "tyre_low": _operation("TYR-20", "Check the tyres, set their pressure", 30, _T),
    "alternator": _operation("ELE-20", "Test the charging, replace the alternator", 150, _E, ("Alternator", 2)),
    "parasitic_drain": _operation("ELE-30", "Find what drains the battery", 120, _E),
    "battery_12v": _BATTERY,
    "thermostat_open": _operation("COO-20", "Replace the thermostat", 90, _M, ("Thermostat", 1), ("Coolant", 0)),
    "coolant_low": _COOLING,
    "coolant_hot": _COOLING,
    "misfire": _MISFIRE,
    "vacuum_leak": _operation("ENG-20", "Find the false air with smoke", 90, _M, ("Intake gasket", 1)),
    "oil_pressure": _operation("ENG-30", "Measure the oil pressure", 150, _M, ("Oil pump", 3), ("Engine oil", 0)),
    "oil_life": _operation("SER-10", "Change oil and filter", 60, _M, ("Engine oil", 0), ("Oil filter", 0)),
    "dpf_regeneration": _FILTER,
    "dpf": _FILTER,
    "transmission_hot": _operation("GEA-10", "Check gearbox and its cooler", 180, _M, ("Gearbox oil", 1)),
    "brake_pads": _PADS,
    "brake_pad_uneven": _operation("BRA-20", "Free the calliper, replace the pads", 150, _M, ("Calliper", 1)),
    "brake_fluid": _operation("BRA-30", "Find the leak, change the brake fluid", 90, _M, ("Brake fluid", 0)),
    "ev_heat": _operation("HVB-20", "Check the cooling of the traction battery", 180, _HV, ("Coolant pump", 3)),
    "ev_cell": _CELLS,
    "ev_alarm": _CELLS,
    "ev_insulation": _operation("HVB-30", "Measure the insulation", 240, _HV, ("High-voltage cable", 5)),
    "ev_health": _CELLS,
    "charging_fault": _operation("HVB-40", "Check socket and charger", 120, _HV, ("Charging socket", 5)),
    "service_due": _operation("SER-20", "Service as the maker says", 120, _M, ("Engine oil", 0), ("Filters", 0)),
    "trouble_code": DIAGNOSE,
    "recall": _operation("REC-10", "Work as the maker's campaign says", 120, _M, ("Parts of the campaign", 3)),
    "sensor_implausible": _UNIT,
    "distance_unit": _UNIT,
    "oil_sensor": _UNIT,
    "coolant_sensor": _UNIT,
    "silent_vehicle": _UNIT,
}


def suggested(alerts: Iterable[tuple[str, str]]) -> tuple[Operation, ...]:
    """The work that (rule, component) pairs suggest, each piece once. A rule of the dealer's own is diagnosed first."""
    found: dict[str, Operation] = {}
    for rule, component in alerts:
        work = _MISFIRE if rule == "trouble_code" and component.startswith("P030") else SUGGESTED.get(rule, DIAGNOSE)
        found.setdefault(work.code, work)
    return tuple(found.values())
