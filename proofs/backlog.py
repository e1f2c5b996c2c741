"""`telltale prove backlog`: a gateway comes back to what a bad night left at the broker.

The broker knows the gateway's sessions, the gateway is away, the cars go on speaking. Then it is started anew: how soon
does it commit, is everything stored once, how much memory does it take, is it called alive meanwhile and does it say
that it catches up?
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import secrets
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil

from gateway.mqtt.mosquitto import keeping
from gateway.ops.auth_callout import AuthCallout
from proofs.bench import rig
from proofs.bench.brokers import mosquitto
from proofs.bench.payloads import sample
from proofs.owing import owe
from proofs.shares import fleet
from schemas.credentials import secret_hash
from schemas.errors import Misconfigured, Unavailable
from telltale import cli
from telltale.embedded.broker import EmbeddedBroker
from telltale.embedded.postgres import EmbeddedPostgres
from telltale.embedded.process import die_with_parent, free_port
from telltale.settings import Settings

SWITCHES = ("stop-reading", "ack-on-arrival")
FIRST_COMMIT_S, GROWTH_MB = 5.0, 64.0  #: what is promised
SLOWEST = 1_500  #: messages a second: below that it is not catching up
STUCK_S = 45.0  #: of the sabotaged gateway, which never comes back
_STORED = "SELECT count(*), count(DISTINCT (vehicle_id, boot, seq)) FROM readings"


@dataclass
class Waiting:
    """A broker that keeps what is owed."""

    mqtt_url: str
    port: int
    auth_url: str = ""
    auth_seed: str = ""
    log: str = ""


@dataclass
class Seen:
    """What was seen of the gateway from outside while it caught up."""

    first_commit_s: float | None = None
    recovery_s: float | None = None
    ready_s: float | None = None
    peak: int = 0  #: bytes resident
    not_alive: int = 0
    words: list[str] = field(default_factory=list)  #: of the health page, the first and the last


async def main(settings: Settings, *, messages: int, broker: str, seed: int, sabotage: str | None) -> dict[str, Any]:
    """`messages` owed over all buckets; `broker` is mosquitto or embedded."""
    if sabotage is not None and sabotage not in SWITCHES:
        raise Misconfigured("--sabotage", f"{sabotage} is no switch of this proof; known are {', '.join(SWITCHES)}")
    if broker not in ("mosquitto", "embedded"):
        raise Misconfigured("--broker", f"{broker} is neither mosquitto nor embedded")
    home = settings.home / "prove-backlog"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    home.chmod(0o711)
    keys = {vin: secrets.token_hex(16) for vin in fleet(seed)}
    each = max(1, messages // len(keys))
    async with EmbeddedPostgres(home / "postgres") as server, _waiting(broker, home / "broker", keys) as at:
        url = await rig.prepare(server.url, list(keys), {vin: secret_hash(key) for vin, key in keys.items()})
        async with _gateway(home, "none", url, at) as (process, health):  # once, so that the broker knows our sessions
            idle = await _idle(process, health)
        cli.say(f"telltale: the gateway is away, the cars say {each * len(keys):,} messages")
        owed = await asyncio.to_thread(
            owe, "127.0.0.1", at.port, keys, lambda vin: _bodies(vin, each, seed), cli.progress("messages owed")
        )
        async with _gateway(home, sabotage or "none", url, at) as (process, health):
            seen = await _watch(
                process, health, database=server.url, owed=owed, patience_s=STUCK_S if sabotage else 60 + owed / SLOWEST
            )
        rows, different = await _stored(server.url)
    growth = (seen.peak - idle) / 2**20
    faults = {
        "missing": owed - different,
        "twice": rows - different,
        "not_alive": seen.not_alive,
        "late_first_commit": int(seen.first_commit_s is None or seen.first_commit_s > FIRST_COMMIT_S),
        "grown": int(growth > GROWTH_MB),
        "not_said": int(not seen.words),
    }
    if not any(faults.values()):
        shutil.rmtree(home, ignore_errors=True)
    return {
        "messages": owed,
        "stored": different,
        "twice": faults["twice"],
        "missing": faults["missing"],
        "first_commit_s": _rounded(seen.first_commit_s),
        "ready_s": _rounded(seen.ready_s),
        "recovery_s": _rounded(seen.recovery_s),
        "memory_growth_mb": round(growth, 1),
        "memory_idle_mb": round(idle / 2**20, 1),
        "not_alive": seen.not_alive,
        "said": seen.words,
        "violations": sum(faults.values()),
        "violated": [name for name, times in faults.items() if times],
        "broker": broker,
        "cars": len(keys),
        "seed": seed,
        "sabotage": sabotage,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def _bodies(vin: str, each: int, seed: int) -> Iterator[bytes]:
    """One message a second, up to a little while ago."""
    dice = random.Random(f"{seed} {vin}")
    start = datetime.now(UTC) - timedelta(seconds=each + 60)
    tails = [body[body.index(b',"signals"') :] for body in (sample(dice, 1, 0, start, hot=n == 0) for n in range(100))]
    for n in range(each):
        stamp = (start + timedelta(seconds=n)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield f'{{"boot":1,"seq":{n + 1},"oldest":1,"ts":"{stamp}"'.encode() + dice.choice(tails)


@asynccontextmanager
async def _waiting(kind: str, home: Path, keys: dict[str, str]) -> AsyncIterator[Waiting]:
    home.mkdir(parents=True, exist_ok=True)
    if kind == "embedded":
        async with EmbeddedBroker(home) as own:
            keeper = AuthCallout(own.auth_url, own.auth_seed, {vin: secret_hash(key) for vin, key in keys.items()})
            await keeper.start()
            yield Waiting(own.mqtt_url, own.port, auth_url=own.auth_url, auth_seed=own.auth_seed, log=str(own.log))
            await keeper.stop()
        return
    program, port = mosquitto(), free_port()
    if program is None:
        raise Unavailable("mosquitto", "it is not installed (Debian: apt install mosquitto)")
    (home / "mosquitto.conf").write_text(
        "\n".join(["user root", *keeping(home), f"listener {port} 127.0.0.1", "allow_anonymous true", ""])
    )
    with (home / "mosquitto.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            program, "-c", str(home / "mosquitto.conf"), stdout=log, stderr=log, preexec_fn=die_with_parent()
        )
    for _ in range(200):
        with contextlib.suppress(OSError):
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
            break
        await asyncio.sleep(0.05)
    yield Waiting(f"mqtt://gateway:-@127.0.0.1:{port}", port)
    process.kill()  # its store is of no more use
    await process.wait()


@asynccontextmanager
async def _gateway(home: Path, switch: str, database: str, at: Waiting) -> AsyncIterator[tuple[psutil.Process, str]]:
    """Started, not yet ready; told to end in the end. Its process and the address of its health page."""
    port = free_port()
    with (home / "gateway.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "proofs.gateway_under",
            switch,
            database,
            at.mqtt_url,
            at.auth_url,
            at.auth_seed,
            at.log,
            "0/1",
            str(port),
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent(),
        )
    try:
        yield psutil.Process(process.pid), f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 20)
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _idle(process: psutil.Process, health: str) -> int:
    """Bytes resident when it is ready and has nothing to do."""
    async with aiohttp.ClientSession() as http:
        for _ in range(1_200):
            if (await _asked(http, f"{health}/health/ready"))[0] == 200:
                await asyncio.sleep(2.0)
                return int(process.memory_info().rss)
            await asyncio.sleep(0.05)
    raise Unavailable("the gateway", "it is not ready after a minute with nothing owed")


async def _watch(process: psutil.Process, health: str, database: str, owed: int, patience_s: float) -> Seen:
    """Until everything is committed, or patience ends."""
    seen, began, probed = Seen(), time.monotonic(), 0.0
    tell = cli.progress("messages stored")
    connection = await asyncpg.connect(database)
    async with aiohttp.ClientSession() as http:
        while (after := time.monotonic() - began) < patience_s:
            with contextlib.suppress(psutil.Error):
                seen.peak = max(seen.peak, process.memory_info().rss)
            if seen.first_commit_s is None and await connection.fetchval("SELECT EXISTS (SELECT FROM readings)"):
                seen.first_commit_s = time.monotonic() - began
            if after - probed >= 0.5:
                probed = after
                done = await _probe(http, health, seen, after)
                tell(done)
                if done >= owed:
                    seen.recovery_s = time.monotonic() - began
                    break
            await asyncio.sleep(0.05)
    await connection.close()
    return seen


async def _probe(http: aiohttp.ClientSession, health: str, seen: Seen, after: float) -> int:
    """One look at its pages; how many messages it has committed."""
    alive, _ = await _asked(http, f"{health}/health/live")
    seen.not_alive += alive not in (0, 200)  # 0: it has not begun to listen
    status, body = await _asked(http, f"{health}/health/ready")
    if status == 200 and seen.ready_s is None:
        seen.ready_s = after
    words = [word for word in json.loads(body or "{}").get("words", ()) if word.startswith("catching up")]
    seen.words = [*seen.words[:1], *(words or seen.words[1:])]
    _, page = await _asked(http, f"{health}/metrics")
    counted = re.search(r"(?m)^telltale_gateway_messages_total (\S+)", page)
    return int(float(counted[1])) if counted else 0


async def _asked(http: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    """Status and body; 0 while nobody listens, 599 when nobody answers."""
    try:
        async with http.get(url, timeout=aiohttp.ClientTimeout(total=5)) as answer:
            return answer.status, await answer.text()
    except aiohttp.ClientConnectorError:
        return 0, ""
    except (TimeoutError, aiohttp.ClientError):
        return 599, ""


async def _stored(database: str) -> tuple[int, int]:
    connection = await asyncpg.connect(database)
    try:
        rows, different = await connection.fetchrow(_STORED)
        return int(rows), int(different)
    finally:
        await connection.close()
