"""The gateway as in service, or with one guard taken out. No production code knows that it is being tested.

    python -m proofs.gateway_under SWITCH DATABASE_URL MQTT_URL AUTH_URL AUTH_SEED BROKER_LOG [SHARE]

SWITCH is `none` or one of `SWITCHES`. Says `ready` when it listens.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import structlog

from gateway import running
from gateway.broker import Broker
from gateway.chunk import Chunk
from gateway.frontier import Arrival, Frontier
from gateway.intake import Intake
from gateway.packets import PUBACK
from gateway.session import Session
from rules.catalogue import RULES
from rules.codes import CodeBook
from rules.judge import Judge
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

    setattr(Session, "ack", ack)  # noqa: B010


def no_dedupe() -> None:
    """Every row is a new one; the experiment also drops the unique key, the second of the two guards."""

    def arrive(self: Frontier, boot: int, seq: int, oldest: int | None, now: float) -> Arrival:
        found = _arrive(self, boot, seq, oldest, now)
        return Arrival.NEXT if found is Arrival.DUPLICATE else found

    _arrive = Frontier.arrive
    setattr(Frontier, "arrive", arrive)  # noqa: B010


def no_lease() -> None:
    """Whoever wants a bucket has it: two gateways may carry the same cars."""

    async def take(connection: Connection, bucket: int, holder: str, share: str, now: datetime) -> bool:
        await connection.execute(leases._TAKEN, bucket, holder, share, now)
        return True

    async def take_back(*_: object) -> bool:
        return True

    setattr(leases, "take", take)  # noqa: B010
    setattr(leases, "take_back", take_back)  # noqa: B010


SWITCHES = {"ack-before-commit": AckBeforeCommit, "no-dedupe": Intake, "no-epoch": Intake, "no-lease": Intake}


async def main(switch: str, database: str, mqtt: str, auth_url: str, auth_seed: str, log: str, share: str = "0/1") -> None:
    """Run until killed."""
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(sys.stderr))
    if switch == "no-epoch":
        no_epoch()
    if switch == "no-dedupe":
        no_dedupe()
    if switch == "no-lease":
        no_lease()
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
        broker_log=Path(log),
        ready=lambda **_: print("ready", flush=True),
        make_intake=SWITCHES.get(switch, Intake),
        make_broker=Broker,
    )


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # SIGTERM: it has left in order
        cli.run(main(*sys.argv[1:8]))
