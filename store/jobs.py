"""Work that waits for a worker. The row is the queue: it is deleted in the transaction that does the work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring import tracing
from store import notifications
from store.pool import Connection

_PUT = "INSERT INTO wakeups (dealer_id, topic, subject_id, payload, due_at) VALUES ($1, $2, $3, $4, $5) RETURNING id"
_TAKE = """
SELECT id, dealer_id, topic, subject_id, payload, due_at, attempts FROM wakeups
WHERE due_at <= $1 AND topic = ANY($2::text[]) ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_DONE = "DELETE FROM wakeups WHERE id = $1"
_LATER = "UPDATE wakeups SET due_at = $2, attempts = attempts + 1, failed = $3 WHERE id = $1"
_BACKLOG = "SELECT topic, count(*) AS due, min(due_at) AS oldest FROM wakeups WHERE due_at <= $1 GROUP BY topic"
_NEXT = "SELECT min(due_at) FROM wakeups WHERE topic = ANY($1::text[])"


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is due and not done."""

    topic: str
    due: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of due work."""

    id: int
    dealer_id: int
    topic: str
    subject_id: int
    payload: dict[str, Any]
    due_at: datetime
    attempts: int


async def put(
    connection: Connection, dealer_id: int, topic: str, subject_id: int, *, due_at: datetime, **payload: Any
) -> int:
    """Leave work for a worker, due at a business time, and ring the bell on commit."""
    found: int = await connection.fetchval(_PUT, dealer_id, topic, subject_id, tracing.carrying(payload), due_at)
    await notifications.ring(connection, notifications.JOBS, topic=topic)
    return found


async def take(connection: Connection, now: datetime, topics: tuple[str, ...]) -> Job | None:
    """The next due piece, locked until this transaction ends; other workers skip it."""
    row = await connection.fetchrow(_TAKE, now, list(topics))
    return None if row is None else Job(**dict(row.items()))


async def done(connection: Connection, job: Job) -> None:
    """The work is done in this very transaction."""
    await connection.execute(_DONE, job.id)


async def later(connection: Connection, job: Job, due_at: datetime, failed: str | None) -> None:
    """Try again at `due_at`; `failed` says why this attempt did not work."""
    await connection.execute(_LATER, job.id, due_at, failed)


async def backlog(connection: Connection, now: datetime) -> list[Backlog]:
    """How much is due, by topic."""
    return [Backlog(**dict(row.items())) for row in await connection.fetch(_BACKLOG, now)]


async def next_due(connection: Connection, topics: tuple[str, ...]) -> datetime | None:
    """When the earliest waiting piece is due."""
    found: datetime | None = await connection.fetchval(_NEXT, list(topics))
    return found
