"""The broker as an async iterator of deliveries: one persistent MQTT session per bucket, read together.

All sessions of a gateway sit behind one epoll descriptor, which is read at most once per `linger`: reading in bulk
and acknowledging in one write is what makes a message cost microseconds (docs/reference/performance.md).
"""

from __future__ import annotations

import asyncio
import random
import select
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import paho.mqtt.client as paho
import structlog

from gateway.log_sampling import Seldom
from gateway.mqtt.address import BrokerAddress, Host
from gateway.mqtt.bulk_reader import BulkClient
from gateway.mqtt.chunk import Chunk
from gateway.mqtt.session import Session
from gateway.mqtt.session import client_id as client_id
from schemas.errors import Misconfigured, Unavailable

log = structlog.get_logger()

LINGER_S = 0.004  #: 1–5 ms; a read costs the same for one message as for ten, and longer backfires
#: messages in hand above which a session has to wait for its turn: what is in hand stays near the processor
WINDOW = 6_000
HELD_BYTES = 20 << 20  #: nothing more is taken above this, whatever waits for an answer
OPENING, TURN_S = 4, 0.25  #: sessions that are opened at once, and how long each may keep the next one waiting
REFUSED_S = 3.0  #: a broker that is starting may refuse for a moment


class Broker:
    """The sessions of this gateway. `deliveries` gives what they brought.

    What stops a flood while PostgreSQL is slow is what the broker may have out unacknowledged for each session. Above
    `window` messages in hand a session waits for its turn, but never for long, and never before it has its
    subscription: the broker's answers lie behind the messages that it owes. Only `held` bytes stop all reading.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        bulk: bool = True,
        linger_s: float = LINGER_S,
        window: int = WINDOW,
        held: int = HELD_BYTES,
    ) -> None:
        self.address, self.bulk, self.linger_s, self.window, self.held = address, bulk, linger_s, window, held
        self.hosts: list[Host] = random.sample(
            address.hosts, len(address.hosts)
        )  #: in the order in which they are tried
        self.sessions: dict[int, Session] = {}
        self.seldom = Seldom()
        self._by_fd: dict[int, Session] = {}
        self._poll = select.epoll()
        self._inbox: list[Chunk] = []
        self._filled = asyncio.Event()
        self._reading = False
        self._resume: asyncio.TimerHandle | None = None
        self._turn = 0  #: which session is read first
        self._full_at = 0.0  #: machine time at which nothing more could be taken
        self._openings: set[asyncio.Task[None]] = set()
        self.behind_since: datetime | None = (
            #: machine time since when some session gets what had waited for us, or None when all get what is said now
            None
        )
        self.backlog: Callable[[], int] = lambda: 0  #: messages taken but not yet committed; set by the intake
        self.backlog_bytes: Callable[[], int] = lambda: 0  #: and how large they are

    def make_client(self, session: Session) -> Any:
        version = paho.MQTTv5 if self.address.version == 5 else paho.MQTTv311
        options: dict[str, Any] = {} if version == paho.MQTTv5 else {"clean_session": False}
        client = BulkClient(session, bulk=self.bulk, client_id=session.name, protocol=version, **options)
        if self.address.user:
            client.username_pw_set(self.address.user, self.address.password)
        client.max_inflight_messages_set(1000)
        for name in (
            "connect",
            "subscribe",
            "publish",
            "disconnect",
            "socket_open",
            "socket_close",
            "socket_register_write",
            "socket_unregister_write",
        ):
            setattr(client, f"on_{name}", getattr(session, f"on_{name}"))
        return client

    # -- sessions -----------------------------------------------------------------------------------------------------

    def begin(self, buckets: Iterable[int]) -> list[Session]:
        """Open the sessions of these buckets and do not wait: they go on by themselves."""
        if self._resume is None:  # the first ones
            self._watch_all()
        fresh = [Session(self, bucket) for bucket in buckets]
        self.sessions |= {session.bucket: session for session in fresh}
        turns = asyncio.Semaphore(OPENING)
        for session in fresh:
            opening = asyncio.create_task(self._open_in_turn(session, turns))
            self._openings.add(opening)
            opening.add_done_callback(self._openings.discard)
        return fresh

    async def _open_in_turn(self, session: Session, turns: asyncio.Semaphore) -> None:
        """A few at a time, and not too quickly while there is much in hand: before its answer a session brings all that
        the broker may have out for it. Nobody's answer is waited for long.
        """
        async with turns:
            with suppress(TimeoutError):
                async with asyncio.timeout(TURN_S):
                    while self._in_hand()[0] >= self.window:
                        await asyncio.sleep(0.01)
            if self.sessions.get(session.bucket) is session:
                session.open()
                with suppress(TimeoutError):
                    async with asyncio.timeout(TURN_S):
                        await session.subscribed.wait()

    async def open(self, buckets: Iterable[int], timeout: float = 60.0) -> None:
        """Open the sessions of these buckets and wait until each has its subscription.

        `timeout` is how long the broker may be silent; what it owes us may come before its answers, and whoever takes
        the deliveries can do so meanwhile.
        """
        fresh, began = self.begin(buckets), time.monotonic()
        while waiting := [s for s in fresh if not s.subscribed.is_set() and self.sessions.get(s.bucket) is s]:
            now = time.monotonic()
            refused = next((session.refused for session in waiting if session.refused), None)
            if refused and now > began + REFUSED_S:
                raise Misconfigured("MQTT_URL", f"the broker does not let the gateway in: {refused}")
            if now > max(began, self._full_at, *(session.read_at for session in waiting)) + timeout:
                raise Unavailable("the MQTT broker", f"no answer from {self.address}")
            await asyncio.sleep(0.02)

    async def shut(self, bucket: int) -> None:
        """Give a bucket up."""
        session = self.sessions.pop(bucket, None)
        if session is not None:
            await session.close()
            self._inbox = [
                chunk for chunk in self._inbox if chunk.session is not session
            ]  # unacknowledged: it comes to the next holder
            self.look_whether_caught_up()

    async def close(self) -> None:
        for bucket in list(self.sessions):
            await self.shut(bucket)
        for opening in self._openings:
            opening.cancel()
        self._unwatch_all()
        if self._resume is not None:
            self._resume.cancel()
        self._poll.close()

    def first_choice(self, host: Host) -> None:
        """It serves: the others go there too, and come back to it."""
        self.hosts.sort(key=lambda one: one != host)

    def last_choice(self, host: Host) -> None:
        """It does not serve."""
        self.hosts.sort(key=lambda one: one == host)

    def fell_behind(self) -> None:
        """A session begins with what had waited for us."""
        if self.behind_since is None:
            self.behind_since = datetime.now(UTC)

    def look_whether_caught_up(self) -> None:
        """A session has got all that had waited, or is gone."""
        if self.behind_since is not None and not any(session.behind for session in self.sessions.values()):
            log.info("caught_up", after_s=round((datetime.now(UTC) - self.behind_since).total_seconds(), 1))
            self.behind_since = None

    # -- deliveries ---------------------------------------------------------------------------------------------------

    async def deliveries(self) -> list[Chunk]:
        """Everything that has come since the last call; waits until there is something."""
        await self._filled.wait()
        self._filled.clear()
        taken, self._inbox = self._inbox, []
        for chunk in taken:
            if chunk.session.chunk is chunk:
                chunk.session.chunk = None
        return taken

    def arrived(self, chunk: Chunk) -> None:
        self._inbox.append(chunk)
        self._filled.set()

    def wake(self) -> None:
        """Make `deliveries` return, if need be with nothing (a tick)."""
        self._filled.set()

    # -- reading ------------------------------------------------------------------------------------------------------

    def watch(self, fd: int, session: Session) -> None:
        self._by_fd[fd] = session
        self._poll.register(fd, select.EPOLLIN)

    def unwatch(self, fd: int) -> None:
        if self._by_fd.pop(fd, None) is not None:
            with suppress(OSError):  # closed already: the kernel has taken it out
                self._poll.unregister(fd)

    def _watch_all(self) -> None:
        if not self._reading:
            self._reading = True
            asyncio.get_running_loop().add_reader(self._poll.fileno(), self._readable)

    def _unwatch_all(self) -> None:
        if self._reading:
            self._reading = False
            asyncio.get_running_loop().remove_reader(self._poll.fileno())

    def _readable(self) -> None:
        """Something came on some session: let it gather for a moment, then read them all."""
        self._unwatch_all()
        self._resume = asyncio.get_running_loop().call_later(self.linger_s, self._read)

    def _read(self) -> None:
        now = time.monotonic()
        ready = [self._by_fd[fd] for fd, _ in self._poll.poll(0) if fd in self._by_fd]
        self._turn += 1
        first = self._turn % len(ready) if ready else 0
        messages, size = self._in_hand()
        for session in ready[first:] + ready[:first]:
            if size >= self.held:
                self._full_at = now
                session.not_read(now)
            elif messages < self.window or session.must_be_read(now):
                had, had_size = _extent(session.chunk)
                self._read_one(session)
                has, has_size = _extent(session.chunk)
                session.was_read(now, took=has > had)
                messages, size = messages + has - had, size + has_size - had_size
        self._watch_all()

    def _in_hand(self) -> tuple[int, int]:
        """Messages that were taken and are not yet committed, and their bytes."""
        return self.backlog() + sum(map(len, self._inbox)), self.backlog_bytes() + sum(
            chunk.size for chunk in self._inbox
        )

    def _read_one(self, session: Session) -> None:
        try:
            session.client.loop_read()
        except Exception as error:  # a fault of ours must not leave the other sessions unread
            log.exception("session_fault", bucket=session.bucket)
            session.reconnect(type(error).__name__)


def _extent(chunk: Chunk | None) -> tuple[int, int]:
    """Messages and bytes."""
    return (len(chunk), chunk.size) if chunk is not None else (0, 0)
