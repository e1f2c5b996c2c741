"""The demo phone as a provider: it keeps what it was handed, once per reference, and can be asked for it."""

from __future__ import annotations

from datetime import datetime

from store.pool import Connection

_PUT = """
INSERT INTO phone_texts (dealer_id, reference, from_address, to_address, body, at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (reference) DO NOTHING RETURNING id
"""
_FIND = "SELECT id FROM phone_texts WHERE reference = $1"


async def put(
    connection: Connection,
    dealer_id: int,
    *,
    reference: str,
    from_address: str,
    to_address: str,
    body: str,
    at: datetime,
) -> int:
    """Lay a text on a phone; the same reference again is the text that lies there already."""
    found: int | None = await connection.fetchval(_PUT, dealer_id, reference, from_address, to_address, body, at)
    if found is None:
        earlier: int = await connection.fetchval(_FIND, reference)
        return earlier
    return found


async def find(connection: Connection, reference: str) -> int | None:
    """Whether a text of that reference was handed over."""
    found: int | None = await connection.fetchval(_FIND, reference)
    return found
