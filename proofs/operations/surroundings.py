"""What the rig finds on this machine and among its services: clocks to step, disks to fill, who is ready; the cars."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

import aiohttp

from proofs.bench.payloads import vins
from schemas.errors import Unavailable
from schemas.vehicle import BUCKETS, bucket_of

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
CARS_PER_BUCKET = 3


def has_faketime() -> bool:
    """Whether clocks can be stepped here."""
    return FAKETIME.exists()


def may_mount() -> bool:
    """Whether a small disk can be made here, to be filled."""
    return os.geteuid() == 0


def fleet(seed: int) -> list[str]:
    """As many cars in each bucket, the buckets in turn."""
    piles: dict[int, list[str]] = {bucket: [] for bucket in range(BUCKETS)}
    for vin in vins(BUCKETS * 40, seed):
        piles[bucket_of(vin)].append(vin)
    return [piles[bucket][lap] for lap in range(CARS_PER_BUCKET) for bucket in range(BUCKETS)]


async def all_ready(ports: Iterable[int], who: str, deadline: float) -> None:
    """Until each of them says that it is ready; Unavailable after `deadline` (time.monotonic)."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as http:
        for port in ports:
            while True:
                with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                    async with http.get(f"http://127.0.0.1:{port}/health/ready") as answer:
                        if answer.status == 200:
                            break
                if time.monotonic() > deadline:
                    raise Unavailable(who, "it is not ready")
                await asyncio.sleep(0.05)
