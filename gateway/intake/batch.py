"""One batch: what its messages came to, ready to be written in one transaction.

Nothing in it changes once it is made.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime

from gateway.fleet.car import Car
from gateway.intake.normalise import clock_window
from gateway.mqtt.chunk import Chunk
from schemas.mapping import Progress
from schemas.reading import Reading, Refused
from store import alerts, checkpoints, corrections, gaps, jobs, quarantine, readings, readings_imports, tallies
from store.pool import Connection


@dataclass(slots=True)
class Batch:
    """The rows of one transaction, and whom to tell once it is committed."""

    chunks: list[Chunk]
    now: datetime  #: business time
    messages: int = 0
    rows: dict[int, list[bytes]] = field(default_factory=dict)  #: day -> packed rows
    waiting: dict[tuple[int, int, int], tuple[int, int]] = field(
        default_factory=dict
    )  #: rows without a place: where they stand in `rows`
    refused: list[tuple[int | None, Refused, int]] = field(default_factory=list)
    moved: list[alerts.Moved] = field(default_factory=list)
    placed: list[Reading] = field(default_factory=list)
    checkpoints: list[checkpoints.Row] = field(default_factory=list)
    arrived: list[tuple[int, int, int]] = field(default_factory=list)  #: closed gaps: vehicle, boot, first
    lost: list[gaps.Row] = field(default_factory=list)
    lost_at_once: list[gaps.Row] = field(default_factory=list)
    gaps: list[gaps.Row] = field(default_factory=list)
    tallies: dict[tuple[int, str, str], tallies.Row] = field(default_factory=dict)
    folded: list[int] = field(default_factory=list)  #: quarantine ids
    left_out: list[quarantine.LeftOut] = field(default_factory=list)  #: cars that were folded again
    corrected: list[corrections.Done] = field(default_factory=list)  #: of which cars signals are read in another unit
    acks: dict[Car, tuple[int, int]] = field(default_factory=dict)  #: car -> its newest boot, upto
    old_acks: list[tuple[Car, int, int]] = field(
        default_factory=list
    )  #: car, boot, upto: of earlier boots, or said once more
    asks: list[tuple[Car, int, int, int]] = field(default_factory=list)
    doubled: list[tuple[Car, float]] = field(default_factory=list)  #: as which two units speak, since (epoch seconds)
    progress: Progress | None = None  #: of an import of history
    begun: float = field(default_factory=time.monotonic)  #: machine time
    received_at: float = field(init=False)  #: `now` in epoch seconds; and what follows from it
    window: tuple[float, float] = field(init=False)
    of_batch: bytes = field(init=False)
    tried: bool = False
    xid: str | None = None  #: PostgreSQL's name for the transaction of the last try

    def __post_init__(self) -> None:
        self.received_at = self.now.timestamp()
        self.window, self.of_batch = clock_window(self.received_at), readings.of_batch(self.received_at)

    @property
    def only_rows(self) -> bool:
        """Whether one COPY is the whole transaction."""
        return len(self.rows) == 1 and not self.more

    @property
    def more(self) -> bool:
        """Whether there is anything besides the readings themselves."""
        return bool(
            self.moved
            or self.refused
            or self.placed
            or self.checkpoints
            or self.arrived
            or self.lost
            or self.lost_at_once
            or self.gaps
            or self.tallies
            or self.folded
            or self.left_out
            or self.corrected
            or self.doubled
            or self.progress
        )

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.rows and not self.more

    def store(self, day: int, packed: bytes) -> None:
        """One more row to write."""
        self.rows.setdefault(day, []).append(packed)

    def count(self, dealer_id: int | None, name: str, subject: str, times: int, detail: str) -> None:
        """Count something for the desk."""
        key = (dealer_id or tallies.NOBODY, name, subject)
        before = self.tallies.get(key)
        self.tallies[key] = (*key, times + (before[3] if before else 0), self.now, detail)

    async def write_rest(self, connection: Connection, versions: dict[str, int]) -> None:
        """Everything but the new rows themselves, in an order that takes locks the same way each time."""
        await readings.give_places(connection, self.placed)
        await alerts.move(connection, self.moved, self.now)
        await quarantine.write(connection, self.refused)
        await quarantine.folded(connection, self.folded, self.now)
        for done in self.left_out:
            await quarantine.left_out(connection, done, self.now)
        for corrected in self.corrected:
            await corrections.carried_out(connection, corrected, self.now)
        if self.arrived or self.lost or self.gaps:
            await gaps.keep(connection, self.arrived, self.lost, self.gaps, self.now)
        await gaps.lost_at_once(connection, self.lost_at_once, self.now)
        await checkpoints.save(connection, self.checkpoints, versions)
        for car, since in self.doubled:
            await jobs.put(connection, car.dealer_id, "two_units", car.id, due_at=self.now, since=since)
        if self.progress is not None:
            await readings_imports.advance(connection, self.progress)
        await tallies.add(
            connection, [self.tallies[key] for key in sorted(self.tallies)]
        )  # sorted: other gateways count the same
