"""Before anything is promised: is this process fit, and does the broker keep and hand out enough?

A broker that asks our doorkeeper is asked for its settings. Any other is tried out, for MQTT has no way to ask: a session
of our own is left offline while messages are published to it, and then what comes back is counted.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from gateway.broker import BrokerAddress
from gateway.doorkeeper import Doorkeeper
from gateway.frontier import REORDER_S
from schemas.errors import Misconfigured

KEPT = 1_200  #: the usual default queue holds 1,000 and drops the rest without a word
FLYING = 200  #: a batch must fit into the broker's window, or latency times twenty is all the throughput there is
_PATIENCE_S = 3.0


def check_process() -> None:
    """Debugging slows the loop tenfold and can log what cars say."""
    if asyncio.get_running_loop().get_debug():
        raise Misconfigured("PYTHONASYNCIODEBUG", "is on: the gateway would be too slow to keep its promises. Turn it off")
    if sys.flags.dev_mode:
        raise Misconfigured("PYTHONDEVMODE", "is on: the gateway would be too slow to keep its promises. Turn it off")


def check_settings_of_nats(said: dict[str, Any]) -> None:
    """What the embedded broker says about itself."""
    mqtt = said.get("mqtt") or {}
    wait_s, pending = mqtt.get("ack_wait", 30e9) / 1e9, mqtt.get("max_ack_pending", 100)
    if wait_s >= REORDER_S:
        raise Misconfigured("the broker's mqtt.ack_wait", f"is {wait_s:.0f} s: redelivery must come within {REORDER_S:.0f} s. Set it to 10s")
    if pending < FLYING:
        raise Misconfigured("the broker's mqtt.max_ack_pending", f"is {pending}: at least {FLYING} are needed. Set it to 4000")
    if not said.get("jetstream"):
        raise Misconfigured("the broker's jetstream", "is off: what is published while we are away would be lost. Turn it on")


async def check_broker(address: BrokerAddress, doorkeeper: Doorkeeper | None) -> None:
    """Refuse a broker whose limits lose messages."""
    if doorkeeper is not None:
        said = await doorkeeper.settings_of_broker()
        if said is not None:
            check_settings_of_nats(said)
        return
    kept, flying = await _try_out(address)
    if kept < KEPT:
        raise Misconfigured(
            "the broker's queue", f"kept {kept} of {KEPT} messages for a session that was away. Set max_queued_messages (mosquitto) to 0, or higher"
        )
    if flying < FLYING:
        raise Misconfigured(
            "the broker's window", f"hands out {flying} unacknowledged messages; at least {FLYING} are needed. Set max_inflight_messages (mosquitto) to 4000"
        )


async def _try_out(address: BrokerAddress) -> tuple[int, int]:
    """(messages kept of KEPT, messages handed out without an ack)."""
    name = f"gateway-check-{os.urandom(4).hex()}"
    topic = f"vehicles/check/{name}/up/x"
    listener = await _Wire.open(address, name, clean=False)
    await listener.subscribe(topic)
    listener.close()
    publisher = await _Wire.open(address, f"{name}-p", clean=True)
    await publisher.publish(topic, KEPT)
    publisher.close()
    listener = await _Wire.open(address, name, clean=False)
    flying = await listener.hear(KEPT)
    listener.acknowledge()
    while len(listener.heard) < KEPT and await listener.hear(KEPT):
        listener.acknowledge()
    listener.close()
    (await _Wire.open(address, name, clean=True)).close()  # the session is forgotten
    return len(listener.heard), flying


class _Wire:
    """A bare MQTT 3.1.1 connection for the trial."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.heard: list[int] = []
        self._acked = 0

    @classmethod
    async def open(cls, address: BrokerAddress, client_id: str, *, clean: bool) -> _Wire:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(address.host, address.port, ssl=address.tls or None), 5)
        made = cls(reader, writer)
        flags = (0x80 if address.user else 0) | (0x40 if address.password else 0) | (2 if clean else 0)
        fields = [client_id, *([address.user] if address.user else []), *([address.password] if address.password else [])]
        made._write(0x10, b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x3c" + b"".join(map(_text, fields)))
        first, body = await made._read()
        if first != 0x20 or body[1]:
            raise Misconfigured("MQTT_URL", f"the broker does not let the gateway in (reason {body[1]})")
        return made

    async def subscribe(self, topic: str) -> None:
        self._write(0x82, b"\x00\x01" + _text(topic) + b"\x01")
        while (await self._read())[0] != 0x90:
            pass

    async def publish(self, topic: str, count: int) -> None:
        """With a window of one hundred, so that it is the queue that is tried and not our haste."""
        for first in range(0, count, 100):
            for mid in range(first + 1, min(first + 100, count) + 1):
                self._write(0x32, _text(topic) + mid.to_bytes(2, "big") + b"x")
            for _ in range(first, min(first + 100, count)):
                while (await self._read())[0] != 0x40:
                    pass

    async def hear(self, most: int) -> int:
        """Read until nothing more comes; how many came."""
        before = len(self.heard)
        try:
            while len(self.heard) < most:
                first, body = await asyncio.wait_for(self._read(), 0.3 if len(self.heard) > before else _PATIENCE_S)
                if first & 0xF0 == 0x30:
                    at = 2 + int.from_bytes(body[:2], "big")
                    self.heard.append(int.from_bytes(body[at : at + 2], "big"))
        except TimeoutError:
            pass
        return len(self.heard) - before

    def acknowledge(self) -> None:
        self.writer.write(b"".join(b"\x40\x02" + mid.to_bytes(2, "big") for mid in self.heard[self._acked :]))
        self._acked = len(self.heard)

    def close(self) -> None:
        self.writer.write(b"\xe0\x00")
        self.writer.close()

    def _write(self, first: int, body: bytes) -> None:
        length, head = len(body), bytearray([first])
        while True:
            length, digit = divmod(length, 128)
            head.append(digit | 0x80 if length else digit)
            if not length:
                break
        self.writer.write(bytes(head) + body)

    async def _read(self) -> tuple[int, bytes]:
        first = (await self.reader.readexactly(1))[0]
        length = shift = 0
        while True:
            digit = (await self.reader.readexactly(1))[0]
            length |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                return first, await self.reader.readexactly(length)


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw
