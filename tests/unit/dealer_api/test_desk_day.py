"""The day's calendar: blocks on the dealer's wall clock, nothing outside the page, one next step for whoever may take
it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from dealer_api.desk.today import lanes_of
from store.views.day import LegRow

DAY = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)  # Monday 00:00 in Berlin
NEXT = DAY + timedelta(days=1)
NOW = DAY + timedelta(hours=10)
DRIVERS = {4: "Mila", 5: "Tarik"}


def me(role: str = "advisor", staff: int = 1) -> Any:
    return SimpleNamespace(
        dealer_id=1,
        role=role,
        staff=SimpleNamespace(id=staff),
        dealer=SimpleNamespace(zone="Europe/Berlin"),
        may=lambda permission: permission.allows(role),
    )


def leg(
    hour: float,
    kind: str = "collect",
    state: str = "planned",
    driver: int | None = 4,
    booking: str = "agreed",
    **more: Any,
) -> LegRow:
    start = DAY + timedelta(hours=hour)
    return LegRow(
        **{
            "id": 1,
            "booking_id": 2,
            "kind": kind,
            "state": state,
            "driver_id": driver,
            "driver": DRIVERS.get(driver or 0),
            "address": "A",
            "starts_at": start,
            "ends_at": start + timedelta(hours=1),
            "changed_at": start,
            "case_id": 3,
            "booking_state": booking,
            "vehicle_id": 6,
            "vehicle": "Alba",
            "plate": None,
            "owner": "Emma",
            "phone": None,
            "severity": "soon",
            "booking_kind": "pickup",
            "standing": [],
            **more,
        }
    )


def day(rows: list[LegRow], **who: Any) -> Any:
    return lanes_of(rows, DRIVERS, me(**who), NOW, DAY, NEXT)


def test_a_block_stands_at_its_quarter_hour() -> None:
    [block] = day([leg(9.5)]).lanes[0].legs
    assert (block.start, block.span) == ((9 - 7) * 4 + 2 + 1, 4)


def test_an_early_drive_moves_the_calendar_s_beginning() -> None:
    assert day([leg(5)]).hours[0] == 5
    assert day([leg(9)]).hours[0] == 7


def test_a_late_drive_stays_on_the_page() -> None:
    [block] = day([leg(22)]).lanes[0].legs
    assert block.start >= 1 and block.start + block.span - 1 <= 48


def test_every_driver_has_a_lane_and_a_drive_without_one_comes_first() -> None:
    assert [lane.name for lane in day([leg(9, driver=None)]).lanes] == ["Nobody yet", "Mila", "Tarik"]


def test_what_is_driven_now_but_planned_for_tomorrow_stands_in_the_list_only() -> None:
    found = day([leg(33, state="on_the_way")])
    assert found.total == 1 and all(not lane.legs for lane in found.lanes)
    assert not found.list[0].today


def test_a_car_is_not_brought_back_before_it_is_ready() -> None:
    assert day([leg(15, kind="return")]).list[0].step is None
    assert day([leg(15, kind="return", booking="ready")]).list[0].step == "on_the_way_back"


def test_a_driver_moves_only_their_own_drives_and_nobody_s() -> None:
    assert day([leg(9)], role="driver", staff=5).list[0].step is None
    assert day([leg(9)], role="driver", staff=4).list[0].step == "on_the_way"
    assert day([leg(9, driver=None)], role="driver", staff=5).list[0].step == "on_the_way"
    assert day([leg(9)], role="technician", staff=2).list[0].step is None


def test_a_drive_that_should_have_begun_says_how_late_it_is() -> None:
    assert day([leg(9.5)]).list[0].late == "30 min late"
    assert day([leg(11)]).list[0].late == ""


def test_a_drive_whose_window_passed_and_that_nobody_began_stays_on_the_page_and_comes_first() -> None:
    """Also of a day before, and also a return that waits for the workshop."""
    found = day([leg(9.5), leg(-20), leg(2, kind="return", booking="working")]).list
    assert [(one.overdue, one.late) for one in found] == [
        (True, "1 day late"),
        (True, "8 h late"),
        (False, "30 min late"),
    ]


def test_a_car_that_must_not_be_driven_is_not_collected_by_driving_and_says_why() -> None:
    stays = [["oil_pressure", "", "soon", "oil pressure at 60 % of what it needs"]]
    [block] = day([leg(9, state="on_the_way", standing=stays)]).list
    assert (block.step, block.towed, block.stays) == (
        None,
        False,
        "it must not be driven: oil pressure at 60 % of what it needs",
    )
    [block] = day([leg(9, state="on_the_way", standing=stays, booking_kind="tow")]).list
    assert (block.step, block.towed, block.stays) == ("collected", True, "")
