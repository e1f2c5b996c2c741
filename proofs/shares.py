"""`telltale prove shares`: two gateways become four and two again under load, and are killed before, during and after
each move.

Cars with and without a spool in every bucket; each gateway is a process with proxies of its own. At the end the checker
compares rows, places and alerts with what the cars remember. A watcher asks the database all the while who holds which
bucket: it counts the moves and how long a bucket stood without anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import asyncpg

from proofs.bench.payloads import vins
from proofs.rig import Rig
from schemas.errors import Misconfigured, Unavailable
from schemas.vehicle import BUCKETS, bucket_of
from telltale import cli
from telltale.settings import Settings

SWITCHES = ("no-lease",)
CARS_PER_BUCKET, RATE = 3, 400.0  # messages a second over all cars
SETTLE_S, MOVE_S = 90.0, 30.0
TWO, FOUR = ["0/2", "1/2"], ["0/4", "1/4", "2/4", "3/4"]
_HELD = """
SELECT l.bucket, l.share, EXISTS (
    SELECT 1 FROM pg_locks k WHERE k.locktype = 'advisory' AND k.classid = 7411 AND k.objid = l.bucket AND k.granted
) FROM leases l ORDER BY l.bucket
"""

_KNOWN = "SELECT count(DISTINCT vehicle_id) FROM readings"


class Watcher:
    """Who holds which bucket now; what has moved so far."""

    def __init__(self, rig: Rig, locks: bool) -> None:
        self._rig, self._url, self._locks = rig, rig.postgres.url, locks
        self.shares: list[str | None] = [None] * BUCKETS  #: None: nobody holds it
        self.moves = 0
        self.longest_alone_s = 0.0  #: a bucket that nobody holds, most of it the starting of a process
        self.known = 0  #: cars of which something is stored
        self.longest_takeover_s = 0.0  #: the same while a gateway that may carry it runs
        self._last: list[str | None] = [None] * BUCKETS
        self._alone: dict[int, float] = {}
        self._waiting: dict[int, float] = {}

    async def run(self) -> None:
        """For ever, twenty times a second."""
        connection = await asyncpg.connect(self._url)
        try:
            while True:
                self._note(await connection.fetch(_HELD), time.monotonic())
                if self.known < len(self._rig.vins):
                    self.known = await connection.fetchval(_KNOWN)
                await asyncio.sleep(0.05)
        finally:
            connection.terminate()

    def _note(self, rows: list[asyncpg.Record], now: float) -> None:
        for bucket, share, locked in rows:
            holder = share if locked or not self._locks else None
            self.shares[bucket] = holder
            if holder is None:
                since = self._alone.setdefault(bucket, now)
                self.longest_alone_s = max(self.longest_alone_s, now - since)
                if self._somebody_may(bucket):
                    self.longest_takeover_s = max(self.longest_takeover_s, now - self._waiting.setdefault(bucket, now))
                else:
                    self._waiting.pop(bucket, None)
                continue
            self._alone.pop(bucket, None)
            self._waiting.pop(bucket, None)
            if self._last[bucket] not in (None, holder):
                self.moves += 1
            self._last[bucket] = holder

    async def all_known(self) -> None:
        """Wait until each car has been heard.

        Where a foreign car's numbers begin nobody can know before: were the gateway killed with the very first of them
        in its hands, these would come after later ones, and be stored as late.
        """
        deadline = time.monotonic() + MOVE_S
        while self.known < len(self._rig.vins):
            if time.monotonic() > deadline:
                raise Unavailable("a car", f"{self.known} of {len(self._rig.vins)} were heard after {MOVE_S:.0f} s")
            await asyncio.sleep(0.05)

    def _somebody_may(self, bucket: int) -> bool:
        for share, gateway in self._rig.gateways.items():
            k, _, n = share.partition("/")
            if gateway.ready.is_set() and bucket % int(n) == int(k):
                return True
        return False

    async def until(self, what: Callable[[str | None], bool], each: Callable[..., bool] = all) -> None:
        """Wait until every bucket (or `any`) is held so."""
        deadline = time.monotonic() + MOVE_S
        while not each(what(share) for share in self.shares):
            if time.monotonic() > deadline:
                raise Unavailable("a bucket", f"the shares are {self.shares} after {MOVE_S:.0f} s")
            await asyncio.sleep(0.02)


async def main(settings: Settings, *, trials: int, seed: int, sabotage: str | None) -> dict[str, Any]:
    """`trials` rounds 2 → 4 → 2 in one continuous run with one settling at its end."""
    if sabotage is not None and sabotage not in SWITCHES:
        raise Misconfigured("--sabotage", f"{sabotage} is no switch of this proof; known are {', '.join(SWITCHES)}")
    began, dice = time.monotonic(), random.Random(f"shares {seed}")
    home = settings.home / "prove-shares"
    shutil.rmtree(home, ignore_errors=True)
    kills: Counter[str] = Counter()
    async with Rig(home, cars=fleet(seed), seed=seed, spool=None, sabotage=sabotage, share=TWO[0]) as rig:
        second = await rig.start_gateway(TWO[1])
        await asyncio.wait_for(
            second.ready.wait(), 60
        )  # every session is open: a broker keeps nothing that nobody has subscribed to
        watcher = Watcher(rig, locks=sabotage is None)
        watching = asyncio.create_task(watcher.run())
        stuck = ""
        try:
            await watcher.until(lambda share: share in TWO)
            rig.drive(RATE)
            await watcher.all_known()
            tell = cli.progress("rounds")
            for n in range(trials):
                await _round(rig, watcher, dice, kills, hurried=sabotage is not None)
                tell(n + 1)
        except Unavailable as error:  # a share that never comes is a violation, not a fault of the proof
            stuck = str(error)
        settled = await rig.settle(SETTLE_S if sabotage is None else 40.0)
        watching.cancel()
        found = await rig.check()
        starts = rig.gateway_starts
    facts = found.facts()
    facts["violations"] = found.violations + bool(stuck) + (not settled)
    if not facts["violations"]:
        shutil.rmtree(home, ignore_errors=True)
    return {
        "trials": trials,
        **facts,
        "settled": settled,
        "stuck": stuck,
        "cars": CARS_PER_BUCKET * BUCKETS,
        "moves": watcher.moves,
        "kills": sum(kills.values()),
        "kills_by_moment": dict(kills),
        "gateway_starts": starts,
        "seconds_without_holder_longest": round(watcher.longest_alone_s, 2),
        "seconds_takeover_longest": round(watcher.longest_takeover_s, 2),
        "seed": seed,
        "sabotage": sabotage,
        "seconds": round(time.monotonic() - began, 1),
    }


def fleet(seed: int) -> list[str]:
    """As many cars in each bucket, the buckets in turn."""
    piles: dict[int, list[str]] = {bucket: [] for bucket in range(BUCKETS)}
    for vin in vins(BUCKETS * 40, seed):
        piles[bucket_of(vin)].append(vin)
    return [piles[bucket][lap] for lap in range(CARS_PER_BUCKET) for bucket in range(BUCKETS)]


async def _round(rig: Rig, watcher: Watcher, dice: random.Random, kills: Counter[str], *, hurried: bool) -> None:
    """Before, during and after the move to four, then before, during and after the move back."""

    async def all_held(by: list[str]) -> None:
        if hurried:  # without leases nobody knows who holds what
            await asyncio.sleep(3.0)
        else:
            await watcher.until(lambda share: share in by)
        await asyncio.sleep(dice.uniform(1.0, 2.5))

    def kill(share: str, moment: str) -> None:
        rig.gateways[share].kill()
        kills[moment] += 1

    kill(dice.choice(TWO), "before the move")
    await asyncio.sleep(dice.uniform(0.0, 1.5))
    for share in FOUR:
        await rig.start_gateway(share)
    if not hurried:
        await watcher.until(lambda share: share in FOUR, any)
    kill(dice.choice(TWO + FOUR), "during the move")
    await all_held(FOUR)
    kill(dice.choice(FOUR), "after the move, coarse gateways standing by")
    await all_held(FOUR)
    coarse = dice.sample(TWO, 2)
    await rig.end_gateway(coarse[0], signal.SIGKILL)
    await rig.end_gateway(coarse[1], signal.SIGTERM)
    for answered in (False, True):
        await _kill_in_commit(rig, dice.choice(FOUR), dice, answered=answered)
        kills["in commit, the answer lost" if answered else "in commit"] += 1
        await all_held(FOUR)
    rig.gateways[dice.choice(FOUR)].database_proxy.cut()
    await all_held(FOUR)
    for share in TWO:
        await rig.start_gateway(share)
    leaving = dice.sample(FOUR, 4)
    for n, share in enumerate(leaving):
        await rig.end_gateway(share, signal.SIGTERM if n % 2 else signal.SIGKILL)
        kills["leaving"] += n % 2 == 0
        if n == 1:
            kill(dice.choice(TWO), "during the move back")
        await asyncio.sleep(dice.uniform(0.0, 1.0))
    await all_held(TWO)
    kill(dice.choice(TWO), "after the move back")
    await all_held(TWO)


async def _kill_in_commit(rig: Rig, share: str, dice: random.Random, *, answered: bool) -> None:
    """kill -9 while it waits for a commit: the statement never reached the database, or was done and the answer is on
    its way.
    """
    gateway = rig.gateways[share]
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(gateway.ready.wait(), MOVE_S)
    if answered:
        gateway.database_proxy.stall_down()
    else:
        gateway.database_proxy.stall()
    await asyncio.sleep(dice.uniform(0.3, 1.0))
    gateway.kill()
    gateway.database_proxy.cut()
    gateway.database_proxy.flow()
