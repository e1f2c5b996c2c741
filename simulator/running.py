"""The simulator as a service: steps every car when the business clock says so, and hears the workshop."""

from __future__ import annotations

import asyncio
import heapq
import json
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from simulator.connection import Connection
from simulator.fleet import Member, StandIn
from simulator.spool import SpoolFile

log = structlog.get_logger()

BYTES_PER_DAY = 5_000_000  # of one car: seven hours of driving
ROUND = 64  # steps between two looks at the network
_SHORTEST_S, _LONGEST_S = 0.01, 0.5  # machine time between rounds


@dataclass(frozen=True)
class Workshop:
    """The broker on which the mechanic says what is mended, and how one signs in there."""

    host: str
    port: int
    user: str
    password: str
    tls: ssl.SSLContext | None = None


async def run(
    *,
    mqtt_host: str,
    mqtt_port: int,
    cars: Sequence[Member],
    clock: Callable[[], datetime],
    speed: float,
    spool_dir: Path,
    zone: str = "Europe/Berlin",
    period_s: float = 30.0,
    workshop: Workshop | None = None,
    user: str | None = None,
    tls: ssl.SSLContext | None = None,
    budget: int | None = BYTES_PER_DAY,
    ready: Callable[..., None] = lambda **facts: None,
) -> None:
    """Drive `cars` until cancelled. `speed`: business seconds per machine second; `workshop`: where the mechanic is
    heard.

    `user` replaces the VIN as the name with which all cars sign in, for a broker without an account for each; `tls` is
    what they believe in when the broker speaks TLS.
    """
    file = SpoolFile(spool_dir / "spool.sqlite3")
    spread_s = max(0.5, len(cars) / 150)  # after a broker's restart at most a tenth of a fleet comes back in one second
    since = float(int(clock().timestamp()))
    stand_ins = [
        StandIn(
            m,
            mqtt_host,
            mqtt_port,
            file,
            since,
            zone,
            period_s=period_s,
            spread_s=spread_s,
            budget=budget,
            user=user,
            tls=tls,
        )
        for m in cars
    ]
    by_vin = {stand_in.member.vin: stand_in for stand_in in stand_ins}
    tasks = [asyncio.create_task(stand_in.sender.run()) for stand_in in stand_ins]
    if workshop is not None:
        tasks.append(asyncio.create_task(_hear_workshop(workshop, by_vin)))
    tasks.append(asyncio.create_task(_drive(stand_ins, clock, speed, file)))
    try:
        ready(cars=len(stand_ins))
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stand_in in stand_ins:
            stand_in.remember()
            stand_in.close()
        file.close()


async def _drive(stand_ins: Sequence[StandIn], clock: Callable[[], datetime], speed: float, file: SpoolFile) -> None:
    """Step whoever is due, in order of time. Behind the clock, it catches up without sleeping."""
    heap: list[tuple[float, int]] = [(stand_in.due, n) for n, stand_in in enumerate(stand_ins)]
    heapq.heapify(heap)
    while True:
        now, steps = clock().timestamp(), 0
        while heap and heap[0][0] <= now and steps < ROUND:
            _, n = heap[0]
            stand_ins[n].step()
            heapq.heapreplace(heap, (stand_ins[n].due, n))
            steps += 1
        file.commit()
        behind = bool(heap) and steps == ROUND
        wait = (heap[0][0] - now) / speed if heap else _LONGEST_S
        await asyncio.sleep(0 if behind else min(_LONGEST_S, max(_SHORTEST_S, wait)))


async def _hear_workshop(workshop: Workshop, by_vin: dict[str, StandIn]) -> None:
    """`workshop/<vin>` {"component": …}: what was mended there is mended here."""

    def on_message(topic: str, payload: bytes) -> None:
        stand_in = by_vin.get(topic.rpartition("/")[2])
        try:
            body: dict[str, Any] = json.loads(payload)
            component = str(body.get("component") or "all")
        except (ValueError, AttributeError):
            return
        if stand_in is not None:
            log.info("mended", vin=stand_in.member.vin, component=component, parts=stand_in.heal(component))

    await Connection(
        workshop.host,
        workshop.port,
        client_id="workshop-listener",
        user=workshop.user,
        password=workshop.password,
        subscribe=("workshop/+",),
        on_message=on_message,
        tls=workshop.tls,
    ).run()
