"""`telltale prove fuzz`: everything that can be wrong with a message, through every decoder: nothing uncaught, nothing
slow.

A case is one payload of one kind, made by seed. It goes through `quick` and, where that has no answer, `telemetry`, as
in the gateway; through `diagnostics` and `status`; every tenth through the bulk reader of the MQTT stream, cut
anywhere. Time is CPU time of this thread with the garbage collector held off. A case over the limit is measured again
and its best counts: the first may have paid for somebody else's cold cache.
"""

from __future__ import annotations

import gc
import math
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as paho

from gateway.intake import normalise
from gateway.intake.normalise import Source
from gateway.mqtt.bulk_reader import BulkClient
from proofs import poison, wire
from proofs.swap import swap
from schemas.errors import Misconfigured
from store.readings import pack
from telltale import cli
from telltale.settings import Settings

CASES = 50_000
LIMIT_S = 0.005
AGAIN = 3
NOW = 1_795_000_000.0  #: 2026-11-18; the kinds' times lie around it
CAR = Source("1M8GDM9AXKP042788", 7, "vehicles/10/1M8GDM9AXKP042788/up/telemetry")
SWITCHES = ("no-size-limit", "trusting-decoder")


@dataclass
class Tally:
    """What came of the cases so far."""

    verdicts: Counter[str] = field(default_factory=Counter)
    uncaught: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)  #: answered, but not as the contract says
    calls: int = 0
    slowest_s: float = 0.0
    slowest: str = ""
    by_kind: dict[str, float] = field(default_factory=dict)  #: kind -> its slowest, seconds

    @property
    def violations(self) -> int:
        """How many promises were broken."""
        return len(self.uncaught) + len(self.slow) + len(self.untrue)

    def call(self, work: Callable[[], Any], kind: str, size: int) -> Any:
        """One call, timed; None when it raised what nobody catches."""
        took = math.inf
        answer = None
        for _ in range(1 + AGAIN):
            began = time.thread_time()
            try:
                answer = work()
            except Exception as error:
                self.uncaught.append(f"{kind} of {size} bytes: {type(error).__name__}: {str(error)[:100]}")
                return None
            took = min(took, time.thread_time() - began)
            if took <= LIMIT_S:
                break
        self.calls += 1
        if took > LIMIT_S:
            self.slow.append(f"{kind} of {size} bytes: {took * 1000:.1f} ms")
        if took > self.slowest_s:
            self.slowest_s, self.slowest = took, f"{kind} of {size} bytes"
        self.by_kind[kind] = max(took, self.by_kind.get(kind, 0.0))
        return answer


async def main(settings: Settings, *, trials: int, seed: int, sabotage: str | None) -> dict[str, Any]:
    """`trials` cases; no service is needed for them."""
    del settings
    if sabotage is not None and sabotage not in SWITCHES:
        raise Misconfigured("--sabotage", f"{sabotage} is no switch of this proof; known are {', '.join(SWITCHES)}")
    began, dice, tally = time.monotonic(), random.Random(f"fuzz {seed}"), Tally()
    kinds: Counter[str] = Counter()
    tell = cli.progress("cases")
    with _quiet(), _sabotaged(sabotage):
        for n in range(trials):
            kind = poison.KINDS[n % len(poison.KINDS)]
            payload = kind(dice)
            name = kind.__name__
            kinds[name] += 1
            decode(tally, payload, name)
            if n % 10 == 0:
                _stream(tally, payload, name, dice)
            if n % 500 == 0:
                gc.collect(1)
                tell(n)
    return {
        "trials": trials,
        "checked": tally.calls,
        "violations": tally.violations,
        "uncaught": len(tally.uncaught),
        "over_limit": len(tally.slow),
        "untrue": len(tally.untrue),
        "limit_ms": LIMIT_S * 1000,
        "slowest_ms": round(tally.slowest_s * 1000, 3),
        "slowest": tally.slowest,
        "slowest_ms_by_kind": {
            name: round(took * 1000, 3) for name, took in sorted(tally.by_kind.items(), key=lambda item: -item[1])
        },
        "cases_by_kind": dict(kinds),
        "verdicts": dict(tally.verdicts.most_common()),
        "examples": {"uncaught": tally.uncaught[:5], "over_limit": tally.slow[:5], "untrue": tally.untrue[:5]},
        "seed": seed,
        "sabotage": sabotage,
        "seconds": round(time.monotonic() - began, 1),
    }


def decode(tally: Tally, payload: bytes, kind: str) -> None:
    """One payload as telemetry, as diagnostics and as a hint."""
    heard = tally.call(lambda: _as_telemetry(payload), f"{kind} as telemetry", len(payload))
    if heard is not None:
        tally.verdicts[_verdict(heard)] += 1
        tally.untrue += [f"{kind} of {len(payload)} bytes: {fault}" for fault in _faults(heard)]
    heard = tally.call(lambda: normalise.diagnostics(payload, CAR, NOW), f"{kind} as diagnostics", len(payload))
    if heard is not None:
        tally.verdicts[f"diagnostics: {_verdict(heard)}"] += 1
        tally.untrue += [f"{kind} of {len(payload)} bytes as diagnostics: {fault}" for fault in _faults(heard)]
    status = tally.call(lambda: normalise.status(payload), f"{kind} as status", len(payload))
    tally.verdicts["status: shown" if status is not None else "status: no hint"] += 1


def _as_telemetry(payload: bytes) -> normalise.Decoded:
    quick = normalise.quick(payload, CAR.vehicle_id, NOW, normalise.clock_window(NOW))
    return (
        normalise.telemetry(payload, CAR, NOW)
        if quick is None
        else normalise.Decoded(quick[0], quick[1], odometer=quick[2])
    )


def _verdict(heard: normalise.Decoded) -> str:
    if heard.reading is None:
        return str(heard.refused[0].reason) if heard.refused else "nothing"
    return "read in part" if heard.refused else "read"


def _faults(heard: normalise.Decoded) -> Iterator[str]:
    """What an answer must be, whatever was asked."""
    if heard.reading is None and not heard.refused:
        yield "neither read nor refused"
    if heard.reading is not None:
        row = heard.reading
        row.place = 1
        if (
            not all(map(math.isfinite, (*row.values, row.ts)))
            or len(row.ids) != len(set(row.ids))
            or len(row.ids) != len(row.values)
        ):
            yield f"a row that cannot be: {row.ids} {row.values} at {row.ts}"
        else:
            try:
                pack(1, row)
            except Exception as error:
                yield f"a row that cannot be written: {type(error).__name__}: {error}"
    for refused in heard.refused:
        try:
            refused.detail.encode()
        except UnicodeEncodeError:
            yield "a reason that PostgreSQL does not take"
        if "\0" in refused.detail or len(refused.detail) > 1000 or len(refused.payload) > normalise.MAX_BYTES:
            yield "a reason with NUL, or without end"


class _Taken:
    """Who gets what the bulk reader finds."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []

    def take(self, topic: bytes, payload: bytes, mid: int, dup: bool, retained: bool) -> None:
        self.payloads.append(payload)

    def take_many(self, topics: list[bytes], payloads: list[bytes], mids: list[int]) -> None:
        self.payloads += payloads


def _stream(tally: Tally, payload: bytes, kind: str, dice: random.Random) -> None:
    """The payload within an MQTT stream: it must come out as it went in, however the bytes are cut."""
    packets = [
        wire.publish(CAR.topic, payload, mid if dice.random() < 0.8 else None, dup=dice.random() < 0.1)
        for mid in range(1, dice.choice((2, 3, 5)))
    ]
    stream = b"".join(packets)
    taken = _Taken()
    ours, theirs = socket.socketpair()
    try:
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        ours.setblocking(False)
        client = BulkClient(taker=taken, bulk=True, client_id="fuzz", protocol=paho.MQTTv311)
        client._sock = ours
        cuts = sorted(dice.randrange(len(stream) + 1) for _ in range(dice.randrange(4)))
        for begin, end_at in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            for at in range(begin, end_at, 100_000):
                theirs.sendall(stream[at : min(at + 100_000, end_at)])
                tally.call(client.loop_read, f"{kind} in a stream", len(stream))
        client._sock = None
    finally:
        ours.close()
        theirs.close()
    if taken.payloads != [payload] * len(packets):
        tally.untrue.append(f"{kind} of {len(payload)} bytes came out of the stream otherwise")


@contextmanager
def _quiet() -> Iterator[None]:
    """No garbage collection within a case."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


@contextmanager
def _sabotaged(switch: str | None) -> Iterator[None]:
    """One guard taken out: the limit of a message's size, or the contract."""
    limit, sample = normalise.MAX_BYTES, normalise._sample
    try:
        if switch == "no-size-limit":
            swap(normalise, "MAX_BYTES", 1 << 30)
        elif switch == "trusting-decoder":
            swap(normalise, "_sample", _trusting)
        yield
    finally:
        swap(normalise, "MAX_BYTES", limit)
        swap(normalise, "_sample", sample)


def _trusting(payload: bytes) -> Any:
    """As most consumers read: whatever JSON it is."""
    from datetime import datetime
    from json import loads

    body = loads(payload)
    body["ts"] = datetime.fromisoformat(body["ts"])
    return body
