"""The door for feeds that come by HTTPS: who is it, is there room, translate, keep in one transaction, answer.

A 2xx says that all of it is in the database, or refused with a reason; whoever gets anything else sends it again, and
what has its own time counts once.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol

import structlog
from aiohttp import web

from gateway.feeds.feed import Message
from gateway.feeds.reader import brought, keep
from gateway.feeds.register import FEEDS
from gateway.feeds.settling import Settled, Settling
from gateway.intake.writer import Writer
from gateway.token_bucket import Allowance
from schemas.errors import Misconfigured
from store import feed_secrets, feeds

log = structlog.get_logger()

MOST_BYTES: Final = 1 << 20
OF_FEED: Final = (600, 0.02)  #: requests of one feed: so many at once, then one in so many seconds
MOST_WAITING: Final = 20_000  #: messages of one feed that no gateway has judged yet
MOST_AT_ONCE: Final = 64  #: requests that are worked on
LOOKED_S: Final = 1.0  #: how long a count of what waits is believed
BODY_S, SAVE_S = 10.0, 10.0
_TOLD: Final = 20


@dataclass(frozen=True, slots=True)
class Door:
    """Where it listens, and the secrets of the house with which senders' secrets are sealed."""

    host: str
    port: int
    secrets: tuple[str, ...]


class Tally(Protocol):
    """The intake's way of counting for the desk."""

    def __call__(self, dealer: int | None, name: str, subject: str, times: int, detail: str) -> None: ...


class FeedDoor:
    """One of them in each gateway that is told to have one; any may take any feed's requests."""

    def __init__(
        self, door: Door, writer: Writer, *, clock: Callable[[], datetime], settling: Settling, tally: Tally
    ) -> None:
        self.door, self.writer, self.clock, self.settling, self.tally = door, writer, clock, settling, tally
        self._of_feed = Allowance(*OF_FEED)
        self._waiting: dict[int, tuple[float, int]] = {}
        self._at_work = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Listen while the block runs; its address."""
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_post("/feeds/{feed}", self._post)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0, auto_decompress=False)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.door.host, self.door.port).start()
        except OSError as error:
            await runner.cleanup()
            raise Misconfigured("TELLTALE_FEEDS_PORT", f"{self.door.port} cannot be listened on: {error}") from None
        try:
            yield f"http://{self.door.host}:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        if self._at_work >= MOST_AT_ONCE or self.writer.down_since is not None:
            return _later(503, "busy, or the database is away")
        self._at_work += 1
        try:
            return await self._take(request)
        except TimeoutError:
            return _later(503, "the database does not answer, or the body did not come")
        except web.HTTPException:
            raise
        except Exception:
            log.exception("feed_door_fault")
            return _later(503, "it could not be taken; that is our fault", seconds=30)
        finally:
            self._at_work -= 1

    async def _take(self, request: web.Request) -> web.Response:
        async with asyncio.timeout(BODY_S):
            source = await self._source(request.match_info["feed"])
            headers = {name.lower(): value for name, value in request.headers.items()}
            if source is not None and FEEDS[source.kind].doubt is None and not _opens(source, headers):
                return self._refuse(source, "the key is not this feed's")
            if source is None:
                return _answer(401, error="there is no such feed, or the key is not its own")
            body = await request.read()
        if why := self._doubt(source, headers, body):
            return self._refuse(source, why)
        if not self._of_feed.take(source.id, time.monotonic()):
            self.tally(source.dealer_id, "flood", FEEDS[source.kind].title, 1, "more requests than a feed may make")
            return _later(429, f"at most one request each {OF_FEED[1]:g} s, and {OF_FEED[0]} at once")
        async with asyncio.timeout(SAVE_S):
            if await self._crowded(source):
                return _later(429, f"{MOST_WAITING} messages of this feed wait to be judged", seconds=5)
            now = self.clock()
            found = brought(source, Message(body, now.timestamp()), f"/feeds/{source.id}")
            return _told(await keep(self.writer, self.settling, found, now=now))

    async def _source(self, written: str) -> feeds.Source | None:
        if not (written.isascii() and written.isdigit() and len(written) < 16):
            return None
        found = await self.writer.read(partial(feeds.by_https, feed_id=int(written)))
        return found if found is not None and found.kind in FEEDS else None

    def _doubt(self, source: feeds.Source, headers: dict[str, str], body: bytes) -> str:
        doubt = FEEDS[source.kind].doubt
        if doubt is None:
            return ""
        secret = feed_secrets.opened(source.signing or b"", self.door.secrets)
        if secret is None:
            log.error("feed_secret_lost", feed=source.id, hint="the house's secret has changed: add the feed anew")
            return "its secret cannot be opened here"
        return doubt(headers, body, secret, time.time())  # machine time: the sender's clock knows no time-lapse

    def _refuse(self, source: feeds.Source, why: str) -> web.Response:
        self.tally(source.dealer_id, "feed_forged", FEEDS[source.kind].title, 1, why)
        return _answer(401, error=why)

    async def _crowded(self, source: feeds.Source) -> bool:
        at, many = self._waiting.get(source.id, (0.0, 0))
        if time.monotonic() - at > LOOKED_S:
            many = await self.writer.read(partial(feeds.crowd, feed_id=source.id, most=MOST_WAITING))
            self._waiting[source.id] = time.monotonic(), many
        return many >= MOST_WAITING


def _opens(source: feeds.Source, headers: dict[str, str]) -> bool:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    given = key.strip() if scheme.lower() == "bearer" else headers.get("x-feed-key", "")
    return hmac.compare_digest(feed_secrets.digest(given), source.key_hash or b"")


def _told(done: Settled) -> web.Response:
    counted = Counter[str]()
    for (_, name, _), (times, _) in done.counted.items():
        counted[name] += times
    refused = [{"reason": one.reason.value, "detail": one.detail} for _, one, _ in done.refused]
    return _answer(200, kept=len(done.kept), refused=refused[:_TOLD], counted=dict(counted))


def _later(status: int, error: str, seconds: int = 1) -> web.Response:
    answer = _answer(status, error=error)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _answer(status: int, **facts: Any) -> web.Response:
    return web.json_response(facts, status=status, headers={"Cache-Control": "no-store"})
