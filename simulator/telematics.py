"""The telematics unit: hears the bus, speaks VSS names, keeps every message until it is acknowledged, answers asks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from pydantic import ValidationError

from schemas.signal import BY_ID
from schemas.telemetry import Ack, Ask, Diagnostics
from schemas.vehicle import topic
from simulator.connection import Connection
from simulator.faults import DataFaults
from simulator.sampling import Sampler
from simulator.spool import Kept, Spool, Way

WINDOW = 64  # messages that the broker has not confirmed
BATCH = 32
RESEND_S = 20.0  # machine time without an acknowledgement after which everything is said again
PATHS = {number: signal.path for number, signal in BY_ID.items()}


def stamp(ts: float) -> str:
    """An instant as the contract writes it."""
    at = datetime.fromtimestamp(ts, UTC)
    return at.isoformat(timespec="microseconds" if at.microsecond % 1000 else "milliseconds").replace("+00:00", "Z")


def telemetry_body(ts: float, values: Mapping[int, float]) -> str:
    """The JSON of a sample, without its counters."""
    return json.dumps(
        {"ts": stamp(ts), "signals": {PATHS[signal]: value for signal, value in values.items()}}, separators=(",", ":")
    )


def diagnostics_body(diagnostics: Diagnostics) -> str:
    """The JSON of a list of codes, without its counters."""
    return diagnostics.model_dump_json(exclude={"boot", "seq", "oldest"}, exclude_none=True, exclude_defaults=True)


class Unit:
    """From bus values to kept messages.

    `budget`: bytes a day. From 80 % on it reports five times less often, beyond it only starts, ends, changes and
    codes.
    """

    def __init__(
        self, spool: Spool, sampler: Sampler, budget: int | None = None, faults: DataFaults | None = None
    ) -> None:
        self.spool, self.sampler, self._faults = spool, sampler, faults
        self._budget, self._usual_s = budget, sampler.period_s
        self._day, self.bytes_today, self.messages = -1, 0, 0
        self._codes: object = None
        self.wake: Callable[[], None] = lambda: None

    def hear(self, ts: float, values: Mapping[int, float]) -> None:
        """One look at the bus."""
        self._begin_day(ts)
        sample = self.sampler.hear(ts, values)
        if sample:
            self._keep(ts, "up/telemetry", telemetry_body(ts, sample))

    def codes(self, ts: float, diagnostics: Diagnostics) -> None:
        """What the control units answered; only a change is a message."""
        lamps = (diagnostics.mil, diagnostics.stop, diagnostics.warning, diagnostics.protect)
        key = ([code.model_dump(exclude={"first_seen"}) for code in diagnostics.codes], lamps, diagnostics.flash)
        if self._codes is None and not diagnostics.codes and not any(lamps):
            self._codes = key
        if key != self._codes:
            self._codes = key
            self._keep(ts, "up/diagnostics", diagnostics_body(diagnostics))

    def current(self) -> dict[str, float]:
        """The values as they are now, for the hint after an outage."""
        return {PATHS[signal]: value for signal, value in self.sampler.known.items()}

    def budget(self) -> dict[str, int]:
        """How much of the day's budget is spent, for the hint."""
        return {"bytes_today": self.bytes_today, **({} if self._budget is None else {"bytes_per_day": self._budget})}

    def _begin_day(self, ts: float) -> None:
        day = int(ts // 86_400)
        if day != self._day:
            self._day, self.bytes_today, self.sampler.period_s = day, 0, self._usual_s

    def _keep(self, ts: float, way: Way, body: str) -> None:
        self._begin_day(ts)
        self.bytes_today += len(body) + 40
        if self._budget is not None:
            spent = self.bytes_today / self._budget
            self.sampler.period_s = self._usual_s * (1.0 if spent < 0.8 else 5.0 if spent < 1.0 else float("inf"))
        if self._faults is not None:
            body = self._faults.body(body)
        kept = self.spool.put(way, body)
        if self._faults is not None and self._faults.lost():
            self.spool.lose(kept)
        self.messages += 1
        self.wake()


class Sender:
    """Says what the spool holds, in order.

    After an outage: the current values once as a hint, then the backlog, rate-limited.
    """

    def __init__(
        self,
        vin: str,
        secret: str,
        host: str,
        port: int,
        spool: Spool,
        *,
        user: str | None = None,
        current: Callable[[], Mapping[str, float]] = dict,
        facts: Callable[[], Mapping[str, object]] = dict,
        per_second: float = 300.0,
        window: int = WINDOW,
        spread_s: float = 0.5,
        seed: int = 0,
        order: Callable[[list[Kept]], list[Kept]] = list,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.vin, self.spool, self._current, self._facts = vin, spool, current, facts
        self._per_second, self._window, self._order = per_second, window, order
        self._wake = asyncio.Event()
        self._asks: deque[Ask] = deque()
        self._cursor = (0, 0)
        self._progress = time.monotonic()
        self.acknowledged = asyncio.Event()  #: set with every application ack
        self.sent = 0
        self.connection = Connection(
            host,
            port,
            client_id=vin,
            user=user or vin,
            password=secret,
            seed=seed,
            spread_s=spread_s,
            subscribe=(topic(vin, "down/acks"), topic(vin, "down/asks")),
            on_message=self._heard,
            on_up=self._up,
            will=(topic(vin, "up/status"), b'{"state":"offline"}'),
            tls=tls,
        )

    def wake(self) -> None:
        """There is something new in the spool."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        keeper = asyncio.create_task(self.connection.run())
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(2.0):
                        await self._wake.wait()
                self._wake.clear()
                if keeper.done():
                    keeper.result()
                if self.connection.up:
                    self._repeat_when_unheard()
                    await self._say()
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    async def _say(self) -> None:
        while self.connection.up:
            while self._asks and self.connection.up:
                ask = self._asks.popleft()
                for kept in self.spool.between(ask.boot, ask.first, ask.last):
                    await self._room()
                    self._publish(kept.way, kept.payload(self.spool.oldest(kept.boot)))
            batch = self.spool.after(*self._cursor, BATCH)
            if not batch:
                return
            for kept in self._order(batch):
                await self._room()
                if not self._publish(kept.way, kept.payload(self.spool.oldest(kept.boot))):
                    return
                self._cursor = max(self._cursor, (kept.boot, kept.seq))
            if len(batch) == BATCH:  # a backlog
                await asyncio.sleep(BATCH / self._per_second)

    async def _room(self) -> None:
        while self.connection.in_flight >= self._window and self.connection.up:
            self.connection.settled.clear()
            await self.connection.settled.wait()

    def _publish(self, way: str, payload: bytes) -> bool:
        published = self.connection.publish(topic(self.vin, way), payload)
        self.sent += published
        return published

    def _repeat_when_unheard(self) -> None:
        """A broker may lose what it has confirmed; only the application ack counts."""
        now = time.monotonic()
        if len(self.spool) and now - self._progress > RESEND_S:
            self._cursor, self._progress = (0, 0), now

    def _up(self) -> None:
        hint = {"state": "online", "signals": dict(self._current()), **self._facts()}
        self.connection.publish(topic(self.vin, "up/status"), json.dumps(hint, separators=(",", ":")).encode())
        self._cursor, self._progress = (0, 0), time.monotonic()
        self._wake.set()

    def _heard(self, where: str, payload: bytes) -> None:
        try:
            if where.endswith("/acks"):
                ack = Ack.model_validate_json(payload)
                if self.spool.acknowledge(ack.boot, ack.upto):
                    self._progress = time.monotonic()
                self.spool.commit()
                self.acknowledged.set()
            elif where.endswith("/asks"):
                self._asks.append(Ask.model_validate_json(payload))
                self._wake.set()
        except ValidationError:
            return  # not of the contract: a car does not argue
