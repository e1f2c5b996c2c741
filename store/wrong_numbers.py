"""At which numbers and mailboxes somebody else answers than the owner we wrote to, as keyed hashes: they outlive a
correction and the next list. Another person may well be reached there.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from store.pool import Connection

_PUT = """
INSERT INTO wrong_numbers (dealer_id, address, whose, at) SELECT $1, $2, w, $4 FROM unnest($3::bytea[]) AS w
ON CONFLICT (dealer_id, address, whose) DO UPDATE SET at = $4
"""
_KNOWN = """
SELECT address FROM wrong_numbers WHERE dealer_id = $1 AND address = ANY ($2::bytea[]) AND whose = ANY ($3::bytea[])
"""
_FORGET = "DELETE FROM wrong_numbers WHERE dealer_id = $1 AND address = ANY ($2::bytea[])"
_SINCE = "SELECT max(received_at) FROM replies WHERE dealer_id = $1 AND owner_id = $2 AND understood = 'wrong'"


async def put(
    connection: Connection, dealer_id: int, key: bytes, *, address: str, name: str, owner_id: int, now: datetime
) -> None:
    """`address` (as `store.stops.plain` has it) is not this owner's."""
    whose = _whose(key, dealer_id, name, owner_id)
    await connection.execute(_PUT, dealer_id, _of(key, dealer_id, address), whose, now)


async def known(
    connection: Connection, dealer_id: int, key: bytes, *, addresses: Sequence[str], name: str, owner_id: int | None
) -> str | None:
    """The first of these that was said not to be theirs: of this owner, or of somebody of that name."""
    named = {_of(key, dealer_id, one): one for one in addresses}
    whose = _whose(key, dealer_id, name, owner_id)
    row = await connection.fetchrow(_KNOWN, dealer_id, list(named), whose)
    return None if row is None else named[row["address"]]


async def forget(connection: Connection, dealer_id: int, key: bytes, addresses: Sequence[str]) -> None:
    """Whoever is reached there wants our texts: it was no mistake."""
    await connection.execute(_FORGET, dealer_id, [_of(key, dealer_id, one) for one in addresses])


async def since(connection: Connection, dealer_id: int, owner_id: int) -> datetime | None:
    """When somebody last answered for this owner that the number is wrong."""
    found: datetime | None = await connection.fetchval(_SINCE, dealer_id, owner_id)
    return found


def _whose(key: bytes, dealer_id: int, name: str, owner_id: int | None) -> list[bytes]:
    folded = " ".join(name.split()).casefold()
    return [_of(key, dealer_id, one) for one in (folded, *([] if owner_id is None else [f"owner\n{owner_id}"]))]


def _of(key: bytes, dealer_id: int, words: str) -> bytes:
    return hmac.new(key, f"wrong\n{dealer_id}\n{words}".encode(), hashlib.sha256).digest()
