"""The workers as in service, or with one guard taken out. No production code knows that it is being tested.

    python -m proofs.messages_under SWITCH DATABASE_URL PROVIDER_URL

SWITCH is `none` or one of `SWITCHES`. Says the process id of a worker, and that of its successor when it is killed. A
worker is forked from this process, which has read everything already: a thousand kills leave no time for a thousand
cold starts.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import structlog

from providers.provider import Lookup, Receipt
from rules.service.permission import Go
from rules.service.wording import Wording
from schemas.errors import DeliveryFailed
from schemas.message import Message
from store import messages
from store.pool import Connection, open_pool, transaction
from telltale import data
from workers import running, sending
from workers.context import Context

GRACE = timedelta(seconds=3)
SENDERS = 4


class Provider:
    """Hands texts to the proof's provider, which may lose its own answer."""

    sender, missed = "", None

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1.5))

    async def send(self, message: Message, sender: str) -> Receipt:
        try:
            async with self._session.post(
                f"{self._url}/texts", json={"reference": message.reference, "to": message.to_address}
            ) as answer:
                if answer.status == 503:
                    raise DeliveryFailed("busy")
                return Receipt((await answer.json())["id"])
        except aiohttp.ClientConnectorError as error:
            raise DeliveryFailed("not there") from error

    async def lookup(self, message: Message, taken: Collection[str] = ()) -> Receipt | Lookup:
        try:
            async with self._session.get(f"{self._url}/texts/{message.reference}") as answer:
                return Receipt((await answer.json())["id"]) if answer.status == 200 else Lookup.NEVER_CAME
        except (aiohttp.ClientError, TimeoutError):
            return Lookup.CANNOT_TELL

    async def close(self) -> None:
        await self._session.close()


async def true_enough(connection: Connection, message: Message, now: datetime) -> str | None:
    """Believes what was true when the text was written."""
    return None


def allowed_enough(message: Message, *_: Any, **__: Any) -> Go:
    """Believes what was allowed when the text was queued."""
    return Go("it was allowed when it was queued")


async def send_then_mark(context: Context) -> bool:
    """What most outboxes do: hand it over, then write down that it is done."""
    async with transaction(context.pool) as connection:
        message = await messages.due(connection, context.clock(), context.machine())
        if message is None:
            return False
        if await sending.settled(
            context, connection, message, context.clock()
        ):  # the other guards stand: only this one is missing
            return True
        machine = context.machine()
        receipt = await context.channels[message.channel].send(message, "")
        await messages.claim(connection, message.id, machine)
        await messages.sent(
            connection, message, claimed_at=machine, now=context.clock(), provider_id=receipt.provider_id
        )
    return True


async def mark_then_send(context: Context) -> bool:
    """What the careful ones do: write down that it is done, then do it."""
    async with transaction(context.pool) as connection:
        message = await messages.due(connection, context.clock(), context.machine())
        if message is None:
            return False
        if await sending.settled(
            context, connection, message, context.clock()
        ):  # the other guards stand: only this one is missing
            return True
        machine = context.machine()
        await messages.claim(connection, message.id, machine)
        await messages.sent(connection, message, claimed_at=machine, now=context.clock(), provider_id="")
    await context.channels[message.channel].send(message, "")
    return True


NAIVE = {"send-then-mark": send_then_mark, "mark-then-send": mark_then_send}
PARTS: dict[str, dict[str, Any]] = {
    "no-consent-recheck": {"permitted": allowed_enough},
    "no-truth-check": {"untrue": true_enough},
}
SWITCHES = (*NAIVE, *PARTS)


async def main(switch: str, database: str, provider: str, wording: Wording) -> None:
    """Run until killed."""
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(sys.stderr))
    pool = await open_pool(database, name="workers", size=12)
    context = Context(
        pool,
        lambda: datetime.now(UTC),
        wording=wording,
        channels={"phone": Provider(provider)},
        desk_url="",
        grace=GRACE,
        send_s=2.0,
        **PARTS.get(switch, {}),
    )
    if switch not in NAIVE:
        await running.serve(context, database)
    async with asyncio.TaskGroup() as loops:
        for _ in range(SENDERS):
            loops.create_task(_naive(context, switch))


async def _naive(context: Context, switch: str) -> None:
    while True:
        try:
            worked = await NAIVE[switch](context)
        except Exception:
            worked = False
        if not worked:
            await asyncio.sleep(0.1)


def succeed(switch: str, database: str, provider: str) -> None:
    """One worker after the other, for ever."""
    wording = Wording(data.texts())
    while True:
        worker = os.fork()
        if worker == 0:
            asyncio.run(main(switch, database, provider, wording))
            os._exit(0)
        print(worker, flush=True)
        os.waitpid(worker, 0)


if __name__ == "__main__":
    succeed(*sys.argv[1:4])
