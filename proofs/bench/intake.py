"""`telltale bench intake`: the gateway alone against the COPY floor, and the whole pipeline against the broker's own
ceiling and the consumer that people usually write. All in one run, the configurations one after the other in each
repeat.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import statistics
import time
from collections import defaultdict
from typing import Any
from urllib.parse import quote

from proofs.bench import rig
from proofs.bench.brokers import Running, broker
from proofs.bench.payloads import stream, vins
from proofs.bench.rig import Child
from rules.catalogue import RULES
from schemas.credentials import secret_hash
from telltale import cli
from telltale.embedded.postgres import EmbeddedPostgres
from telltale.settings import Settings

ALONE_A_SECOND, PIPELINE_A_SECOND, NAIVE_A_SECOND = 40_000, 20_000, 600  #: how much work makes about one second
WINDOW = 4_000
SEED = 1
PROBES = 10  #: cars whose alerts are timed


async def main(
    settings: Settings, *, seconds: float, cars: int, repeats: int, vehicles: int, embedded: bool = False
) -> dict[str, Any]:
    """Medians of `repeats`."""
    home = settings.home / "bench-intake"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    home.chmod(0o711)
    fleet = vins(max(vehicles, cars) + PROBES, SEED)  # the last ones are the probes
    keys = {vin: secrets.token_hex(32) for vin in [*fleet[:cars], *fleet[-PROBES:]]}
    seen: dict[str, list[float]] = defaultdict(list)
    latencies: list[list[float]] = []  # of each repeat
    tell = cli.progress(f"of {repeats * 6} runs")
    async with EmbeddedPostgres(home / "postgres") as server:
        url = await rig.prepare(server.url, fleet, {vin: secret_hash(key) for vin, key in keys.items()})
        for n in range(repeats):
            for mode in ("floor", "gateway"):
                await alone(
                    mode, server.url, url=url, messages=int(seconds * ALONE_A_SECOND), vehicles=vehicles, seen=seen
                )
                tell(n * 6 + 1 + (mode == "gateway"))
            async with broker(home / f"broker-{n}", keys, embedded_only=embedded) as running:
                name = running.name
                await _ceiling(running, keys, cars=cars, messages=int(seconds * PIPELINE_A_SECOND), seen=seen)
                await _pipeline(
                    running,
                    server.url,
                    url=url,
                    keys=keys,
                    cars=cars,
                    messages=int(seconds * PIPELINE_A_SECOND),
                    seen=seen,
                )
                tell(n * 6 + 4)
                await _naive(
                    running,
                    server.url,
                    keys=keys,
                    cars=cars,
                    messages=max(500, int(seconds * NAIVE_A_SECOND)),
                    seen=seen,
                )
                rate = statistics.median(seen["pipeline"]) / 2
                latencies.append(
                    await _half_load(
                        running,
                        server.url,
                        url=url,
                        keys=keys,
                        cars=cars,
                        rate=rate,
                        seconds=seconds,
                        probers=fleet[-PROBES:],
                    )
                )
                tell(n * 6 + 6)
    shutil.rmtree(home, ignore_errors=True)
    middle = {what: statistics.median(values) for what, values in seen.items()}
    sizes = [len(body) for _, body, _ in stream(fleet[:cars], 2_000, SEED)]
    cuts = [statistics.quantiles(each, n=100) for each in latencies if len(each) > 1] or [[float("nan")] * 99]
    return {
        "messages_per_second": round(middle["pipeline"]),
        "broker": name,
        "broker_ceiling_per_second": round(middle["ceiling"]),
        "ratio_to_ceiling": _median_ratio(seen["pipeline"], seen["ceiling"]),
        "naive_per_second": round(middle["naive"]),
        "ratio_to_naive": _median_ratio(seen["pipeline"], seen["naive"]),
        "gateway_alone_per_second": round(middle["gateway"]),
        "copy_floor_per_second": round(middle["floor"]),
        "ratio_to_copy_floor": _median_ratio(seen["gateway"], seen["floor"]),
        "alert_p50_ms_half_load": round(statistics.median(cut[49] for cut in cuts), 1),
        "alert_p99_ms_half_load": round(statistics.median(cut[98] for cut in cuts), 1),
        "alert_p99_ms_of_each_repeat": [round(cut[98], 1) for cut in cuts],
        "alerts_measured": sum(map(len, latencies)),
        "cpu_us_per_message": round(middle["gateway_us"], 1),
        "cpu_us_per_message_floor": round(middle["floor_us"], 1),
        "ratio_to_copy_floor_by_cpu": _median_ratio(seen["floor_us"], seen["gateway_us"]),
        "cold_cars_per_second": round(middle["cold_cars"]),
        "gateway_peak_mb": round(max(seen["rss_mb"])),
        "stored_equals_sent": all(missing == 0 for missing in seen["missing"]),
        "missing_of_each_run": [
            int(missing) for missing in seen["missing"]
        ],  # floor, gateway, pipeline, in each repeat
        "payload_bytes": round(statistics.mean(sizes)),
        "rules": len(RULES),
        "vehicles": vehicles,
        "cars": cars,
        "repeats": repeats,
    }


def _median_ratio(over: list[float], under: list[float]) -> float:
    """Of the pairs of the same repeat: the machine's mood cancels out."""
    return round(statistics.median(a / b for a, b in zip(over, under, strict=False)), 3)


async def alone(
    mode: str,
    admin: str,
    url: str,
    messages: int,
    vehicles: int,
    seen: dict[str, list[float]],
    *,
    profile: bool = False,
    counters: bool = True,
) -> dict[str, float]:
    """The gateway (or the floor) against the pretended broker, its cars known."""
    await rig.clear(admin)
    fake = await Child.start("proofs.bench.fake_broker", messages, vehicles, WINDOW, SEED, int(counters))
    consumer: Child | None = None
    try:
        port = await fake.line()
        consumer = await Child.start(
            "proofs.bench.consumer",
            mode,
            f"mqtt://x:y@127.0.0.1:{port}",
            url if mode == "gateway" else admin,
            4,
            messages + vehicles,
            *(["profile"] if profile else []),
        )
        await consumer.announced("ready")
        fake.tell("go")
        facts = await fake.facts()
        used = await consumer.end(wait=not profile)
        shares: dict[str, float] = (await consumer.facts())["profile"] if profile else {}
    finally:
        fake.kill()
        if consumer is not None:
            consumer.kill()
    seen[mode].append(facts["per_second"])
    seen[f"{mode}_us"].append(used["cpu_s"] / (messages + vehicles) * 1e6)
    seen["missing"].append(
        messages + vehicles - await rig.stored(admin, "readings" if mode == "gateway" else "raw_payloads")
    )
    if mode == "gateway":
        seen["rss_mb"].append(used["rss_mb"])
        seen["cold_cars"].append(facts["warm_up_cars_per_second"])
    return shares


async def _cars(running: Running, keys: dict[str, str], cars: int, messages: int, rate: float) -> Child:
    load = await Child.start("proofs.bench.cars", "127.0.0.1", running.port, cars, messages, rate, SEED)
    load.tell(json.dumps({vin: keys[vin] for vin in list(keys)[:cars]}))
    await load.announced("ready")
    return load


async def _ceiling(
    running: Running, keys: dict[str, str], cars: int, messages: int, seen: dict[str, list[float]]
) -> None:
    counter = await Child.start(
        "proofs.bench.counting", "127.0.0.1", running.port, running.user, running.password, messages
    )
    try:
        await counter.announced("ready")
        load = await _cars(running, keys, cars=cars, messages=messages, rate=0)
        load.tell("go")
        seen["ceiling"].append((await counter.facts())["per_second"])
        await load.facts()
    finally:
        counter.kill()


async def _naive(
    running: Running, admin: str, keys: dict[str, str], cars: int, messages: int, seen: dict[str, list[float]]
) -> None:
    await rig.clear(admin)
    naive = await Child.start(
        "proofs.bench.naive", "127.0.0.1", running.port, running.user, running.password, quote(admin, safe=""), messages
    )
    try:
        await naive.announced("ready")
        load = await _cars(running, keys, cars=cars, messages=messages, rate=0)
        load.tell("go")
        seen["naive"].append((await naive.facts())["per_second"])
        await load.facts()
    finally:
        naive.kill()


async def _pipeline(
    running: Running, admin: str, url: str, keys: dict[str, str], cars: int, messages: int, seen: dict[str, list[float]]
) -> None:
    """As fast as it goes: from the first PUBLISH until the last message is committed and acknowledged."""
    await rig.clear(admin)
    consumer = await Child.start("proofs.bench.consumer", "gateway", running.mqtt_url, url, 4, messages)
    try:
        await consumer.announced("ready")
        load = await _cars(running, keys, cars=cars, messages=messages, rate=0)
        began = time.time()
        load.tell("go")
        while not (done := await consumer.line(600)).startswith("done"):
            pass
        await load.facts()
        used = await consumer.end()
    finally:
        consumer.kill()
    seen["pipeline"].append(messages / (float(done.split()[1]) - began))
    seen["rss_mb"].append(used["rss_mb"])
    seen["missing"].append(messages - await rig.stored(admin))


async def _half_load(
    running: Running,
    admin: str,
    url: str,
    keys: dict[str, str],
    cars: int,
    rate: float,
    seconds: float,
    probers: list[str],
) -> list[float]:
    """Alerts of a few more cars while the others keep the gateway half busy."""
    await rig.clear(admin)
    messages = int(rate * seconds)
    consumer = await Child.start("proofs.bench.consumer", "gateway", running.mqtt_url, url, 4, messages)
    try:
        await consumer.announced("ready")
        load = await _cars(running, keys, cars=cars, messages=messages, rate=rate)
        probe = await Child.start("proofs.bench.probe", "127.0.0.1", running.port, seconds - 1.5)
        probe.tell(json.dumps({vin: keys[vin] for vin in probers}))
        await probe.announced("ready")
        load.tell("go")
        await asyncio.sleep(1.0)  # the cars' memories are loaded
        probe.tell("go")
        facts = await probe.facts()
        found: list[float] = facts["latencies_ms"] + [float("inf")] * facts["unanswered"]
        await load.facts()
        await consumer.end()
    finally:
        consumer.kill()
    return found
