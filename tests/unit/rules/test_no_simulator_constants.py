"""No rule is fitted to the simulator: a number that both know is a unit, a law of nature, or has its reason here."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

from telltale.data import ROOT

PHYSICS = ("pack", "engine", "supply", "chassis", "sensors", "sensor_faults", "events", "wear", "population", "car")
KNOWN = {
    101.3: "air pressure at sea level",
    273.15: "zero Celsius in Kelvin",
    6.895: "kPa in one psi",
    255.0: "a byte",
    3_600.0: "seconds in an hour",
    86_400.0: "seconds in a day",
    1_300.0: "from idle to 2,000 rpm: between these two the models state their oil pressure",
    125.0: "Celsius that gearbox oil stands, as the models state it",
    1.15: "15 % more, of a distance here and of a misfire in the cold there",
}


def numbers(paths: Iterable[Path]) -> dict[float, set[str]]:
    """Numbers with three significant digits or more, and where they stand: rounder ones are shared by chance."""
    found: dict[float, set[str]] = {}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and type(node.value) in (int, float) and digits(node.value) >= 3:
                found.setdefault(float(node.value), set()).add(path.name)
    return found


def digits(value: float) -> int:
    return len(f"{abs(value):.9g}".replace(".", "").strip("0"))


def test_no_rule_knows_a_number_of_the_simulator() -> None:
    simulated = numbers(ROOT / "simulator" / f"{name}.py" for name in PHYSICS)
    ruled = numbers([*(ROOT / "rules" / "detectors").glob("*.py"), *(ROOT / "rules" / "catalogue").glob("*.py")])
    both = {value: (simulated[value], ruled[value]) for value in simulated.keys() & ruled.keys() if value not in KNOWN}
    assert not both


@pytest.mark.parametrize("value, expected", [(1_000.0, 1), (850, 2), (101.3, 4), (0.0042, 2), (1_375, 4)])
def test_what_counts_as_peculiar(value: float, expected: int) -> None:
    assert digits(value) == expected
