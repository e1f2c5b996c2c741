"""One search for everything of the house, and lists that say what they left behind."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dealer_api.desk.paging import SHOWN
from tests.integration.dealer_api.conftest import Desk, agrees

CASE = {
    "owner_phone": "+4917604069010",
    "plate": "HH-EC 417",
    "owner_searches": ["0176 04069010", "017604069010", "+49 176 04069010"],
    "vehicle_searches": ["HHEC417", "hh ec 417", "HH-EC417"],
}


@pytest.fixture
async def known(desk: Desk) -> dict[str, Any]:
    """One owner with one car and an open case with a code."""
    advisor = await desk.as_role("advisor")
    owner = await desk.post(advisor, "/api/v1/owners", {"name": "Jürgen Süß", "phone": CASE["owner_phone"]})
    await agrees(desk, owner["id"])
    body = {"vin": "WVWZZZ1JZXW009001", "profile": "petrol_hatch", "title": "Golf", "plate": CASE["plate"]}
    car = await desk.post(advisor, "/api/v1/vehicles", {**body, "owner_id": owner["id"]})
    case = await desk.post(advisor, "/api/v1/cases", {"vehicle_id": car["id"], "note": "rattles"})
    await desk.admin.execute(
        """INSERT INTO alerts (dealer_id, vehicle_id, rule, rule_version, component, episode, step, state, severity,
           because, first_at, changed_at, received_at, case_id)
           SELECT dealer_id, vehicle_id, 'trouble_code', 1, 'P0301', 1, 1, 'active', 'soon', 'x', opened_at, opened_at,
             opened_at, id FROM cases"""
    )
    return {"owner": f"/owners/{owner['id']}", "car": f"/vehicles/{car['id']}", "case": f"/cases/{case['id']}"}


async def hits(client: Any, text: str, **more: str) -> list[str]:
    page = await (await client.get("/search", params={"q": text, **more})).text()
    return re.findall(r'class="hit" href="([^"]+)"', page)


@pytest.mark.parametrize("text", [*CASE["owner_searches"], "süß jürgen", "SUESS"])
async def test_an_owner_their_car_and_its_case_are_found_together(desk: Desk, known: dict[str, Any], text: str) -> None:
    advisor = await desk.as_role("advisor")
    assert await hits(advisor, text) == [known["case"], known["car"], known["owner"]]
    for door in ("/owners", "/vehicles"):
        page = await (await advisor.get(door, params={"search": text})).text()
        assert len(set(re.findall(rf'"({door}/\d+)"', page))) == 1
    found = (await desk.get(advisor, f"/api/v1/owners?search={text.replace('+', '%2B')}"))["items"]
    assert [one["name"] for one in found] == ["Jürgen Süß"]


@pytest.mark.parametrize("text", [*CASE["vehicle_searches"], "wvwzzz1jz", "9001", "golf"])
async def test_a_car_is_found_by_what_stands_on_it(desk: Desk, known: dict[str, Any], text: str) -> None:
    assert (await hits(await desk.as_role("technician"), text))[:2] == [known["case"], known["car"]]
    assert len((await desk.get(await desk.as_role("advisor"), f"/api/v1/vehicles?search={text}"))["items"]) == 1


async def test_a_case_by_its_number_and_a_code_by_its_name(desk: Desk, known: dict[str, Any]) -> None:
    advisor = await desk.as_role("advisor")
    for text in (f"#{known['case'].rpartition('/')[2]}", "P0301", "p0301-00"):
        assert (await hits(advisor, text))[0] == known["case"], text
    assert await hits(advisor, "P0302") == []


async def test_who_may_not_read_owners_finds_none_by_a_number(desk: Desk, known: dict[str, Any]) -> None:
    technician = await desk.as_role("technician")
    assert await hits(technician, CASE["owner_phone"]) == []
    assert await hits(technician, "süß") == [known["case"], known["car"]]
    manager = await desk.as_role("manager")
    key = (await desk.post(manager, "/api/v1/keys", {"label": "cars", "scopes": ["vehicles:read"]}))["key"]
    program = desk.anonymous()
    for text, found in (("golf", 1), ("süß", 0)):
        answer = await program.get(f"/api/v1/vehicles?search={text}", headers={"Authorization": f"Bearer {key}"})
        assert len((await answer.json())["items"]) == found


async def test_enter_goes_to_the_only_hit_and_commands_are_those_of_the_role(desk: Desk, known: dict[str, Any]) -> None:
    manager, technician = await desk.as_role("manager"), await desk.as_role("technician")
    straight = await manager.get("/search", params={"q": "settings", "go": "1"}, allow_redirects=False)
    assert (straight.status, straight.headers["Location"]) == (303, "/settings")
    assert await hits(technician, "settings") == []
    assert await hits(manager, "offer", **{"from": known["case"]}) == [f"{known['case']}/offer"]
    page = await (await manager.get("/search", params={"q": "assign", "from": known["case"]})).text()
    assert f'action="{known["case"]}/take"' in page
    assert "Nothing fits" in await (await manager.get("/search", params={"q": "zzzz"})).text()
    for odd in ("'; --", "%", "ß" * 99, "  "):
        assert (await manager.get("/search", params={"q": odd})).status == 200


async def test_no_case_is_left_out_of_the_queue_without_a_word(desk: Desk, known: dict[str, Any]) -> None:
    await desk.admin.execute(
        f"""WITH cars AS (INSERT INTO vehicles (vin, dealer_id, dealer_since, profile, title)
              SELECT 'WVWZZZ1JZXW' || lpad(n::text, 6, '0'), {desk.dealer.id}, now(), 'petrol_hatch', 'Car ' || n
              FROM generate_series(1, 234) n RETURNING id)
            INSERT INTO cases (dealer_id, vehicle_id, state, severity, title, origin, opened_at, changed_at)
              SELECT {desk.dealer.id}, id, 'open', (ARRAY['now', 'soon', 'advice'])[id % 3 + 1], 'x', 'alert',
                now() - (id % 7) * interval '1 hour', now() FROM cars"""
    )
    advisor, seen, at, pages = await desk.as_role("advisor"), [], "/queue", 0
    while at:
        page = await (await advisor.get(at)).text()
        seen += re.findall(r'id="case-(\d+)"', page)
        found = re.search(r'href="([^"]+)" rel="next"', page)
        at, pages = (found[1].replace("&amp;", "&") if found else ""), pages + 1
        if pages == 1:
            assert f"The first {SHOWN} of 235" in page
    assert len(seen) == len(set(seen)) == 235 and pages == 5
    order = await desk.admin.fetch(
        "SELECT id FROM cases ORDER BY array_position(ARRAY['now', 'soon', 'advice'], severity), opened_at, id"
    )
    assert seen == [str(row["id"]) for row in order]
    only = await (await advisor.get("/queue?severity=now")).text()
    assert len(re.findall(r'id="case-\d+"', only)) == SHOWN and "Advice" not in re.sub(r"<select.*?</select>", "", only)
    cars, at = set(), "/vehicles"
    while at:
        page = await (await advisor.get(at)).text()
        cars |= set(re.findall(r'"/vehicles/(\d+)"', page))
        found = re.search(r'href="([^"]+)" rel="next"', page)
        at = found[1].replace("&amp;", "&") if found else ""
    assert len(cars) == 235
    for odd in ("/queue?after=x", "/queue?after=1~2", "/vehicles?after=x", "/owners?after=~"):
        assert (await advisor.get(odd)).status == 422, odd
