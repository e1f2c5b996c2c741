"""A new dealer's first days: what the list says, what a text that is tried does, and what can be added and retired
without a command line.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from actions import accounts as acts
from actions import first_run, people
from schemas.errors import BadInput, Overtaken
from store import accounts
from store.pool import transaction
from tests.integration.dealer_api.conftest import Desk, agrees


async def page_of(client, path, status=200):
    response = await client.get(path)
    assert response.status == status, (path, response.status)
    return await response.text()


async def send(client, at, path, **fields):
    csrf = re.search(r'name="csrf" value="([^"]+)"', await page_of(client, at))[1]
    return await client.post(path, data={"csrf": csrf, **fields}, allow_redirects=False)


def states(page):
    found = re.findall(r'<li class="card step[^"]*" id="(\w+)">(.*?)</li>', page, re.S)
    return {step: re.search(r'class="pill \w+">([^<]+)<', text)[1] for step, text in found}


async def only_the_manager(desk):
    """The second dealer as it is right after it was made: nobody but its manager, no bay."""
    await desk.admin.execute(
        "UPDATE staff SET joined_at = NULL WHERE dealer_id = $1 AND role = 'advisor'", desk.other.id
    )
    await desk.admin.execute(
        "UPDATE staff SET disabled_at = now() WHERE dealer_id = $1 AND role IN ('technician', 'driver')", desk.other.id
    )
    await desk.admin.execute("DELETE FROM resources WHERE dealer_id = $1", desk.other.id)


async def test_a_new_house_is_led_through_its_steps_and_each_is_read_from_its_rows(desk: Desk):
    await only_the_manager(desk)
    manager = await desk.as_role("manager", desk.other)
    page = await page_of(manager, "/first-run")
    assert states(page) == {
        "hours": "Not yet",
        "people": "Invited, nobody has come yet",
        "bays": "Not yet",
        "driver": "Not yet",
        "owners": "Not yet",
        "car": "Not yet",
        "text": "No provider is set up",
    }
    assert 'href="/first-run"' in await page_of(manager, "/queue")
    assert "Your house is being set up" in await page_of(manager, "/queue")
    acting = desk.house.acting(desk.other.id, "staff:1")
    await acts.add_resource(acting, "bay", "Bay 1")
    await acts.update_dealer(acting, {"opening_hours": "Mo-Fr 09:00-17:00"})
    await send(manager, "/first-run", "/first-run", step="driver")
    await send(manager, "/first-run", "/first-run", step="text")
    await desk.post(manager, "/api/v1/owners", {"name": "Ana", "phone": "+491701234111"})
    assert states(await page_of(manager, "/first-run")) == {
        "hours": "Done",
        "people": "Invited, nobody has come yet",
        "bays": "Done",
        "driver": "Put aside",
        "owners": "Owners are there, cars are not",
        "car": "Not yet",
        "text": "Put aside",
    }
    added = await send(
        manager, "/vehicles/new", "/vehicles/new", vin="wttBDadd9 9000 0001", title="Golf", profile="petrol_hatch"
    )
    assert added.status == 303
    car = int(added.headers["Location"].rpartition("/")[2])
    assert states(await page_of(manager, "/first-run"))["car"] == "Cars are there, none is enrolled"
    await desk.post(manager, f"/api/v1/vehicles/{car}/enrol")
    assert states(await page_of(manager, "/first-run"))["car"] == "Enrolled, not heard of yet"
    await desk.admin.execute("UPDATE vehicles SET last_heard_at = now() WHERE id = $1", car)
    await desk.admin.execute("UPDATE staff SET joined_at = now() WHERE dealer_id = $1", desk.other.id)
    page = await page_of(manager, "/first-run")
    assert "Everything is set up" in page and 'class="count">' not in page.split("</nav>")[0]
    assert '<a href="/first-run"' not in await page_of(manager, "/queue")
    await send(manager, "/first-run", "/first-run", step="driver", act="again")
    assert '<a href="/first-run"' in await page_of(manager, "/queue")


async def test_only_a_manager_is_asked_to_set_up_the_house(desk: Desk):
    advisor = await desk.as_role("advisor")
    assert (await advisor.get("/first-run")).status == 403
    assert "/first-run" not in await page_of(advisor, "/queue")


async def test_a_test_text_goes_to_whoever_asks_and_counts_when_it_has_left(desk: Desk):
    house = replace(desk.house, usual_channel="twilio")
    me = desk.people[(desk.dealer.id, "manager")]
    acting = house.acting(desk.dealer.id, f"staff:{me.id}")
    assert await first_run.test_text(acting, me.id) == me.phone
    with pytest.raises(Overtaken):  # a text costs money
        await first_run.test_text(acting, me.id)
    row = await desk.admin.fetchrow("SELECT * FROM messages WHERE kind = 'staff_test'")
    assert (row["staff_id"], row["to_address"], row["purpose"]) == (me.id, me.phone, "staff")
    assert "http://desk.example/first-run" in row["body"]
    manager = await desk.as_role("manager")
    await desk.admin.execute("UPDATE messages SET state = 'sent' WHERE id = $1", row["id"])
    assert states(await page_of(manager, "/first-run"))["text"] == "Done"
    with pytest.raises(BadInput, match="sets up who sends"):
        await first_run.test_text(desk.house.acting(desk.dealer.id, f"staff:{me.id}"), me.id)
    with pytest.raises(BadInput, match="one of the list"):
        await first_run.put_aside(acting, "coffee", aside=True)


async def test_what_is_not_used_any_more_is_retired_once_nothing_needs_it(desk: Desk):
    manager, acting = await desk.as_role("manager"), desk.house.acting(desk.dealer.id, "staff:1")
    bays = [
        row["id"]
        for row in await desk.admin.fetch(
            "SELECT id FROM resources WHERE kind = 'bay' AND dealer_id = $1", desk.dealer.id
        )
    ]
    answer = await send(manager, "/settings", "/settings/resources/retire", resource=str(bays[1]))
    assert answer.status == 303
    retired = await desk.admin.fetchval("SELECT retired_at FROM resources WHERE id = $1", bays[1])
    assert retired is not None and "Use it again" in await page_of(manager, "/settings")
    theirs = await desk.admin.fetchval("SELECT min(id) FROM resources WHERE dealer_id = $1", desk.other.id)
    driver = await desk.admin.fetchval(
        "SELECT id FROM resources WHERE dealer_id = $1 AND kind = 'driver'", desk.dealer.id
    )
    for foreign in (theirs, driver, bays[1]):
        with pytest.raises(BadInput, match="one of the list"):
            await acts.retire_resource(acting, foreign)
    assert await acts.retire_resource(acting, bays[1], again=True) == "Bay 2"
    assert await desk.admin.fetchval("SELECT retired_at FROM resources WHERE id = $1", bays[1]) is None
    told = [row["new"] for row in await desk.admin.fetch("SELECT new FROM history WHERE noun = 'resource' ORDER BY id")]
    assert told[-2:] == ["retired", "in use"]


async def test_a_bay_that_a_visit_needs_is_not_retired(desk: Desk):
    manager, acting = await desk.as_role("manager"), desk.house.acting(desk.dealer.id, "staff:1")
    owner = await desk.post(manager, "/api/v1/owners", {"name": "Bo", "phone": "+491701234112"})
    car = await desk.post(
        manager,
        "/api/v1/vehicles",
        {"vin": "WTTBDADD800000001", "profile": "petrol_hatch", "title": "Car", "owner_id": owner["id"]},
    )
    case = await desk.post(manager, "/api/v1/cases", {"vehicle_id": car["id"], "note": "rattles"})
    await agrees(desk, owner["id"])
    await desk.post(manager, f"/api/v1/cases/{case['id']}/offers", {"kind": "drop_off"})
    bay = await desk.admin.fetchval("SELECT min(resource_id) FROM slots WHERE use = 'work' AND state = 'held'")
    with pytest.raises(BadInput, match="1 visit or offer still needs it"):
        await acts.retire_resource(acting, bay)


async def test_a_car_is_added_by_hand_and_a_wrong_field_is_named(desk: Desk):
    advisor = await desk.as_role("advisor")
    owner = await desk.post(advisor, "/api/v1/owners", {"name": "Cleo <b>", "phone": "+491701234113"})
    page = await page_of(advisor, f"/vehicles/new?owner={owner['id']}")
    assert "Of Cleo &lt;b&gt;." in page
    whole = {"vin": "WTTBDADD700000001", "title": "Polo", "profile": "petrol_hatch", "owner": str(owner["id"])}
    for wrong, named in (
        ({"vin": "WTT"}, "VIN: is 17"),
        ({"title": ""}, "Car: write"),
        ({"profile": "x"}, "Model: choose"),
        ({"owner": "987654"}, "That owner is not there"),
    ):
        answer = await send(advisor, "/vehicles/new", "/vehicles/new", **{**whole, **wrong})
        assert answer.status == 422 and named in await answer.text(), wrong
    answer = await send(advisor, "/vehicles/new", "/vehicles/new", **whole)
    assert answer.status == 303
    row = await desk.admin.fetchrow("SELECT * FROM vehicles WHERE vin = 'WTTBDADD700000001'")
    assert (row["owner_id"], row["title"], row["plate"]) == (owner["id"], "Polo", None)
    again = await send(advisor, "/vehicles/new", "/vehicles/new", **whole)
    assert again.status == 422 and "looked after already" in await again.text()
    technician = await desk.as_role("technician")
    assert (await technician.get("/vehicles/new")).status == 403


async def test_new_credentials_ask_first(desk: Desk):
    advisor = await desk.as_role("advisor")
    car = await desk.post(
        advisor, "/api/v1/vehicles", {"vin": "WTTBDADD600000001", "profile": "petrol_hatch", "title": "Up"}
    )
    path = f"/vehicles/{car['id']}"
    assert "Make new credentials" not in await page_of(advisor, path)
    await desk.post(advisor, f"/api/v1{path}/enrol")
    page = await page_of(advisor, path)
    assert "<summary>New credentials</summary>" in page and "The old ones end at once" in page


async def test_a_colleague_s_name_and_number_are_changed_at_the_desk(desk: Desk):
    manager = await desk.as_role("manager")
    person = desk.people[(desk.dealer.id, "driver")]
    path = f"/staff/{person.id}"
    answer = await send(manager, path, f"{path}/reach", name="Kim", phone="0176 04069880")
    assert answer.status == 303
    async with transaction(desk.house.pool, desk.dealer.id) as connection:
        changed = await accounts.staff(connection, desk.dealer.id, person.id)
    assert (changed.name, changed.phone) == ("Kim", "+4917604069880")
    answer = await send(manager, path, f"{path}/reach", name="Kim", phone="none")
    assert answer.status == 422
    acting = desk.house.acting(desk.dealer.id, "staff:1")
    assert (await people.describe(acting, person.id, name="Kim", phone="")).phone is None


async def test_whoever_is_let_go_hands_their_cases_to_a_colleague_or_to_nobody(desk: Desk):
    manager = await desk.as_role("manager")
    advisor, boss, driver = (desk.people[(desk.dealer.id, role)] for role in ("advisor", "manager", "driver"))
    car = await desk.post(
        manager, "/api/v1/vehicles", {"vin": "WTTBDADD500000001", "profile": "petrol_hatch", "title": "Up"}
    )
    case = await desk.post(manager, "/api/v1/cases", {"vehicle_id": car["id"], "note": "rattles"})
    await desk.post(manager, f"/api/v1/cases/{case['id']}/assign", {"staff_id": advisor.id})
    path = f"/staff/{advisor.id}"
    for nobody in (driver.id, advisor.id):
        answer = await send(manager, path, f"{path}/disable", to=str(nobody))
        assert answer.status == 422 and "cannot take cases over" in await answer.text()
    assert (await send(manager, path, f"{path}/disable", to=str(boss.id))).status == 303
    row = await desk.admin.fetchrow("SELECT assignee_id, acknowledged_at FROM cases WHERE id = $1", case["id"])
    assert row["assignee_id"] == boss.id and row["acknowledged_at"] is not None
