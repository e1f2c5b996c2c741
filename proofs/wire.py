"""Just enough of MQTT 3.1.1 on the wire to be a cheap car, a cheap subscriber or a pretended broker.

Source: OASIS MQTT 3.1.1, sections 2 and 3. The proofs speak it themselves so that the load costs a fraction of
what it measures, and so that a witness does not share the client library with the thing that it watches.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import Iterator

CONNACK, PUBLISH, PUBACK, SUBACK, PINGREQ, PINGRESP = 0x20, 0x30, 0x40, 0x90, 0xC0, 0xD0
CONNECT, SUBSCRIBE, DISCONNECT = 0x10, 0x82, 0xE0


def _string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("!H", len(raw)) + raw


def _packet(first: int, body: bytes) -> bytes:
    length, left = bytearray(), len(body)
    while True:
        left, digit = left >> 7, left & 0x7F
        length.append(digit | (0x80 if left else 0))
        if not left:
            return bytes((first,)) + bytes(length) + body


def connect(client_id: str, username: str, password: str, *, clean: bool = True, keepalive_s: int = 60) -> bytes:
    """CONNECT with user name and password."""
    flags = 0xC0 | (0x02 if clean else 0)
    body = (
        _string("MQTT")
        + bytes((4, flags))
        + struct.pack("!H", keepalive_s)
        + _string(client_id)
        + _string(username)
        + _string(password)
    )
    return _packet(CONNECT, body)


def publish(topic: str, payload: bytes, mid: int | None, *, dup: bool = False) -> bytes:
    """PUBLISH, QoS 1 when `mid` is given."""
    middle = b"" if mid is None else struct.pack("!H", mid)
    return _packet(PUBLISH | (0 if mid is None else 2) | (8 if dup else 0), _string(topic) + middle + payload)


def subscribe(topic: str, qos: int, mid: int = 1) -> bytes:
    """SUBSCRIBE to one filter."""
    return _packet(SUBSCRIBE, struct.pack("!H", mid) + _string(topic) + bytes((qos,)))


def puback(mid: int) -> bytes:
    """PUBACK."""
    return struct.pack("!BBH", PUBACK, 2, mid)


def connack(session_present: bool = False) -> bytes:
    """CONNACK, accepted."""
    return bytes((CONNACK, 2, int(session_present), 0))


def suback(mid: int, qos: int = 1) -> bytes:
    """SUBACK, granted."""
    return struct.pack("!BBHB", SUBACK, 3, mid, qos)


class Reader:
    """Bytes in, whole packets out as (first byte, body)."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, memoryview]]:
        """Every packet that is complete now."""
        data = self._rest + data if self._rest else data
        at, end, view = 0, len(data), memoryview(data)
        while end - at >= 2:
            length, shift, body = 0, 0, at + 1
            while body < end:
                digit = data[body]
                body += 1
                length |= (digit & 0x7F) << shift
                shift += 7
                if not digit & 0x80:
                    break
            else:
                break
            if data[body - 1] & 0x80 or body + length > end:
                break
            yield data[at], view[body : body + length]
            at = body + length
        self._rest = data[at:]


def published(first: int, body: memoryview) -> tuple[str, int | None, bytes]:
    """Topic, packet id (None for QoS 0) and payload of a PUBLISH."""
    topic_end = 2 + int.from_bytes(body[:2], "big")
    topic = bytes(body[2:topic_end]).decode()
    if first & 0x06:
        return topic, int.from_bytes(body[topic_end : topic_end + 2], "big"), bytes(body[topic_end + 2 :])
    return topic, None, bytes(body[topic_end:])


async def say(
    host: str, port: int, user: str, password: str, topic: str, payload: bytes, *, tls: ssl.SSLContext | None = None
) -> None:
    """Sign in, publish one message at QoS 1, wait until the broker has it, leave. OSError when it is refused."""
    reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    try:
        writer.write(connect(f"say-{id(writer):x}", user, password))
        if (await asyncio.wait_for(reader.readexactly(4), 5))[3]:
            raise ConnectionRefusedError(f"the broker does not let {user} in")
        writer.write(publish(topic, payload, 1))
        await asyncio.wait_for(reader.readexactly(4), 5)
        writer.write(bytes((DISCONNECT, 0)))
        await writer.drain()
    finally:
        writer.close()
