"""The signature of a mail that is brought to our door, as in Standard Webhooks (standardwebhooks.com): over its id, the
time and each byte. Made where one is delivered, checked where it is received.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

FRESH = timedelta(minutes=5)  #: what was signed longer ago is a repetition by somebody else
_PREFIX = "whsec_"


def signed(secret: str, body: bytes, *, name: str, at: datetime) -> dict[str, str]:
    """The three headers."""
    stamp = str(int(at.timestamp()))
    return {
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{_digest(secret, name, stamp, body)}",
    }


def believed(secret: str, body: bytes, headers: Mapping[str, str], now: datetime) -> bool:
    """Whether whoever knows the secret signed just this, a moment ago (machine time)."""
    name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (secret and name and stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        return False
    if abs(now.timestamp() - int(stamp)) > FRESH.total_seconds():
        return False
    good = f"v1,{_digest(secret, name, stamp, body)}".encode()
    given = headers.get("webhook-signature", "").encode("utf-8", "replace").split(b" ")
    return sum(hmac.compare_digest(good, one) for one in given[:10]) > 0


def _digest(secret: str, name: str, stamp: str, body: bytes) -> str:
    text = f"{name}.{stamp}.".encode("utf-8", "replace")
    return base64.b64encode(hmac.new(_key(secret), text + body, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    """What stands behind whsec_ is base64; any other secret is itself."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            pass
    return secret.encode()
