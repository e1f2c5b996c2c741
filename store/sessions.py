"""Sessions of signed-in staff: a row each, so that signing somebody out works at once. Times here are machine time."""

from __future__ import annotations

from datetime import datetime, timedelta

from schemas.account import Dealer, Staff
from store import accounts
from store.pool import Connection

LIFE = timedelta(hours=14)  #: a working day
_OPEN = "INSERT INTO sessions (id, dealer_id, staff_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)"
_WHO = "SELECT dealer_id, staff_id FROM session_of($1, $2)"


async def start(connection: Connection, session_id: str, dealer_id: int, staff_id: int, machine_now: datetime) -> None:
    """Open one and sweep this dealer's old ones."""
    await connection.execute("DELETE FROM sessions WHERE dealer_id = $1 AND expires_at <= $2", dealer_id, machine_now)
    await connection.execute(_OPEN, session_id, dealer_id, staff_id, machine_now, machine_now + LIFE)


async def who(connection: Connection, session_id: str, machine_now: datetime) -> tuple[Dealer, Staff] | None:
    """Whose session this is; from here on the transaction is that dealer's."""
    row = await connection.fetchrow(_WHO, session_id, machine_now)
    if row is None:
        return None
    await connection.execute("SELECT set_config('app.dealer', $1, true)", str(row["dealer_id"]))
    person = await accounts.staff(connection, row["dealer_id"], row["staff_id"])
    return None if person.disabled_at else (await accounts.dealer(connection, row["dealer_id"]), person)


async def end(connection: Connection, dealer_id: int, session_id: str) -> None:
    """Signed out."""
    await connection.execute("DELETE FROM sessions WHERE dealer_id = $1 AND id = $2", dealer_id, session_id)
