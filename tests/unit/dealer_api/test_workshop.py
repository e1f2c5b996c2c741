"""The technician's board: where a car stands, when its promise presses, which bay it is in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from dealer_api.desk.workshop import bays_of, car_of, dues
from schemas.slot import Resource, ResourceKind
from store.views.workshop import CarRow
from tests.unit.rules.dealers import dealer

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # Monday 11:00 in Berlin
BAYS = [Resource(id=n, dealer_id=1, kind=ResourceKind.BAY, name=f"Bay {n}", staff_id=None) for n in (1, 2)]


def row(**more: Any) -> CarRow:
    facts: dict[str, Any] = dict.fromkeys(CarRow.__dataclass_fields__)
    facts |= {
        "id": 7,
        "state": "arrived",
        "kind": "drop_off",
        "starts_at": NOW,
        "ends_at": NOW,
        "alerts": [],
        "note": "",
    }
    return CarRow(**{**facts, **more})


@pytest.mark.parametrize(
    "more, section",
    [
        ({"state": "agreed"}, "expected"),
        ({"state": "arrived"}, "waiting"),
        ({"state": "working"}, "working"),
        ({"state": "working", "what": "Thermostat", "due_at": NOW}, "paused"),
        ({"state": "arrived", "what": "Thermostat", "due_at": NOW}, "paused"),
        ({"state": "ready"}, "done"),
    ],
)
def test_a_car_stands_where_its_visit_and_its_wait_say(more: dict[str, Any], section: str) -> None:
    assert car_of(row(**more), NOW).section == section


@pytest.mark.parametrize("minutes, look", [(-1, "late"), (0, "late"), (60, "near"), (61, "")])
def test_a_promise_presses_an_hour_before_it_breaks(minutes: int, look: str) -> None:
    ready_by = NOW + timedelta(minutes=minutes)
    assert car_of(row(state="working", ready_by=ready_by), NOW).look == look
    assert car_of(row(state="ready", ready_by=ready_by), NOW).look == ""


def test_what_is_awaited_is_overdue_from_its_minute_on() -> None:
    assert car_of(row(what="Thermostat", due_at=NOW), NOW).overdue
    assert not car_of(row(what="Thermostat", due_at=NOW + timedelta(minutes=1)), NOW).overdue


def test_a_bay_holds_what_is_worked_on_there_and_a_paused_car_stands_aside() -> None:
    cars = [
        car_of(row(id=1, state="working", bay="Bay 1"), NOW),
        car_of(row(id=2, state="working", bay="Bay 2", what="Thermostat", due_at=NOW), NOW),
    ]
    assert [[car.row.id for car in bay.cars] for bay in bays_of(BAYS, cars)] == [[1], []]


def test_a_code_of_the_car_is_shown_and_its_work_suggested() -> None:
    car = car_of(row(alerts=[["trouble_code", "P0301", "soon", "x"], ["tyre_leak", "front_left", "now", "y"]]), NOW)
    assert car.codes == ("P0301",) and [work.code for work in car.work] == ["ENG-10", "TYR-10"]


def test_a_wait_can_be_said_with_one_press_and_never_into_a_closed_day() -> None:
    found = dues(SimpleNamespace(dealer=dealer()), NOW)  # type: ignore[arg-type]
    assert [value for value, _ in found[:4]] == [
        "2026-11-23T12:00",
        "2026-11-23T14:00",
        "2026-11-24T08:00",
        "2026-11-25T08:00",
    ]
    assert "2026-11-29T08:00" not in dict(found), "a Sunday"
