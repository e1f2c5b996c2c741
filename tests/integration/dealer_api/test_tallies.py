"""What the services counted is seen at the desk: a dealer's own, and what belongs to nobody's car."""

from __future__ import annotations

from store import tallies
from tests.integration.dealer_api.conftest import Desk


async def test_a_desk_sees_its_own_counts_and_the_houses_but_not_a_neighbours(desk: Desk):
    now = desk.clock()
    rows = [
        (desk.dealer.id, "refused_connect:client_id", "WVWZZZ1JZXW000001", 3, now, "mine"),
        (desk.other.id, "refused_connect:too_often", "WVWZZZ1JZXW000002", 4, now, "theirs"),
        (tallies.NOBODY, "refused_connect:wrong_secret", "unknown cars", 5_123, now, "nobody's"),
    ]
    async with desk.admin.acquire() as connection:
        await tallies.add(connection, rows)
    client = await desk.as_role("advisor")
    page = await (await client.get("/quarantine")).text()
    assert "Connection refused: client id" in page and "Connection refused: wrong secret" in page and "5123" in page
    assert "too often" not in page and "theirs" not in page
