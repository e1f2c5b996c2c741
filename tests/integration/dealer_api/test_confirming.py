"""A repaired car that does not speak: its case is closed by a person, who says how they know."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.integration.dealer_api.conftest import Desk

VIN = "WVWZZZ1JZXW000001"


@pytest.fixture
async def repaired(desk: Desk):
    """A case of a customer who rang, whose car was never heard, brought, repaired and handed back: (case id, vehicle
    id).
    """
    manager = await desk.as_role("manager")
    owner = await desk.post(
        manager,
        "/api/v1/owners",
        {
            "name": "Anna Berg",
            "phone": "030 1234567",
            "address": "Lindenweg 3, Berlin",
            "language": "en",
            "consent": {"service": True, "status": True, "survey": True, "wording": "Yes.", "source": "desk"},
        },
    )
    car = await desk.post(
        manager,
        "/api/v1/vehicles",
        {"vin": VIN, "profile": "petrol_hatch", "title": "VW Golf", "plate": "B-TT 204", "owner_id": owner["id"]},
    )
    case = await desk.post(manager, "/api/v1/cases", {"vehicle_id": car["id"], "note": "It rattles."})
    window = (await desk.get(manager, "/api/v1/windows?kind=drop_off"))["items"][0]["starts_at"]
    booking = await desk.post(
        manager, "/api/v1/bookings", {"case_id": case["id"], "kind": "drop_off", "starts_at": window}
    )
    for step, body in (("arrive", {}), ("start", {}), ("finish", {"finding": "exhaust fixed"}), ("hand-over", {})):
        desk.clock.on(minutes=20)
        await desk.post(manager, f"/api/v1/bookings/{booking['id']}/{step}", body)
    return case["id"], car["id"]


async def texts(desk, kind):
    return [
        row["body"] for row in await desk.admin.fetch("SELECT body FROM messages WHERE kind = $1 ORDER BY id", kind)
    ]


async def test_a_test_drive_closes_it_and_is_named_wherever_it_is_told(desk: Desk, repaired):
    case, _ = repaired
    technician, driver = await desk.as_role("technician"), await desk.as_role("driver")
    assert "tell us itself" not in (await texts(desk, "handed_over"))[0]
    path = f"/api/v1/cases/{case}/confirm"
    open_one = await desk.get(technician, f"/api/v1/cases/{case}")
    assert (open_one["state"], open_one["next_step"]["act"], open_one["next_step"]["path"]) == (
        "verifying",
        "confirm",
        path,
    )
    assert "How is it known" in await (await technician.get(f"/cases/{case}")).text()
    await desk.post(driver, path, {"how": "test_drive"}, expect=403)
    await desk.post(technician, path, {"how": "a feeling"}, expect=422)
    done = await desk.post(technician, path, {"how": "test_drive", "note": "12 km, no noise"})
    assert (done["state"], done["confirmed"]) == ("done", "test_drive")
    assert "a test drive showed that it is healed: 12 km, no noise" in [line["reason"] for line in done["history"]]
    assert "We have driven your VW Golf after the repair" in (await texts(desk, "all_clear"))[0]
    page = re.sub(r"\s+", " ", await (await technician.get(f"/cases/{case}")).text())
    assert "A test drive showed that it is healed, not the car itself." in page and "The car has proved it" not in page
    await desk.post(technician, path, {"how": "owner"}, expect=409)


async def test_the_owners_own_word_closes_it_by_the_desks_form_and_is_not_told_back_to_them(desk: Desk, repaired):
    case, _ = repaired
    advisor = await desk.as_role("advisor")
    fields = dict(re.findall(r'name="(csrf)" value="([^"]*)"', await (await advisor.get(f"/cases/{case}")).text()))
    response = await advisor.post(
        f"/cases/{case}/confirm", data={**fields, "how": "owner", "note": "rang her"}, allow_redirects=False
    )
    assert response.status == 303 and (await desk.get(advisor, f"/api/v1/cases/{case}"))["confirmed"] == "owner"
    assert await texts(desk, "all_clear") == []
    assert (
        await desk.admin.fetchval("SELECT count(*) FROM wakeups WHERE topic = 'feedback' AND subject_id = $1", case)
        == 1
    )


async def test_nobodys_word_goes_over_what_the_car_says_after_the_repair(desk: Desk, repaired):
    case, car = repaired
    advisor, now = await desk.as_role("advisor"), desk.clock()
    await desk.admin.execute(
        "INSERT INTO alerts (dealer_id, vehicle_id, rule, rule_version, component, episode, step, state, severity, "
        "because, first_at, changed_at, received_at,"
        " case_id, shadow, evidence) "
        "VALUES ($1, $2, 'tyre_leak', 1, 'front_left', 1, 1, 'active', 'soon', 'front left fell by 48 kPa', $3, $3, "
        "$3, $4, false, '{}')",
        desk.dealer.id,
        car,
        now - timedelta(days=1),
        case,
    )
    await desk.admin.execute("UPDATE vehicles SET last_heard_at = $2 WHERE id = $1", car, now)
    result = await desk.post(advisor, f"/api/v1/cases/{case}/confirm", {"how": "technician"}, expect=409)
    assert "the car has spoken since the repair and still reports: front left fell by 48 kPa" in result["detail"]
    await desk.admin.execute("UPDATE vehicles SET last_heard_at = $2 WHERE id = $1", car, now - timedelta(days=1))
    await desk.post(advisor, f"/api/v1/cases/{case}/confirm", {"how": "technician"})
