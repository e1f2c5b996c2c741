"""A real house: the demo's doors are not there, from nowhere, whatever stands in between."""

from __future__ import annotations

import pytest

from tests.integration.dealer_api.conftest import Desk

FROM = (
    {},
    {"X-Forwarded-For": "203.0.113.9"},
    {"Forwarded": "for=127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"},
    {"Via": "1.1 nginx"},
)


@pytest.mark.parametrize("headers", FROM, ids=lambda headers: ", ".join(headers) or "directly")
async def test_they_are_404_also_from_this_very_machine(desk: Desk, headers):
    await desk.admin.execute(
        "INSERT INTO senders (address, dealer_id, channel) VALUES ('+49305550100', $1, 'phone')", desk.dealer.id
    )
    client = desk.anonymous()
    for method, path in (
        ("GET", "/phone"),
        ("GET", "/phone/texts"),
        ("POST", "/inbound/phone"),
        ("POST", "/sign-in/demo"),
    ):
        for name in (path, path + "/", path + "?to=%2B491701111"):
            response = await client.request(
                method,
                name,
                data={"from": "+491701111001", "to": "+49305550100", "body": "STOP", "staff": "1"},
                headers=headers,
                allow_redirects=False,
            )
            assert response.status == 404, (method, name)
    assert await desk.admin.fetchval("SELECT count(*) FROM replies") == 0
    await client.close()


async def test_no_person_is_shown_on_the_sign_in_page(desk: Desk):
    client = desk.anonymous()
    text = await (await client.get("/sign-in")).text()
    assert "one click" not in text and "Manager of Nord" not in text
    await client.close()


async def test_without_a_demo_no_dealer_is_seen_before_somebody_is_known(desk: Desk):
    async with desk.house.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT set_config('app.dealer', $1, true)", str(desk.dealer.id))
        assert await connection.fetchval("SELECT count(*) FROM dealers") == 1
    async with desk.house.pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM dealers") == 0
