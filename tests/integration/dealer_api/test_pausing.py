"""Work waits for a part: the bay is free, the promise moves and its owner hears it, and it goes on."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.dealer_api.conftest import Desk, agrees


async def _at_work(desk: Desk) -> tuple[Any, dict[str, Any]]:
    advisor, technician = await desk.as_role("advisor"), await desk.as_role("technician")
    owner = await desk.post(
        advisor, "/api/v1/owners", {"name": "Jo Muster", "phone": "+491701234001", "language": "en"}
    )
    await agrees(desk, owner["id"])
    body = {"vin": "WVWZZZ1JZXW009001", "profile": "petrol_hatch", "title": "Golf", "owner_id": owner["id"]}
    car = await desk.post(advisor, "/api/v1/vehicles", body)
    case = await desk.post(advisor, "/api/v1/cases", {"vehicle_id": car["id"], "note": "rattles"})
    windows = (await desk.get(advisor, "/api/v1/windows?kind=drop_off"))["items"]
    visit = await desk.post(
        advisor,
        "/api/v1/bookings",
        {"case_id": case["id"], "kind": "drop_off", "starts_at": windows[0]["starts_at"]},
    )
    desk.clock.at = datetime.fromisoformat(visit["starts_at"])
    await desk.post(advisor, f"/api/v1/bookings/{visit['id']}/arrive")
    await desk.post(technician, f"/api/v1/bookings/{visit['id']}/start")
    desk.clock.on(minutes=30)
    return technician, visit


def _wait(desk: Desk, **more: Any) -> dict[str, Any]:
    due = (desk.clock() + timedelta(days=1)).isoformat()
    return {"awaits": "part", "what": "Stabiliser link", "due_at": due, **more}


async def test_a_wait_frees_the_bay_moves_the_promise_and_is_told(desk: Desk):
    technician, visit = await _at_work(desk)
    path = f"/api/v1/bookings/{visit['id']}"
    made = await desk.post(technician, f"{path}/pause", _wait(desk), expect=201)
    whole = await desk.get(technician, path)
    assert whole["pause"]["id"] == made["id"] and whole["state"] == "working"
    assert whole["ready_by"] > made["due_at"] > visit["ready_by"]
    spent, planned = whole["slots"]
    assert spent["ends_at"] == made["made_at"] and planned["starts_at"] >= made["due_at"]
    [text] = await desk.admin.fetch("SELECT body FROM messages WHERE kind = 'new_time'")
    assert "Ready by tomorrow" in text["body"]
    promises = await desk.admin.fetch("SELECT state FROM promises WHERE what = 'ready' ORDER BY id")
    assert [row["state"] for row in promises] == ["moved", "open"]
    early = (desk.clock() + timedelta(hours=2)).isoformat()
    refused = await desk.post(technician, f"{path}/promise", {"ready_by": early}, expect=422)
    assert "Stabiliser link" in refused["detail"]
    await desk.post(technician, f"{path}/resume")
    assert (await desk.get(technician, path))["pause"] is None
    await desk.post(technician, f"{path}/resume", expect=409)


async def test_a_later_time_replaces_the_wait_and_finishing_ends_it(desk: Desk):
    technician, visit = await _at_work(desk)
    path = f"/api/v1/bookings/{visit['id']}"
    await desk.post(technician, f"{path}/pause", _wait(desk))
    later = (desk.clock() + timedelta(days=3)).isoformat()
    await desk.post(technician, f"{path}/pause", _wait(desk, due_at=later))
    rows = await desk.admin.fetch("SELECT state FROM pauses ORDER BY id")
    assert [row["state"] for row in rows] == ["over", "open"]
    await desk.post(technician, f"{path}/finish", {"finding": "It was a stone."})
    assert await desk.admin.fetchval("SELECT count(*) FROM pauses WHERE state = 'open'") == 0
    await desk.post(technician, f"{path}/pause", _wait(desk), expect=409)


@pytest.mark.parametrize(
    "wrong, field",
    [
        ({"what": "  "}, "what"),
        ({"what": "x" * 121}, "what"),
        ({"due_at": "2026-11-20T10:00:00Z"}, "due_at"),
        ({"due_at": "2028-11-20T10:00:00Z"}, "due_at"),
        ({"awaits": "godot"}, "awaits"),
    ],
)
async def test_a_wait_that_cannot_be_is_refused_by_its_field(desk: Desk, wrong: dict[str, str], field: str):
    technician, visit = await _at_work(desk)
    refused = await desk.post(technician, f"/api/v1/bookings/{visit['id']}/pause", _wait(desk, **wrong), expect=422)
    assert field in str(refused)
    assert await desk.admin.fetchval("SELECT count(*) FROM pauses") == 0


async def test_a_car_that_is_not_here_waits_for_nothing(desk: Desk):
    technician, visit = await _at_work(desk)
    await desk.admin.execute("UPDATE bookings SET state = 'agreed'")
    await desk.post(technician, f"/api/v1/bookings/{visit['id']}/pause", _wait(desk), expect=409)


async def test_the_board_is_the_technician_s_first_page_and_its_forms_do_the_work(desk: Desk):
    technician, visit = await _at_work(desk)
    first = await technician.get("/", allow_redirects=False)
    assert first.headers["Location"] == "/workshop"
    page = await (await technician.get("/workshop")).text()
    assert "At work" in page and "Golf" in page and "Bay 1" in page
    token = re.search(r'name="csrf" value="([^"]+)"', page)[1]  # type: ignore[index]
    path = f"/bookings/{visit['id']}"
    for due, told in (("2026-11-20T08:00", "Due at: has passed"), ("never", "Due: is a day and a time")):
        form = {"csrf": token, "awaits": "part", "what": "Link", "due": due}
        answer = await technician.post(f"{path}/pause", data=form, allow_redirects=False)
        assert answer.status == 303
        assert told in await (await technician.get("/workshop")).text()
    await technician.post(
        f"{path}/pause", data={"csrf": token, "awaits": "part", "what": "Link", "due": "2026-11-24T08:00"}
    )
    page = await (await technician.get("/workshop")).text()
    assert "A part: Link." in page and "Paused" in page
    assert "Work waits" in await (await technician.get(f"/cases/{visit['case_id']}")).text()
    desk.clock.on(days=2)
    advisor = await desk.as_role("advisor")
    assert "Still not there" in await (await advisor.get("/today")).text()
    await technician.post(f"{path}/resume", data={"csrf": token})
    assert "Paused" not in await (await technician.get("/workshop")).text()
    driver = await desk.as_role("driver")
    assert (await driver.get("/workshop")).status == 403
