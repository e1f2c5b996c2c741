"""A weak cell is said once, and again when it has clearly grown, also within a severity; it never flaps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rules.engine.alert_state import GROWN, advance
from rules.engine.memory import Samples, Track
from schemas.reading import Reading
from schemas.verdict import Clear, Holds, Severity, Unsure

PACK = "Vehicle.Powertrain.TractionBattery"


def pack(reading: Callable[..., Reading], gaps: list[float], each_h: float = 12.0) -> list[Reading]:
    """One such gap after the other, a sample each half hour, by the cell's number."""
    rows = []
    for n, gap in enumerate(gaps):
        for m in range(int(2 * each_h)):
            values = {
                f"{PACK}.CellVoltage.Min": 3.7 - gap / 1000.0,
                f"{PACK}.CellVoltage.Median": 3.7,
                f"{PACK}.CellVoltage.IdMin": 41,
                f"{PACK}.StateOfCharge.Current": 60,
            }
            rows.append(reading((n * each_h + m / 2) * 60, len(rows) + 1, **values))
    return rows


def told(steps: list[Any]) -> list[tuple[str, str]]:
    return [(s.severity.value, s.because) for s in steps if s.rule == "ev_cell" and s.state.value == "active"]


def test_what_clearly_grows_is_said_again_as_urgent_as_it_was(fold: Callable[..., Any], reading: Callable[..., Any]):
    found = told(fold(pack(reading, [32, 36, 44, 50, 58, 70, 80, 90, 100]), "electric_car"))
    assert [severity for severity, _ in found] == ["soon"] * 3
    assert all("cell 41" in because for _, because in found)
    assert ["times what it was" in because for _, because in found] == [False, True, True]


def test_what_stays_or_swings_around_its_size_is_said_once(fold: Callable[..., Any], reading: Callable[..., Any]):
    for gaps in ([40.0] * 40, [34, 46, 36, 44, 33, 47] * 8):
        assert len(told(fold(pack(reading, gaps), "electric_car"))) == 1


def test_it_is_never_said_again_because_it_shrank_and_grew_back(fold: Callable[..., Any], reading: Callable[..., Any]):
    found = told(fold(pack(reading, [40, 62, 62, 40, 40, 62, 62, 40, 62, 62]), "electric_car"))
    assert len(found) == 2


def test_a_worse_severity_is_told_as_such_and_counts_as_told(fold: Callable[..., Any], reading: Callable[..., Any]):
    found = told(fold(pack(reading, [40, 40, 130, 130, 150, 150]), "electric_car"))
    assert [severity for severity, _ in found][-1] == "now"
    assert [severity for severity, _ in found].count("now") == 1


def track_at(size: float | None) -> tuple[Track, int]:
    track = Track("ev_cell", "")
    return track, len(advance(track, Holds(Severity.SOON, "x", size=size), 0.0, 1, 0.0, 0.0))


@pytest.mark.parametrize("size, again", [(GROWN * 40 - 0.1, False), (GROWN * 40, True)])
def test_how_much_is_clearly(size: float, again: bool):
    track, _ = track_at(40.0)
    assert bool(advance(track, Holds(Severity.SOON, "x", size=size), 60.0, 2, 0.0, 0.0)) is again


def test_a_checkpoint_keeps_what_was_told_and_earlier_ones_have_none():
    track, _ = track_at(40.0)
    row = track.row()
    assert Track.from_row(row, Samples()).told == 40.0
    before = Track.from_row(row[:-3], Samples())
    assert before.told == 0.0
    assert advance(before, Holds(Severity.SOON, "x", size=90.0), 60.0, 2, 0.0, 0.0) == [], "nothing to compare with"
    assert advance(before, Holds(Severity.SOON, "x", size=90.0 * GROWN), 120.0, 3, 0.0, 0.0)


def test_other_verdicts_move_nothing_of_it():
    track, _ = track_at(40.0)
    for verdict in (Unsure("?"), Clear("well")):
        advance(track, verdict, 30.0, 2, 0.0, 3_600.0)
    assert track.told == 40.0
