"""Browsers and places from which somebody has signed in before. Machine time."""

from __future__ import annotations

import hashlib
from datetime import datetime

from store.pool import Connection

MOST = 30  #: of one person; the one not seen for longest is forgotten first
_KNOWN = (
    "SELECT bool_or(hash = $3) AS device, bool_or(place = $4) AS place FROM devices WHERE dealer_id = $1 "
    "AND staff_id = $2"
)
_NOTE = """
INSERT INTO devices (dealer_id, staff_id, hash, place, last_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (dealer_id, staff_id, hash) DO UPDATE SET place = $4, last_at = $5
"""
_FORGET_OLD = """
DELETE FROM devices WHERE dealer_id = $1 AND staff_id = $2 AND hash IN (
    SELECT hash FROM devices WHERE dealer_id = $1 AND staff_id = $2 ORDER BY last_at DESC OFFSET $3)
"""


def digest(token: str) -> bytes:
    """What is stored of a browser's cookie."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


async def known(connection: Connection, dealer_id: int, staff_id: int, token: str, place: bytes) -> tuple[bool, bool]:
    """Whether this person has signed in from this browser before, and from this place."""
    row = await connection.fetchrow(_KNOWN, dealer_id, staff_id, digest(token), place)
    return bool(row["device"]), bool(row["place"])


async def note(connection: Connection, dealer_id: int, staff_id: int, token: str, place: bytes, now: datetime) -> None:
    """They have signed in here."""
    await connection.execute(_NOTE, dealer_id, staff_id, digest(token), place, now)
    await connection.execute(_FORGET_OLD, dealer_id, staff_id, MOST)


async def forget(connection: Connection, dealer_id: int, staff_id: int) -> None:
    """No place and no browser of this person is known any more."""
    await connection.execute("DELETE FROM devices WHERE dealer_id = $1 AND staff_id = $2", dealer_id, staff_id)
