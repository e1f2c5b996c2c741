"""Sessions of signed-in staff: a row each, so that signing somebody out works at once. Times here are machine time."""

from __future__ import annotations

import hashlib
import secrets as randomness
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.account import Dealer, Staff
from store import accounts, notifications
from store.pool import Connection, as_dict

LIFE = timedelta(hours=14)  #: a working day
IDLE = timedelta(hours=4)  #: nobody has touched it for so long: a drive and a lunch fit in, an evening does not
WAITS = timedelta(minutes=10)  #: between the password and the second factor
_TOUCHED = timedelta(minutes=1)  #: how exactly we know when it was last used: not a write for each request
_OPEN = """
INSERT INTO sessions (id, dealer_id, staff_id, created_at, expires_at, seen_at, device, place, proof, second_factor,
  waits)
VALUES ($1, $2, $3, $4, $5, $4, $6, $7, $8, $9, $10)
"""
#: By two clocks: a desk whose own runs ahead signs nobody out.
_SWEEP = "DELETE FROM sessions WHERE dealer_id = $1 AND expires_at <= least($2::timestamptz, clock_timestamp())"
_COLUMNS = (
    "id, dealer_id, staff_id, created_at, expires_at, coalesce(seen_at, created_at) AS seen_at, device, place, proof, "
    "second_factor, waits"
)
_WHO = "SELECT dealer_id, staff_id FROM session_of($1, $2)"
_ONE = f"SELECT {_COLUMNS} FROM sessions WHERE dealer_id = $1 AND id = $2"
_OF = (
    f"SELECT {_COLUMNS} FROM sessions WHERE dealer_id = $1 AND staff_id = $2 AND NOT waits AND expires_at > $3 "
    "ORDER BY seen_at DESC, id"
)
_TOUCH = (
    "UPDATE sessions SET seen_at = $3, expires_at = least(created_at + $4::interval, $3::timestamptz + $5::interval) "
    "WHERE dealer_id = $1 AND id = $2"
)
_END = (
    "DELETE FROM sessions WHERE dealer_id = $1 AND staff_id = $2 AND ($3::text IS NULL OR id = $3) "
    "AND ($4::text IS NULL OR id <> $4)"
)


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser.

    `waits`: the password was right, the second factor is still to come, and it opens nothing yet.
    """

    id: str
    dealer_id: int
    staff_id: int
    created_at: datetime
    expires_at: datetime
    seen_at: datetime
    device: str
    place: str
    proof: str
    second_factor: bool
    waits: bool


def digest(cookie: str) -> str:
    """What is stored of a session's cookie."""
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()


async def start(
    connection: Connection,
    person: Staff,
    now: datetime,
    *,
    device: str,
    place: str,
    proof: str,
    second_factor: bool = False,
    waits: bool = False,
) -> str:
    """Open one, whose cookie comes back, and sweep this dealer's old ones."""
    await connection.execute(_SWEEP, person.dealer_id, now)
    cookie = randomness.token_urlsafe(32)
    await connection.execute(
        _OPEN,
        digest(cookie),
        person.dealer_id,
        person.id,
        now,
        now + (WAITS if waits else IDLE),
        device,
        place,
        proof,
        second_factor,
        waits,
    )
    return cookie


async def who(connection: Connection, session_id: str, now: datetime) -> tuple[Dealer, Staff, Session] | None:
    """Whose session this is; from here on the transaction is that dealer's."""
    row = await connection.fetchrow(_WHO, session_id, now)
    if row is None:
        return None
    await connection.execute("SELECT set_config('app.dealer', $1, true)", str(row["dealer_id"]))
    person = await accounts.staff(connection, row["dealer_id"], row["staff_id"])
    found = await connection.fetchrow(_ONE, row["dealer_id"], session_id)
    if person.disabled_at is not None or found is None:
        return None
    return await accounts.dealer(connection, row["dealer_id"]), person, Session(**as_dict(found))


async def touch(connection: Connection, session: Session, now: datetime) -> None:
    """A person has used it: it goes on for the idle time, but never beyond its life. Known to the minute."""
    if now - session.seen_at >= _TOUCHED:
        await connection.execute(_TOUCH, session.dealer_id, session.id, now, LIFE, IDLE)


async def prove(connection: Connection, dealer_id: int, session_id: str) -> None:
    """More than a password stands behind this one now."""
    await connection.execute(
        "UPDATE sessions SET second_factor = true WHERE dealer_id = $1 AND id = $2", dealer_id, session_id
    )


async def of_person(connection: Connection, dealer_id: int, staff_id: int, now: datetime) -> list[Session]:
    """The browsers in which somebody is signed in, the one used last first."""
    return [Session(**as_dict(row)) for row in await connection.fetch(_OF, dealer_id, staff_id, now)]


async def end(
    connection: Connection, dealer_id: int, staff_id: int, *, only: str | None = None, but: str | None = None
) -> int:
    """End all of somebody's sessions, `only` one, or all `but` one; how many there were.

    Open live pages end with them.
    """
    done: str = await connection.execute(_END, dealer_id, staff_id, only, but)
    await notifications.ring_desk(connection, dealer_id, "session", staff_id)
    return int(done.rpartition(" ")[2])
