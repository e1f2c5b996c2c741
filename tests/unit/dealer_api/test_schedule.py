"""The schedule: blocks on their quarter hours, what is late is red, and a day is as full as its open hours are
taken.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from dealer_api.desk.schedule import groups_of, look_of, week_of
from schemas.slot import Resource, ResourceKind
from store.views.schedule import BlockRow
from tests.unit.rules.dealers import dealer

DAY = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)  # Monday 00:00 in Berlin, open from 8 to 18
NEXT = DAY + timedelta(days=1)
NOW = DAY + timedelta(hours=10)
CALLER: Any = SimpleNamespace(dealer=dealer())
BAYS = [Resource(id=n, dealer_id=1, kind=ResourceKind.BAY, name=f"Bay {n}", staff_id=None) for n in (1, 2)]
MILA = Resource(id=3, dealer_id=1, kind=ResourceKind.DRIVER, name="Mila Brandt (4)", staff_id=4)


def block(start: float, end: float, bay: int = 1, **more: Any) -> BlockRow:
    facts = {
        "id": 1,
        "resource_id": bay,
        "kind": "bay",
        "resource": f"Bay {bay}",
        "use": "work",
        "state": "booked",
        "starts_at": DAY + timedelta(hours=start),
        "ends_at": DAY + timedelta(hours=end),
        "booking_id": 7,
        "booking_kind": "drop_off",
        "booking_state": "agreed",
        "ready_by": DAY + timedelta(hours=end),
        "case_id": 3,
        "vehicle": "Alba",
        "plate": "HH-A 1",
        "owner": "Emma",
        "phone": None,
    }
    return BlockRow(**{**facts, **more})


def test_a_block_stands_at_its_quarter_hour_and_says_where_it_goes_on() -> None:
    [group] = groups_of([block(9.5, 11.5), block(16, 33, bay=2)], BAYS, CALLER, NOW, (DAY, NEXT), 7)
    [one], [two] = group.lines[0].blocks, group.lines[1].blocks
    assert (one.start, one.span, one.before, one.after) == (11, 8, False, False)
    assert two.after and two.start + two.span - 1 == 48


def test_what_began_before_the_first_shown_hour_stays_on_the_page() -> None:
    [group] = groups_of([block(-8, 9)], BAYS, CALLER, NOW, (DAY, NEXT), 7)
    [one] = group.lines[0].blocks
    assert one.before and (one.start, one.span) == (1, 8)


@pytest.mark.parametrize("hours, percent", [(((9, 14),), 25), (((8, 18), (8, 18)), 100), (((16, 33),), 10)])
def test_a_day_is_as_full_as_its_open_hours_are_taken(hours: Any, percent: int) -> None:
    taken = [block(*span, bay=n) for n, span in enumerate(hours, 1)]
    [group] = groups_of(taken, BAYS, CALLER, NOW, (DAY, NEXT), 7)
    assert (group.load.percent, group.load.full) == (percent, percent == 100)


@pytest.mark.parametrize(
    "more, look",
    [
        ({"state": "held", "booking_id": None}, "held"),
        ({"booking_state": "working"}, "overdue"),
        ({"booking_state": "ready"}, "finished"),
        (
            {"booking_state": "working", "ready_by": NOW + timedelta(hours=1), "ends_at": NOW + timedelta(hours=1)},
            "moving",
        ),
        ({"use": "loaner"}, "overdue"),
    ],
)
def test_what_should_be_over_and_is_not_is_red(more: Any, look: str) -> None:
    assert look_of(block(8, 9.5, **more), NOW) == look


def test_a_week_has_a_cell_for_each_day_and_says_when_the_house_is_closed() -> None:
    days = [(n, DAY + timedelta(days=n), NEXT + timedelta(days=n)) for n in range(7)]
    columns, (drivers, bays) = week_of([block(16, 33)], [*BAYS, MILA], CALLER, days)
    assert [day.open for day in columns] == [True] * 6 + [False]
    assert [len(cell.blocks) for cell in bays.rows[0][1]] == [1, 1, 0, 0, 0, 0, 0] and [
        load.percent for load in bays.together
    ][:3] == [10, 5, 0]
    assert [name for name, _ in drivers.rows] == ["Mila Brandt"]
