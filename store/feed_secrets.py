"""What opens the door of a feed: a key of ours, of which we keep the hash, or its sender's own secret, sealed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox


def digest(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


def seal(secret: bytes, house: str) -> bytes:
    """So that a copy of the database signs nothing."""
    return bytes(_box(house).encrypt(secret))


def opened(sealed: bytes, house: Sequence[str]) -> bytes | None:
    """By the first of these secrets of the house that fits; None when none does."""
    for one in house:
        try:
            return bytes(_box(one).decrypt(sealed))
        except (CryptoError, ValueError):
            continue
    return None


def _box(house: str) -> SecretBox:
    return SecretBox(hmac.new(house.encode(), b"feeds", hashlib.sha256).digest())
