"""Live pages: one connection listens to the desk's bell, and every open page hears its own dealer's changes."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from aiohttp import web

from dealer_api.metrics import STREAMS
from schemas.errors import Unavailable
from store import notifications
from store.pool import line

log = structlog.get_logger()
_BACKLOG = 200  # changes that a slow page may fall behind; then it is told to look at everything again
_HEARTBEAT_S = 15.0
_DEAF_S = 1.0
RIGHTS = frozenset(
    {"staff", "session", "key", "dealer", "everything"}
)  #: after these, whoever listens may no longer be allowed to
_OWN = frozenset({"session", "key"})  #: said for the streams themselves; no page shows them
AGAIN = {"noun": "everything", "id": 0}  #: a bell may have been missed: look again


class Live:
    """Hands each change {"noun", "id"} to the dealer's subscribers."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._pages: dict[int, set[asyncio.Queue[dict[str, Any]]]] = defaultdict(set)
        self.listening = asyncio.Event()
        self._ending = False

    def end(self) -> None:
        """The desk closes: every open stream ends now, so that nobody waits for pages that listen forever."""
        self._ending = True
        self._tell_all(AGAIN)

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is opened again and every page looks again."""
        pause = 0.1
        while True:
            try:
                async with line(self._url, name="desk-bell") as connection:
                    ended = asyncio.Event()
                    connection.add_termination_listener(lambda _connection, ended=ended: ended.set())
                    await notifications.listen(connection, notifications.DESK, self._heard)
                    pause = 0.1
                    self.listening.set()
                    self._tell_all(AGAIN)
                    await ended.wait()
            except Unavailable as error:
                log.warning("bell_unavailable", reason=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
            finally:
                self.listening.clear()

    def _heard(self, payload: dict[str, Any]) -> None:
        for page in tuple(self._pages.get(payload.get("dealer", 0), ())):
            _put(page, {"noun": payload.get("noun", ""), "id": payload.get("id", 0)})

    def _tell_all(self, change: dict[str, Any]) -> None:
        for pages in self._pages.values():
            for page in pages:
                _put(page, change)

    @contextmanager
    def subscribed(self, dealer_id: int) -> Iterator[asyncio.Queue[dict[str, Any]]]:
        """A queue of this dealer's changes, for as long as the block lasts."""
        page: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_BACKLOG)
        self._pages[dealer_id].add(page)
        STREAMS.inc()
        try:
            yield page
        finally:
            STREAMS.dec()
            self._pages[dealer_id].discard(page)

    async def changes(self, dealer_id: int, beat_s: float = _HEARTBEAT_S) -> AsyncIterator[dict[str, Any] | None]:
        """This dealer's changes as they come; None every `beat_s` seconds, so that a dead page is noticed.

        Without its bell it beats every second: what ends a right would not be heard.
        """
        with self.subscribed(dealer_id) as page:
            while True:
                try:
                    async with asyncio.timeout(beat_s if self.listening.is_set() else min(beat_s, _DEAF_S)):
                        change = await page.get()
                except TimeoutError:
                    change = None
                if self._ending:
                    return
                yield change


async def rightful(
    changes: AsyncIterator[dict[str, Any] | None], still: Callable[[], Awaitable[bool]]
) -> AsyncIterator[dict[str, Any] | None]:
    """The same changes, until `still()` says that whoever listens may no longer: signed out, let go, another role, a
    key revoked.

    Looked at when something of that kind has changed, and with every beat. A database that is away decides nothing.
    """
    async for change in changes:
        if change is None or change["noun"] in RIGHTS:
            try:
                if not await still():
                    return
            except Unavailable:
                pass
        if change is None or change["noun"] not in _OWN:
            yield change


def _put(page: asyncio.Queue[dict[str, Any]], change: dict[str, Any]) -> None:
    try:
        page.put_nowait(change)
    except asyncio.QueueFull:
        while not page.empty():
            page.get_nowait()
        page.put_nowait(AGAIN)


async def open_stream(request: web.Request) -> web.StreamResponse:
    """An event stream that has been started: no buffering on the way, and reconnect after a second."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    await response.prepare(request)
    await response.write(b"retry: 1000\n\n")
    return response


async def send(response: web.StreamResponse, event: str, data: Any) -> None:
    """One event; text is sent line by line as the format wants it, anything else as JSON."""
    text = data if isinstance(data, str) else json.dumps(data)
    lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
    await response.write(f"event: {event}\n{lines}\n".encode())
