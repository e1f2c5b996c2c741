"""What the cars say ends in the database once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.mqtt.address import BrokerAddress
from gateway.mqtt.broker import Broker
from gateway.mqtt.session import Session
from rules.engine.judge import Judge
from schemas.errors import Misconfigured
from schemas.vehicle import topic
from tests.integration.gateway.world import HeldIntake, World, until


async def test_a_message_is_stored_judged_and_acknowledged_to_the_car(world: World):
    await world.start()
    car = await world.car()
    for _ in range(20):
        car.say()
    await until(lambda: car.acked and car.acked[-1]["upto"] == 20)
    rows = await world.pool.fetch("SELECT seq, place, mark FROM readings WHERE vehicle_id = $1 ORDER BY place", car.id)
    assert [r["seq"] for r in rows] == list(range(1, 21))
    assert [r["place"] for r in rows] == list(range(1, 21))
    assert {r["mark"] for r in rows} == {0}


async def test_the_stock_path_of_paho_does_the_same(world: World):
    await world.start(make_broker=lambda address: Broker(address, bulk=False))
    car = await world.car()
    for _ in range(20):
        car.say()
    await until(lambda: car.acked and car.acked[-1]["upto"] == 20)
    assert await world.count(car) == 20


async def test_what_was_committed_but_not_acknowledged_comes_again_and_is_stored_once(world: World):
    first = await world.start(make_intake=HeldIntake)
    car = await world.car()
    for _ in range(10):
        car.say()

    async def stored() -> bool:
        return await world.count(car) == 10

    await until(stored)
    first.cancel()
    await asyncio.wait({first})
    await world.start()
    await until(lambda: car.acked and car.acked[-1]["upto"] == 10)  # NATS delivers again when its ack_wait is over
    assert await world.count(car) == 10
    car.say()
    await until(lambda: car.acked[-1]["upto"] == 11)
    places = [
        r["place"]
        for r in await world.pool.fetch("SELECT place FROM readings WHERE vehicle_id = $1 ORDER BY seq", car.id)
    ]
    assert places == list(range(1, 12))


def session_that_writes_to(sent: list[bytes]) -> Session:
    session = Session(Broker(BrokerAddress.from_url("mqtt://gateway:-@127.0.0.1")), 0)
    session.client = type(
        "Client", (), {"socket": lambda self: object(), "write_blob": lambda self, b: sent.append(b)}
    )()
    return session


async def test_an_ack_of_an_older_connection_is_not_sent():
    sent: list[bytes] = []
    session = session_that_writes_to(sent)
    session.epoch, session.pending = 2, {7}
    session.ack(1, [7])
    assert sent == [] and session.pending == {7}
    session.ack(2, [7, 0, 9])
    assert sent == [b"\x40\x02\x00\x07\x40\x02\x00\x09"] and session.pending == set()


async def test_our_own_word_is_acknowledged_in_its_turn_and_is_no_delivery():
    sent: list[bytes] = []
    session = session_that_writes_to(sent)
    pulse = session.pulse_topic.encode()
    session.take_many([b"a", b"b"], [b"", b""], [1, 2])
    session.take(pulse, session._tail, 3, dup=False, retained=False)
    session.take(pulse, session._tail, 3, dup=True, retained=False)  # the broker says it again while we are still at it
    session.take_many([b"c", pulse, b"d"], [b"", session._tail, b""], [4, 5, 6])
    assert session.chunk is not None and session.chunk.mids == [1, 2, 4, 6]
    session.ack(0, [1])
    assert session.behind
    session.ack(0, [2, 4])
    assert not session.behind
    session.ack(0, [6])
    assert (
        b"".join(sent) == b"".join(b"\x40\x02\x00" + bytes([mid]) for mid in (1, 2, 3, 4, 5, 6))
        and session.pending == set()
    )
    session.take(pulse, b"tail of a gateway before us 0", 7, dup=False, retained=False)  # nothing is owed before it
    await asyncio.sleep(0)
    assert sent[-1] == b"\x40\x02\x00\x07"


async def test_a_message_that_comes_twice_counts_once(world: World):
    await world.start()
    car = await world.car()
    body = car.body()
    for _ in range(5):
        car.say(body)
    car.say()
    await until(lambda: car.acked and car.acked[-1]["upto"] == 2)
    assert await world.count(car) == 2


async def test_a_gap_is_asked_for_and_what_waited_behind_it_is_judged_in_order(world: World):
    await world.start()
    car = await world.car()
    bodies = {n: car.body(n) for n in range(1, 8)}
    for n in (1, 2, 5, 6, 7):
        car.say(bodies[n])
    await until(lambda: car.asked)
    assert car.asked[0] == {"boot": 1, "from": 3, "to": 4}
    assert car.acked[-1]["upto"] == 2
    open_gap = await world.pool.fetchrow(
        "SELECT first_seq, last_seq, closed_at FROM gaps WHERE vehicle_id = $1", car.id
    )
    assert (open_gap["first_seq"], open_gap["last_seq"], open_gap["closed_at"]) == (3, 4, None)
    waiting = await world.pool.fetch(
        "SELECT seq FROM readings WHERE vehicle_id = $1 AND place IS NULL ORDER BY seq", car.id
    )
    assert [r["seq"] for r in waiting] == [5, 6, 7]
    car.say(bodies[4])
    car.say(bodies[3])
    await until(lambda: car.acked[-1]["upto"] == 7)
    rows = await world.pool.fetch("SELECT seq, place, mark FROM readings WHERE vehicle_id = $1 ORDER BY seq", car.id)
    assert [(r["place"], r["mark"]) for r in rows] == [(n, 0) for n in range(1, 8)]

    async def closed() -> bool:
        return await world.pool.fetchval("SELECT outcome FROM gaps WHERE vehicle_id = $1", car.id) == "arrived"

    await until(closed)


async def test_what_is_below_the_oldest_of_the_spool_is_closed_as_lost_at_the_car(world: World):
    await world.start()
    car = await world.car()
    for n in (1, 2):
        car.say(car.body(n))
    await until(lambda: car.acked and car.acked[-1]["upto"] == 2)
    car.say(car.body(9, oldest=8))

    async def lost() -> bool:
        row = await world.pool.fetchrow(
            "SELECT first_seq, last_seq, outcome FROM gaps WHERE vehicle_id = $1 AND outcome IS NOT NULL", car.id
        )
        return row is not None and row["outcome"] == "lost_at_the_car"

    car.say(car.body(8, oldest=8))
    await until(lost)
    await until(lambda: car.acked[-1]["upto"] == 9)


async def test_a_new_boot_begins_its_own_count(world: World):
    await world.start()
    car = await world.car()
    for n in (1, 2, 3):
        car.say(car.body(n))
    car.boot = 2
    for n in (1, 2):
        car.say(car.body(n))
    await until(lambda: {"boot": 2, "upto": 2} in car.acked and {"boot": 1, "upto": 3} in car.acked)
    places = await world.pool.fetch("SELECT boot, seq FROM readings WHERE vehicle_id = $1 ORDER BY place", car.id)
    assert [tuple(r) for r in places] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]


async def test_a_device_without_counters_is_stored_once_by_its_payload(world: World):
    first = await world.start()
    car = await world.car()
    body = b'{"ts": "2026-11-20T10:00:00Z", "signals": {"Vehicle.Speed": 30}}'

    async def one() -> bool:
        return await world.count(car) == 1

    car.say(body).wait_for_publish(5)
    car.say(body).wait_for_publish(5)
    await until(one)
    await world.stop(first)
    await world.start()
    car.say(body).wait_for_publish(5)
    car.say(b'{"ts": "2026-11-20T10:00:01Z", "signals": {"Vehicle.Speed": 31}}')

    async def two() -> bool:
        return await world.count(car) == 2

    await until(two)


async def test_bad_input_is_visible_with_its_reason_and_delays_nobody(world: World):
    await world.start()
    bad, good = await world.car(), await world.car()
    bad.say(b"this is not JSON")
    bad.say(b'{"boot": 1, "seq": 1, "oldest": 1, "ts": "2026-11-22T10:00:00Z", "signals": {"Vehicle.Speed": NaN}}')
    bad.say(bad.body(2, vin=good.vin))
    bad.say(bad.body(3))
    bad.say(bad.body(3))
    bad.say(bad.body(4, padding="x" * 100_000))  # what is larger still the broker takes from nobody
    bad.say(bad.body(5, signals={"Vehicle.Speed": 40, "Vehicle.Imaginary": 1}))
    bad.say(bad.body(6, signals={"Vehicle.Speed": 9999, "Vehicle.LowVoltageBattery.CurrentVoltage": 12.5}))
    bad.say(b'{"boot": 1, "seq": 7, "ts": "2026-11-22T10:00:00", "signals": {}}')
    bad.say(bad.body(8), retain=True)
    good.say()
    await until(lambda: good.acked and good.acked[-1]["upto"] == 1)
    reasons = ["not_json", "not_finite", "foreign_vin", "too_large", "unknown_signal", "out_of_range", "not_telemetry"]

    async def all_there() -> bool:
        return set(reasons) <= set(await world.rejections(bad))

    await until(all_there)
    kept = await world.pool.fetch("SELECT seq, ids, vals FROM readings WHERE vehicle_id = $1 ORDER BY seq", bad.id)
    assert [r["seq"] for r in kept if r["seq"] in (3, 5, 6)] == [3, 5, 6]
    assert next(r for r in kept if r["seq"] == 6)["ids"] == [5]
    assert await world.count(good) == 1
    bad.say(b"", retain=True)


async def test_a_retained_message_is_no_event(world: World):
    car = await world.car(connect=False)
    await world.start()
    await car.connect()
    car.say(car.body(1), retain=True)
    await until(lambda: car.acked)  # the live copy is an event; a copy from the broker's memory is not
    await world.stop(world.gateways[0])
    await world.start()
    car.say(car.body(2))
    await until(lambda: car.acked[-1]["upto"] == 2)
    assert await world.count(car) == 2
    car.say(b"", retain=True)


async def test_one_bad_row_is_bisected_out_and_the_others_are_stored(world: World):
    await world.start()
    car, other = await world.car(), await world.car()
    await world.pool.execute("ALTER TABLE readings ADD CONSTRAINT unlucky CHECK (seq <> 13)")
    for _ in range(30):
        car.say()
    await until(lambda: car.acked and car.acked[-1]["upto"] == 30)
    assert await world.count(car) == 29
    assert await world.rejections(car) == ["database"]
    for _ in range(3):
        other.say()
    await until(lambda: other.acked and other.acked[-1]["upto"] == 3)
    assert await world.rejections(other) == []


async def test_a_row_that_is_there_already_is_a_duplicate_and_no_fault(world: World):
    await world.start()
    car = await world.car()
    car.say(car.body(1))
    await until(lambda: car.acked)
    await world.pool.execute(
        "INSERT INTO readings SELECT dealer_id, vehicle_id, boot, 2, day, ts, received_at, car_ts, mark, 2, ids, vals, "
        "diagnostics FROM readings WHERE vehicle_id = $1",
        car.id,
    )
    for n in (2, 3):
        car.say(car.body(n))
    await until(lambda: car.acked[-1]["upto"] == 3)
    assert await world.count(car) == 3 and await world.rejections(car) == []


async def test_a_second_gateway_with_the_same_share_leaves_with_one_clear_line(world: World):
    await world.start()
    with pytest.raises(Misconfigured, match=r"TELLTALE_SHARE: share 0/1 is carried by the gateway .* already"):
        await world.start()
    car = await world.car()
    car.say()
    await until(lambda: car.acked)


async def test_a_restarted_gateway_goes_on_with_the_same_memory(world: World, judge: Judge):
    first = await world.start()
    car = await world.car()
    for _ in range(150):  # beyond one checkpoint
        car.say()
    await until(lambda: car.acked and car.acked[-1]["upto"] == 150)
    await world.stop(first)
    made: list[object] = []
    from gateway.intake.loop import Intake

    class Seen(Intake):
        def __init__(self, *parts: object) -> None:
            super().__init__(*parts)
            made.append(self)

    await world.start(make_intake=Seen)
    for _ in range(10):
        car.say()
    await until(lambda: car.acked[-1]["upto"] == 160)
    live = made[0].fleet.by_vin[car.vin].memory

    from store import replays

    async with world.pool.acquire() as connection:
        rows = await replays.page(connection, car.id, 0, 10**9)
    memory = judge.memory("petrol_hatch")
    for row in rows:
        judge.step(memory, row)
    assert len(rows) == 160
    assert bytes(live) == bytes(memory)


async def test_status_is_a_hint_and_no_reading(world: World):
    await world.start()
    car = await world.car()
    car.say(b'{"state": "online", "signals": {"Vehicle.Speed": 12}}', way="up/status")

    async def shown() -> bool:
        hint = await world.pool.fetchval("SELECT hint::text FROM latest WHERE vehicle_id = $1", car.id)
        return hint is not None and "Vehicle.Speed" in hint

    await until(shown)
    assert await world.count(car) == 0
    assert await world.pool.fetchval("SELECT online FROM vehicles WHERE id = $1", car.id) is True


async def test_a_car_that_said_good_bye_stays_gone_whatever_is_still_shown_of_it(world: World):
    await world.start()
    car = await world.car()

    async def shown(words: str) -> bool:
        row = await world.pool.fetchrow(
            "SELECT l.values::text AS said, v.online FROM latest l JOIN vehicles v ON v.id = l.vehicle_id "
            "WHERE v.id = $1",
            car.id,
        )
        return row is not None and words in row["said"] and row["online"] is ("61" not in words)

    for speed, state in ((61.0, b'{"state": "offline"}'), (62.0, None)):
        car.say(car.body(signals={"Vehicle.Speed": speed}))
        if state is not None:
            car.say(state, way="up/status")
        await until(lambda words=f"{speed:g}": shown(words))


async def test_each_set_of_signals_keeps_its_newest_values(world: World):
    await world.start()
    car = await world.car()
    for volts in (13.9, 14.0, 14.1):
        car.say(car.body(signals={"Vehicle.Speed": volts * 2}))
        car.say(car.body(signals={"Vehicle.LowVoltageBattery.CurrentVoltage": volts}))

    async def shown() -> bool:
        values = await world.pool.fetchval("SELECT values FROM latest WHERE vehicle_id = $1", car.id)
        parsed = json.loads(values) if isinstance(values, str) else values or {}
        return {k: v[0] for k, v in parsed.items()} == {
            "Vehicle.Speed": 28.2,
            "Vehicle.LowVoltageBattery.CurrentVoltage": 14.1,
        }

    await until(shown)


async def test_the_newest_values_are_shown(world: World):
    await world.start()
    car = await world.car()
    car.say(car.body(signals={"Vehicle.Speed": 88.0}))

    async def shown() -> bool:
        values = await world.pool.fetchval("SELECT values::text FROM latest WHERE vehicle_id = $1", car.id)
        return values is not None and "88" in values

    await until(shown)
    assert topic(car.vin, "up/telemetry").startswith("vehicles/")
