"""A POST that is repeated with its key gets the first answer again. Key, effect and answer are one transaction."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.errors import BadInput, Overtaken
from store.pool import Connection

_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))"
_FIND = "SELECT request_hash, status, body FROM idempotency WHERE dealer_id = $1 AND caller = $2 AND key = $3"
_FORGET = (
    "DELETE FROM idempotency WHERE at < $1::timestamptz - $2::interval AND at < (SELECT max(at) "
    "FROM idempotency) - $2::interval"
)
_KEEP = (
    "INSERT INTO idempotency (dealer_id, caller, key, request_hash, status, body, at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered the first time."""

    status: int
    body: bytes


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """What makes two requests the same."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).digest()


async def begin(connection: Connection, dealer_id: int, caller: str, key: str, request_hash: bytes) -> Answer | None:
    """None: go on, the key is ours until this transaction ends. Or the first answer.

    Raises Overtaken while another call with this key is under way, BadInput when it came with another body.
    """
    if not await connection.fetchval(_LOCK, f"{dealer_id}\n{caller}\n{key}"):
        raise Overtaken("request", "a call with this Idempotency-Key is still under way")
    row = await connection.fetchrow(_FIND, dealer_id, caller, key)
    if row is None:
        return None
    if row["request_hash"] != request_hash:
        raise BadInput("Idempotency-Key", "was used for another request already: a new request needs a new key")
    return Answer(row["status"], row["body"])


async def keep(
    connection: Connection, dealer_id: int, caller: str, key: str, request_hash: bytes, answer: Answer, now: datetime
) -> None:
    """Remember the answer, in the transaction of its effect."""
    await connection.execute(_KEEP, dealer_id, caller, key, request_hash, answer.status, answer.body, now)


async def forget(connection: Connection, now: datetime, kept: timedelta) -> int:
    """Sweep what is older than that, by our clock and by the newest key as well: a clock that runs ahead takes no key
    away whose call may still be repeated. How many went.
    """
    done: str = await connection.execute(_FORGET, now, kept)
    return int(done.rpartition(" ")[2])
