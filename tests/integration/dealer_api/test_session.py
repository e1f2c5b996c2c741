"""Signing in, being refused, signing out."""

from __future__ import annotations

PASSWORD = "a good long password"


async def test_who_signs_in_is_known_until_they_sign_out(desk):
    client = desk.anonymous()
    said = await client.post("/api/v1/session", json={"email": "Advisor@nord.example ", "password": PASSWORD})
    assert said.status == 201 and (await said.json())["staff"]["role"] == "advisor"
    cookie = said.cookies["telltale_session"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    me = await desk.get(client, "/api/v1/session")
    assert me["role"] == "advisor" and me["dealer"]["name"] == "Nord"
    gone = await client.delete("/api/v1/session", headers={"Content-Type": "application/json"})
    assert gone.status == 204
    await desk.get(client, "/api/v1/session", expect=401)
    await client.close()


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(desk):
    client = desk.anonymous()
    wrong = await client.post("/api/v1/session", json={"email": "advisor@nord.example", "password": "not it at all"})
    unknown = await client.post("/api/v1/session", json={"email": "nobody@nord.example", "password": "not it at all"})
    assert wrong.status == unknown.status == 401
    assert await wrong.read() == await unknown.read()
    await client.close()


async def test_the_sixth_wrong_password_in_a_quarter_of_an_hour_is_not_even_looked_at(desk):
    client = desk.anonymous()
    for _ in range(5):
        assert (await client.post("/api/v1/session", json={"email": "driver@nord.example", "password": "guessing"})).status == 401
    assert (await client.post("/api/v1/session", json={"email": "driver@nord.example", "password": "guessing"})).status == 429
    await client.close()


async def test_health_is_public_and_says_whether_the_bell_is_heard(desk):
    client = desk.anonymous()
    assert (await client.get("/health/live")).status == 200
    assert (await client.get("/health/ready")).status in (200, 503)
    await client.close()


async def test_a_request_from_another_site_is_refused_though_the_cookie_came_along(desk):
    client = await desk.as_role("technician")
    said = await client.delete("/api/v1/session", headers={"Sec-Fetch-Site": "cross-site"})
    assert said.status == 403


async def test_the_scraper_beside_us_reads_counters_and_a_proxy_finds_no_such_page(desk):
    client = desk.anonymous()
    await client.get("/api/v1/cases")
    said = await client.get("/metrics")
    assert said.status == 200
    text = await said.text()
    assert 'telltale_desk_answers_total{door="/api/v1/cases",method="GET",status="401"}' in text
    assert (await client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})).status == 404
    await client.close()


async def test_every_answer_carries_the_strict_headers(desk):
    client = desk.anonymous()
    for path in ("/sign-in", "/api/v1/cases", "/nowhere", "/health/live"):
        said = await client.get(path, allow_redirects=False)
        assert "default-src 'self'" in said.headers["Content-Security-Policy"] and "unsafe" not in said.headers["Content-Security-Policy"], path
        assert said.headers["X-Content-Type-Options"] == "nosniff" and said.headers["Referrer-Policy"] == "no-referrer", path
        assert said.headers["Cache-Control"] == "no-store", path
    await client.close()


async def test_a_database_that_is_too_busy_is_a_503_within_seconds(desk):
    client = await desk.as_role("advisor")
    held = [await desk.house.pool.acquire() for _ in range(12)]
    try:
        said = await client.get("/api/v1/cases")
        assert said.status == 503 and said.headers["Retry-After"] == "2"
    finally:
        for connection in held:
            await desk.house.pool.release(connection)
    assert (await client.get("/api/v1/cases")).status == 200
