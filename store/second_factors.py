"""Authenticators, recovery codes and passkeys of the dealer's people. Times here are machine time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection, as_dict

_STANDING = """
SELECT EXISTS (SELECT FROM authenticators WHERE dealer_id = $1 AND staff_id = $2
  AND confirmed_at IS NOT NULL) AS authenticator,
       (SELECT count(*) FROM passkeys WHERE dealer_id = $1 AND staff_id = $2) AS passkeys,
       (SELECT count(*) FROM recovery_codes WHERE dealer_id = $1 AND staff_id = $2) AS codes
"""
_PUT = """
INSERT INTO authenticators (dealer_id, staff_id, secret, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (dealer_id, staff_id) DO UPDATE SET secret = $3, created_at = $4, used_step = 0
  WHERE authenticators.confirmed_at IS NULL
"""
_SECRET = (
    "SELECT secret, confirmed_at IS NOT NULL AS confirmed FROM authenticators WHERE dealer_id = $1 AND staff_id = $2"
)
_USE_STEP = """
UPDATE authenticators SET used_step = $3, confirmed_at = coalesce(confirmed_at, $4) WHERE dealer_id = $1
  AND staff_id = $2 AND used_step < $3
"""
_USE_CODE = "DELETE FROM recovery_codes WHERE dealer_id = $1 AND staff_id = $2 AND hash = $3"
_PASSKEYS = "SELECT id, dealer_id, staff_id, public_key, sign_count, label, created_at, used_at FROM passkeys"
_ADD_PASSKEY = """
INSERT INTO passkeys (id, dealer_id, staff_id, public_key, sign_count, label, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING
"""
_FORGET = ("authenticators", "recovery_codes", "passkeys")


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody has beside a password. `codes`: how many recovery codes are left."""

    authenticator: bool
    passkeys: int
    codes: int

    @property
    def any(self) -> bool:
        """Whether they are asked for more than a password; codes alone are none, they only stand in for the others."""
        return self.authenticator or self.passkeys > 0


@dataclass(frozen=True, slots=True)
class Passkey:
    """One credential of an authenticator: a phone, a laptop, a key on a ring."""

    id: bytes
    dealer_id: int
    staff_id: int
    public_key: bytes
    sign_count: int
    label: str
    created_at: datetime
    used_at: datetime | None


async def standing(connection: Connection, dealer_id: int, staff_id: int) -> Standing:
    """What they have."""
    return Standing(**as_dict(await connection.fetchrow(_STANDING, dealer_id, staff_id)))


async def put_authenticator(
    connection: Connection, dealer_id: int, staff_id: int, sealed: bytes, now: datetime
) -> None:
    """A new secret that waits for its first code; one that is confirmed is never overwritten."""
    await connection.execute(_PUT, dealer_id, staff_id, sealed, now)


async def authenticator(connection: Connection, dealer_id: int, staff_id: int) -> tuple[bytes, bool] | None:
    """The sealed secret, and whether it has been confirmed."""
    row = await connection.fetchrow(_SECRET, dealer_id, staff_id)
    return (row["secret"], row["confirmed"]) if row else None


async def use_step(connection: Connection, dealer_id: int, staff_id: int, step: int, now: datetime) -> bool:
    """The code of this half minute is taken; False when it, or a newer one, was taken before."""
    return bool(await connection.execute(_USE_STEP, dealer_id, staff_id, step, now) == "UPDATE 1")


async def set_codes(connection: Connection, dealer_id: int, staff_id: int, codes: Sequence[str]) -> None:
    """These instead of all earlier ones."""
    await connection.execute("DELETE FROM recovery_codes WHERE dealer_id = $1 AND staff_id = $2", dealer_id, staff_id)
    await connection.executemany(
        "INSERT INTO recovery_codes (dealer_id, staff_id, hash) VALUES ($1, $2, $3)",
        [(dealer_id, staff_id, _digest(code)) for code in codes],
    )


async def use_code(connection: Connection, dealer_id: int, staff_id: int, code: str) -> bool:
    """Use one up; False when there is no such code."""
    return bool(await connection.execute(_USE_CODE, dealer_id, staff_id, _digest(code)) == "DELETE 1")


async def passkeys_of(connection: Connection, dealer_id: int, staff_id: int) -> list[Passkey]:
    """Theirs, the oldest first."""
    rows = await connection.fetch(
        f"{_PASSKEYS} WHERE dealer_id = $1 AND staff_id = $2 ORDER BY created_at, id", dealer_id, staff_id
    )
    return [Passkey(**as_dict(row)) for row in rows]


async def owner_of_passkey(connection: Connection, passkey: bytes) -> tuple[int, int] | None:
    """(dealer, person) of a passkey. Works before the dealer is known."""
    row = await connection.fetchrow("SELECT dealer_id, staff_id FROM passkey_of($1)", passkey)
    return (row["dealer_id"], row["staff_id"]) if row else None


async def add_passkey(
    connection: Connection,
    dealer_id: int,
    staff_id: int,
    *,
    passkey: bytes,
    public_key: bytes,
    sign_count: int,
    label: str,
    now: datetime,
) -> bool:
    """False when this credential is known already."""
    return bool(
        await connection.execute(_ADD_PASSKEY, passkey, dealer_id, staff_id, public_key, sign_count, label, now)
        == "INSERT 0 1"
    )


async def use_passkey(connection: Connection, passkey: Passkey, sign_count: int, now: datetime) -> bool:
    """It was used; False when somebody used it meanwhile with a count that this one does not go beyond."""
    done = await connection.execute(
        "UPDATE passkeys SET sign_count = $4, used_at = $5 WHERE dealer_id = $1 AND id = $2 AND (sign_count = $3 "
        "OR sign_count < $4)",
        passkey.dealer_id,
        passkey.id,
        passkey.sign_count,
        sign_count,
        now,
    )
    return bool(done == "UPDATE 1")


async def remove_passkey(connection: Connection, dealer_id: int, staff_id: int, passkey: bytes) -> str | None:
    """Its label, or None when there was none."""
    found: str | None = await connection.fetchval(
        "DELETE FROM passkeys WHERE dealer_id = $1 AND staff_id = $2 AND id = $3 RETURNING label",
        dealer_id,
        staff_id,
        passkey,
    )
    return found


async def remove_authenticator(connection: Connection, dealer_id: int, staff_id: int) -> bool:
    """Their app's codes count no more."""
    return bool(
        await connection.execute(
            "DELETE FROM authenticators WHERE dealer_id = $1 AND staff_id = $2", dealer_id, staff_id
        )
        == "DELETE 1"
    )


async def forget(connection: Connection, dealer_id: int, staff_id: int) -> int:
    """All of it: they lost what they had. How many things there were."""
    removed = 0
    for table in _FORGET:
        done: str = await connection.execute(
            f"DELETE FROM {table} WHERE dealer_id = $1 AND staff_id = $2", dealer_id, staff_id
        )
        removed += int(done.rpartition(" ")[2])
    return removed


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
