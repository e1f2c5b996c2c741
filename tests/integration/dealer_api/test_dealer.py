"""The dealer's own settings: hours change, people decide about visits that no longer fit."""

from __future__ import annotations

VIN = "WVWZZZ1JZXW000001"


async def test_changed_hours_list_the_visits_they_leave_outside_and_drop_none(desk):
    manager = await desk.as_role("manager")
    owner = await desk.post(manager, "/api/v1/owners", {"name": "Anna", "phone": "+491701111", "address": "Weg 1"})
    car = await desk.post(manager, "/api/v1/vehicles", {"vin": VIN, "profile": "petrol_hatch", "title": "Golf", "owner_id": owner["id"]})
    case = await desk.post(manager, "/api/v1/cases", {"vehicle_id": car["id"], "note": "n"})
    window = (await desk.get(manager, "/api/v1/windows?kind=pickup"))["items"][0]["starts_at"]
    booking = await desk.post(manager, "/api/v1/bookings", {"case_id": case["id"], "kind": "pickup", "starts_at": window})
    assert (await desk.get(manager, "/api/v1/dealer"))["conflicts"] == []

    said = await manager.patch("/api/v1/dealer", json={"opening_hours": "Mo 14:00-18:00"})
    assert [one["id"] for one in (await said.json())["conflicts"]] == [booking["id"]]
    assert (await desk.get(manager, f"/api/v1/bookings/{booking['id']}"))["state"] == "agreed"
    assert all(item["starts_at"] >= "2026-11-23T13" for item in (await desk.get(manager, "/api/v1/windows?kind=drop_off"))["items"])


async def test_hours_that_cannot_be_read_are_refused_and_change_nothing(desk):
    manager = await desk.as_role("manager")
    said = await manager.patch("/api/v1/dealer", json={"opening_hours": "whenever we like"})
    assert said.status == 422 and (await said.json(content_type=None))["field"] == "opening_hours"
    assert (await desk.get(manager, "/api/v1/dealer"))["opening_hours"].startswith("Mo-Fr")


async def test_a_limit_that_makes_no_sense_is_refused(desk):
    manager = await desk.as_role("manager")
    for body in ({"drive_minutes": 0}, {"notice_minutes": -1}, {"name": ""}, {"id": 7}, {"zone": "Europe/Paris"}):
        assert (await manager.patch("/api/v1/dealer", json=body)).status == 422, body


async def test_extra_work_needs_the_owners_recorded_yes_and_is_answered_once(desk):
    manager = await desk.as_role("manager")
    owner = await desk.post(manager, "/api/v1/owners", {"name": "Anna", "phone": "+491701111"})
    car = await desk.post(manager, "/api/v1/vehicles", {"vin": VIN, "profile": "petrol_hatch", "title": "Golf", "owner_id": owner["id"]})
    case = await desk.post(manager, "/api/v1/cases", {"vehicle_id": car["id"], "note": "n"})
    window = (await desk.get(manager, "/api/v1/windows?kind=waiting"))["items"][0]["starts_at"]
    booking = await desk.post(manager, "/api/v1/bookings", {"case_id": case["id"], "kind": "waiting", "starts_at": window})
    line = {"title": "Wiper blades", "amount_minor": 3900}
    await desk.post(manager, f"/api/v1/bookings/{booking['id']}/estimates", line, expect=409)
    await desk.post(manager, f"/api/v1/bookings/{booking['id']}/arrive")
    made = await desk.post(manager, f"/api/v1/bookings/{booking['id']}/estimates", line)
    assert made["answer"] is None
    answered = await desk.post(manager, f"/api/v1/estimates/{made['id']}/answer", {"approved": True, "reason": "said yes at the desk"})
    assert answered["answer"] == "approved"
    await desk.post(manager, f"/api/v1/estimates/{made['id']}/answer", {"approved": False, "reason": "changed her mind"}, expect=409)


async def test_a_promise_in_the_past_is_refused(desk):
    manager = await desk.as_role("manager")
    car = await desk.post(manager, "/api/v1/vehicles", {"vin": VIN, "profile": "petrol_hatch", "title": "Golf"})
    case = await desk.post(manager, "/api/v1/cases", {"vehicle_id": car["id"], "note": "n"})
    window = (await desk.get(manager, "/api/v1/windows?kind=drop_off"))["items"][0]["starts_at"]
    booking = await desk.post(manager, "/api/v1/bookings", {"case_id": case["id"], "kind": "drop_off", "starts_at": window})
    path = f"/api/v1/bookings/{booking['id']}/promise"
    assert (await desk.post(manager, path, {"ready_by": "2026-11-22T10:00:00Z"}, expect=422))["field"] == "ready_by"
    assert (await desk.post(manager, path, {"ready_by": "2026-11-23T16:00:00+01:00"}))["ready_by"] == "2026-11-23T15:00:00Z"
