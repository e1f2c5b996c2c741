"""The dealer's own settings: hours change, people decide about visits that no longer fit."""

from __future__ import annotations

import re

from schemas.account import SETTINGS
from tests.integration.dealer_api.conftest import Desk

VIN = "WVWZZZ1JZXW000001"


async def test_changed_hours_list_the_visits_they_leave_outside_and_drop_none(desk: Desk):
    manager = await desk.as_role("manager")
    owner = await desk.post(manager, "/api/v1/owners", {"name": "Anna", "phone": "+491701111001", "address": "Weg 1"})
    car = await desk.post(
        manager, "/api/v1/vehicles", {"vin": VIN, "profile": "petrol_hatch", "title": "Golf", "owner_id": owner["id"]}
    )
    case = await desk.post(manager, "/api/v1/cases", {"vehicle_id": car["id"], "note": "n"})
    window = (await desk.get(manager, "/api/v1/windows?kind=pickup"))["items"][0]["starts_at"]
    booking = await desk.post(
        manager, "/api/v1/bookings", {"case_id": case["id"], "kind": "pickup", "starts_at": window}
    )
    assert (await desk.get(manager, "/api/v1/dealer"))["conflicts"] == []

    response = await manager.patch("/api/v1/dealer", json={"opening_hours": "Mo 14:00-18:00"})
    assert [one["id"] for one in (await response.json())["conflicts"]] == [booking["id"]]
    assert (await desk.get(manager, f"/api/v1/bookings/{booking['id']}"))["state"] == "agreed"
    assert all(
        item["starts_at"] >= "2026-11-23T13"
        for item in (await desk.get(manager, "/api/v1/windows?kind=drop_off"))["items"]
    )


async def test_hours_that_cannot_be_read_are_refused_and_change_nothing(desk: Desk):
    manager = await desk.as_role("manager")
    response = await manager.patch("/api/v1/dealer", json={"opening_hours": "whenever we like"})
    assert response.status == 422 and (await response.json(content_type=None))["field"] == "opening_hours"
    assert (await desk.get(manager, "/api/v1/dealer"))["opening_hours"].startswith("Mo-Fr")


async def test_the_holidays_of_the_region_and_days_of_their_own_are_closed_and_listed(desk: Desk):
    manager = await desk.as_role("manager")
    for body, field in (({"region": "DE-QQ"}, "region"), ({"special_days": "Monday closed"}, "special_days")):
        response = await manager.patch("/api/v1/dealer", json=body)
        assert response.status == 422 and (await response.json(content_type=None))["field"] == field
    page = await (await manager.get("/settings")).text()
    fields = _as_a_browser_sends_them(page)
    response = await manager.post(
        "/settings",
        data={**fields, "region": "DE-HH", "special_days": "2026-11-23 16:00-18:00\r\n2026-11-24 closed"},
        allow_redirects=False,
    )
    assert response.status == 303 and (await desk.get(manager, "/api/v1/dealer"))["region"] == "DE-HH"
    starts = [item["starts_at"] for item in (await desk.get(manager, "/api/v1/windows?kind=drop_off"))["items"]]
    assert starts[0] == "2026-11-23T15:00:00Z" and not any(start.startswith("2026-11-24") for start in starts)
    page = " ".join(re.sub("<[^>]*>", " ", await (await manager.get("/settings")).text()).split())
    assert (
        "Mon 23 Nov 2026 16:00–18:00" in page
        and "Tue 24 Nov 2026 closed" in page
        and "Fri 25 Dec 2026 closed Christmas Day" in page
    )


async def test_a_limit_that_makes_no_sense_is_refused(desk: Desk):
    manager = await desk.as_role("manager")
    for body in ({"drive_minutes": 0}, {"notice_minutes": -1}, {"name": ""}, {"id": 7}, {"zone": "Europe/Paris"}):
        assert (await manager.patch("/api/v1/dealer", json=body)).status == 422, body


async def test_every_setting_stands_on_the_page_and_in_the_api_within_its_bounds(desk: Desk):
    """The model is the list: who adds a setting to it has added it here, too."""
    manager = await desk.as_role("manager")
    page = await (await manager.get("/settings")).text()
    kept = await desk.get(manager, "/api/v1/dealer")
    for name, setting in SETTINGS.items():
        assert name in kept and (f'name="{name}"' in page) == (setting.section is not None), name
        if setting.unit:
            assert f'min="{setting.least}" max="{setting.most}"' in page
            assert (await manager.patch("/api/v1/dealer", json={name: setting.most + 1})).status == 422
            assert (await (await manager.patch("/api/v1/dealer", json={name: setting.most})).json())[
                name
            ] == setting.most


async def test_extra_work_needs_the_owners_recorded_yes_and_is_answered_once(desk: Desk):
    manager = await desk.as_role("manager")
    owner = await desk.post(manager, "/api/v1/owners", {"name": "Anna", "phone": "+491701111001"})
    car = await desk.post(
        manager, "/api/v1/vehicles", {"vin": VIN, "profile": "petrol_hatch", "title": "Golf", "owner_id": owner["id"]}
    )
    case = await desk.post(manager, "/api/v1/cases", {"vehicle_id": car["id"], "note": "n"})
    window = (await desk.get(manager, "/api/v1/windows?kind=waiting"))["items"][0]["starts_at"]
    booking = await desk.post(
        manager, "/api/v1/bookings", {"case_id": case["id"], "kind": "waiting", "starts_at": window}
    )
    line = {"title": "Wiper blades", "amount_minor": 3900}
    await desk.post(manager, f"/api/v1/bookings/{booking['id']}/estimates", line, expect=409)
    await desk.post(manager, f"/api/v1/bookings/{booking['id']}/arrive")
    made = await desk.post(manager, f"/api/v1/bookings/{booking['id']}/estimates", line)
    assert made["answer"] is None
    answered = await desk.post(
        manager, f"/api/v1/estimates/{made['id']}/answer", {"approved": True, "reason": "said yes at the desk"}
    )
    assert answered["answer"] == "approved"
    await desk.post(
        manager, f"/api/v1/estimates/{made['id']}/answer", {"approved": False, "reason": "changed her mind"}, expect=409
    )


async def test_a_promise_in_the_past_is_refused(desk: Desk):
    manager = await desk.as_role("manager")
    car = await desk.post(manager, "/api/v1/vehicles", {"vin": VIN, "profile": "petrol_hatch", "title": "Golf"})
    case = await desk.post(manager, "/api/v1/cases", {"vehicle_id": car["id"], "note": "n"})
    window = (await desk.get(manager, "/api/v1/windows?kind=drop_off"))["items"][0]["starts_at"]
    booking = await desk.post(
        manager, "/api/v1/bookings", {"case_id": case["id"], "kind": "drop_off", "starts_at": window}
    )
    path = f"/api/v1/bookings/{booking['id']}/promise"
    assert (await desk.post(manager, path, {"ready_by": "2026-11-22T10:00:00Z"}, expect=422))["field"] == "ready_by"
    assert (await desk.post(manager, path, {"ready_by": "2026-11-23T16:00:00+01:00"}))[
        "ready_by"
    ] == "2026-11-23T15:00:00Z"


async def test_how_long_is_kept_is_a_managers_to_choose_within_bounds_on_the_page_and_through_the_api(desk: Desk):
    manager = await desk.as_role("manager")
    assert (await desk.get(manager, "/api/v1/dealer"))["keep_positions_days"] == 30
    for days in (0, 401):
        response = await manager.patch("/api/v1/dealer", json={"keep_positions_days": days})
        assert response.status == 422 and (await response.json(content_type=None))["field"] == "keep_positions_days"
    assert (await manager.patch("/api/v1/dealer", json={"keep_positions_days": 14})).status == 200
    assert (
        await (await desk.as_role("advisor")).patch("/api/v1/dealer", json={"keep_positions_days": 20})
    ).status == 403
    page = await (await manager.get("/settings")).text()
    fields = _as_a_browser_sends_them(page)
    assert fields["keep_positions_days"] == "14" and "Not looked through yet" in page
    response = await manager.post("/settings", data={**fields, "keep_audit_days": "30"})
    assert response.status == 422 and "Audit log: is a number of days from 365 to 7320" in await response.text()
    response = await manager.post("/settings", data={**fields, "keep_texts_days": "90"}, allow_redirects=False)
    assert response.status == 303 and (await desk.get(manager, "/api/v1/dealer"))["keep_texts_days"] == 90


def _as_a_browser_sends_them(page: str) -> dict[str, str]:
    """What stands in the fields of this page: typed ones, and of each choice what is chosen, else the first."""
    typed = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', page))
    for name, options in re.findall(r'<select name="(\w+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        found = re.findall(r'<option value="([^"]*)"( selected)?', options)
        typed[name] = next((value for value, chosen in found if chosen), found[0][0])
    return typed
