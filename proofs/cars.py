"""Cars of the fault experiments. They speak MQTT on the wire and keep the history that the checker believes.

A *plain* car forgets a message at the broker's PUBACK, as foreign devices do; a *spool* car keeps it until the
application ack, as our telematics unit does, sends again what it is asked for, and says everything again after
`RESEND_S` without an ack: what a broker confirmed and forgot while nobody listened, no later message need ever show.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile

from proofs import wire
from schemas.reading import UNIT, boot_of, unit_of
from schemas.vehicle import topic

WINDOW = 16
#: machine time without an acknowledgement, as simulator/telematics.py has it; longer than any answer to an ask takes
RESEND_S = 20.0


@dataclass
class ProofCar:
    """One car. `history` is (boot, seq) -> body of everything it ever published, the boot as the gateway keeps it;
    `kept` what it still must deliver.
    """

    vin: str
    secret: str
    address: Callable[[], tuple[str, int]]
    spool: bool
    seed: int
    boot: int = 1
    history: dict[tuple[int, int], bytes] = field(default_factory=dict)
    acknowledged: set[tuple[int, int]] = field(default_factory=set)
    kept: OrderedDict[tuple[int, int], bytes] = field(default_factory=OrderedDict)
    repeat: float = 0.0  #: share of messages that are published once more on purpose
    connects: int = 0
    alive: bool = True
    tls: Callable[[], ssl.SSLContext | None] = lambda: None  #: what it believes in, asked for with each connection
    parked: bool = False  #: it says nothing, for what happens now is not promised to it

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        self._seq = 0
        self._mid = 0
        self._flying: dict[int, tuple[int, int]] = {}
        self._unsent: OrderedDict[tuple[int, int], None] = OrderedDict()
        self._writer: asyncio.StreamWriter | None = None
        self._more = asyncio.Event()
        self._progress = time.monotonic()  #: when it last had reason to believe that it is heard

    @property
    def settled(self) -> bool:
        """Whether nothing of it is under way any more."""
        return not self.kept

    @property
    def handed_over(self) -> bool:
        """Whether the broker has all that it said, though perhaps nobody else."""
        return not self._unsent and not self._flying and (self.spool or not self.kept)

    def say(self, ts: str, signals: dict[str, float]) -> None:
        """One more message, into the spool and onto the wire as soon as there is one."""
        self._seq += 1
        key = (self.boot, self._seq)
        message: dict[str, object] = {"boot": boot_of(self.boot), "seq": self._seq, "ts": ts, "signals": signals}
        if self.spool:  # a device without a spool cannot say what it could still send
            message["oldest"] = next((seq for boot, seq in self.kept if boot == self.boot), self._seq)
        body = json.dumps(message, separators=(",", ":")).encode()
        self.history[key] = self.kept[key] = body
        self._unsent[key] = None
        self._more.set()

    def reboot(self) -> None:
        """The unit restarts: the counters begin anew, the spool stays."""
        self.boot, self._seq = self.boot + 1, 0

    def new_unit(self, boot: int) -> None:
        """Its counters begin anew with this boot. What the broker has not confirmed of the unit before still comes."""
        if self._seq:
            self.boot, self._seq = (unit_of(self.boot) + 1) * UNIT + boot, 0

    async def run(self) -> None:
        """Connect, publish, hear; again with full jitter when the connection breaks."""
        failures = 0
        while self.alive:
            try:
                await self._connected()
                failures = 0
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                failures += 1
            self._writer = None
            await asyncio.sleep(self._dice.uniform(0.02, min(5.0, 0.2 * 2**failures)))

    async def _connected(self) -> None:
        tls = self.tls()
        opening = asyncio.open_connection(*self.address(), ssl=tls, server_hostname="localhost" if tls else None)
        reader, writer = await asyncio.wait_for(opening, 5)
        try:
            writer.write(wire.connect(self.vin, self.vin, self.secret, keepalive_s=20))
            self._flying.clear()
            parser = wire.Reader()
            async with asyncio.TaskGroup() as group:
                heard = group.create_task(self._hear(reader, writer, parser))
                speaking = group.create_task(self._speak(writer, heard))
                group.create_task(self._ping(writer))
                group.create_task(self._repeat_when_unheard())
                speaking.add_done_callback(lambda _: None)
        except* (OSError, asyncio.IncompleteReadError):
            raise ConnectionResetError from None
        finally:
            with contextlib.suppress(OSError):
                writer.transport.abort()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, parser: wire.Reader) -> None:
        while data := await reader.read(65_536):
            for first, body in parser.feed(data):
                if first == wire.CONNACK:
                    if body[1]:
                        raise ConnectionResetError("refused")
                    self.connects += 1
                    writer.write(wire.subscribe(topic(self.vin, "down/+"), 0))
                elif first == wire.SUBACK:
                    self._say_all_again()
                    self._writer = writer
                    self._more.set()
                elif first == wire.PUBACK:
                    self._took(int.from_bytes(body[:2], "big"))
                elif first & 0xF0 == wire.PUBLISH:
                    self._told(*wire.published(first, body))
        raise ConnectionResetError("the broker went away")

    def _say_all_again(self) -> None:
        self._unsent, self._progress = OrderedDict.fromkeys(self.kept), time.monotonic()
        self._more.set()

    def _took(self, mid: int) -> None:
        key = self._flying.pop(mid, None)
        if key is not None and not self.spool:
            self.acknowledged.add(key)
            self.kept.pop(key, None)
        self._more.set()

    def _told(self, where: str, _mid: int | None, payload: bytes) -> None:
        if where.endswith("down/acks") and self.spool:
            ack = json.loads(payload)
            for key in list(
                takewhile(lambda kept: kept <= (ack["boot"], ack["upto"]), self.kept)
            ):  # kept in the order of the keys
                if key[0] == ack["boot"]:
                    self.acknowledged.add(key)
                    del self.kept[key]
                    self._progress = time.monotonic()
        elif where.endswith("down/asks") and self.spool:
            ask = json.loads(payload)
            for key in self.kept:
                if key[0] == ask["boot"] and ask["from"] <= key[1] <= ask["to"]:
                    self._unsent[key] = None
            self._more.set()

    async def _speak(self, writer: asyncio.StreamWriter, heard: asyncio.Task[None]) -> None:
        while not heard.done():
            await self._more.wait()
            self._more.clear()
            while self._writer is writer and self._unsent and len(self._flying) < WINDOW:
                key, _ = self._unsent.popitem(last=False)
                if key not in self.kept:
                    continue
                times = 2 if self._dice.random() < self.repeat else 1
                for _ in range(times):
                    self._mid = self._mid % 65_535 + 1
                    self._flying[self._mid] = key
                    writer.write(wire.publish(topic(self.vin, "up/telemetry"), self.kept[key], self._mid))
            await writer.drain()

    async def _ping(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(8)
            writer.write(bytes((wire.PINGREQ, 0)))

    async def _repeat_when_unheard(self) -> None:
        while self.spool:
            await asyncio.sleep(max(1.0, self._progress + RESEND_S - time.monotonic()))
            if self.kept and time.monotonic() - self._progress >= RESEND_S:
                self._say_all_again()
