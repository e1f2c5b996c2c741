"""What looks connected and is not, floods of poison, faults of ours: noticed, healed or put aside, and the others go
on.
"""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import Any

import pytest

from gateway.intake import normalise
from gateway.intake.loop import Intake
from gateway.mqtt import session, watchdog
from gateway.mqtt.address import BrokerAddress
from gateway.mqtt.broker import Broker
from proofs import wire
from proofs.proxy import Proxy
from tests.integration.gateway.world import World, until
from tests.patience import PATIENCE_S


async def answer(url: str) -> tuple[int, dict]:
    def ask() -> tuple[int, dict]:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    return await asyncio.to_thread(ask)


async def scrape(url: str) -> dict[str, float]:
    """Each sample of a metrics page by its name and labels."""
    text = (await asyncio.to_thread(urllib.request.urlopen, f"{url}/metrics")).read().decode()
    return {
        key: float(value)
        for key, _, value in (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    }


async def test_a_half_open_connection_is_noticed_and_renewed(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watchdog, "PULSE_EVERY_S", 0.3)
    monkeypatch.setattr(watchdog, "SILENCE_S", 1.0)
    proxy = await Proxy("127.0.0.1", world.broker.port).start()
    made: list[Intake] = []

    class Seen(Intake):
        def __init__(self, *parts: object) -> None:
            super().__init__(*parts)
            made.append(self)

    url = world.broker.mqtt_url.replace(f":{world.broker.port}", f":{proxy.port}")
    await world.start(mqtt_url=url, make_intake=Seen)
    car = await world.car()
    car.say()
    await until(lambda: car.acked)
    session = made[0].broker.sessions[int(made[0].fleet.by_vin[car.vin].bucket)]
    epoch = session.epoch
    proxy.stall()
    for _ in range(5):
        car.say()
    await until(lambda: session.epoch > epoch)
    proxy.flow()
    await until(lambda: car.acked[-1]["upto"] == 6)
    assert await world.count(car) == 6
    await proxy.stop()


async def test_a_broker_that_brings_messages_and_answers_nothing_is_alive_until_it_is_silent(
    monkeypatch: pytest.MonkeyPatch,
):
    """A busy broker owes its answer for long, for it has our acknowledgements to read first."""
    monkeypatch.setattr(watchdog, "PULSE_EVERY_S", 0.1)
    monkeypatch.setattr(watchdog, "SILENCE_S", 1.0)
    monkeypatch.setattr(session, "KEEPALIVE_S", 1)
    speaking = asyncio.Event()
    speaking.set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for one_text in (wire.connack(), wire.suback(1)):
            await reader.read(1_000)
            writer.write(one_text)
        for mid in range(1, 60_000):
            await speaking.wait()
            writer.write(wire.publish("vehicles/00/V/up/telemetry", b"{}", mid))
            await asyncio.sleep(0.02)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    broker = Broker(BrokerAddress.from_url(f"mqtt://gateway:-@127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    watching = asyncio.create_task(watchdog.watch(broker))
    await broker.open([0])
    taken = 0
    while taken < 150:  # three seconds: three times what a keep-alive would suffer
        taken += sum(map(len, await broker.deliveries()))
    assert broker.sessions[0].epoch == 1
    speaking.clear()
    await until(lambda: broker.sessions[0].epoch > 1)
    watching.cancel()
    await broker.close()
    server.close()


async def test_health_says_alive_and_ready_and_counts(world: World):
    task = await world.start()
    url = task.facts["health"]
    assert await answer(f"{url}/health/live") == (200, {"ok": True, "faults": []})
    assert (await answer(f"{url}/health/ready"))[0] == 200
    before = await scrape(url)
    car = await world.car()
    car.say()
    car.say(car.body(seq=1))
    car.say(b"garbage")
    await until(lambda: car.acked)

    async def counted() -> bool:
        now = await scrape(url)
        return {
            name: now[name] - before.get(name, 0)
            for name in (
                "telltale_gateway_messages_total",
                "telltale_gateway_duplicates_total",
                'telltale_gateway_refused_total{reason="not_json"}',
            )
        } == {
            "telltale_gateway_messages_total": 3,
            "telltale_gateway_duplicates_total": 1,
            'telltale_gateway_refused_total{reason="not_json"}': 1,
        }

    await until(counted)
    found = await scrape(url)
    assert found["telltale_gateway_buckets"] == found['telltale_gateway_sessions{state="subscribed"}'] == 16
    assert found["telltale_gateway_database_up"] == 1
    assert found["telltale_gateway_catching_up"] == found["telltale_gateway_owed_messages"] == 0
    assert found["telltale_gateway_batch_seconds_count"] > 0


async def test_alerts_are_counted_by_rule_and_state(world: World):
    task = await world.start()
    url = task.facts["health"]
    before = await scrape(url)
    car = await world.car()
    for _ in range(3):
        for volts in (14.2, 11.0, 10.9):
            car.say(
                car.body(
                    signals={
                        "Vehicle.LowVoltageBattery.CurrentVoltage": volts,
                        "Vehicle.Powertrain.CombustionEngine.Speed": 2000.0,
                    }
                )
            )
    car.say(
        car.body(
            signals={
                "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature": 134.0,
                "Vehicle.Powertrain.CombustionEngine.Speed": 2000.0,
            }
        )
    )

    async def counted() -> bool:
        steps = await world.pool.fetch("SELECT rule, state, count(*) FROM alert_steps GROUP BY rule, state")
        now = await scrape(url)
        told = {(row["rule"], row["state"]): row["count"] for row in steps}
        seen = {key: sum(now.get(name, 0) - before.get(name, 0) for name in _steps(*key)) for key in told}
        return bool(told) and seen == told

    await until(counted)


def _steps(rule: str, state: str) -> list[str]:
    return [
        f'telltale_gateway_alert_steps_total{{rule="{rule}",stage="{stage}",state="{state}"}}'
        for stage in ("live", "shadow")
    ]


async def test_a_gateway_that_commits_nothing_is_not_ready_but_stays_alive(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """A liveness probe must not restart every gateway because the database hangs: they go on by themselves, and forget
    nothing meanwhile.
    """
    from gateway.ops import health

    monkeypatch.setattr(health, "COMMIT_S", 1.5)
    task = await world.start()
    assert (await answer(task.facts["health"] + "/health/ready"))[0] == 200
    lock = await world.pool.acquire()
    transaction = lock.transaction()
    await transaction.start()
    await lock.execute("LOCK TABLE leases IN ACCESS EXCLUSIVE MODE")

    async def red() -> bool:
        status, result = await answer(task.facts["health"] + "/health/ready")
        return status == 503 and "nothing committed" in result["faults"][0]

    await until(red)
    assert await answer(task.facts["health"] + "/health/live") == (200, {"ok": True, "faults": []})
    await transaction.rollback()
    await world.pool.release(lock)

    async def green() -> bool:
        return (await answer(task.facts["health"] + "/health/ready"))[0] == 200

    await until(green)


async def test_a_gateway_that_does_not_even_try_to_write_is_not_alive(world: World, monkeypatch: pytest.MonkeyPatch):
    from gateway.ops import health

    task = await world.start()
    monkeypatch.setattr(health, "STUCK_S", -1.0)  # the beat of this second is too long ago already
    status, result = await answer(task.facts["health"] + "/health/live")
    assert status == 503 and "no attempt at the database" in result["faults"][0]


async def test_a_flood_of_poison_is_counted_not_kept_and_other_cars_go_on(world: World):
    await world.start()
    bad, good = await world.car(), await world.car()
    for _ in range(400):
        bad.say(b"garbage")
    for _ in range(20):
        good.say()
    await until(lambda: good.acked and good.acked[-1]["upto"] == 20)

    async def counted() -> bool:
        rows = await world.pool.fetch("SELECT reason, times FROM quarantine WHERE vehicle_id = $1", bad.id)
        return sum(r["times"] for r in rows) == 400 and "flood" in {r["reason"] for r in rows}

    await until(counted)
    assert await world.pool.fetchval("SELECT count(*) FROM quarantine WHERE vehicle_id = $1", bad.id) < 60
    assert await world.pool.fetchval("SELECT times FROM tallies WHERE name = 'flood' AND subject = $1", bad.vin) > 300
    bad.say()
    await until(lambda: bad.acked and bad.acked[-1]["upto"] == 1)


@pytest.mark.parametrize("part", ["decoder", "judge"])
async def test_a_fault_of_ours_puts_one_message_aside_and_stops_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch, part
):
    class Boom(Exception):
        pass

    if part == "decoder":
        for look in (normalise.quick, normalise.telemetry):

            def looks(payload: bytes, *rest: object, real: Any = look) -> object:
                if b'"boom"' in payload:
                    raise Boom
                return real(payload, *rest)

            monkeypatch.setattr(normalise, look.__name__, looks)
    else:
        real_step = world.judge.step

        def step(memory: object, row: object) -> object:
            if row.seq == 2:
                raise Boom
            return real_step(memory, row)

        monkeypatch.setattr(world.judge, "step", step)
    await world.start()
    car = await world.car()
    car.say()
    car.say(car.body(boom="boom"))
    car.say()
    await until(lambda: car.acked and car.acked[-1]["upto"] in ((1,) if part == "decoder" else (3,)))

    async def stored() -> bool:
        return await world.count(car) == (2 if part == "decoder" else 3)

    await until(stored)
    if part == "decoder":
        assert await world.rejections(car) == ["not_telemetry"]
