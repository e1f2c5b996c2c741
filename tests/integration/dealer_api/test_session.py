"""Signing in, being refused, signing out."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import structlog

from dealer_api.app_keys import HEALTH, LIVE
from dealer_api.authentication import KNOWN
from monitoring.page import Address
from tests.integration.dealer_api.conftest import Desk
from tests.patience import PATIENCE_S

PASSWORD = "a good long password"


async def test_who_signs_in_is_known_until_they_sign_out(desk: Desk):
    client = desk.anonymous()
    response = await client.post("/api/v1/session", json={"email": "Advisor@nord.example ", "password": PASSWORD})
    assert response.status == 201 and (await response.json())["staff"]["role"] == "advisor"
    cookie = response.cookies["telltale_session"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    me = await desk.get(client, "/api/v1/session")
    assert me["role"] == "advisor" and me["dealer"]["name"] == "Nord"
    gone = await client.delete("/api/v1/session", headers={"Content-Type": "application/json"})
    assert gone.status == 204
    await desk.get(client, "/api/v1/session", expect=401)
    await client.close()


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(desk: Desk):
    client = desk.anonymous()
    wrong = await client.post("/api/v1/session", json={"email": "advisor@nord.example", "password": "not it at all"})
    unknown = await client.post("/api/v1/session", json={"email": "nobody@nord.example", "password": "not it at all"})
    assert wrong.status == unknown.status == 401
    assert await wrong.read() == await unknown.read()
    await client.close()


async def test_a_session_that_nobody_touches_ends_and_an_open_page_does_not_keep_it(desk: Desk):
    client, at = await desk.as_role("advisor"), {"now": desk.house.machine()}
    object.__setattr__(desk.house, "machine", lambda: at["now"])

    async def later(hours, **headers):
        at["now"] += timedelta(hours=hours)
        desk.app[KNOWN]._found.clear()
        return (await client.get("/queue", headers=headers, allow_redirects=False)).status

    assert await later(3.9) == 200
    assert await later(3.9) == 200, "by hand: it goes on"
    for looked in ({"HX-Request": "true"}, {"Sec-Fetch-Mode": "cors"}):
        assert await later(1.9, **looked) == 200
    assert await later(0.3) == 303, "the page looked again by itself, nobody did anything"


async def test_a_desk_whose_clock_runs_ahead_signs_nobody_else_out(desk: Desk):
    advisor = await desk.as_role("advisor")
    now = desk.house.machine()
    object.__setattr__(desk.house, "machine", lambda: now + timedelta(days=500))
    await desk.as_role("manager")
    object.__setattr__(desk.house, "machine", lambda: now)
    await desk.get(advisor, "/api/v1/session")


async def test_no_session_outlives_its_day_however_busy_it_is(desk: Desk):
    client, at = await desk.as_role("advisor"), {"now": desk.house.machine()}
    object.__setattr__(desk.house, "machine", lambda: at["now"])
    for hour in range(1, 15):
        at["now"] += timedelta(hours=1)
        desk.app[KNOWN]._found.clear()
        assert (await client.get("/api/v1/session")).status == (200 if hour < 14 else 401), hour


async def test_by_https_the_cookie_is_one_that_no_other_host_can_set(desk: Desk):
    client = desk.anonymous()
    tls = {"X-Forwarded-Proto": "https"}  # the proxy on this machine is believed
    response = await client.post(
        "/api/v1/session", json={"email": "advisor@nord.example", "password": PASSWORD}, headers=tls
    )
    cookie = response.cookies["__Host-telltale_session"]
    assert (
        cookie["secure"]
        and cookie["httponly"]
        and cookie["path"] == "/"
        and not cookie["domain"]
        and "telltale_session" not in response.cookies
    )
    jar = {"Cookie": f"telltale_session={cookie.value}"}
    assert (await client.get("/api/v1/session", headers={**tls, **jar})).status == 401, (
        "a name that another host can set is not read"
    )
    assert (
        await client.get("/api/v1/session", headers={**tls, "Cookie": f"__Host-telltale_session={cookie.value}"})
    ).status == 200
    await client.close()


async def test_behind_a_proxy_that_replaces_host_our_public_address_decides_and_a_stranger_hears_why(desk: Desk):
    client = await desk.as_role("advisor")
    own = {"Host": "127.0.0.1:8080", "Origin": "http://desk.example", "Idempotency-Key": "1"}
    assert (
        await client.post("/api/v1/owners", json={"name": "Anna", "phone": "+491701111001"}, headers=own)
    ).status == 201
    response = await client.post(
        "/api/v1/owners",
        json={"name": "Berta", "phone": "+491702222001"},
        headers={**own, "Origin": "https://shop.example", "Idempotency-Key": "2"},
    )
    reason = (await response.json(content_type=None))["detail"]
    assert response.status == 403 and all(
        word in reason
        for word in ("https://shop.example", "127.0.0.1:8080", "desk.example", "Host", "TELLTALE_PUBLIC_URL")
    )


async def test_health_is_public_and_says_yes_or_no_and_nothing_else(desk: Desk):
    client = desk.anonymous()
    response = await client.get("/health/live")
    assert (response.status, await response.json()) == (200, {"live": True})
    await asyncio.wait_for(desk.app[LIVE].listening.wait(), PATIENCE_S)
    response = await client.get("/health/ready")
    assert (response.status, await response.json()) == (200, {"ready": True})
    held = [await desk.house.pool.acquire() for _ in range(12)]
    try:
        response = await client.get("/health/ready")
        assert (response.status, await response.json()) == (503, {"ready": False})
        assert (await client.get("/health/live")).status == 200
    finally:
        for connection in held:
            await desk.house.pool.release(connection)
    await client.close()


async def test_a_request_from_another_site_is_refused_though_the_cookie_came_along(desk: Desk):
    client = await desk.as_role("technician")
    response = await client.delete("/api/v1/session", headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status == 403


async def test_metrics_stand_on_the_health_port_alone_and_name_routes_never_what_was_typed(desk: Desk):
    client = await desk.as_role("advisor")
    for path in ("/api/v1/cases/4711", "/nowhere/4711", "/o/4711-secret-link"):
        await client.get(path)
    await client.request("BREW", "/api/v1/cases")
    await client.post("/api/v1/session", json={"email": "advisor@nord.example", "password": "not this one"})
    for headers in ({}, {"X-Forwarded-For": "203.0.113.9"}):
        assert (await client.get("/metrics", headers=headers)).status == 404
    async with desk.app[HEALTH].page().open(Address()) as url, client.session.get(f"{url}/metrics") as response:
        text = await response.text()
    assert 'telltale_api_requests_total{method="GET",route="/api/v1/cases/{id}",status="404"}' in text
    assert 'telltale_api_requests_total{method="GET",route="unknown",status="404"}' in text
    assert 'telltale_api_pool_connections{pool="desk",state="most"} 12.0' in text
    assert float(re.search(r"^telltale_api_sign_in_failures_total (.+)$", text, re.M).group(1)) >= 1
    names = re.sub(r" \S+$", "", text, flags=re.M)  # without the values, in whose digits anything may stand
    assert "4711" not in names and "BREW" not in names and "@" not in names


async def test_a_request_has_a_name_that_its_caller_may_give(desk: Desk):
    client = desk.anonymous()
    response = await client.get("/api/v1/cases", headers={"X-Request-Id": "01JD-abc.def_9"})
    assert response.headers["X-Request-Id"] == "01JD-abc.def_9"
    for odd in ("", "short", "+4917612345678", "4917612345678", "jo@example.org", "x" * 65, "two words or more"):
        response = await client.get("/nowhere", headers={"X-Request-Id": odd})
        assert re.fullmatch(r"[0-9a-f]{16}", response.headers["X-Request-Id"]), odd
    await client.close()


async def test_each_request_is_one_line_with_its_route_and_without_what_was_typed(desk: Desk):
    client = await desk.as_role("advisor")
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        response = await client.get("/api/v1/owners/4711?name=Muster")
    [line] = [line for line in lines if line["event"] == "request"]
    assert (
        line["route"] == "/api/v1/owners/{id}" and line["status"] == 404 and line["method"] == "GET" and line["ms"] > 0
    )
    assert line["request"] == response.headers["X-Request-Id"]
    assert "4711" not in str(line) and "Muster" not in str(line)


async def test_every_answer_carries_the_strict_headers(desk: Desk):
    client = desk.anonymous()
    for path in ("/sign-in", "/api/v1/cases", "/nowhere", "/health/live"):
        response = await client.get(path, allow_redirects=False)
        assert (
            "default-src 'self'" in response.headers["Content-Security-Policy"]
            and "unsafe" not in response.headers["Content-Security-Policy"]
        ), path
        assert (
            response.headers["X-Content-Type-Options"] == "nosniff"
            and response.headers["Referrer-Policy"] == "no-referrer"
        ), path
        assert response.headers["Cache-Control"] == "no-store", path
    await client.close()


async def test_a_database_that_is_too_busy_is_a_503_within_seconds(desk: Desk):
    client = await desk.as_role("advisor")
    held = [await desk.house.pool.acquire() for _ in range(12)]
    try:
        response = await client.get("/api/v1/cases")
        assert response.status == 503 and response.headers["Retry-After"] == "2"
    finally:
        for connection in held:
            await desk.house.pool.release(connection)
    assert (await client.get("/api/v1/cases")).status == 200
