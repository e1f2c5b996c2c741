"""The broker's own users when broker and gateway run apart: all of them follow from the one secret that both know."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit, urlunsplit

import nkeys


def broker_secrets(secret: str) -> dict[str, str]:
    """Passwords of the broker's three users, and the key that signs who may sign in."""
    made = {user: _derive(secret, user).hex() for user in ("gateway", "workshop", "doorkeeper")}
    made["issuer_seed"] = bytes(nkeys.encode_seed(_derive(secret, "issuer"), nkeys.PREFIX_BYTE_ACCOUNT)).decode()
    return made


def signed_in(url: str, user: str, secret: str) -> str:
    """The address with that user's derived password; an address that names a user is left alone."""
    parts = urlsplit(url)
    if not url or "@" in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=f"{user}:{broker_secrets(secret)[user]}@{parts.netloc}"))


def broker_account(secret: str) -> str:
    """The gateways' account at a broker of one's own.

    Another secret is another account beside it, so that a new secret ends no session: a session belongs to its client
    id, and whoever comes with the new account takes it over with all that is owed.
    """
    return f"gateway-{_derive(secret, 'account').hex()[:8]}"


def signed_in_at_own(url: str, secret: str) -> str:
    """The address of a broker of one's own, of which broker-config takes care; one that names a user is left alone."""
    parts = urlsplit(url)
    if not url or "@" in parts.netloc:
        return url
    return urlunsplit(
        parts._replace(netloc=f"{broker_account(secret)}:{broker_secrets(secret)['gateway']}@{parts.netloc}")
    )


def _derive(secret: str, purpose: str) -> bytes:
    return hmac.new(secret.encode(), f"broker:{purpose}".encode(), hashlib.sha256).digest()
