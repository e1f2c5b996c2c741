"""From which numbers and mailboxes STOP was said to a dealer, as keyed hashes: they outlive whoever is reached there.

Whoever writes an address into an owner's row meets it here first, and a STOP takes it for itself: one comes before the
other or after it, never beside it. These rows are taken before those of owners, in the order of the addresses.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime

from store.pool import Connection

#: A text from before this table was kept counts for the number that it came from.
_KNOW = """
INSERT INTO stops (dealer_id, address, stopped, source, at)
SELECT $1, n.hash, coalesce((SELECT r.understood = 'stop' FROM replies r WHERE r.dealer_id = $1
    AND lower(r.from_address) = n.address AND r.understood IN ('stop', 'start') ORDER BY r.id DESC LIMIT 1), false), '',
    $4
FROM unnest($2::bytea[], $3::text[]) AS n (hash, address) ON CONFLICT (dealer_id, address) DO NOTHING
"""
_HELD = "SELECT stopped FROM stops WHERE dealer_id = $1 AND address = ANY ($2::bytea[]) ORDER BY address FOR"
_PUT = """
INSERT INTO stops (dealer_id, address, stopped, source, at) SELECT $1, a, $3, $4, $5 FROM unnest($2::bytea[]) AS a
ORDER BY a ON CONFLICT (dealer_id, address) DO UPDATE SET stopped = $3, source = $4, at = $5
"""


def plain(addresses: Iterable[str | None]) -> list[str]:
    """Each once, as it is compared."""
    return sorted({address.strip().lower() for address in addresses if address and address.strip()})


def name_of(key: bytes, dealer_id: int, address: str) -> bytes:
    """What stands for an address: only who has the house's key can tell whether a number is among them."""
    return hmac.new(key, f"stop\n{dealer_id}\n{address}".encode(), hashlib.sha256).digest()


async def meet(
    connection: Connection, dealer_id: int, key: bytes, addresses: Sequence[str], now: datetime, *, alone: bool = False
) -> bool:
    """Whether the last word from one of these (`plain`) to this dealer was STOP, whoever was reached there then. Until
    the end of this transaction no STOP comes from there; `alone`: nor does anybody else meet them.
    """
    names = [name_of(key, dealer_id, one) for one in addresses]
    await connection.execute(_KNOW, dealer_id, names, addresses, now)
    rows = await connection.fetch(f"{_HELD} {'UPDATE' if alone else 'SHARE'}", dealer_id, names)
    return any(row["stopped"] for row in rows)


async def put(
    connection: Connection,
    dealer_id: int,
    key: bytes,
    addresses: Sequence[str],
    stopped: bool,
    source: str,
    now: datetime,
) -> None:
    """STOP, or START, came from these (`plain`)."""
    await connection.execute(_PUT, dealer_id, [name_of(key, dealer_id, one) for one in addresses], stopped, source, now)
