"""paho on asyncio, read in bulk: QoS 1 PUBLISHes are parsed here, every other packet goes to stock paho.

`loop_read` is public; four private names are touched (`_sock_recv`, `_packet_queue`, `_create_socket`,
`_loop_rc_handle`), so paho is pinned and `self_check` runs at the start: if they have changed, the stock path is used,
which is also the oracle.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any, Final, Protocol

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion

log = structlog.get_logger()

READ_BYTES: Final = 1 << 18
_READS: Final = 8  #: per call, so that one busy session does not starve the others
_RECORDS: Final = 64  #: the same with TLS, which gives 16 KiB at a time


class Taker(Protocol):
    """Who gets the messages."""

    def take(self, topic: bytes, payload: bytes, mid: int, dup: bool, retained: bool) -> None: ...

    def take_many(self, topics: list[bytes], payloads: list[bytes], mids: list[int]) -> None: ...


class BulkClient(paho.Client):
    """A paho client of one session; `bulk=False` is stock paho with manual acks."""

    def __init__(self, taker: Taker, *, bulk: bool, client_id: str, protocol: Any, **options: Any) -> None:
        # reconnect_on_failure: paho would dial by itself, and block the loop, to try an older version of the protocol
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=protocol,
            manual_ack=True,
            reconnect_on_failure=False,
            **options,
        )
        self._taker = taker
        self._bulk = bulk and self_check()
        self._v5 = protocol == paho.MQTTv5
        self._data = b""
        self._fed = b""  #: one packet on its way to stock paho
        self._dry = False
        self._records = False  #: a TLS connection
        self.in_blob = False  #: `write_blob` is at work and says itself whether the loop must help
        #: connected without blocking the loop, TLS and all; used by the next connect()
        self.ready_socket: socket.socket | None = None
        self.on_message = self._hand_over

    def loop_read(self, max_packets: int = 1) -> Any:
        """Read what is there. Raises nothing that a peer can cause."""
        if not self._bulk:
            self._dry = False
            rc = super().loop_read()
            while not self._dry and rc == paho.MQTT_ERR_SUCCESS and self._sock is not None:
                rc = super().loop_read()
            return rc
        for _ in range(_RECORDS if self._records else _READS):
            sock = self._sock
            if sock is None:
                return paho.MQTT_ERR_NO_CONN
            try:
                data = sock.recv(READ_BYTES)
            except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return paho.MQTT_ERR_SUCCESS
            except OSError:
                return self.drop()
            if not data:
                return self.drop()
            self._data = self._parse(self._data + data if self._data else data)
            if len(data) < READ_BYTES // 4 and not self._records:
                return paho.MQTT_ERR_SUCCESS
        return paho.MQTT_ERR_SUCCESS

    def _parse(self, data: bytes) -> bytes:
        """Take whole packets from the front; what is left is the beginning of the next."""
        topics: list[bytes] = []
        payloads: list[bytes] = []
        mids: list[int] = []
        try:
            return self._packets(data, topics, payloads, mids)
        finally:
            if mids:
                self._taker.take_many(topics, payloads, mids)

    def _packets(self, data: bytes, topics: list[bytes], payloads: list[bytes], mids: list[int]) -> bytes:
        at, end, plain = 0, len(data), not self._v5
        while at + 2 <= end:
            first = data[at]
            length = data[at + 1]
            body = at + 2
            if length > 127:
                length &= 127
                shift = 7
                while True:
                    if body >= end:
                        return data[at:]
                    digit = data[body]
                    body += 1
                    length |= (digit & 127) << shift
                    if digit < 128:
                        break
                    shift += 7
                    if shift > 21:
                        self.drop()
                        return b""
            after = body + length
            if after > end:
                return data[at:]
            if first == 0x32 and plain:  # QoS 1, fresh, not retained: nearly all of them
                topic_end = body + 2 + ((data[body] << 8) | data[body + 1])
                topics.append(data[body + 2 : topic_end])
                mids.append((data[topic_end] << 8) | data[topic_end + 1])
                payloads.append(data[topic_end + 2 : after])
                at = after
                continue
            if mids:  # what came before goes first: acks keep the order of arrival
                self._taker.take_many(topics, payloads, mids)
                topics.clear()
                payloads.clear()
                mids.clear()
            if first & 0xF4 == 0x30:  # PUBLISH of QoS 0 or 1
                topic_end = body + 2 + ((data[body] << 8) | data[body + 1])
                payload, mid = topic_end, 0
                if first & 2:
                    mid = (data[topic_end] << 8) | data[topic_end + 1]
                    payload += 2
                if self._v5:
                    payload = _skip_properties(data, payload)
                self._taker.take(data[body + 2 : topic_end], data[payload:after], mid, bool(first & 8), bool(first & 1))
            else:
                self._fed = data[at:after]
                super().loop_read()
                if self._sock is None:
                    return b""
            at = after
        return data[at:]

    def _sock_recv(self, bufsize: int) -> bytes:
        if not self._bulk:
            try:
                return bytes(super()._sock_recv(bufsize))
            except BlockingIOError:
                self._dry = True
                raise
        fed, self._fed = self._fed[:bufsize], self._fed[bufsize:]
        if not fed:
            raise BlockingIOError
        return fed

    def _create_socket(self) -> socket.socket:
        ready, self.ready_socket = self.ready_socket, None
        self._data = self._fed = b""
        self._records = isinstance(ready, ssl.SSLSocket)
        if ready is None:
            raise ConnectionError("nobody has dialled")
        return ready

    def _hand_over(self, _client: Any, _data: Any, message: Any) -> None:
        self._taker.take(
            bytes(message._topic),
            message.payload,
            message.mid if message.qos else 0,
            bool(message.dup),
            bool(message.retain),
        )

    def write_blob(self, packets: bytes) -> bool:
        """Ready-made packets in one write.

        True: the socket took not all of it, so the rest waits until it is writable.
        """
        self.in_blob = True  # paho would have the loop watch the socket, and forget it again, for every write
        try:
            self._packet_queue(0x40, packets, 0, 0)
            self.loop_write()
        finally:
            self.in_blob = False
        return bool(self.want_write())

    def drop(self) -> Any:
        """This connection is lost, or shall be."""
        self._data = self._fed = b""
        return self._loop_rc_handle(paho.MQTT_ERR_CONN_LOST)


def _skip_properties(data: bytes, at: int) -> int:
    length = shift = 0
    while True:
        digit = data[at]
        at += 1
        length |= (digit & 127) << shift
        if digit < 128:
            return at + length
        shift += 7


def self_check() -> bool:
    """Whether paho still has the names that bulk reading replaces."""
    names = ("_sock_recv", "_packet_queue", "_create_socket", "_loop_rc_handle")
    missing = [name for name in names if not callable(getattr(paho.Client, name, None))]
    if missing:
        log.warning(
            "bulk_reading_off",
            missing=missing,
            hint="this paho is not the one we know: the stock path is slower but the same",
        )
    return not missing
