"""Another time for a visit: the desk's page, the owner's page and the API, each on its own door to one action."""

from __future__ import annotations

import re

from tests.integration.dealer_api.conftest import Desk

VIN = "WVWZZZ1JZXW009001"


async def _visit(desk):
    advisor = await desk.as_role("advisor")
    owner = await desk.post(
        advisor, "/api/v1/owners", {"name": "Jo Muster", "phone": "+491701234001", "address": "Weg 1", "language": "en"}
    )
    car = await desk.post(
        advisor, "/api/v1/vehicles", {"vin": VIN, "profile": "petrol_hatch", "title": "Golf", "owner_id": owner["id"]}
    )
    case = await desk.post(advisor, "/api/v1/cases", {"vehicle_id": car["id"], "note": "rattles"})
    windows = (await desk.get(advisor, "/api/v1/windows?kind=drop_off"))["items"]
    return (
        advisor,
        await desk.post(
            advisor,
            "/api/v1/bookings",
            {"case_id": case["id"], "kind": "drop_off", "starts_at": windows[2]["starts_at"]},
        ),
        windows,
    )


async def test_the_desk_the_owner_and_a_program_move_the_same_visit(desk: Desk):
    advisor, visit, windows = await _visit(desk)
    page = await (await advisor.get(f"/bookings/{visit['id']}/time")).text()
    assert "your visit has another time" in page and "Move and send" in page
    moved = await desk.post(
        advisor,
        f"/api/v1/bookings/{visit['id']}/move",
        {"starts_at": windows[5]["starts_at"], "was": visit["starts_at"]},
    )
    assert moved["starts_at"] == windows[5]["starts_at"] and moved["state"] == "agreed"
    stale = await desk.post(
        advisor,
        f"/api/v1/bookings/{visit['id']}/move",
        {"starts_at": windows[6]["starts_at"], "was": visit["starts_at"]},
        expect=409,
    )
    assert "another time by now" in stale["detail"]
    taken = await desk.post(
        advisor,
        f"/api/v1/bookings/{visit['id']}/move",
        {"starts_at": f"{windows[0]['starts_at'][:10]}T23:00:00Z"},
        expect=409,
    )
    assert len(taken["windows"]) == 3
    link = re.search(r"/o/\S+", await desk.admin.fetchval("SELECT body FROM messages WHERE kind = 'moved'"))[0]
    shown = await (await desk.anonymous().get(f"{link}/move")).text()
    was, choice = (
        re.search(r'name="was" value="([^"]+)"', shown)[1],
        re.findall(r'name="starts_at" value="([^"]+)"', shown)[3],
    )
    assert await desk.admin.fetchval("SELECT count(*) FROM messages WHERE kind = 'moved'") == 1, (
        "looking changes nothing"
    )
    response = await desk.anonymous().post(
        f"{link}/move", data={"booking": visit["id"], "was": was, "starts_at": choice}, allow_redirects=False
    )
    assert response.status == 303 and response.headers["Location"].endswith("?note=moved")
    again = await desk.anonymous().post(
        f"{link}/move",
        data={"booking": visit["id"], "was": was, "starts_at": windows[8]["starts_at"]},
        allow_redirects=False,
    )
    assert again.headers["Location"].endswith("?note=overtaken"), "a page from before the move"
    assert await desk.admin.fetchval("SELECT count(*) FROM slots WHERE state = 'booked'") == 1
