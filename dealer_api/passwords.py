"""Passwords: argon2id, in a thread, because it takes tens of milliseconds on purpose."""

from __future__ import annotations

import asyncio
import secrets as randomness
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

from schemas.errors import BadInput

_HASHER = PasswordHasher()
LEAST, MOST = 10, 200


async def hashed(password: str) -> str:
    """What is stored of a password; BadInput when it is too short or too long."""
    if not LEAST <= len(password) <= MOST:
        raise BadInput("password", f"takes {LEAST} to {MOST} characters")
    return await asyncio.to_thread(_HASHER.hash, password)


async def right(hashed: str | None, password: str) -> bool:
    """Whether it is the one; takes as long for an address that nobody signs in with."""
    return await asyncio.to_thread(_verify, hashed, password)


def _verify(hashed: str | None, password: str) -> bool:
    try:
        _HASHER.verify(hashed or _nobody(), password)
        return hashed is not None
    except (Argon2Error, ValueError):
        return False


@cache
def _nobody() -> str:
    return _HASHER.hash(randomness.token_hex(16))
