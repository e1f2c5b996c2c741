"""Secrets that open something: API keys, invitations, signed links. Only their sha256 is kept."""

from __future__ import annotations

import hashlib
import secrets as randomness
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store import notifications
from store.pool import Connection, as_dict

KEY_PREFIX = "tk_"  #: an API key is recognised when it turns up where it should not be
_COLUMNS = (
    "dealer_id, purpose, staff_id, owner_id, vehicle_id, subject_id, label, created_at, expires_at, used_at, "
    "revoked_at, scopes, last_used_at"
)
_MAKE = """
INSERT INTO secrets (hash, dealer_id, purpose, staff_id, owner_id, vehicle_id, subject_id, label, created_at,
  expires_at, scopes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_FIND = f"SELECT {_COLUMNS} FROM secret_of($1, $2)"
_USE = """
UPDATE secrets SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND revoked_at IS NULL AND (expires_at IS NULL
  OR expires_at > $2)
"""


@dataclass(frozen=True, slots=True)
class Secret:
    """What a secret opens."""

    dealer_id: int
    purpose: str
    staff_id: int | None
    owner_id: int | None
    vehicle_id: int | None
    subject_id: int | None
    label: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None
    scopes: list[str] | None = None  #: of a key; None: made before keys had scopes
    last_used_at: datetime | None = None  #: of a key, to the hour

    def opens(self, now: datetime) -> bool:
        """Whether it is neither revoked nor expired. Being used is for its owner to judge."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


async def make(
    connection: Connection,
    dealer_id: int,
    purpose: str,
    *,
    now: datetime,
    expires_at: datetime | None = None,
    staff_id: int | None = None,
    owner_id: int | None = None,
    vehicle_id: int | None = None,
    subject_id: int | None = None,
    label: str = "",
    scopes: Sequence[str] | None = None,
) -> str:
    """A new secret of 32 random bytes; the caller sees it once."""
    token = (KEY_PREFIX if purpose == "api_key" else "") + randomness.token_urlsafe(32)
    await connection.execute(
        _MAKE,
        digest(token),
        dealer_id,
        purpose,
        staff_id,
        owner_id,
        vehicle_id,
        subject_id,
        label,
        now,
        expires_at,
        None if scopes is None else list(scopes),
    )
    return token


async def find(connection: Connection, token: str, *purposes: str) -> Secret | None:
    """What this token opens, if it is one of ours for one of these purposes. Works before the dealer is known."""
    row = await connection.fetchrow(_FIND, digest(token), list(purposes))
    return Secret(**as_dict(row)) if row else None


async def use(connection: Connection, token: str, now: datetime) -> bool:
    """Use it up; False when somebody did already, or it no longer opens."""
    return bool(await connection.execute(_USE, digest(token), now) == "UPDATE 1")


async def note_use(connection: Connection, dealer_id: int, token: str, now: datetime) -> None:
    """A program has come in with this key."""
    await connection.execute(
        "UPDATE secrets SET last_used_at = $3 WHERE dealer_id = $1 AND hash = $2", dealer_id, digest(token), now
    )


async def revoke(
    connection: Connection,
    dealer_id: int,
    now: datetime,
    *,
    purpose: str,
    subject_id: int | None = None,
    label: str | None = None,
) -> int:
    """Revoke what opens this subject, or the key of this label; how many there were."""
    done: str = await connection.execute(
        """UPDATE secrets SET revoked_at = $2 WHERE dealer_id = $1 AND purpose = $3 AND revoked_at IS NULL
           AND ($4::bigint IS NULL OR subject_id = $4) AND ($5::text IS NULL OR label = $5)""",
        dealer_id,
        now,
        purpose,
        subject_id,
        label,
    )
    if purpose == "api_key":
        await notifications.ring_desk(connection, dealer_id, "key", 0)  # what listens with it ends
    return int(done.rpartition(" ")[2])


async def revoke_of_person(
    connection: Connection, dealer_id: int, staff_id: int, now: datetime, *, purpose: str | None = None
) -> None:
    """What was given to one of the dealer's people opens nothing any more."""
    await connection.execute(
        """UPDATE secrets SET revoked_at = $3 WHERE dealer_id = $1 AND staff_id = $2 AND revoked_at IS NULL
           AND used_at IS NULL
           AND ($4::text IS NULL OR purpose = $4)""",
        dealer_id,
        staff_id,
        now,
        purpose,
    )


async def revoke_of_owner(
    connection: Connection, dealer_id: int, owner_id: int, purposes: Sequence[str], now: datetime
) -> None:
    """The links that were sent to an owner open nothing any more."""
    await connection.execute(
        """UPDATE secrets SET revoked_at = $4 WHERE dealer_id = $1 AND owner_id = $2 AND purpose = ANY ($3::text[])
           AND revoked_at IS NULL""",
        dealer_id,
        owner_id,
        list(purposes),
        now,
    )


async def labels(connection: Connection, dealer_id: int, purpose: str) -> list[Secret]:
    """The secrets of a purpose that still open something, newest first."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM secrets WHERE dealer_id = $1 AND purpose = $2 AND revoked_at IS NULL "
        "ORDER BY created_at DESC",
        dealer_id,
        purpose,
    )
    return [Secret(**as_dict(row)) for row in rows]
