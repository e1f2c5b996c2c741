"""What a manager sees of the people's access, and of texts that reach nobody."""

from __future__ import annotations

import re

import pytest

from actions import bookings, cases, people
from schemas.booking import BookingKind
from tests.integration.dealer_api.conftest import Desk


def person(desk, role):
    return desk.people[(desk.dealer.id, role)]


async def text_of(client, path, status=200):
    response = await client.get(path)
    assert response.status == status, path
    return await response.text()


async def post(client, path, status=200, **data):
    page = await text_of(client, "/security")
    response = await client.post(path, data={"csrf": re.search(r'name="csrf" value="([^"]+)"', page)[1], **data})
    assert response.status == status, await response.text()
    return await response.text()


async def test_a_person_s_page_says_what_hangs_on_them_and_ending_their_access_settles_it(desk: Desk):
    advisor = await desk.as_role("advisor")
    owner = await desk.post(advisor, "/api/v1/owners", {"name": "Anna", "phone": "+491701111001", "address": "Gasse 1"})
    car = await desk.post(
        advisor,
        "/api/v1/vehicles",
        {"vin": "WVWZZZ1JZXW000002", "profile": "petrol_hatch", "title": "Car", "owner_id": owner["id"]},
    )
    case = await cases.open_by_hand(
        desk.house.acting(desk.dealer.id, f"staff:{person(desk, 'advisor').id}"), car["id"], "a rattle"
    )
    window = (await bookings.free_windows(desk.house, desk.dealer.id, BookingKind.PICKUP))[0].window
    await bookings.book(desk.house.acting(desk.dealer.id, "system"), case.id, BookingKind.PICKUP, window.starts_at)
    manager = await desk.as_role("manager")
    assert "1 open case</strong> will be nobody's" in await text_of(manager, f"/staff/{person(desk, 'advisor').id}")
    page = await text_of(manager, f"/staff/{person(desk, 'driver').id}")
    assert "2 drives</strong> will go to another driver who is free" in page
    page = await post(manager, f"/staff/{person(desk, 'driver').id}/disable")
    assert "no access any more" in page and "They work here again" in page
    assert "works here again" in await post(manager, f"/staff/{person(desk, 'driver').id}/enable")
    legs = (await desk.get(manager, "/api/v1/legs"))["items"]
    await desk.post(manager, f"/api/v1/legs/{legs[0]['id']}/assign", {"driver_id": person(desk, "driver").id})
    await desk.post(await desk.as_role("driver"), f"/api/v1/legs/{legs[0]['id']}/move", {"event": "on_the_way"})
    page = await text_of(manager, f"/staff/{person(desk, 'driver').id}")
    assert "on the way with a customer" in page and "/disable" not in page


@pytest.mark.parametrize(
    ("act", "data", "text"),
    [
        ("role", {"role": "technician"}, "is technician from now on"),
        ("reset", {}, "Link for a new password made."),
        ("disable", {}, "no access any more"),
    ],
)
async def test_a_manager_does_it_on_the_person_s_own_page(desk: Desk, act, data, text):
    manager = await desk.as_role("manager")
    assert text in await post(manager, f"/staff/{person(desk, 'advisor').id}/{act}", **data)


async def test_what_is_impossible_is_said_on_the_page_and_changes_nothing(desk: Desk):
    manager = await desk.as_role("manager")
    mine = person(desk, "manager").id
    assert "This is you" in await text_of(manager, f"/staff/{mine}")
    assert "last manager" in await post(manager, f"/staff/{mine}/role", 422, role="driver")
    assert "lock themselves out" in await post(manager, f"/staff/{mine}/disable", 422)
    assert "has a password already" in await post(manager, f"/staff/{person(desk, 'driver').id}/invite", 422)
    assert "Choose what they do" in await post(manager, f"/staff/{person(desk, 'driver').id}/role", 422, role="king")
    for path in (f"/staff/{desk.people[(desk.other.id, 'driver')].id}", "/staff/987654"):
        await text_of(manager, path, 404)


async def test_managers_read_who_came_in_who_was_refused_and_what_changed_and_nobody_else_does(desk: Desk):
    stranger = desk.anonymous()
    await stranger.post(
        "/api/v1/session",
        json={"email": "advisor@nord.example", "password": "wrong wrong"},
        headers={"X-Forwarded-For": "203.0.113.7"},
    )
    await stranger.post(
        "/api/v1/session",
        json={"email": "advisor@sued.example", "password": "wrong wrong"},
        headers={"X-Forwarded-For": "198.51.100.7"},
    )
    await desk.house.afterwards.done()
    manager = await desk.as_role("manager")
    await desk.post(manager, "/api/v1/keys", {"label": "till", "scopes": ["cases:read"]})
    await people.change_role(
        desk.house.acting(desk.dealer.id, "command"), person(desk, "technician").id, person(desk, "advisor").role
    )
    page = await text_of(manager, "/staff/access")
    for told in (
        "Refused",
        "203.0.113.x",
        "Till: cases:read",
        "technician → advisor",
        "a command on the server",
        "Manager of Nord",
        "Signed in",
    ):
        assert told.lower() in page.lower(), told
    assert "198.51.100" not in page and "wrong wrong" not in page
    for role in ("advisor", "technician", "driver"):
        assert (await (await desk.as_role(role)).get("/staff/access")).status == 403
    await stranger.close()


async def test_older_rows_are_a_page_further(desk: Desk):
    manager = await desk.as_role("manager")
    for n in range(130):
        await desk.admin.execute(
            "INSERT INTO history (dealer_id, noun, subject_id, new, reason, actor, at) "
            "VALUES ($1, 'staff', $2, 'signed in', $3, 'system', $4)",
            desk.dealer.id,
            person(desk, "driver").id,
            f"row {n:03}",
            desk.clock(),
        )
    seen, path = [], "/staff/access"
    while path:
        page = await text_of(manager, path)
        seen += re.findall(r"Row (\d{3})", page)
        older = re.search(r'href="(/staff/access\?before=\d+)"', page)
        path = older[1] if older else None
    assert seen == [f"{n:03}" for n in range(129, -1, -1)]
    await text_of(manager, "/staff/access?before=x", 422)


async def test_a_real_house_without_a_provider_says_so_on_every_page_and_one_with_it_does_not(desk: Desk):
    advisor = await desk.as_role("advisor")
    for path in ("/queue", "/owners", "/vehicles"):
        assert "No text leaves this house" in await text_of(advisor, path)
    object.__setattr__(desk.house, "usual_channel", "sms")
    assert "No text leaves this house" not in await text_of(advisor, "/queue")


async def test_owners_from_before_there_was_a_provider_are_named_and_moved_at_once(desk: Desk):
    advisor = await desk.as_role("advisor")
    for n in range(3):
        await desk.post(advisor, "/api/v1/owners", {"name": f"Owner {n}", "phone": f"+49170111000{n}"})
    await desk.post(advisor, "/api/v1/owners", {"name": "By mail", "email": "mail@example.org"})
    assert "Reach them" not in await text_of(advisor, "/owners"), "there is nothing yet by which they could be reached"
    await post(advisor, "/owners/reach", 200)
    assert await desk.admin.fetchval("SELECT count(*) FROM owners WHERE channel = 'phone'") == 3
    object.__setattr__(desk.house, "usual_channel", "sms")
    assert "No text reaches 3 owners" in await text_of(advisor, "/owners")
    assert "3 owners are reached by SMS" in await post(advisor, "/owners/reach")
    assert "No text reaches" not in await text_of(advisor, "/owners")
    channels = {row["name"]: row["channel"] for row in await desk.admin.fetch("SELECT name, channel FROM owners")}
    assert channels == {"Owner 0": "sms", "Owner 1": "sms", "Owner 2": "sms", "By mail": "email"}
    assert (
        await desk.admin.fetchval("SELECT count(*) FROM history WHERE noun = 'owner' AND reason LIKE 'reached by sms%'")
        == 3
    )
    assert (
        await desk.admin.fetchval("SELECT count(*) FROM owners WHERE dealer_id = $1 AND channel = 'sms'", desk.other.id)
        == 0
    )
