"""A recall is an alert of its own, opened and closed by the car's facts."""

from __future__ import annotations

from store import recalls
from store.pool import transaction
from tests.integration.workers.conftest import Scene
from workers import recalling


async def test_a_campaign_becomes_a_case_of_advice_once_and_ends_when_its_work_is_done(scene: Scene) -> None:
    vins = [row["vin"] for row in await scene.admin.fetch("SELECT vin FROM vehicles ORDER BY id")]
    async with transaction(scene.context.pool) as connection:
        assert await recalls.announce(connection, "24V-101", [vins[0], "WVWZZZ00000000000"]) == [vins[0]]
        assert await recalls.announce(connection, "24V-101", [vins[0]]) == [vins[0]]
    assert await recalling.recalls_once(scene.context) == 2
    assert await recalling.recalls_once(scene.context) == 0
    rows = await scene.admin.fetch("SELECT component, state, severity, because FROM alerts WHERE rule = 'recall'")
    assert [(r["component"], r["state"], r["severity"]) for r in rows] == [("24V-101", "active", "advice")]
    assert "24V-101" in rows[0]["because"]
    async with transaction(scene.context.pool) as connection:
        assert await recalls.finish(connection, "24V-101", vins) == [vins[0]]
    assert await recalling.recalls_once(scene.context) == 1
    assert await scene.admin.fetchval("SELECT state FROM alerts WHERE rule = 'recall'") == "resolved"
