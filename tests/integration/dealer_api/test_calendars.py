"""Calendar feeds: a link for a person or the house, that names the agreed minute and opens until it is taken back."""

from __future__ import annotations

import re
from typing import Any

from icalendar import Calendar

from actions import calendars
from schemas.booking import BookingKind
from schemas.pickup import LegKind
from tests.integration.dealer_api.test_handovers import Road, road

__all__ = ["road"]


async def made(desk: Any, role: str, path: str) -> str:
    """A new link, as a path."""
    client = await desk.as_role(role)
    page = await (await client.get(path.rpartition("/")[0])).text()
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None
    said = await (await client.post(path, data={"csrf": csrf[1], "act": "make"})).text()
    found = re.search(r"http://desk\.example(/calendar/[\w-]+)", said)
    assert found is not None, said[:400]
    return found[1]


async def events(desk: Any, link: str) -> list[Any]:
    said = await desk.anonymous().get(link)
    assert said.status == 200 and said.content_type == "text/calendar"
    return list(Calendar.from_ical(await said.read()).walk("VEVENT"))


async def test_a_driver_sees_their_drives_and_the_house_all_of_it_at_the_agreed_minute(road: Road) -> None:
    desk = road.desk
    mine = await events(desk, await made(desk, "driver", "/security/calendar"))
    assert sorted(str(event["summary"]) for event in mine) == ["Bring back: Frost car", "Collect: Frost car"]
    everything = await events(desk, await made(desk, "manager", "/settings/calendar"))
    visit = next(event for event in everything if str(event["uid"]).startswith("visit-"))
    assert visit["dtstart"].dt == await desk.admin.fetchval("SELECT starts_at FROM bookings")
    assert f"{visit['dtstart'].dt:%Y-%m-%dT%H:%M}" == await desk.admin.fetchval("SELECT wall_start FROM bookings")
    assert "Rosa" not in str(everything) and "+49170" not in str(everything)


async def test_a_way_to_a_car_that_is_repaired_where_it_stands_is_in_it(road: Road) -> None:
    desk = road.desk
    await desk.admin.execute("UPDATE bookings SET kind = 'mobile_repair'")
    await desk.admin.execute("UPDATE legs SET kind = 'visit' WHERE kind = 'collect'")
    everything = await events(desk, await made(desk, "manager", "/settings/calendar"))
    assert {"Mobile repair: Frost car", "Repair where it stands: Frost car"} <= {str(e["summary"]) for e in everything}


def test_every_way_to_come_and_every_drive_has_its_words() -> None:
    assert set(calendars._VISITS) == set(BookingKind) and set(calendars._DRIVES) == set(LegKind)


async def test_a_link_ends_with_the_next_one_when_it_is_taken_back_and_with_the_person(road: Road) -> None:
    desk = road.desk
    first = await made(desk, "driver", "/security/calendar")
    second = await made(desk, "driver", "/security/calendar")
    nobody = desk.anonymous()
    assert (await nobody.get(first)).status == 404 and (await nobody.get(second)).status == 200
    await desk.admin.execute("UPDATE staff SET disabled_at = $1 WHERE role = 'driver'", desk.clock())
    assert (await nobody.get(second)).status == 404
    house = await made(desk, "manager", "/settings/calendar")
    manager = await desk.as_role("manager")
    csrf = re.search(r'name="csrf" value="([^"]+)"', await (await manager.get("/settings")).text())
    assert csrf is not None
    await manager.post("/settings/calendar", data={"csrf": csrf[1], "act": "revoke"})
    assert (await nobody.get(house)).status == 404 and (await nobody.get("/calendar/nothing")).status == 404
    await nobody.close()
