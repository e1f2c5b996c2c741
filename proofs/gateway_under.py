"""The gateway as in service, or with one guard taken out. No production code knows that it is being tested.

    python -m proofs.gateway_under SWITCH DATABASE_URL MQTT_URL AUTH_URL AUTH_SEED BROKER_LOG [SHARE [HEALTH_PORT]]

SWITCH is `none` or one of `SWITCHES`. Says `ready` when it listens. Without an AUTH_URL the broker is a foreign one,
and open.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from gateway import running
from gateway.fleet import units
from gateway.fleet.sequence import Arrival, MessageSequence
from gateway.intake.loop import Intake
from gateway.mqtt.broker import Broker
from gateway.mqtt.chunk import Chunk
from gateway.mqtt.packets import PUBACK
from gateway.mqtt.session import Session
from monitoring.page import Address
from proofs.swap import swap
from rules.catalogue import RULES
from rules.engine.code_book import CodeBook
from rules.engine.judge import Judge
from store import leases
from store.pool import Connection
from telltale import cli, data


class AckBeforeCommit(Intake):
    """Acknowledges what it has read, as most examples do."""

    async def _take(self) -> list[Chunk]:
        taken = await super()._take()
        for chunk in taken:
            chunk.session.ack(chunk.epoch, chunk.mids)
        return taken


def no_epoch() -> None:
    """An ack goes to whatever connection there is."""

    def ack(self: Session, _epoch: int, mids: Iterable[int]) -> None:
        owed = [mid for mid in mids if mid]
        if owed and self.client.socket() is not None:
            self.client.write_blob(b"".join(PUBACK[mid] for mid in owed))

    swap(Session, "ack", ack)


def no_dedupe() -> None:
    """Every row is a new one; the experiment also drops the unique key, the second of the two guards."""

    def arrive(self: MessageSequence, boot: int, seq: int, oldest: int | None, now: float) -> Arrival:
        found = _arrive(self, boot, seq, oldest, now)
        return Arrival.NEXT if found is Arrival.DUPLICATE else found

    _arrive = MessageSequence.arrive
    swap(MessageSequence, "arrive", arrive)


def no_units() -> None:
    """Counters belong to the car: what another unit says under a number that was there is a repetition."""

    def kept_boot(_heard: units.Heard, message: units.Numbered, _newest: float, _enrolled: float) -> tuple[int, bool]:
        return message.boot, False

    swap(units, "kept_boot", kept_boot)


def no_lease() -> None:
    """Whoever wants a bucket has it: two gateways may carry the same cars."""

    async def take(connection: Connection, bucket: int, holder: str, share: str, now: datetime) -> bool:
        await connection.execute(leases._TAKEN, bucket, holder, share, now)
        return True

    async def take_back(*_: object) -> bool:
        return True

    swap(leases, "take", take)
    swap(leases, "take_back", take_back)


class WaitForAnswers(Intake):
    """Nobody takes deliveries before the broker has answered, and whoever has enough in hand reads nothing at all."""

    async def run(self) -> None:
        while not all(session.subscribed.is_set() for session in self.broker.sessions.values()):
            await asyncio.sleep(0.02)
        await super().run()


def stop_reading() -> None:
    """Above the window nothing is read, whatever waits for an answer."""

    def must_be_read(_self: Session, _now: float) -> bool:
        return False

    swap(Session, "must_be_read", must_be_read)


class AckOnArrival(AckBeforeCommit):
    """Acknowledges what it has read, and reads on whatever it holds."""

    def __init__(self, broker: Broker, *parts: Any) -> None:
        broker.window = broker.held = 1 << 60
        super().__init__(broker, *parts)
        arrived = broker.arrived

        def acknowledged(chunk: Chunk) -> None:
            arrived(chunk)
            asyncio.get_running_loop().call_soon(lambda: chunk.session.ack(chunk.epoch, chunk.mids))

        swap(broker, "arrived", acknowledged)


SWITCHES = {
    "ack-before-commit": AckBeforeCommit,
    "no-dedupe": Intake,
    "no-epoch": Intake,
    "no-units": Intake,
    "no-lease": Intake,
    "stop-reading": WaitForAnswers,
    "ack-on-arrival": AckOnArrival,
}


async def main(
    switch: str,
    database: str,
    mqtt: str,
    auth_url: str,
    auth_seed: str,
    log: str,
    share: str = "0/1",
    health_port: str = "0",
) -> None:
    """Run until killed."""
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(sys.stderr))
    if switch == "no-epoch":
        no_epoch()
    if switch == "no-dedupe":
        no_dedupe()
    if switch == "no-units":
        no_units()
    if switch == "no-lease":
        no_lease()
    if switch == "stop-reading":
        stop_reading()
    k, _, n = share.partition("/")
    profiles = data.profiles()
    await running.run(
        database_url=database,
        mqtt_url=mqtt,
        clock=lambda: datetime.now(UTC),
        profiles=profiles,
        share=(int(k), int(n)),
        judge=Judge(RULES, profiles, codes=CodeBook(data.trouble_codes())),
        auth_url=auth_url,
        auth_seed=auth_seed,
        broker_log=Path(log) if log else None,
        open_broker=not auth_url,
        health=Address(port=int(health_port)),
        ready=lambda **_: print("ready", flush=True),
        make_intake=SWITCHES.get(switch, Intake),
        make_broker=Broker,
    )


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # SIGTERM: it has left in order
        cli.run(main(*sys.argv[1:9]))
