"""The house's own key: made once, and kept in the database under a seal that only TELLTALE_SECRET opens.

With it seals of history are made and numbers of people who have been erased are recognised. It outlives a change of the
secret, for `telltale migrate` seals it anew, and a backup brings it along; whoever has a copy of the database alone has
neither it nor what it protects.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets as randomness
from collections.abc import Sequence
from datetime import datetime

import asyncpg
import structlog
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from schemas.errors import Misconfigured
from store.pool import Connection

log = structlog.get_logger()

_READ = "SELECT sealed FROM house_key"
_MAKE = "INSERT INTO house_key (sealed, made_at) VALUES ($1, $2) ON CONFLICT (only_row) DO NOTHING"
_SEAL = "UPDATE house_key SET sealed = $1 WHERE sealed = $2"


class KeyHolder:
    """Opens the key once and remembers it. `secrets`: TELLTALE_SECRET, and the one before while it is being changed."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = tuple(secret for secret in secrets if secret)
        self._key: bytes | None = None

    async def key(self, connection: Connection) -> bytes:
        """32 bytes. Raises Misconfigured when there is none, or when none of our secrets opens it."""
        if self._key is None:
            sealed = await connection.fetchval(_READ)
            self._key = opened(sealed, self._secrets) if sealed is not None else None
            if self._key is None:
                raise Misconfigured(
                    "TELLTALE_SECRET",
                    _SHUT if sealed is not None else "the house has no key yet: run `telltale migrate`",
                )
        return self._key


_SHUT = "does not open the house's key: set TELLTALE_SECRET_PREVIOUS to the secret before and run `telltale migrate`"


async def ensure(connection: asyncpg.Connection, secret: str, previous: str, now: datetime) -> None:
    """As the database's owner: make the key, or put it under the seal of the newest secret."""
    if not await connection.fetchval("SELECT to_regclass('house_key')"):  # an older version
        return
    await connection.execute(_MAKE, _box(secret).encrypt(randomness.token_bytes(32)), now)
    sealed = await connection.fetchval(_READ)
    if opened(sealed, [secret]) is not None:
        return
    key = opened(sealed, [previous]) if previous else None
    if key is None:  # no reason to stop: the database is in order, and what needs the key says so itself
        log.error("house_key_shut", hint=f"TELLTALE_SECRET {_SHUT}")
        return
    await connection.execute(_SEAL, bytes(_box(secret).encrypt(key)), sealed)


def opened(sealed: bytes, secrets: Sequence[str]) -> bytes | None:
    """The key under the seal; None when none of these secrets opens it."""
    for secret in secrets:
        try:
            return _box(secret).decrypt(sealed)
        except CryptoError:
            continue
    return None


def _box(secret: str) -> SecretBox:
    return SecretBox(hmac.new(secret.encode(), b"house key", hashlib.sha256).digest())
