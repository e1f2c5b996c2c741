"""The driver's phone: the next of five steps as one button, harmless to press twice."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from schemas.handover import HandoverKind
from tests.integration.dealer_api.owner.conftest import World

STEPS = ("on_the_way", "collected", "at_workshop", "on_the_way_back", "handed_over")


async def booked(world: Any) -> str:
    """A pickup is agreed; the link that its driver was sent."""
    offer = await world.offer()
    await world.post(f"{await world.link()}/accept", offer=offer.id, choice=1)
    leg = await world.desk.admin.fetchval("SELECT id FROM legs WHERE kind = 'collect'")
    return str(await world.secret("driver", leg, staff_id=world.driver_id))


def button(page: str) -> dict[str, str]:
    """The hidden fields of the one big button; empty when there is none."""
    form = re.search(r'<form method="post" action="[^"]+/move".*?</form>', page, re.S)
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.group())) if form else {}


async def test_five_presses_of_the_one_button_bring_the_car_there_and_back(world: World) -> None:
    path, pressed = await booked(world), []
    for _ in range(3):
        form = button(await world.get(path))
        pressed.append(form["event"])
        await world.post(f"{path}/move", **form)
    page = await world.get(f"{path}?language=en")
    assert "has not finished this car yet" in page and not button(page)
    await world.repair()
    for _ in range(2):
        if pressed[-1] == "on_the_way_back":
            assert "hidden" in re.findall(r'<form[^>]*data-step="handed_over"[^>]*>', await world.get(path))[0]
            await world.record(HandoverKind.RETURN)
        form = button(await world.get(path))
        pressed.append(form["event"])
        await world.post(f"{path}/move", **form)
    assert tuple(pressed) == STEPS
    assert "All done" in await world.get(f"{path}?language=en")


async def test_the_driver_sees_whom_they_meet_what_the_door_needs_and_how_long_the_way_is(world: World) -> None:
    path = await booked(world)
    assert "min from the house" not in await world.get(f"{path}?language=en"), "nobody knows"
    await world.desk.admin.execute(
        "UPDATE legs SET contact = 'Ask for Kim', access_notes = 'Gate code 4711', travel_minutes = 17"
    )
    page = await world.get(f"{path}?language=en")
    assert "Ask for Kim" in page and "Gate code 4711" in page and "17 min from the house" in page


async def test_a_press_that_heard_no_answer_is_pressed_again_without_harm(world: World) -> None:
    path = await booked(world)
    form = button(await world.get(path))
    answers = await asyncio.gather(*(world.post(f"{path}/move", **form) for _ in range(20)))
    assert set(answers) <= {path, f"{path}?note=overtaken", f"{path}?note=changed"}
    await world.post(f"{path}/move", **form)
    assert await world.desk.admin.fetchval("SELECT state FROM legs WHERE kind = 'collect'") == "on_the_way"
    assert len(await world.texts("on_the_way")) == 1
    assert (
        await world.desk.admin.fetchval("SELECT count(*) FROM history WHERE noun = 'leg' AND new = 'on_the_way'") == 1
    )


async def test_steps_keep_their_order(world: World) -> None:
    path = await booked(world)
    form = button(await world.get(path))
    for event in ("collected", "at_workshop", "handed_over", "nonsense"):
        assert await world.post(f"{path}/move", **{**form, "event": event}) == f"{path}?note=changed"
    assert await world.desk.admin.fetchval("SELECT state FROM legs WHERE kind = 'collect'") == "planned"


async def test_the_page_shows_street_customer_telephone_and_what_the_owner_sees(world: World) -> None:
    path = await booked(world)
    await world.desk.admin.execute("UPDATE staff SET language = 'de' WHERE role = 'driver'")
    page = await world.get(path)
    assert "Gartenweg 7, 12345 Berlin" in page and "Emma Clarke" in page and "Alba 1.2 · B-EC 417" in page
    assert 'href="tel:+4917604069010"' in page and "openstreetmap.org" in page
    assert "Der Kunde sieht: “Wir holen Ihr Auto heute 09:30–10:30”" in page


async def test_a_drivers_link_moves_only_their_own_drives(world: World) -> None:
    path = await booked(world)
    form = button(await world.get(path))
    await world.desk.admin.execute("UPDATE legs SET driver_id = NULL")
    assert await world.post(f"{path}/move", **form) == f"{path}?note=changed"
    assert await world.desk.admin.fetchval("SELECT state FROM legs WHERE kind = 'collect'") == "planned"


async def test_a_driver_who_left_opens_nothing_any_more(world: World) -> None:
    path = await booked(world)
    await world.desk.admin.execute(
        "UPDATE staff SET disabled_at = $1 WHERE id = $2", world.desk.clock(), world.driver_id
    )
    await world.get(path, 410)


async def test_the_signed_in_driver_has_the_same_page(world: World) -> None:
    await booked(world)
    driver = await world.desk.as_role("driver")
    async with driver.get("/driver") as answer:
        form = button(await answer.text())
    assert form["event"] == "on_the_way" and form["csrf"]
    async with driver.post("/driver/move", data=form, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/driver")
    async with driver.post("/driver/move", data={**form, "csrf": "another"}, allow_redirects=False) as answer:
        assert answer.status == 403


async def test_who_is_not_signed_in_is_sent_to_do_so_and_a_technician_has_no_drive_of_a_driver(world: World) -> None:
    path = await booked(world)
    async with world.web.get("/driver", allow_redirects=False) as answer:
        assert answer.status == 303
    technician = await world.desk.as_role("technician")
    async with technician.get("/driver?language=en") as answer:
        page = await answer.text()
    form = button(await world.get(path))
    assert answer.status == 200 and not button(page) and "No drives for you" in page
    csrf = re.search(r'name="csrf" value="([^"]+)"', await (await technician.get("/workshop")).text())
    assert csrf is not None
    async with technician.post("/driver/move", data={**form, "csrf": csrf[1]}, allow_redirects=False) as answer:
        await answer.read()
    assert await world.desk.admin.fetchval("SELECT state FROM legs WHERE kind = 'collect'") == "planned"


async def test_looking_changes_nothing(world: World) -> None:
    path = await booked(world)
    before = await world.rows()
    await asyncio.gather(*(world.web.get(path) for _ in range(50)))
    assert await world.rows() == before


async def test_a_mobile_repair_has_two_steps_and_nothing_changes_hands(world: World) -> None:
    path = await booked(world)
    await world.desk.admin.execute("UPDATE bookings SET kind = 'mobile_repair'")
    await world.desk.admin.execute("UPDATE legs SET kind = 'visit' WHERE kind = 'collect'")
    leg = await world.desk.admin.fetchval("SELECT id FROM legs WHERE kind = 'visit'")
    page = await world.get(f"{path}?language=en")
    assert "Mobile repair" in page and button(page)["event"] == "on_the_way"
    assert "We collect" not in await world.get(f"{await world.link()}?language=en")
    await world.post(f"{path}/move", **button(page))
    page = await world.get(f"{path}?language=en")
    assert button(page)["event"] == "at_car" and "handover?leg=" not in page
    for kind in ("", "&kind=collect", "&kind=loaner_out"):
        async with world.web.get(f"{path}/handover?leg={leg}{kind}") as answer:
            assert answer.status < 500 and "We collect" not in await answer.text()
    await world.post(f"{path}/move", **button(page))
    page = await world.get(f"{path}?language=en")
    assert await world.desk.admin.fetchval("SELECT state FROM legs WHERE kind = 'visit'") == "at_car"
    assert not button(page) and "Say what was found and done" in page and 'href="/workshop"' in page
