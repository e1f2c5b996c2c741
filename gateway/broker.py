"""The broker as an async iterator of deliveries: one persistent MQTT session per bucket, acks bound to a connection epoch.

All sessions of a gateway sit behind one epoll descriptor, which is read at most once per `linger`: reading in bulk
and acknowledging in one write is what makes a message cost microseconds (docs/reference/performance.md).
"""

from __future__ import annotations

import asyncio
import random
import select
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway import metrics
from gateway.bulk import PUBACK, BulkClient
from schemas.errors import Misconfigured, Unavailable

log = structlog.get_logger()

KEEPALIVE_S = 30
LINGER_S = 0.004  #: 1–5 ms; a read costs the same for one message as for ten, and longer backfires
RECONNECT_BASE_S, RECONNECT_CAP_S = 0.1, 5.0
SESSION_EXPIRY_S = 7 * 86_400  #: MQTT 5 brokers keep what they owe us for this long
RECEIVE_MAXIMUM = 4000
PULSE = "pulse"
PAUSE_GRACE_S = 5.0
REFUSED_S = 3.0  #: a broker that is starting may refuse for a moment


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where and as whom."""

    host: str
    port: int
    user: str
    password: str
    tls: bool = False
    version: int = 4  #: 4 is MQTT 3.1.1, 5 is MQTT 5

    @classmethod
    def from_url(cls, url: str, version: int = 4) -> BrokerAddress:
        """mqtt://user:password@host:1883"""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise Misconfigured("MQTT_URL", "must look like mqtt://user:password@host:1883")
        tls = parts.scheme == "mqtts"
        return cls(parts.hostname, parts.port or (8883 if tls else 1883), unquote(parts.username or ""), unquote(parts.password or ""), tls, version)


@dataclass(slots=True)
class Chunk:
    """What one read of one session brought: parallel lists, because one object per message is too dear."""

    session: Session
    epoch: int
    mids: list[int] = field(default_factory=list)  #: 0: QoS 0, nothing to acknowledge
    topics: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    retained: list[int] = field(default_factory=list)  #: positions that came with the retain flag

    def __len__(self) -> int:
        return len(self.mids)


class Session:
    """The MQTT session of one bucket. Its epoch grows with each connection; an ack of an older epoch is dropped."""

    def __init__(self, broker: Broker, bucket: int) -> None:
        self.broker, self.bucket = broker, bucket
        self.filter = f"vehicles/{bucket:02d}/+/up/+"
        self.epoch = 0
        self.pending: set[int] = set()  #: mids that are delivered and not yet acknowledged, of this epoch
        self.chunk: Chunk | None = None
        self.subscribed = asyncio.Event()
        self.refused: str | None = None
        self.pulse_sent = self.pulse_seen = 0.0
        self._fd: int | None = None
        self._closing = False
        self._writes_later = False  #: the loop waits for the socket to be writable
        self._attempt = 0
        self._retry: asyncio.TimerHandle | None = None
        self._had_session = False
        self._opening: asyncio.Task[None] | None = None
        self.client = broker.make_client(self)

    # -- towards the broker -------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Connect now; on failure again and again, with full jitter."""
        self._retry = None
        if not self._closing:
            self._opening = asyncio.create_task(self._open())

    async def _open(self) -> None:
        address = self.broker.address
        try:  # in a thread: a name that does not resolve or a host that does not answer must not stop the others
            self.client.ready_socket = await asyncio.to_thread(socket.create_connection, (address.host, address.port), 5)
            if self._closing:
                self.client.ready_socket.close()
                return
            if address.version == 5:
                properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
                properties.SessionExpiryInterval = SESSION_EXPIRY_S
                properties.ReceiveMaximum = RECEIVE_MAXIMUM
                self.client.connect(address.host, address.port, KEEPALIVE_S, clean_start=False, properties=properties)
            else:
                self.client.connect(address.host, address.port, KEEPALIVE_S)
        except (OSError, ValueError) as error:
            self._again(type(error).__name__)
        except RuntimeError:  # the loop is closing
            self._closing = True

    def _again(self, why: str) -> None:
        if self._closing or self._retry is not None:
            return
        pause = random.uniform(0, min(RECONNECT_CAP_S, RECONNECT_BASE_S * 2**self._attempt))
        self._attempt = min(self._attempt + 1, 10)
        log.info("session_retry", bucket=self.bucket, reason=why, pause_s=round(pause, 2))
        self._retry = asyncio.get_running_loop().call_later(pause, self.open)

    def reconnect(self, why: str) -> None:
        """Drop this connection and make a new one: the watchdog's cure."""
        log.warning("session_reconnect", bucket=self.bucket, reason=why)
        sock = self.client.socket()
        if sock is not None:
            self.client.drop()
        else:
            self._again(why)

    async def close(self) -> None:
        """Leave in order; the broker keeps the session and what it owes us."""
        self._closing = True
        if self._retry is not None:
            self._retry.cancel()
        self.client.disconnect()
        self.client.loop_write()
        if self.client.socket() is not None:
            self.client.drop()

    def ack(self, epoch: int, mids: Iterable[int]) -> None:
        """PUBACK these, in the order in which they came, in one write; nothing if the connection has changed since."""
        if epoch != self.epoch or self.client.socket() is None:
            return
        owed = [mid for mid in mids if mid]
        self.pending.difference_update(owed)
        if owed:
            self._write(b"".join([PUBACK[mid] for mid in owed]))

    def send(self, packets: bytes) -> None:
        """Ready-made QoS 0 PUBLISH packets; lost when we are not connected (the car asks again by sending)."""
        if self.client.socket() is not None and self.subscribed.is_set():
            self._write(packets)

    def _write(self, packets: bytes) -> None:
        if self.client.write_blob(packets) and (sock := self.client.socket()) is not None:
            self._write_later(sock)

    def pulse(self, now: float) -> None:
        """A message to ourselves through the whole broker and our one subscription."""
        self.pulse_sent = now
        self.send(publish_packet(f"vehicles/{self.bucket:02d}/gateway/up/{PULSE}", b"%d" % self.epoch, self.broker.address.version))

    # -- callbacks of paho; none of them may raise, for paho would stop reading -----------------------------------------

    def on_connect(self, _client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.refused = str(reason)
            return
        if self._had_session:
            metrics.RECONNECTS.inc()
        if self._had_session and not flags.session_present:
            metrics.SESSIONS_LOST.inc()
            log.warning("session_lost", bucket=self.bucket, hint="the broker forgot our session: the cars' gap ledger and spools close the hole")
        self._had_session = True
        self.refused = None
        self.client.subscribe(self.filter, qos=1)

    def on_subscribe(self, _client: Any, _data: Any, _mid: Any, codes: Any, _properties: Any) -> None:
        if any(code.is_failure for code in codes):
            self.refused = f"the broker refused our subscription {self.filter}: {codes[0]}"
            log.error("subscription_refused", bucket=self.bucket, reason=str(codes[0]))
            return
        self._attempt = 0
        self.pulse_sent = self.pulse_seen = time.monotonic()
        self.subscribed.set()

    def on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.subscribed.clear()
        self._again(self.refused or str(reason))

    def on_socket_open(self, _client: Any, _data: Any, sock: socket.socket) -> None:
        self.epoch += 1
        self.pending = set()
        self.chunk = None
        self._fd = sock.fileno()
        self.broker.watch(self._fd, self)

    def on_socket_close(self, _client: Any, _data: Any, _sock: socket.socket) -> None:
        if self._fd is not None:
            self.broker.unwatch(self._fd)
            self._fd = None

    def on_socket_register_write(self, _client: Any, _data: Any, sock: Any) -> None:
        if not self.client.in_blob:
            self._write_later(sock)

    def on_socket_unregister_write(self, _client: Any, _data: Any, sock: Any) -> None:
        if self._writes_later:
            self._writes_later = False
            asyncio.get_running_loop().remove_writer(sock)

    def _write_later(self, sock: Any) -> None:
        self._writes_later = True
        asyncio.get_running_loop().add_writer(sock, self.client.loop_write)

    def take(self, topic: bytes, payload: bytes, mid: int, dup: bool, retained: bool) -> None:
        """One PUBLISH: into the current chunk, unless it is a repetition of what we are still working on."""
        if mid:
            if dup and mid in self.pending:
                return
            self.pending.add(mid)
        elif topic.endswith(b"/gateway/up/pulse"):
            self.pulse_seen = time.monotonic()
            return
        chunk = self.chunk
        if chunk is None:
            chunk = self.chunk = Chunk(self, self.epoch)
            self.broker.arrived(chunk)
        if retained:
            chunk.retained.append(len(chunk.mids))
        chunk.mids.append(mid)
        chunk.topics.append(topic)
        chunk.payloads.append(payload)

    def take_many(self, topics: list[bytes], payloads: list[bytes], mids: list[int]) -> None:
        """A run of fresh QoS 1 PUBLISHes."""
        self.pending.update(mids)
        chunk = self.chunk
        if chunk is None:
            chunk = self.chunk = Chunk(self, self.epoch)
            self.broker.arrived(chunk)
        chunk.mids += mids
        chunk.topics += topics
        chunk.payloads += payloads


class Broker:
    """The sessions of this gateway. `async for chunks in broker.deliveries()` ends never; `pause` is the back-pressure."""

    def __init__(self, address: BrokerAddress, *, bulk: bool = True, linger_s: float = LINGER_S, window: int = 6_000) -> None:
        self.address, self.bulk, self.linger_s, self.window = address, bulk, linger_s, window
        self.sessions: dict[int, Session] = {}
        self._by_fd: dict[int, Session] = {}
        self._poll = select.epoll()
        self._inbox: list[Chunk] = []
        self._filled = asyncio.Event()
        self._reading = False
        self._resume: asyncio.TimerHandle | None = None
        self.paused_at = -PAUSE_GRACE_S
        self._misc: asyncio.Task[None] | None = None
        self.backlog: Callable[[], int] = lambda: 0  #: messages taken but not yet committed; set by the intake

    def make_client(self, session: Session) -> Any:
        version = paho.MQTTv5 if self.address.version == 5 else paho.MQTTv311
        options: dict[str, Any] = {} if version == paho.MQTTv5 else {"clean_session": False}
        client = BulkClient(session, bulk=self.bulk, client_id=client_id(session.bucket), protocol=version, **options)
        client.username_pw_set(self.address.user, self.address.password)
        if self.address.tls:
            client.tls_set()
        client.max_inflight_messages_set(1000)
        for name in ("connect", "subscribe", "disconnect", "socket_open", "socket_close", "socket_register_write", "socket_unregister_write"):
            setattr(client, f"on_{name}", getattr(session, f"on_{name}"))
        return client

    async def open(self, buckets: Iterable[int], timeout: float = 60.0) -> None:
        """Open the sessions of these buckets and wait until each has its subscription."""
        if self._misc is None:
            self._misc = asyncio.create_task(self._keep_alive())
            self._watch_all()
        fresh = [Session(self, bucket) for bucket in buckets]
        for session in fresh:
            self.sessions[session.bucket] = session
            session.open()
        deadline = time.monotonic() + timeout
        while not all(session.subscribed.is_set() for session in fresh):
            refused = next((session.refused for session in fresh if session.refused), None)
            if refused and time.monotonic() > deadline - timeout + REFUSED_S:
                raise Misconfigured("MQTT_URL", f"the broker does not let the gateway in: {refused}")
            if time.monotonic() > deadline:
                raise Unavailable("the MQTT broker", f"no answer from {self.address.host}:{self.address.port}")
            await asyncio.sleep(0.02)

    async def shut(self, bucket: int) -> None:
        """Give a bucket up."""
        session = self.sessions.pop(bucket, None)
        if session is not None:
            await session.close()
            self._inbox = [chunk for chunk in self._inbox if chunk.session is not session]  # unacknowledged: it comes to the next holder

    async def close(self) -> None:
        for bucket in list(self.sessions):
            await self.shut(bucket)
        if self._misc is not None:
            self._misc.cancel()
            self._unwatch_all()
        if self._resume is not None:
            self._resume.cancel()
        self._poll.close()

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
        if self.backlog() + sum(map(len, self._inbox)) >= self.window:  # PostgreSQL is slow: stop reading and nothing else
            self.paused_at = time.monotonic()
            self._resume = asyncio.get_running_loop().call_later(0.005, self._read)
            return
        for fd, _ in self._poll.poll(0):
            session = self._by_fd.get(fd)
            if session is not None:
                try:
                    session.client.loop_read()
                except Exception as error:  # a fault of ours must not leave the other sessions unread
                    log.exception("session_fault", bucket=session.bucket)
                    session.reconnect(type(error).__name__)
        self._watch_all()

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            if time.monotonic() - self.paused_at < PAUSE_GRACE_S:
                continue  # we do not read, so a missing PINGRESP says nothing; the pulses keep the broker content
            for session in list(self.sessions.values()):
                try:
                    session.client.loop_misc()
                except Exception as error:
                    log.exception("session_fault", bucket=session.bucket)
                    session.reconnect(type(error).__name__)


def client_id(bucket: int) -> str:
    """Whose session it is, for the broker."""
    return f"gateway-{bucket:02d}"


def publish_packet(topic: str, payload: bytes, version: int) -> bytes:
    """A QoS 0 PUBLISH, ready to be written."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + (b"\0" if version == 5 else b"") + payload
    length, head = len(body), bytearray(b"\x30")
    while True:
        length, digit = divmod(length, 128)
        head.append(digit | 0x80 if length else digit)
        if not length:
            return bytes(head) + body
