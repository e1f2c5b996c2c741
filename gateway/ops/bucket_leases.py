"""Which buckets are ours: leases taken, asked for, and given to a finer share, while traffic runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import structlog

from gateway.intake.loop import Intake
from gateway.intake.writer import Writer, machine_now
from gateway.mqtt.broker import Broker
from schemas.errors import Misconfigured, Unavailable
from schemas.vehicle import BUCKETS
from store import leases
from store.pool import Connection

log = structlog.get_logger()

BEAT_S = 1.0
GRACE_S = 2.5  #: a gateway that was killed has let go by then


class BucketLeases:
    """Gateway `k` of `n` carries every bucket with `bucket mod n = k`. A finer share (larger n) wins a bucket from a
    coarser one, so that growing is: start more gateways."""

    def __init__(self, writer: Writer, broker: Broker, k: int, n: int) -> None:
        self.writer, self.broker, self.k, self.n = writer, broker, k, n
        self.mine = [bucket for bucket in range(BUCKETS) if bucket % n == k]
        if not self.mine:
            raise Misconfigured(
                "TELLTALE_SHARE", f"{k}/{n} has no bucket: there are {BUCKETS}, so at most {BUCKETS} gateways"
            )
        self.beaten = 0.0  #: machine time of the last committed beat
        self._moving: set[int] = set()
        self._given: dict[int, float] = {}  #: bucket -> machine time at which it was given away

    async def begin(self, beaten: Callable[[], None] = lambda: None) -> None:
        """Take what is ours.

        A gateway with the same share is an error; one with a coarser share is asked to give; while finer shares carry
        everything, this one stands by and says that it lives.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + GRACE_S
        while True:
            left = [bucket for bucket in self.mine if bucket not in self.writer.buckets]
            await self.writer.take(left)
            left = [bucket for bucket in left if bucket not in self.writer.buckets]
            if not left:
                return
            held = {lease.bucket: lease for lease in await self.writer.read(leases.all_of_them)}
            same = next(
                (held[b] for b in left if held[b].share == self.writer.share and held[b].holder != self.writer.holder),
                None,
            )
            await self.writer.write(partial(leases.want, buckets=left, share=self.writer.share))
            beaten()
            if self.writer.buckets and all(_fineness(held[bucket].share) > self.n for bucket in left):
                return  # a finer share does not give: serve what we have
            if loop.time() > deadline:
                if same is not None:
                    raise Misconfigured(
                        "TELLTALE_SHARE",
                        f"share {self.writer.share} is carried by the gateway {same.holder} already: stop that one, or "
                        "give this one another share",
                    )
                if self.writer.buckets:
                    return  # the rest comes when it is given
            await asyncio.sleep(0.1 if loop.time() < deadline else BEAT_S)

    async def run(
        self, intake: Intake, beaten: Callable[[], None], meet: Callable[[list[int]], Awaitable[None]]
    ) -> None:
        """Beat, give what a finer share asks for, take what has become free.

        `meet` learns who the cars of these buckets are.
        """
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                wanted = await self.writer.write(self._beat)
                beaten()
                for bucket, share in wanted.items():
                    if _fineness(share) > self.n and bucket not in self._moving:
                        self._moving.add(bucket)
                        intake.between_batches(lambda bucket=bucket: self._give(intake, bucket))  # type: ignore[misc]
                await self._take_free(meet)
            except Unavailable:
                continue

    async def _beat(self, connection: Connection) -> dict[int, str]:
        mine = sorted(self.writer.buckets)
        await leases.beat(connection, mine, machine_now())
        return await leases.wanted(connection, mine)

    async def _give(self, intake: Intake, bucket: int) -> None:
        """Nothing of ours is in flight now: close the session, forget the cars, let the lease go."""
        intake.downlink.last_word([bucket])
        await self.broker.shut(bucket)
        intake.discard(bucket)
        with suppress(Unavailable):  # then the lock went with the connection
            await self.writer.give(bucket)
        self._moving.discard(bucket)
        self._given[bucket] = asyncio.get_running_loop().time()
        log.info("bucket_given", bucket=bucket)

    async def _take_free(self, meet: Callable[[list[int]], Awaitable[None]]) -> None:
        # what was given just now is left to the one that asked for it
        lately = asyncio.get_running_loop().time() - GRACE_S
        left = [
            bucket
            for bucket in self.mine
            if bucket not in self.writer.buckets
            and bucket not in self._moving
            and self._given.get(bucket, -GRACE_S) <= lately
        ]
        if left:
            await self.writer.take(left)
        deaf = sorted(
            bucket for bucket in self.writer.buckets - self.broker.sessions.keys() if bucket not in self._moving
        )
        if deaf:  # taken now, or just before the connection to the database broke
            log.info("buckets_taken", buckets=deaf)
            await meet(deaf)
            self.broker.begin(deaf)  # it goes on by itself; the beat must not wait
        still = [bucket for bucket in left if bucket not in self.writer.buckets]
        if still:
            await self.writer.write(partial(leases.want, buckets=still, share=self.writer.share))


def _fineness(share: str | None) -> int:
    """The N of K/N; of two that want a bucket the larger wins."""
    return int(share.partition("/")[2]) if share else 0
