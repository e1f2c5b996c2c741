"""Keys of programs: what they may do, until when, and what they never may."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dealer_api.authentication import KNOWN
from store import secrets
from store.pool import transaction
from tests.integration.dealer_api.conftest import Desk


async def _key(desk, **more):
    made = await desk.post(await desk.as_role("manager"), "/api/v1/keys", {"label": "till", **more})
    return made, {"Authorization": f"Bearer {made['key']}"}


async def test_a_key_reads_unless_it_was_given_more_and_works_for_a_year(desk: Desk):
    made, headers = await _key(desk)
    assert all(scope.endswith(":read") for scope in made["scopes"]) and made["last_used_at"] is None
    client = desk.anonymous()
    assert (await client.get("/api/v1/cases", headers=headers)).status == 200
    refused = await client.post(
        "/api/v1/owners", json={"name": "A", "phone": "+491701111003"}, headers={**headers, "Idempotency-Key": "1"}
    )
    assert refused.status == 403 and "owners:write" in (await refused.json(content_type=None))["detail"]
    desk.clock.on(days=366)
    desk.app[KNOWN]._found.clear()  # what was known half a second ago, in machine time
    assert (await client.get("/api/v1/cases", headers=headers)).status == 401
    await client.close()


async def test_a_key_may_be_made_without_an_end_and_not_with_one_that_is_past(desk: Desk):
    made, _ = await _key(desk, expires_at=None)
    assert made["expires_at"] is None
    past = (desk.clock() - timedelta(minutes=1)).isoformat()
    result = await desk.post(
        await desk.as_role("manager"), "/api/v1/keys", {"label": "late", "expires_at": past}, expect=422
    )
    assert result["field"] == "expires_at"
    result = await desk.post(
        await desk.as_role("manager"), "/api/v1/keys", {"label": "odd", "scopes": ["staff:write"]}, expect=422
    )
    assert result["field"] == "scopes"


async def test_the_last_use_of_a_key_is_known_to_the_hour(desk: Desk):
    made, headers = await _key(desk)
    manager, client = await desk.as_role("manager"), desk.anonymous()

    async def last():
        return (await desk.get(manager, "/api/v1/keys"))["items"][0]["last_used_at"]

    assert await last() is None
    await client.get("/api/v1/cases", headers=headers)
    first = await last()
    desk.clock.on(minutes=30)
    desk.app[KNOWN]._found.clear()
    await client.get("/api/v1/cases", headers=headers)
    assert first is not None and await last() == first
    desk.clock.on(minutes=31)
    desk.app[KNOWN]._found.clear()
    await client.get("/api/v1/cases", headers=headers)
    assert await last() > first
    await client.close()


async def test_a_key_from_before_there_were_scopes_does_what_it_did_except_for_people(desk: Desk):
    async with transaction(desk.house.pool, desk.dealer.id) as connection:
        key = await secrets.make(connection, desk.dealer.id, "api_key", now=desk.clock(), label="old")
    client, headers = desk.anonymous(), {"Authorization": f"Bearer {key}"}
    made = await client.post(
        "/api/v1/owners", json={"name": "Anna", "phone": "+491701111001"}, headers={**headers, "Idempotency-Key": "1"}
    )
    assert made.status == 201
    assert (await client.get("/api/v1/staff", headers=headers)).status == 200
    assert (await client.post("/api/v1/staff", json={}, headers={**headers, "Idempotency-Key": "2"})).status == 403
    assert (await client.get("/api/v1/events", headers=headers)).status == 403, "what was not there then is not added"
    listed = (await desk.get(await desk.as_role("manager"), "/api/v1/keys"))["items"][0]
    assert "owners:write" in listed["scopes"] and "events:read" not in listed["scopes"]
    await client.close()


@pytest.mark.parametrize(
    "door",
    [
        ("POST", "/api/v1/staff", {"name": "Eve", "email": "eve@nord.example", "role": "manager"}),
        ("POST", "/api/v1/staff/{manager}/disable", {}),
        ("PATCH", "/api/v1/staff/{manager}", {"role": "driver"}),
        ("POST", "/api/v1/keys", {"label": "more"}),
        ("POST", "/api/v1/keys/revoke", {"label": "till"}),
    ],
)
async def test_no_key_makes_changes_or_ends_people_or_keys(desk: Desk, door):
    _, headers = await _key(desk, scopes=["all"])
    method, path, body = door
    client = desk.anonymous()
    path = path.replace("{manager}", str(desk.people[(desk.dealer.id, "manager")].id))
    response = await client.request(method, path, json=body, headers={**headers, "Idempotency-Key": "1"})
    assert response.status == 403
    await client.close()


async def test_what_a_key_may_not_see_is_left_out_of_what_it_may(desk: Desk):
    advisor = await desk.as_role("advisor")
    owner = await desk.post(advisor, "/api/v1/owners", {"name": "Anna", "phone": "+491701111001", "address": "Gasse 1"})
    car = await desk.post(
        advisor,
        "/api/v1/vehicles",
        {"vin": "WVWZZZ1JZXW000002", "profile": "petrol_hatch", "title": "Car", "owner_id": owner["id"]},
    )
    await desk.post(advisor, f"/api/v1/owners/{owner['id']}/messages", {"body": "Canary text"})
    case = await desk.post(advisor, "/api/v1/cases", {"vehicle_id": car["id"], "note": "rattle"})
    client = desk.anonymous()
    for scopes, sees_owner, sees_words in (
        (["vehicles:read", "cases:read"], False, False),
        (["vehicles:read", "cases:read", "owners:read", "messages:read"], True, True),
    ):
        await desk.admin.execute("DELETE FROM secrets WHERE purpose = 'api_key'")
        _, headers = await _key(desk, scopes=scopes)
        whole = await (await client.get(f"/api/v1/vehicles/{car['id']}", headers=headers)).json()
        assert (whole["owner"] is not None) == sees_owner
        whole = await (await client.get(f"/api/v1/cases/{case['id']}", headers=headers)).json()
        assert bool(whole["conversation"]) == sees_words and whole["owner"] == "Anna"
    technician = await desk.as_role("technician")
    assert (await desk.get(technician, f"/api/v1/vehicles/{car['id']}"))["owner"] is None, (
        "the workshop does not ring owners"
    )
    await client.close()


async def test_a_driver_reads_the_drives_and_nothing_else(desk: Desk):
    driver = await desk.as_role("driver")
    for path in (
        "/cases",
        "/alerts",
        "/vehicles",
        "/bookings",
        "/waiting",
        "/staff",
        "/owners",
        "/quarantine",
        "/dealer",
    ):
        await desk.get(driver, f"/api/v1{path}", expect=403)
    for path in ("/legs", "/session"):
        await desk.get(driver, f"/api/v1{path}")
