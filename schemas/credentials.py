"""A car's secret, 32 random bytes of which only hashes are kept: one that we check, one that mosquitto checks."""

from __future__ import annotations

import base64
import hashlib


def secret_hash(secret: str) -> bytes:
    """sha256 is enough for 32 random bytes: slow hashes are for what people choose."""
    return hashlib.sha256(secret.encode()).digest()


def mosquitto_hash(secret: str) -> str:
    """The same secret as a line of mosquitto's password file has it: `$7$iterations$salt$PBKDF2-HMAC-SHA512`.

    One iteration, because a broker that is told of a change checks everybody again at once; and a salt that follows
    from the secret, because two cars never have the same.
    """
    salt = hashlib.sha256(b"mosquitto:" + secret.encode()).digest()[:12]
    made = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, 1)
    return f"$7$1${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"
