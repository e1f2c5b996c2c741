"""Who may knock at which door: generated from the register, so that a new door without an answer fails here."""

from __future__ import annotations

import re

import pytest

from dealer_api.route import PUBLIC, Route
from dealer_api.routes import ROUTES
from schemas.scope import SCOPES, granted
from tests.integration.dealer_api.conftest import Desk

ROLES = ("advisor", "driver", "technician", "manager")
GUARDED = [route for route in ROUTES if route.who != PUBLIC]  # none of them is a demo's


def path_of(route: Route) -> str:
    return re.sub(r"{\w+(:[^}]*)?}", "999999", route.path)


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


async def ask(client, route, **more):
    headers = {"Idempotency-Key": f"matrix-{name_of(route)}", "Content-Type": "application/json", **more}
    return await client.request(route.method, path_of(route), headers=headers, data=b"", allow_redirects=False)


def test_every_door_says_who_may_knock_and_what_it_does():
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    for route in ROUTES:
        assert route.who, name_of(route)
        if route.is_api:
            assert route.summary, name_of(route)
        assert route.who == PUBLIC or route.who <= {*ROLES, "api"}, name_of(route)


def test_only_these_doors_of_the_api_are_open_to_everybody():
    assert {name_of(route) for route in ROUTES if route.is_api and route.who == PUBLIC} == {
        "GET /api/v1/openapi.json",
        "POST /api/v1/session",
    }


async def test_nobody_gets_past_a_door_without_saying_who_they_are(desk: Desk):
    client = desk.anonymous()
    for route in GUARDED:
        response = await ask(client, route)
        if route.is_api or route.method != "GET":
            assert response.status == 401, name_of(route)
        else:
            assert response.status == 303 and response.headers["Location"].startswith("/sign-in?next="), name_of(route)
    await client.close()


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_gets_past_exactly_the_doors_that_name_it(desk: Desk, role):
    client = await desk.as_role(role)
    for route in GUARDED:
        if (
            route.method == "DELETE"
            or route.path == "/events"
            or route.path.endswith("/events")
            or "sign-out" in route.path
        ):
            continue  # these end the session or never end
        response = await ask(client, route)
        if role in route.who:
            assert response.status not in (401, 403, 500) or (response.status == 403 and not route.is_api), (
                name_of(route),
                response.status,
            )
        else:
            assert response.status == 403, (name_of(route), response.status)


async def test_a_key_of_all_scopes_opens_what_is_meant_for_programs_until_it_is_revoked(desk: Desk):
    manager = await desk.as_role("manager")
    key = (await desk.post(manager, "/api/v1/keys", {"label": "parts system", "scopes": ["all"]}))["key"]
    client = desk.anonymous()
    for route in GUARDED:
        if route.method == "DELETE" or route.streams:
            continue
        response = await ask(client, route, Authorization=f"Bearer {key}")
        assert (response.status == 403) == ("api" not in route.who), (name_of(route), response.status)
    await desk.post(manager, "/api/v1/keys/revoke", {"label": "parts system"})
    assert (await client.get("/api/v1/cases", headers={"Authorization": f"Bearer {key}"})).status == 401
    await client.close()


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_key_opens_exactly_the_doors_of_its_scope(desk: Desk, scope):
    manager = await desk.as_role("manager")
    key = (await desk.post(manager, "/api/v1/keys", {"label": "narrow", "scopes": [scope]}))["key"]
    client = desk.anonymous()
    for route in GUARDED:
        if route.streams or "api" not in route.who:
            continue
        response = await ask(client, route, Authorization=f"Bearer {key}")
        allowed = route.permission.allows("api", granted([scope]))
        assert (response.status == 403) != allowed, (name_of(route), response.status)
        if not allowed:
            assert route.permission.scope in (await response.json(content_type=None))["detail"]
    await client.close()


async def test_a_disabled_colleague_is_out_at_once(desk: Desk):
    driver, manager = await desk.as_role("driver"), await desk.as_role("manager")
    await desk.get(driver, "/api/v1/legs")
    await desk.post(manager, f"/api/v1/staff/{desk.people[(desk.dealer.id, 'driver')].id}/disable")
    await desk.get(driver, "/api/v1/legs", expect=401)
