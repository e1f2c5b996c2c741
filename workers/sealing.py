"""History is sealed, and the seals are verified.

It is sealed behind its writers: they wait for nobody, and a second later each row has its place in the chain.

A chain whose end no longer fits its head is left alone, loudly: another seal on top would bury the evidence.
"""

from __future__ import annotations

import time
from collections import deque
from datetime import datetime
from typing import Final

import structlog

from rules.service import audit_chain as rules
from schemas.audit import Entry, Fault, Head, Seal
from schemas.errors import Misconfigured
from store import audit, tallies
from store.house_key import KeyHolder
from store.pool import Connection, transaction
from workers.context import Context

log = structlog.get_logger()

BATCH: Final = 1_000
STRAGGLERS_S: Final = 60.0  #: a row that was committed after later ones were sealed waits no longer than this
_SETTLED_S: Final = rules.LONGEST.total_seconds()


class Sealer:
    """One turn after the other. `key` opens the house's key."""

    def __init__(self, context: Context, key: KeyHolder) -> None:
        self._context, self._key = context, key
        self._newest: int | None = None  #: beyond it nothing is sealed
        self._settled = 0  #: up to here everything is sealed that ever will be
        self._from = 0  #: where a look back goes on
        self._seen = deque[tuple[float, int]]()
        self._look_back_at = 0.0
        self._broken: set[int] = set()
        self._shut = False

    async def once(self) -> bool:
        """Seal some rows; True when there may be more."""
        async with transaction(self._context.pool) as connection:
            if not await audit.mine(connection):
                return False
            key = await self._opened(connection)
            if key is None:
                return False
            back = time.monotonic() >= self._look_back_at
            newest = await audit.newest_sealed(connection) if self._newest is None else self._newest
            entries = await audit.waiting(
                connection, after=self._from if back else newest, limit=BATCH, without=tuple(self._broken)
            )
            if entries:
                await self._seal(connection, key, entries)
        self._newest = max([newest, *(entry.id for entry in entries)])
        if back and len(entries) == BATCH:
            self._from = entries[-1].id
        elif back:
            self._looked_back()
        return len(entries) == BATCH

    async def _opened(self, connection: Connection) -> bytes | None:
        try:
            key = await self._key.key(connection)
        except Misconfigured as error:
            if not self._shut:
                log.error("audit_waits", reason=str(error))
            self._shut = True
            return None
        self._shut = False
        return key

    async def _seal(self, connection: Connection, key: bytes, entries: list[Entry]) -> None:
        dealers = {entry.dealer_id for entry in entries}
        ends, heads = await audit.ends(connection, dealers), await audit.heads(connection, dealers)
        seals, now = list[Seal](), self._context.machine()
        chains = {
            dealer: (ends[dealer].position, ends[dealer].hash) if dealer in ends else (0, rules.START)
            for dealer in dealers
        }
        for dealer, (position, hash_) in chains.items():
            if not _fits(key, dealer, position=position, hash_=hash_, stands=heads.get(dealer)):
                await self._leave(connection, dealer, now)
        for entry in entries:
            if entry.dealer_id not in self._broken:
                position, before = chains[entry.dealer_id]
                seal = Seal(
                    entry.dealer_id,
                    position + 1,
                    history_id=entry.id,
                    hash=rules.link(key, before, position=position + 1, entry=entry, sealed_at=now),
                    sealed_at=now,
                )
                chains[entry.dealer_id] = (seal.position, seal.hash)
                seals.append(seal)
        if seals:
            sealed = {seal.dealer_id for seal in seals}
            await audit.put(connection, seals, [rules.head(key, dealer, *chains[dealer]) for dealer in sealed])

    async def _leave(self, connection: Connection, dealer_id: int, now: datetime) -> None:
        self._broken.add(dealer_id)
        log.error(
            "audit_broken",
            dealer=dealer_id,
            hint="telltale audit verify says what was done to it; telltale audit resume goes on",
        )
        await tallies.add(
            connection,
            [
                (
                    dealer_id,
                    "audit_broken",
                    "history",
                    1,
                    self._context.clock(),
                    "the end of the sealed history was cut off or written anew",
                )
            ],
        )

    def _looked_back(self) -> None:
        now, self._look_back_at = time.monotonic(), time.monotonic() + STRAGGLERS_S
        self._broken.clear()  # a person may have said that it goes on
        self._seen.append((now, self._newest or 0))
        while self._seen and self._seen[0][0] <= now - _SETTLED_S:
            self._settled = max(self._settled, self._seen.popleft()[1])
        self._from = self._settled


async def verify(
    connection: Connection, key: bytes, dealer_id: int, machine: datetime, known: dict[int, bytes] | None = None
) -> tuple[rules.Chain, int, list[Fault]]:
    """Walk one dealer's chain: where it ends, how many rows wait for their seal, and what was done to it.

    `known` are hashes by place that somebody remembers. All of it should be read as of one moment.
    """
    chain, faults = rules.Chain(key, dealer_id), list[Fault]()
    chain.known = known or {}
    if (begins := await audit.start(connection, dealer_id)) is not None:
        faults += chain.begin(begins, await audit.gone(connection, dealer_id))
    async for seal, entry in audit.chain(connection, dealer_id):
        faults += chain.walk(seal, entry)
    settled, waiting = (
        await audit.sealed_before(connection, dealer_id, machine - rules.LONGEST),
        await audit.waiting_of(connection, dealer_id),
    )
    for entry in waiting:
        chain.note(entry)
        if entry.id < settled:
            faults.append(
                Fault(
                    dealer_id,
                    "inserted",
                    history_id=entry.id,
                    position=None,
                    detail="it has no seal, and later rows were sealed an hour ago",
                )
            )
    return chain, len(waiting), faults + chain.end((await audit.heads(connection, [dealer_id])).get(dealer_id))


def _fits(key: bytes, dealer_id: int, position: int, hash_: bytes, stands: Head | None) -> bool:
    return stands is None if position == 0 else stands == rules.head(key, dealer_id, position, hash_)
