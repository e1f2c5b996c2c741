"""One question per case, and its answer."""

from __future__ import annotations

from datetime import datetime

from schemas.feedback import Feedback
from store import notifications
from store.pool import Connection, as_dict

_ASK = (
    "INSERT INTO feedback (case_id, dealer_id, owner_id, asked_at) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (dealer_id, case_id) DO NOTHING RETURNING case_id"
)
_ANSWER = """
UPDATE feedback SET answered_at = $4, score = coalesce($5, score), words = coalesce($6, words)
WHERE dealer_id = $1 AND case_id = $2 AND owner_id = $3 AND ($5::smallint IS NULL OR score IS NULL) RETURNING case_id
"""
_OUTSTANDING = """
SELECT case_id FROM feedback WHERE dealer_id = $1 AND owner_id = $2 AND answered_at IS NULL AND asked_at > $3
  ORDER BY asked_at DESC LIMIT 1
"""
_ONE = "SELECT case_id, asked_at, answered_at, score, words FROM feedback WHERE dealer_id = $1 AND case_id = $2"


async def ask(connection: Connection, dealer_id: int, case_id: int, owner_id: int, now: datetime) -> bool:
    """Note that the question goes out; False when it has been asked before: it is asked once."""
    return await connection.fetchval(_ASK, case_id, dealer_id, owner_id, now) is not None


async def answer(
    connection: Connection,
    dealer_id: int,
    case_id: int,
    owner_id: int,
    *,
    score: int | None,
    words: str | None,
    now: datetime,
) -> bool:
    """The owner's answer; a score that stands is not overwritten (False)."""
    done = await connection.fetchval(_ANSWER, dealer_id, case_id, owner_id, now, score, words) is not None
    if done:
        await notifications.ring_desk(connection, dealer_id, "feedback", case_id)
    return done


async def outstanding(connection: Connection, dealer_id: int, owner_id: int, since: datetime) -> int | None:
    """The case whose question waits for this owner's answer, if it was asked after `since`."""
    found: int | None = await connection.fetchval(_OUTSTANDING, dealer_id, owner_id, since)
    return found


async def of_case(connection: Connection, dealer_id: int, case_id: int) -> Feedback | None:
    row = await connection.fetchrow(_ONE, dealer_id, case_id)
    return Feedback(**as_dict(row)) if row else None
