"""A gateway that was away for long comes back: what waits for it holds up no answer of the broker, and is stored
once.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.intake.loop import Intake
from gateway.mqtt.address import BrokerAddress
from gateway.mqtt.broker import HELD_BYTES, Broker
from gateway.mqtt.session import Session
from gateway.ops.auth_callout import AuthCallout
from schemas.vehicle import BUCKETS
from tests.integration.gateway.owing import Night
from tests.integration.gateway.test_watchdog import answer
from tests.integration.gateway.world import HeldIntake, World, until
from tests.patience import PATIENCE_S

EACH = 1_500  #: of 16 cars: more than any window, and the broker has out what it may for each session


@pytest.fixture
async def night(any_broker: World) -> Night:
    """A broker that knows our sessions, and a fleet that has spoken since the last gateway left."""
    made = await Night.over(any_broker)
    gateway = await any_broker.start()
    await until(
        lambda: nothing_owed(any_broker)
    )  # a gateway of an earlier test may have been ended before it acknowledged
    await any_broker.stop(gateway)
    return made


async def nothing_owed(world: World) -> bool:
    """Whether the broker has nothing for our sessions but perhaps a pulse of each; one that does not say was started
    for this test.
    """
    if not world.broker.auth_url:
        return True
    asking = AuthCallout(world.broker.auth_url, world.broker.auth_seed, {})
    await asking.start()
    owed = await asking.owed([f"vehicles/{bucket:02d}/+/up/+" for bucket in range(BUCKETS)])
    await asking.stop()
    return owed is not None and owed <= BUCKETS


@asynccontextmanager
async def readings_locked(world: World):
    """A database that takes no reading: whoever writes one waits."""
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE readings IN ACCESS EXCLUSIVE MODE")
        yield


async def test_a_gateway_that_was_away_comes_back_to_24000_owed_messages(night):
    await night.fall(EACH)
    await night.world.start()
    await until(night.over_now)


async def test_every_session_opens_although_nobody_takes_what_is_owed(night):
    await night.fall(EACH)
    broker = Broker(BrokerAddress.from_url(night.world.broker.mqtt_url, night.world.options.get("mqtt_version", 4)))
    await broker.open(range(BUCKETS), timeout=PATIENCE_S)
    assert all(session.subscribed.is_set() for session in broker.sessions.values())
    await broker.close()


async def test_a_database_that_takes_nothing_keeps_no_session_from_its_subscription_and_none_is_renewed(
    night, monkeypatch: pytest.MonkeyPatch
):
    """PINGRESP and pulse lie behind the messages, too: they are heard although nothing can be committed."""
    from gateway.mqtt import watchdog

    monkeypatch.setattr(watchdog, "PULSE_EVERY_S", 0.3)
    monkeypatch.setattr(watchdog, "SILENCE_S", PATIENCE_S)
    made: list[Intake] = []
    heard, hear = Counter[int](), Session._heard_ourselves

    def counted(self: Session, *pulse: Any) -> None:
        heard[self.bucket] += 1
        hear(self, *pulse)

    monkeypatch.setattr(Session, "_heard_ourselves", counted)

    class Seen(Intake):
        def __init__(self, *parts: object) -> None:
            super().__init__(*parts)
            made.append(self)

    await night.fall(EACH)
    async with readings_locked(night.world):
        await night.world.start(make_intake=Seen)
        sessions = made[0].broker.sessions
        epochs = {bucket: session.epoch for bucket, session in sessions.items()}
        before = heard.copy()
        await until(lambda: all(heard[bucket] > before[bucket] + 5 for bucket in range(BUCKETS)))
        assert len(sessions) == BUCKETS and all(session.subscribed.is_set() for session in sessions.values())
        assert {bucket: session.epoch for bucket, session in sessions.items()} == epochs
        assert made[0].broker.backlog_bytes() < HELD_BYTES + (4 << 20)
    await until(night.over_now)


async def test_what_is_in_hand_is_bounded_by_its_size_and_the_rest_comes_when_there_is_room(night):
    made: list[Broker] = []

    def small(address: BrokerAddress) -> Broker:
        made.append(Broker(address, held=1 << 20))
        return made[0]

    def in_hand() -> int:
        return made[0].backlog_bytes() + sum(chunk.size for chunk in made[0]._inbox) if made else 0

    await night.fall(100, size=16_000)  # 25 MB
    most = 0
    async with readings_locked(night.world):
        starting = asyncio.create_task(night.world.start(make_broker=small))
        await until(lambda: in_hand() > 1 << 20)
        for _ in range(50):
            await asyncio.sleep(0.02)
            most = max(most, in_hand())
    assert most < 5 << 20, "one read of one session above what may be held, and no more"
    await until(night.over_now)
    await starting


async def test_buckets_change_hands_while_24000_messages_are_owed(night):
    await night.fall(EACH)
    coarse = await night.world.start()
    await asyncio.gather(night.world.start((0, 2)), night.world.start((1, 2)))
    await until(night.over_now)
    await night.world.stop(coarse)
    await night.fall(10)
    await until(night.over_now)


async def test_ready_says_how_much_is_owed_while_it_catches_up_and_nobody_is_told_to_end_it(night):
    await night.fall(EACH)
    held = await night.world.start(make_intake=HeldIntake)  # it stores, and tells nobody: so it stays behind

    async def owes_and_says_so() -> bool:
        status, health = await answer(f"{held.facts['health']}/health/ready")
        words = "".join(health.get("words", ()))
        told = (
            r"catching up: 240\d\d owed \(since 20"
            if night.world.broker.auth_url
            else r"catching up: \d+ taken, the broker does not say how many are still owed \(since 20"
        )
        return status == 200 and re.match(told, words) is not None

    await until(owes_and_says_so)
    assert await answer(f"{held.facts['health']}/health/live") == (200, {"ok": True, "faults": []})
    await night.world.stop(held)
    task = await night.world.start()
    await until(night.over_now)

    async def quiet() -> bool:
        return await answer(f"{task.facts['health']}/health/ready") == (200, {"ok": True, "faults": []})

    await until(quiet)


async def test_alerts_of_what_waited_are_judged_late_and_those_of_now_are_not(night):
    """Late means: the reading is older than the rule's `max_age` when we receive it, so it is never worded as now."""
    await night.fall(300, hot=True)
    await night.world.start()
    await until(night.over_now)

    async def steps() -> list[bool]:
        return [
            row["late"] for row in await night.world.pool.fetch("SELECT late FROM alert_steps WHERE state = 'active'")
        ]

    waited = await until(steps)
    assert len(waited) >= BUCKETS and all(waited)
