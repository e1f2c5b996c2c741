"""A dealer's people: asked back in, given another role, let go with all that hangs on them; and never the last
manager.
"""

from __future__ import annotations

import asyncio

import pytest

from actions import bookings, cases, offers, people
from schemas.account import Role
from schemas.booking import BookingKind
from schemas.errors import BadInput
from store import accounts
from store.pool import transaction
from tests.integration.dealer_api.conftest import Desk, agrees

OLE = {"name": "Ole", "email": "Ole@nord.example ", "role": "advisor"}


async def _car(desk) -> dict:
    advisor = await desk.as_role("advisor")
    owner = await desk.post(advisor, "/api/v1/owners", {"name": "Anna", "phone": "+491701111001", "address": "Gasse 1"})
    await agrees(desk, owner["id"])
    return await desk.post(
        advisor,
        "/api/v1/vehicles",
        {"vin": "WVWZZZ1JZXW000002", "profile": "petrol_hatch", "title": "Car", "owner_id": owner["id"]},
    )


def _id(desk, role: str) -> int:
    return desk.people[(desk.dealer.id, role)].id


async def test_who_was_invited_or_let_go_is_asked_back_in_with_a_new_link(desk: Desk):
    manager, client = await desk.as_role("manager"), desk.anonymous()
    first = await desk.post(manager, "/api/v1/staff", OLE, expect=201)
    again = await desk.post(manager, "/api/v1/staff", {**OLE, "role": "technician"}, expect=201)
    assert again["staff"]["id"] == first["staff"]["id"] and again["staff"]["role"] == "technician"
    path = {
        name: result["link"].removeprefix("http://desk.example") for name, result in (("old", first), ("new", again))
    }
    assert (await client.get(path["old"])).status == 410 and (await client.get(path["new"])).status == 200
    await desk.post(manager, f"/api/v1/staff/{first['staff']['id']}/disable")
    assert (await client.get(path["new"])).status == 410
    third = await desk.post(manager, "/api/v1/staff", OLE, expect=201)
    assert third["staff"]["disabled_at"] is None and third["staff"]["role"] == "advisor"
    await people.accept_invitation(desk.house, third["link"].rpartition("/")[2], "a good long password")
    result = await desk.post(manager, "/api/v1/staff", OLE, expect=422)
    assert result["field"] == "email"
    await client.close()


async def test_somebody_else_s_address_is_not_asked_back_in(desk: Desk):
    result = await desk.post(
        await desk.as_role("manager"), "/api/v1/staff", {**OLE, "email": "driver@sued.example"}, expect=422
    )
    assert result["field"] == "email"


async def test_a_new_link_is_made_for_somebody_who_has_not_used_theirs_and_for_nobody_else(desk: Desk):
    manager = await desk.as_role("manager")
    ole = await desk.post(manager, "/api/v1/staff", OLE)
    again = await desk.post(manager, f"/api/v1/staff/{ole['staff']['id']}/invite")
    assert again["link"] != ole["link"]
    await desk.post(manager, f"/api/v1/staff/{_id(desk, 'driver')}/invite", expect=422)


async def test_the_last_manager_who_can_sign_in_is_neither_let_go_nor_given_another_role(desk: Desk):
    manager = await desk.as_role("manager")
    await desk.post(manager, "/api/v1/staff", {**OLE, "role": "manager"})  # invited only: nobody can rely on them yet
    for act in (
        people.disable(desk.house.acting(desk.dealer.id, "system"), _id(desk, "manager")),
        people.change_role(desk.house.acting(desk.dealer.id, "system"), _id(desk, "manager"), Role.ADVISOR),
    ):
        with pytest.raises(BadInput, match="last manager"):
            await act
    response = await manager.patch(f"/api/v1/staff/{_id(desk, 'manager')}", json={"role": "driver"})
    assert response.status == 422


async def test_of_two_managers_who_let_each_other_go_one_stays(desk: Desk, hashed_password):
    async with transaction(desk.house.pool, desk.dealer.id) as connection:
        second = await accounts.add_staff(
            connection,
            desk.dealer.id,
            name="Second",
            email="second@nord.example",
            phone=None,
            role=Role.MANAGER,
            language="de",
            password_hash=hashed_password,
            now=desk.clock(),
        )
    first = _id(desk, "manager")
    done = await asyncio.gather(
        people.disable(desk.house.acting(desk.dealer.id, f"staff:{first}"), second.id),
        people.disable(desk.house.acting(desk.dealer.id, f"staff:{second.id}"), first),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in done) == ["BadInput", "Staff"]
    left = await desk.admin.fetchval(
        "SELECT count(*) FROM staff WHERE dealer_id = $1 AND role = 'manager' AND disabled_at IS NULL", desk.dealer.id
    )
    assert left == 1


async def test_a_new_role_counts_from_the_next_request_on_and_is_history(desk: Desk):
    manager, technician = await desk.as_role("manager"), await desk.as_role("technician")
    await desk.get(technician, "/api/v1/owners", expect=403)
    response = await manager.patch(f"/api/v1/staff/{_id(desk, 'technician')}", json={"role": "advisor"})
    assert response.status == 200 and (await response.json())["role"] == "advisor"
    await desk.get(technician, "/api/v1/owners")
    row = await desk.admin.fetchrow("SELECT old, new, actor FROM history WHERE noun = 'staff' ORDER BY id DESC LIMIT 1")
    assert tuple(row) == ("technician", "advisor", f"staff:{_id(desk, 'manager')}")


async def test_a_driver_s_time_is_a_resource_for_as_long_as_they_drive(desk: Desk):
    manager = await desk.as_role("manager")

    async def seats():
        return [
            one["staff_id"]
            for one in (await desk.get(manager, "/api/v1/resources"))["items"]
            if one["kind"] == "driver"
        ]

    driver, technician = _id(desk, "driver"), _id(desk, "technician")
    assert await seats() == [driver]
    await manager.patch(f"/api/v1/staff/{technician}", json={"role": "driver"})
    await manager.patch(f"/api/v1/staff/{driver}", json={"role": "advisor"})
    assert await seats() == [technician]
    await manager.patch(f"/api/v1/staff/{driver}", json={"role": "driver"})
    await desk.post(manager, f"/api/v1/staff/{technician}/disable")
    assert await seats() == [driver]
    await desk.post(manager, f"/api/v1/staff/{technician}/enable")
    assert sorted(await seats()) == sorted([driver, technician])


async def test_what_was_theirs_is_nobody_s_when_they_are_let_go(desk: Desk):
    car = await _car(desk)
    advisor, house, dealer = f"staff:{_id(desk, 'advisor')}", desk.house, desk.dealer.id
    case = await cases.open_by_hand(house.acting(dealer, advisor), car["id"], "a rattle")
    window = (await bookings.free_windows(house, dealer, BookingKind.PICKUP))[0].window
    await bookings.book(house.acting(dealer, advisor), case.id, BookingKind.PICKUP, window.starts_at)
    await people.disable(house.acting(dealer, "system"), _id(desk, "driver"))
    legs = await desk.admin.fetch("SELECT driver_id, slot_id, state FROM legs")
    assert len(legs) == 2 and all(tuple(leg) == (None, None, "planned") for leg in legs)
    assert (
        await desk.admin.fetchval(
            "SELECT count(*) FROM slots t JOIN resources r ON r.id = t.resource_id WHERE r.staff_id = $1 "
            "AND t.state = 'booked'",
            _id(desk, "driver"),
        )
        == 0
    )
    await people.disable(house.acting(dealer, "system"), _id(desk, "advisor"))
    assert await desk.admin.fetchval("SELECT assignee_id FROM cases") is None
    moved = [
        row["new"]
        for row in await desk.admin.fetch(
            "SELECT new FROM history WHERE noun IN ('leg', 'case') ORDER BY id DESC LIMIT 3"
        )
    ]
    assert moved == ["unassigned", "unassigned", "unassigned"]


async def test_a_case_nobody_had_begun_is_watched_again_when_who_took_it_is_let_go(desk: Desk):
    car = await _car(desk)
    case = await cases.open_by_hand(
        desk.house.acting(desk.dealer.id, f"staff:{_id(desk, 'advisor')}"), car["id"], "a rattle"
    )
    desk.clock.on(hours=2)
    await people.disable(desk.house.acting(desk.dealer.id, "system"), _id(desk, "advisor"))
    row = await desk.admin.fetchrow("SELECT assignee_id, acknowledged_at FROM cases WHERE id = $1", case.id)
    due = await desk.admin.fetchval(
        "SELECT due_at FROM wakeups WHERE topic = 'case_unacknowledged' AND subject_id = $1", case.id
    )
    assert (
        tuple(row) == (None, None) and (due - desk.clock()).total_seconds() == 60 * desk.dealer.acknowledge_minutes_soon
    )


async def test_a_case_that_comes_to_life_again_is_nobody_s_when_who_had_it_has_left(desk: Desk):
    car, manager = await _car(desk), desk.house.acting(desk.dealer.id, f"staff:{_id(desk, 'manager')}")
    advisor = desk.house.acting(desk.dealer.id, f"staff:{_id(desk, 'advisor')}")
    case = await cases.open_by_hand(advisor, car["id"], "a rattle")
    await cases.dismiss(advisor, case.id, "nothing to hear")
    await people.disable(desk.house.acting(desk.dealer.id, "system"), _id(desk, "advisor"))
    opened = await cases.reopen(manager, case.id, "it rattles again")
    assert (opened.state, opened.assignee_id, opened.acknowledged_at) == ("open", None, None)
    assert await desk.admin.fetchval(
        "SELECT count(*) FROM wakeups WHERE topic = 'case_unacknowledged' AND subject_id = $1", case.id
    )


async def test_a_case_that_comes_to_life_again_is_still_theirs_who_are_here(desk: Desk):
    car, advisor = await _car(desk), desk.house.acting(desk.dealer.id, f"staff:{_id(desk, 'advisor')}")
    case = await cases.open_by_hand(advisor, car["id"], "a rattle")
    await cases.dismiss(advisor, case.id, "nothing to hear")
    opened = await cases.reopen(advisor, case.id, "it rattles again")
    assert opened.assignee_id == _id(desk, "advisor") and opened.acknowledged_at is not None


async def test_windows_that_need_a_driver_who_leaves_are_offered_no_longer(desk: Desk):
    car = await _car(desk)
    advisor = f"staff:{_id(desk, 'advisor')}"
    case = await cases.open_by_hand(desk.house.acting(desk.dealer.id, advisor), car["id"], "a rattle")
    offer = await offers.make(desk.house.acting(desk.dealer.id, advisor), case.id, BookingKind.PICKUP)
    await people.disable(desk.house.acting(desk.dealer.id, "system"), _id(desk, "driver"))
    assert await desk.admin.fetchval("SELECT state FROM offers WHERE id = $1", offer.id) == "expired"
    assert await desk.admin.fetchval("SELECT state FROM cases WHERE id = $1", case.id) == "open"
    assert await desk.admin.fetchval("SELECT count(*) FROM slots WHERE state = 'held'") == 0


async def test_nobody_is_let_go_with_a_customer_s_car_in_their_hands(desk: Desk):
    car = await _car(desk)
    advisor = f"staff:{_id(desk, 'advisor')}"
    case = await cases.open_by_hand(desk.house.acting(desk.dealer.id, advisor), car["id"], "a rattle")
    window = (await bookings.free_windows(desk.house, desk.dealer.id, BookingKind.PICKUP))[0].window
    await bookings.book(desk.house.acting(desk.dealer.id, advisor), case.id, BookingKind.PICKUP, window.starts_at)
    driver = await desk.as_role("driver")
    leg = (await desk.get(driver, "/api/v1/legs"))["items"][0]
    await desk.post(driver, f"/api/v1/legs/{leg['id']}/move", {"event": "on_the_way"})
    with pytest.raises(BadInput, match="customer's car"):
        await people.disable(desk.house.acting(desk.dealer.id, "system"), _id(desk, "driver"))
    assert await desk.admin.fetchval("SELECT count(*) FROM legs WHERE driver_id = $1", _id(desk, "driver")) == 2
