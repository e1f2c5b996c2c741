"""Unsafe settings are refused at the start, each with one line that names it."""

from __future__ import annotations

import asyncio

import pytest

from gateway.mqtt.address import BrokerAddress
from gateway.ops import self_check
from proofs.bench.brokers import mosquitto
from proofs.proxy import Proxy
from schemas.errors import Misconfigured
from store import transactions
from tests.standing import PoolAs

needs_mosquitto = pytest.mark.skipif(
    mosquitto() is None, reason="mosquitto is not installed on this machine (Debian: apt install mosquitto)"
)


@needs_mosquitto
@pytest.mark.parametrize(
    ("lines", "named"),
    [(["max_inflight_messages 4000"], "the broker's queue"), (["max_queued_messages 0"], "the broker's window")],
)
async def test_a_broker_with_its_default_limits_is_refused(mosquittos, lines, named):
    port = await mosquittos("allow_anonymous true", *lines)
    with pytest.raises(Misconfigured, match=named):
        await self_check.check_broker(
            BrokerAddress.from_url(f"mqtt://gateway:-@127.0.0.1:{port}"), None, open_broker=True
        )


@needs_mosquitto
async def test_a_broker_with_room_is_taken(mosquittos):
    port = await mosquittos("allow_anonymous true", "max_inflight_messages 4000", "max_queued_messages 0")
    await self_check.check_broker(BrokerAddress.from_url(f"mqtt://gateway:-@127.0.0.1:{port}"), None, open_broker=True)


@needs_mosquitto
async def test_a_broker_that_does_nothing_for_a_while_again_and_again_is_not_taken_for_one_that_keeps_too_little(
    mosquittos, monkeypatch: pytest.MonkeyPatch
):
    """As mosquitto, while it writes a large store."""
    monkeypatch.setattr(self_check, "SILENCE_S", 0.05)
    port = await mosquittos("allow_anonymous true", "max_inflight_messages 4000", "max_queued_messages 0")
    proxy = await Proxy("127.0.0.1", port).start()
    proxy.delay_s, proxy.piece = 0.15, 8_192
    await self_check.check_broker(
        BrokerAddress.from_url(f"mqtt://gateway:-@127.0.0.1:{proxy.port}"), None, open_broker=True
    )
    await proxy.stop()


async def test_the_embedded_broker_passes_its_own_check(broker):
    from gateway.ops.auth_callout import AuthCallout

    keeper = AuthCallout(broker.auth_url, broker.auth_seed, {})
    await keeper.start()
    result = await keeper.settings_of_broker()
    assert result is not None and result["mqtt"]["max_ack_pending"] == 4000
    await self_check.check_broker(BrokerAddress.from_url(broker.mqtt_url), keeper)
    await keeper.stop()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ({"mqtt": {"ack_wait": 60e9, "max_ack_pending": 4000}, "jetstream": {"config": {}}}, "ack_wait"),
        ({"mqtt": {"ack_wait": 10e9, "max_ack_pending": 20}, "jetstream": {"config": {}}}, "max_ack_pending"),
        ({"mqtt": {"ack_wait": 10e9, "max_ack_pending": 4000}, "jetstream": None}, "jetstream"),
    ],
)
def test_settings_of_the_embedded_broker_that_lose_messages_are_refused(text, named):
    with pytest.raises(Misconfigured, match=named):
        self_check.check_settings_of_nats(text)


async def test_debugging_is_refused():
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    try:
        with pytest.raises(Misconfigured, match="PYTHONASYNCIODEBUG"):
            self_check.check_process()
    finally:
        loop.set_debug(False)


@pytest.mark.parametrize("setting", ["synchronous_commit"])
async def test_a_database_on_which_commit_does_not_mean_on_disk_is_refused(pool_as: PoolAs, setting):
    pool = await pool_as("admin")
    async with pool.acquire() as connection:
        await connection.execute(f"SET {setting} = off")
        with pytest.raises(Misconfigured, match=setting):
            await transactions.check_settings(connection)


async def test_each_unsafe_setting_of_the_database_is_named():
    class Server:
        def __init__(self, *row: object) -> None:
            self.row = row

        async def fetchrow(self, _sql: str) -> tuple[object, ...]:
            return self.row

    good = ["on", "on", "on", False, "off", 180_000]
    await transactions.check_settings(Server(*good))
    for n, named in ((0, "fsync"), (1, "synchronous_commit"), (2, "full_page_writes")):
        with pytest.raises(Misconfigured, match=named):
            await transactions.check_settings(Server(*[*good[:n], "off", *good[n + 1 :]]))
    with pytest.raises(Misconfigured, match="too old"):
        await transactions.check_settings(Server(*good[:5], 140_000))
