"""Packets of MQTT that we write by the thousand, ready to be sent."""

from __future__ import annotations

from typing import Final

PUBACK: Final = tuple(b"\x40\x02" + mid.to_bytes(2, "big") for mid in range(65536))


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
