"""One car's MQTT connection: paho on the running asyncio loop, opened again with full jitter for as long as it
lives.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from random import Random
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

KEEPALIVE_S = 30
_TIMEOUT_S = 10.0

OnMessage = Callable[[str, bytes], None]


class _Client(mqtt.Client):
    """paho, given a socket that asyncio has already connected: its own connect would stop the whole loop."""

    given: socket.socket

    def _create_socket(self) -> socket.socket:
        return self.given


class Connection:
    """Publishes QoS 1, subscribes QoS 0.

    Every reconnect is a fresh client: what is unsaid lies in the spool, not in paho.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        client_id: str,
        user: str | None = None,
        password: str | None = None,
        subscribe: tuple[str, ...] = (),
        on_message: OnMessage = lambda topic, payload: None,
        on_up: Callable[[], None] = lambda: None,
        will: tuple[str, bytes] | None = None,
        spread_s: float = 0.5,
        seed: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._address, self._id, self._user, self._password = (host, port), client_id, user, password
        self._topics, self._on_message, self._on_up, self._will = subscribe, on_message, on_up, will
        self._tls = tls
        self._spread_s, self._rng = spread_s, Random(f"{client_id}/{seed}")
        self._client: _Client | None = None
        self._lost = asyncio.Event()
        self._pending: set[int] = set()
        self.settled = asyncio.Event()  #: set whenever the broker has confirmed something, or the connection went away
        self.connects = 0
        self.refused = ""

    @property
    def up(self) -> bool:
        return self._client is not None

    @property
    def in_flight(self) -> int:
        """Messages that the broker has not confirmed."""
        return len(self._pending)

    def publish(self, topic: str, payload: bytes, qos: int = 1) -> bool:
        """Hand a message to the broker; False when there is no connection."""
        if self._client is None:
            return False
        info = self._client.publish(topic, payload, qos)
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            return False
        if qos:
            self._pending.add(info.mid)
        return True

    async def run(self) -> None:
        """Until cancelled. The first attempt comes at once, later ones after a random wait that doubles."""
        tries = 0
        try:
            while True:
                if tries:
                    longest = max(10.0, 2 * self._spread_s)
                    await asyncio.sleep(self._rng.uniform(0.0, min(longest, self._spread_s * 2 ** (tries - 1))))
                tries += 1
                if await self._once():
                    tries = 1
        finally:
            self._close()

    async def _once(self) -> bool:
        """One life of the connection; True when it had been up."""
        loop = asyncio.get_running_loop()
        raw = socket.socket(socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET, socket.SOCK_STREAM)
        raw.setblocking(False)
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                found = await loop.getaddrinfo(*self._address, family=raw.family, type=socket.SOCK_STREAM)
                await loop.sock_connect(raw, found[0][4])
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                raw = await asyncio.to_thread(_shake_hands, raw, self._tls, self._address[0])
        except (OSError, TimeoutError) as error:
            self.refused = str(error) or "no answer"
            raw.close()
            return False
        accepted = loop.create_future()
        client = self._make(raw, accepted, loop)
        self._lost.clear()
        ticker = asyncio.create_task(self._tick(client))
        try:
            client.connect(*self._address, keepalive=KEEPALIVE_S)
            async with asyncio.timeout(_TIMEOUT_S):
                refused = await accepted
            if refused:
                self.refused = refused
                return False
            for topic in self._topics:
                client.subscribe(topic, qos=0)
            self._client = client
            self.connects += 1
            self.refused = ""
            self._on_up()
            await self._lost.wait()
            return True
        except (OSError, TimeoutError) as error:
            self.refused = str(error) or "no answer"
            return False
        finally:
            ticker.cancel()
            self._forget()
            with contextlib.suppress(Exception):
                client.disconnect()
                client.loop_write()
            client._sock_close()

    def _make(self, raw: socket.socket, accepted: asyncio.Future[str], loop: asyncio.AbstractEventLoop) -> _Client:
        client = _Client(CallbackAPIVersion.VERSION2, client_id=self._id, clean_session=True, protocol=mqtt.MQTTv311)
        client.given = raw
        client.max_inflight_messages_set(1_000)  # the sender keeps its own, smaller window
        if self._user is not None:
            client.username_pw_set(self._user, self._password)
        if self._will:
            client.will_set(*self._will, qos=1)

        def on_connect(c: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
            if not accepted.done():
                accepted.set_result(str(reason) if reason.is_failure else "")

        def on_disconnect(c: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
            if not accepted.done():
                accepted.set_result(str(reason))
            self._lost.set()

        def on_publish(c: Any, data: Any, mid: int, reason: Any, properties: Any) -> None:
            self._pending.discard(mid)
            self.settled.set()

        def on_message(c: Any, data: Any, message: mqtt.MQTTMessage) -> None:
            self._on_message(message.topic, bytes(message.payload))

        client.on_connect, client.on_disconnect, client.on_publish, client.on_message = (
            on_connect,
            on_disconnect,
            on_publish,
            on_message,
        )
        _on_loop(client, loop)
        return client

    async def _tick(self, client: _Client) -> None:
        while client.loop_misc() == mqtt.MQTT_ERR_SUCCESS:
            await asyncio.sleep(1.0)
        self._lost.set()

    def _forget(self) -> None:
        self._client = None
        self._pending.clear()
        self.settled.set()

    def _close(self) -> None:
        self._forget()


def _shake_hands(raw: socket.socket, tls: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """In a thread, with an end: asyncio knows no TLS on a socket that paho is to read."""
    raw.settimeout(_TIMEOUT_S)
    secured = tls.wrap_socket(raw, server_hostname=host)
    secured.setblocking(False)
    return secured


def _read(client: _Client) -> None:
    """Also what lies decrypted behind a socket that has nothing new to read."""
    client.loop_read()
    while isinstance(sock := client.socket(), ssl.SSLSocket) and sock.pending():
        client.loop_read()


def _on_loop(client: _Client, loop: asyncio.AbstractEventLoop) -> None:
    """paho's socket is watched by asyncio."""

    def opened(c: Any, data: Any, sock: Any) -> None:
        loop.add_reader(sock, _read, client)

    def closed(c: Any, data: Any, sock: Any) -> None:
        loop.remove_reader(sock)
        loop.remove_writer(sock)

    def wants_to_write(c: Any, data: Any, sock: Any) -> None:
        loop.add_writer(sock, client.loop_write)

    def has_written(c: Any, data: Any, sock: Any) -> None:
        loop.remove_writer(sock)

    client.on_socket_open, client.on_socket_close = opened, closed
    client.on_socket_register_write, client.on_socket_unregister_write = wants_to_write, has_written
