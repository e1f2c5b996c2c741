"""Whether a request was written by whoever shares a secret with us, and lately. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

FRESH_S: Final = 300.0  #: what was signed longer ago, or further ahead, may be somebody's who has listened


def stale(written: str, now: float) -> str:
    """Why this time of a signature is not believed, or nothing."""
    if not (written.isascii() and written.isdigit() and len(written) <= 15):
        return "no time stands beside the signature"
    at = float(written)
    at = at / 1000.0 if at > 1e11 else at
    return "" if abs(now - at) <= FRESH_S else "the signature is too old, or ahead of time: it may be replayed"


def wrong(secret: bytes, signed: bytes, written: str) -> str:
    """Why this signature, in hex, is not the right one, or nothing."""
    right = hmac.new(key_of(secret), signed, hashlib.sha256).hexdigest()
    given = written.strip().lower().encode("ascii", "replace")
    return "" if hmac.compare_digest(right.encode(), given) else "the signature does not fit the body"


def key_of(secret: bytes) -> bytes:
    """The secret itself, where it is written in base64."""
    try:
        return base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        return secret
