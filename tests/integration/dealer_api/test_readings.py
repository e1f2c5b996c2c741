"""What a car said, over the API: with its own spacing, page by page, and refused telemetry beside it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from schemas.reading import UNIT
from schemas.signal import BY_PATH
from tests.integration.dealer_api.conftest import Desk

START = datetime(2023, 5, 4, 10, 0, 0, 123457, tzinfo=UTC)  # an old recording with absolute times
SPEED, VOLTAGE = "Vehicle.Speed", "Vehicle.OBD.ControlModuleVoltage"


async def _car(desk, dealer=None):
    manager = await desk.as_role("manager", dealer)
    return (
        await desk.post(
            manager, "/api/v1/vehicles", {"vin": "WVWZZZ1JZXW000009", "profile": "petrol_hatch", "title": "Golf"}
        )
    )["id"]


async def _drive(desk, car, spacing):
    at = START
    for n, gap in enumerate(spacing):
        at += timedelta(seconds=gap)
        day = int(at.timestamp() // 86400)
        await desk.admin.execute("SELECT open_day($1)", day)
        await desk.admin.execute(
            """INSERT INTO readings (dealer_id, vehicle_id, boot, seq, day, ts, received_at, mark, place, ids, vals)
               VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $3, $8, $9)""",
            desk.dealer.id,
            car,
            n + 1,
            day,
            at,
            desk.clock(),
            2 if n == 0 else 0,
            [BY_PATH[SPEED].id, BY_PATH[VOLTAGE].id],
            [10.0 + n, 14.5],
        )


async def test_a_recordings_spacing_is_kept_to_the_microsecond_across_pages(desk: Desk):
    car, spacing = await _car(desk), [0, 1.020001, 0.5, 3600.25, 0.000002]
    await _drive(desk, car, spacing)
    advisor, found, cursor = await desk.as_role("advisor"), [], ""
    while True:
        page = await desk.get(
            advisor,
            f"/api/v1/vehicles/{car}/readings?signal={SPEED}&since=2023-01-01T00:00:00Z&until=2024-01-01T00:00:00Z&limit=2{cursor}",
        )
        assert page["unit"] == "km/h"
        found += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    times = [datetime.fromisoformat(item["ts"]) for item in found]
    assert [round((b - a).total_seconds(), 6) for a, b in zip(times, times[1:])] == spacing[1:]
    assert [item["value"] for item in found] == [10.0, 11.0, 12.0, 13.0, 14.0]
    assert found[0]["marks"] == ["late"] and found[1]["marks"] == []


async def test_whole_messages_carry_every_signal_by_its_path(desk: Desk):
    car = await _car(desk)
    await _drive(desk, car, [0])
    page = await desk.get(
        await desk.as_role("technician"),
        f"/api/v1/vehicles/{car}/readings?since=2023-01-01T00:00:00Z&until=2024-01-01T00:00:00Z",
    )
    assert page["items"][0]["signals"] == {SPEED: 10.0, VOLTAGE: 14.5} and page["items"][0]["place"] == 1


async def test_a_value_has_the_digits_that_were_said_and_none_of_float32(desk: Desk):
    car = await _car(desk)
    await _drive(desk, car, [0])
    await desk.admin.execute("UPDATE readings SET vals = $1", [12.14, 14.5])
    where = f"/api/v1/vehicles/{car}/readings?since=2023-01-01T00:00:00Z&until=2024-01-01T00:00:00Z"
    advisor = await desk.as_role("advisor")
    assert (await desk.get(advisor, f"{where}&signal={SPEED}"))["items"][0]["value"] == 12.14
    assert (await desk.get(advisor, where))["items"][0]["signals"][SPEED] == 12.14


async def test_the_last_week_is_shown_unless_said_and_nonsense_is_refused(desk: Desk):
    car = await _car(desk)
    await _drive(desk, car, [0])
    advisor = await desk.as_role("advisor")
    assert (await desk.get(advisor, f"/api/v1/vehicles/{car}/readings"))["items"] == []
    for query, field in (
        ("signal=Vehicle.Mood", "signal"),
        ("since=yesterday", "since"),
        ("since=2024-01-01T00:00:00", "since"),
        ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "since"),
        ("limit=100000", "limit"),
    ):
        response = await advisor.get(f"/api/v1/vehicles/{car}/readings?{query}")
        assert (response.status, (await response.json(content_type=None))["field"]) == (422, field)


async def test_refused_telemetry_is_shown_harmlessly_and_decided_once(desk: Desk):
    car = await _car(desk)
    row = await desk.admin.fetchval(
        """INSERT INTO quarantine (dealer_id, vehicle_id, vin, topic, payload, reason, detail, received_at)
           VALUES ($1, $2, 'WVWZZZ1JZXW000009', 't', $3, 'not_json', 'no JSON', $4) RETURNING id""",
        desk.dealer.id,
        car,
        b"\x00<script>\xff",
        desk.clock(),
    )
    technician = await desk.as_role("technician")
    shown = (await desk.get(technician, "/api/v1/quarantine?undecided=true"))["items"]
    assert [one["id"] for one in shown] == [row] and "\x00" not in shown[0]["payload"]
    await desk.post(
        technician, f"/api/v1/quarantine/{row}/reject", expect=403
    )  # a technician looks; alerts hang on what is decided
    advisor = await desk.as_role("advisor")
    decided = await desk.post(advisor, f"/api/v1/quarantine/{row}/reject")
    assert decided["decided"] == "rejected" and decided["decided_by"].startswith("staff:")
    await desk.post(advisor, f"/api/v1/quarantine/{row}/reject", expect=409)
    await desk.post(advisor, f"/api/v1/quarantine/{row}/accept", expect=422)  # nothing in it could be believed
    assert (await desk.get(technician, "/api/v1/quarantine?undecided=true"))["items"] == []


async def test_what_was_let_in_can_be_taken_back_and_the_gateway_is_told_both_times(desk: Desk):
    car = await _car(desk)
    row = await desk.admin.fetchval(
        """INSERT INTO quarantine (dealer_id, vehicle_id, vin, topic, payload, reason, detail, received_at)
           VALUES ($1, $2, 'WVWZZZ1JZXW000009', 't', '{}', 'odometer', 'jumped', $3) RETURNING id""",
        desk.dealer.id,
        car,
        desk.clock(),
    )
    rung: list[str] = []
    async with desk.admin.acquire() as ear:

        def hear(*text):
            rung.append(text[-1])

        await ear.add_listener("cars", hear)
        advisor = await desk.as_role("advisor")
        states = [
            (await desk.post(advisor, f"/api/v1/quarantine/{row}/{move}"))["decided"]
            for move in ("reject", "accept", "reject")
        ]
        async with asyncio.timeout(20):
            while len([r for r in rung if "quarantine" in r]) < 2:
                await ear.fetchval("SELECT 1")  # each round trip brings what was rung before
        await ear.remove_listener("cars", hear)
    assert states == ["rejected", "accepted", "taken_back"] and len([r for r in rung if "quarantine" in r]) == 2
    for move in ("accept", "reject"):
        await desk.post(advisor, f"/api/v1/quarantine/{row}/{move}", expect=409)


async def test_credentials_are_made_once_and_a_revoked_car_is_told_to_the_gateway(desk: Desk):
    car, manager = await _car(desk), await desk.as_role("manager")
    made = await desk.post(manager, f"/api/v1/vehicles/{car}/enrol")
    assert (
        len(made["password"]) == 64
        and made["topics"]["up/telemetry"] == f"vehicles/{made['bucket']:02d}/{made['vin']}/up/telemetry"
    )
    stored = await desk.admin.fetchval("SELECT secret_hash FROM vehicles WHERE id = $1", car)
    import hashlib

    assert stored == hashlib.sha256(made["password"].encode()).digest()
    assert (await desk.post(manager, f"/api/v1/vehicles/{car}/revoke", {"reason": "sold"}))["revoked_at"]
    await desk.post(manager, f"/api/v1/vehicles/{car}/revoke", expect=409)


async def test_a_car_that_speaks_with_a_new_unit_says_so_and_so_do_its_messages(desk: Desk):
    car, since = await _car(desk), START.timestamp()
    await _drive(desk, car, [0, 1])
    await desk.admin.execute("UPDATE readings SET boot = boot + $1 WHERE seq = 2", UNIT)
    await desk.admin.execute(
        """INSERT INTO checkpoints (vehicle_id, dealer_id, place, boot, upto, ts, day, frontier, versions, memory)
           VALUES ($1, $2, 2, $3, 2, $4, 1, $5, '{}', '')""",
        car,
        desk.dealer.id,
        UNIT + 1,
        START,
        {"units": [[since - 9, since, False]]},
    )
    advisor = await desk.as_role("advisor")
    where, seen, cursor = (
        f"/api/v1/vehicles/{car}/readings?since=2023-01-01T00:00:00Z&until=2024-01-01T00:00:00Z&limit=1",
        [],
        "",
    )
    while cursor is not None:
        page = await desk.get(advisor, f"{where}{cursor}")
        seen += [(item["unit"], item["boot"], item["seq"]) for item in page["items"]]
        cursor = None if page["next"] is None else f"&cursor={page['next']}"
    assert seen == [(0, 1, 1), (1, 1, 2)]
    shown = await (await advisor.get(f"/vehicles/{car}")).text()
    assert "Speaks with a new unit since" in shown and "Nobody has enrolled one" in shown


async def test_what_a_car_s_feed_never_brings_is_named_at_the_car(desk: Desk):
    car = await _car(desk)
    advisor = await desk.as_role("advisor")
    assert (await desk.get(advisor, f"/api/v1/vehicles/{car}"))["unwatched"] == []
    values = {SPEED: [50, START.timestamp()]}
    await desk.admin.execute(
        "INSERT INTO latest (vehicle_id, dealer_id, ts, values) VALUES ($1, $2, $3, $4)",
        car,
        desk.dealer.id,
        START,
        values,
    )
    found = {one["rule"]: one["needs"] for one in (await desk.get(advisor, f"/api/v1/vehicles/{car}"))["unwatched"]}
    either = ["Vehicle.LowVoltageBattery.CrankingVoltageMin", "Vehicle.OBD.ControlModuleVoltage"]
    assert found["battery_12v"] == either
    shown = await (await advisor.get(f"/vehicles/{car}")).text()
    assert "Cannot be watched" in shown and "needs lowest voltage while cranking" in shown
