"""The MQTT session of one bucket: what it brought, what it owes, and whether it still hears."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any, Protocol

import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway import metrics
from gateway.log_sampling import Seldom
from gateway.mqtt.address import BrokerAddress, Host
from gateway.mqtt.chunk import OVERHEAD, Chunk
from gateway.mqtt.dialling import dial
from gateway.mqtt.packets import PUBACK, publish_packet
from schemas.errors import Misconfigured
from schemas.vehicle import pulse_topic

log = structlog.get_logger()

#: the watchdog's pulses keep to it; nobody sends PINGREQ, whose answer a busy broker may owe for half a minute
KEEPALIVE_S = 30
RECONNECT_BASE_S, RECONNECT_CAP_S = 0.1, 5.0
SESSION_EXPIRY_S = 7 * 86_400  #: MQTT 5 brokers keep what they owe us for this long
RECEIVE_MAXIMUM = 2000  #: messages that an MQTT 5 broker may have out at once, per session
UNREAD_S = 2.0  #: longer than this no session is left unread: the broker's answers lie behind the messages


def client_id(bucket: int) -> str:
    """Whose session it is, for the broker."""
    return f"gateway-{bucket:02d}"


class Sessions(Protocol):
    """Who holds the sessions of all buckets and reads them together (mqtt/broker.py), as one of them sees it."""

    address: BrokerAddress
    seldom: Seldom
    hosts: list[Host]  #: in the order in which they are tried

    def make_client(self, session: Session) -> Any:
        """A paho client for this session."""

    def first_choice(self, host: Host) -> None:
        """This one answered."""

    def last_choice(self, host: Host) -> None:
        """This one did not."""

    def watch(self, fd: int, session: Session) -> None:
        """Read this socket together with the others …"""

    def unwatch(self, fd: int) -> None:
        """… and no longer."""

    def arrived(self, chunk: Chunk) -> None:
        """Here is something to work on."""

    def fell_behind(self) -> None:
        """What waits for this session is not all worked off."""

    def look_whether_caught_up(self) -> None:
        """It may be now."""


class Session:
    """The MQTT session of one bucket. Its epoch grows with each connection; an ack of an older epoch is dropped."""

    def __init__(self, broker: Sessions, bucket: int, *, name: str = "", filters: Any = "", pulse: str = "") -> None:
        """`name`, `filters` and `pulse` are those of the bucket, unless they are said."""
        self.broker, self.bucket = broker, bucket
        self.name = name or client_id(bucket)
        self.filter = filters or f"vehicles/{bucket:02d}/+/up/+"
        self.pulse_topic = pulse or pulse_topic(bucket)
        self._pulse_name = self.pulse_topic.encode()
        self._nonce = os.urandom(8).hex().encode()
        self.epoch = 0
        self.pending: set[int] = set()  #: mids that are delivered and not yet acknowledged, of this epoch
        self.chunk: Chunk | None = None
        self.subscribed = asyncio.Event()
        self.behind = True  #: what had waited for us is not all committed yet
        self.refused: str | None = None
        self.unanswered_since: float | None = None  #: machine time since when nothing came although an answer is due
        self.read_at = 0.0  #: machine time
        self.host: Host | None = None
        self._last_mid = 0  #: of the message that was taken last
        self._in_turn: dict[
            int, int
        ] = {}  #: mid of a message -> mid of our own word that came after it, and is acknowledged after it
        self._tail_mid = 0  #: of our own word behind what had waited, until it is acknowledged
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
        try:
            self.client.ready_socket, self.host = await dial(self.broker.hosts, address.tls)
            options: dict[str, Any] = {}
            if address.version == 5:
                properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
                properties.SessionExpiryInterval = SESSION_EXPIRY_S
                properties.ReceiveMaximum = RECEIVE_MAXIMUM
                options = {"clean_start": False, "properties": properties}
            self.client.connect(*self.host, KEEPALIVE_S, **options)
        except ssl.SSLCertVerificationError as error:
            self.refused = f"its certificate is not believed: {error.verify_message}"
            self._again(self.refused)
        except Misconfigured as error:  # a file of ours that was good when we started
            self.refused = str(error)
            self._again(self.refused)
        except (OSError, ValueError) as error:
            self._again(type(error).__name__)
        except RuntimeError:  # the loop is closing
            self._closing = True

    def _again(self, why: str) -> None:
        if self._closing or self._retry is not None:
            return
        pause = random.uniform(0, min(RECONNECT_CAP_S, RECONNECT_BASE_S * 2**self._attempt))
        self._attempt = min(self._attempt + 1, 10)
        self.broker.seldom.say(log.info, "session_retry", reason=why, bucket=self.bucket, pause_s=round(pause, 2))
        self._retry = asyncio.get_running_loop().call_later(pause, self.open)

    def reconnect(self, why: str) -> None:
        """Drop this connection and make a new one, to another host if there is one: the watchdog's cure."""
        self.broker.seldom.say(log.warning, "session_reconnect", reason=why, bucket=self.bucket)
        if self.host is not None:
            self.broker.last_choice(self.host)
        if self.client.socket() is not None:
            self.client.drop()
        else:
            self._again(why)

    async def close(self) -> None:
        """Leave in order; the broker keeps the session and what it owes us."""
        self._closing = True
        if self._retry is not None:
            self._retry.cancel()
        if self._opening is not None:
            self._opening.cancel()
        self.client.disconnect()
        self.client.loop_write()
        if self.client.socket() is not None:
            self.client.drop()

    def ack(self, epoch: int, mids: Iterable[int]) -> None:
        """PUBACK these, in the order in which they came, in one write; nothing if the connection has changed since."""
        if epoch != self.epoch or self.client.socket() is None:
            return
        owed = [mid for mid in mids if mid] if not self._in_turn else self._with_our_own(mids)
        self.pending.difference_update(owed)
        if owed:
            self._write(b"".join([PUBACK[mid] for mid in owed]))
        if self._tail_mid and self._tail_mid not in self.pending:  # all that came before our own word is committed
            self._caught_up()

    def _caught_up(self) -> None:
        self._tail_mid, self.behind = 0, False
        self.broker.look_whether_caught_up()

    def _with_our_own(self, mids: Iterable[int]) -> list[int]:
        owed = []
        for mid in mids:
            while mid:
                owed.append(mid)
                mid = self._in_turn.pop(mid, 0)
        return owed

    def send(self, packets: bytes) -> None:
        """Ready-made QoS 0 PUBLISH packets; lost when we are not connected (the car asks again by sending)."""
        if self.client.socket() is not None and self.subscribed.is_set():
            self._write(packets)

    def _write(self, packets: bytes) -> None:
        if self.client.write_blob(packets) and (sock := self.client.socket()) is not None:
            self._write_later(sock)

    # -- whether it hears ---------------------------------------------------------------------------------------------

    def pulse(self, now: float) -> None:
        """A message to ourselves through the whole broker and our one subscription."""
        if self.unanswered_since is None:
            self.unanswered_since = now
        self.send(publish_packet(self.pulse_topic, b"%d" % self.epoch, self.broker.address.version))

    def must_be_read(self, now: float) -> bool:
        """Even while there is more in hand than the window allows: it has no subscription yet, or was left unread for
        long.
        """
        return not self.subscribed.is_set() or now - self.read_at > UNREAD_S

    def was_read(self, now: float, took: bool) -> None:
        """Something came: whoever brings messages hears, and whoever is still on the way to its subscription gets
        on.
        """
        self.read_at = now
        if self.unanswered_since is not None and (took or not self.subscribed.is_set()):
            self.unanswered_since = None if self.subscribed.is_set() else now

    def not_read(self, now: float) -> None:
        """We did not look, so the silence is ours."""
        if self.unanswered_since is not None:
            self.unanswered_since = now

    def silent_for(self, now: float) -> float:
        """Seconds for which an answer has been due."""
        return 0.0 if self.unanswered_since is None else now - self.unanswered_since

    # -- callbacks of paho; none of them may raise, for paho would stop reading ----------------------------------------

    def on_connect(self, _client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.refused = str(reason)
            if self.host is not None:
                self.broker.last_choice(self.host)
            return
        if self._had_session:
            metrics.RECONNECTS.inc()
        if self._had_session and not flags.session_present:
            metrics.SESSIONS_LOST.inc()
            log.warning(
                "session_lost",
                bucket=self.bucket,
                hint="the broker forgot our session: the cars' gap ledger and spools close the hole",
            )
        self._had_session = True
        self.client.subscribe(self.filter, qos=1)

    def on_subscribe(self, _client: Any, _data: Any, _mid: Any, codes: Any, _properties: Any) -> None:
        if any(code.is_failure for code in codes):
            self.refused = f"the broker refused our subscription {self.filter}: {codes[0]}"
            asyncio.get_running_loop().call_soon(
                self.client.drop
            )  # not inside a callback, of which paho lets only one at a time
            return
        self._attempt, self.refused, self.unanswered_since = 0, None, None
        if self.host is not None:
            self.broker.first_choice(self.host)
        self.subscribed.set()
        self.client.publish(self.pulse_topic, self._tail, qos=1)  # it comes behind everything that the broker owes us

    def on_publish(self, _client: Any, _data: Any, _mid: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:  # MQTT 5 says so; before, only the silence does
            self.broker.seldom.say(log.error, "pulse_refused", reason=str(reason), topic=self.pulse_topic)

    @property
    def _tail(self) -> bytes:
        return b"tail %s %d" % (self._nonce, self.epoch)  # not that of a gateway before us

    def on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.subscribed.clear()
        self._again(self.refused or str(reason))

    def on_socket_open(self, _client: Any, _data: Any, sock: socket.socket) -> None:
        self.epoch += 1
        self.pending = set()
        self._in_turn = {}
        self._tail_mid = 0
        self.chunk = None
        self.behind = True
        self.broker.fell_behind()
        self.read_at = self.unanswered_since = time.monotonic()
        self._fd = sock.fileno()
        self.broker.watch(self._fd, self)

    def on_socket_close(self, _client: Any, _data: Any, _sock: socket.socket) -> None:
        self.unanswered_since = None
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

    # -- what the bulk reader brings -----------------------------------------------------------------------------------

    def take(self, topic: bytes, payload: bytes, mid: int, dup: bool, retained: bool) -> None:
        """One PUBLISH: into the current chunk, unless it is a repetition of what we are still working on."""
        if dup and mid in self.pending:
            return
        if topic == self._pulse_name:
            self._heard_ourselves(payload, mid)
            return
        if mid:
            self.pending.add(mid)
            self._last_mid = mid
        chunk = self._chunk()
        if retained:
            chunk.retained.append(len(chunk.mids))
        chunk.mids.append(mid)
        chunk.topics.append(topic)
        chunk.payloads.append(payload)
        chunk.size += OVERHEAD + len(topic) + len(payload)

    def take_many(self, topics: list[bytes], payloads: list[bytes], mids: list[int]) -> None:
        """A run of fresh QoS 1 PUBLISHes."""
        if self._pulse_name in topics:
            for each in zip(topics, payloads, mids, strict=True):
                self.take(*each, dup=False, retained=False)
            return
        self.pending.update(mids)
        self._last_mid = mids[-1]
        chunk = self._chunk()
        chunk.mids += mids
        chunk.topics += topics
        chunk.payloads += payloads
        chunk.size += OVERHEAD * len(mids) + sum(map(len, topics)) + sum(map(len, payloads))

    def _chunk(self) -> Chunk:
        if self.chunk is None:
            self.chunk = Chunk(self, self.epoch)
            self.broker.arrived(self.chunk)
        return self.chunk

    def _heard_ourselves(self, payload: bytes, mid: int) -> None:
        self.unanswered_since = None
        if payload == self._tail:
            self._tail_mid = mid
        if not mid:
            return
        if self.pending:  # acks keep the order of arrival
            self._in_turn[self._last_mid] = mid
            self._last_mid = mid
            self.pending.add(mid)
        else:
            asyncio.get_running_loop().call_soon(self.ack, self.epoch, (mid,))
