"""The demo phones: who has one, and the texts that lie on it, dealer by dealer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection, as_dict

_LINES = "SELECT address, dealer_id FROM senders WHERE dealer_id = $1 AND channel = 'phone' ORDER BY address LIMIT 1"
_OWNERS = """
SELECT o.phone AS number, o.name, coalesce(string_agg(concat_ws(' · ', v.title, v.plate), ', '
  ORDER BY v.title), '') AS about, o.language, false AS staff
FROM owners o LEFT JOIN vehicles v ON v.dealer_id = o.dealer_id AND v.owner_id = o.id
WHERE o.dealer_id = $1 AND o.phone IS NOT NULL GROUP BY o.id ORDER BY o.name
"""
_STAFF = """
SELECT phone AS number, name, role AS about, language, true AS staff FROM staff
WHERE dealer_id = $1 AND phone IS NOT NULL AND disabled_at IS NULL ORDER BY name
"""
_NEWEST = """
SELECT DISTINCT ON (number) number, id, body, at, texts FROM (
    SELECT to_address AS number, id, body, at, count(*) OVER (PARTITION BY to_address) AS texts FROM phone_texts
    WHERE dealer_id = $1 AND to_address = ANY($2::text[])
) AS all_of_them ORDER BY number, id DESC
"""
_TEXTS = (
    "SELECT id, from_address, body, at FROM phone_texts WHERE dealer_id = $1 AND to_address = $2 AND id > $3 "
    "ORDER BY id LIMIT 500"
)
_ANSWERS = (
    "SELECT id, to_address, body, received_at AS at FROM replies WHERE dealer_id = $1 AND channel = 'phone' "
    "AND from_address = $2 AND id > $3 ORDER BY id LIMIT 500"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A number that dealers' texts come from."""

    address: str
    dealer_id: int


@dataclass(frozen=True, slots=True)
class Handset:
    """One simulated phone."""

    number: str
    name: str
    about: str  #: the owner's cars, or the role at the dealer
    language: str
    staff: bool


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest text on a phone, and how many there are."""

    number: str
    id: int
    body: str
    at: datetime
    texts: int


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text: `mine` when the phone's owner typed it."""

    id: int
    mine: bool
    other: str  #: the number at the other end
    body: str
    at: datetime


async def lines(connection: Connection, dealer_id: int) -> list[Line]:
    """The numbers that this dealer's phone channel sends from."""
    return [Line(**as_dict(row)) for row in await connection.fetch(_LINES, dealer_id)]


async def handsets(connection: Connection, dealer_id: int) -> list[Handset]:
    """Owners first, then the dealer's people."""
    rows = [*await connection.fetch(_OWNERS, dealer_id), *await connection.fetch(_STAFF, dealer_id)]
    return [Handset(**as_dict(row)) for row in rows]


async def newest(connection: Connection, dealer_id: int, numbers: list[str]) -> dict[str, Newest]:
    """By number, of what this dealer sent; a phone without its texts is missing."""
    return {row["number"]: Newest(**as_dict(row)) for row in await connection.fetch(_NEWEST, dealer_id, numbers)}


async def texts(connection: Connection, dealer_id: int, number: str, after: int = 0) -> list[Bubble]:
    """What this dealer's texts left on this phone, oldest first."""
    return [
        Bubble(row["id"], False, other=row["from_address"], body=row["body"], at=row["at"])
        for row in await connection.fetch(_TEXTS, dealer_id, number, after)
    ]


async def answers(connection: Connection, dealer_id: int, number: str, after: int = 0) -> list[Bubble]:
    """What this phone's owner typed to a dealer, oldest first."""
    rows = await connection.fetch(_ANSWERS, dealer_id, number, after)
    return [Bubble(row["id"], True, other=row["to_address"], body=row["body"], at=row["at"]) for row in rows]
