"""Where the broker is and as whom we come: several hosts, one user, what a TLS connection trusts and shows."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from schemas.errors import Misconfigured

Host = tuple[str, int]  # name or address, port
_SCHEMES = {"mqtt": 1883, "mqtts": 8883, "nats": 4222, "tls": 4222}


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files. Without `ca` the system's authorities are trusted; without `cert` we show nothing."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None  #: None: it stands in `cert`

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, with the host's name checked.

        The files are read again when they have changed, so that a renewed certificate counts from the next connection
        on.
        """
        return _context(self, tuple(_written(path) for path in (self.ca, self.cert, self.key)))

    def without_certificate(self) -> Tls:
        """As a stranger would come."""
        return Tls(self.ca)


def _written(path: Path | None) -> int:
    try:
        return path.stat().st_mtime_ns if path else 0
    except OSError:
        return -1


@lru_cache(maxsize=8)
def _context(tls: Tls, _written: tuple[int, ...]) -> ssl.SSLContext:
    if tls.key is not None and tls.cert is None:
        raise Misconfigured("TELLTALE_MQTT_KEY", "belongs to a certificate: set TELLTALE_MQTT_CERT too")
    try:
        context = ssl.create_default_context(cafile=tls.ca)
    except (OSError, ValueError) as error:
        raise Misconfigured(
            "TELLTALE_MQTT_CA", f"{tls.ca} is no file of certificates that we can read ({_why(error)})"
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.cert is not None:
        try:
            context.load_cert_chain(tls.cert, tls.key, password=_no_password)
        except (OSError, ValueError) as error:
            named = "TELLTALE_MQTT_KEY" if tls.key is not None and not tls.key.is_file() else "TELLTALE_MQTT_CERT"
            raise Misconfigured(
                named,
                f"{tls.cert} and {tls.key or 'the key in it'} are no certificate with its key that we can read "
                f"({_why(error)})",
            ) from None
    return context


def _no_password() -> str:
    raise ValueError("the key is locked by a password; give one without")


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where and as whom."""

    hosts: tuple[Host, ...]
    user: str
    password: str
    tls: Tls | None = None
    version: int = 4  #: 4 is MQTT 3.1.1, 5 is MQTT 5

    @classmethod
    def from_url(cls, url: str, version: int = 4, tls: Tls | None = None) -> BrokerAddress:
        """mqtt://user:password@host:1883, or mqtts://…; several hosts of one broker as host-a:1883,host-b:1883"""
        scheme, user, password, hosts = taken_apart(url, "MQTT_URL", ("mqtt", "mqtts"))
        return cls(hosts, user, password, (tls or Tls()) if scheme == "mqtts" else None, version)

    def __str__(self) -> str:
        """The hosts, without the secret."""
        return ", ".join(f"{host}:{port}" for host, port in self.hosts)


def taken_apart(url: str, setting: str, schemes: tuple[str, ...]) -> tuple[str, str, str, tuple[Host, ...]]:
    """Scheme, user, password and hosts of an address with one or more hosts."""
    like = f"must look like {schemes[0]}://user:password@host:{_SCHEMES[schemes[0]]}, several hosts divided by commas"
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Misconfigured(setting, like) from None
    account, _, where = parts.netloc.rpartition("@")
    # user and password stand once, before the first host
    if parts.scheme not in schemes or ("@" in account and "," in account):
        raise Misconfigured(setting, like)
    hosts = []
    for one in where.split(","):
        try:
            host = urlsplit(f"//{one.strip()}")
            name, port = host.hostname, host.port
        except ValueError:
            name, port = None, None
        if not name:
            raise Misconfigured(setting, f"{like}; {one.strip()!r} is no host")
        hosts.append((name, port or _SCHEMES[parts.scheme]))
    user, _, password = account.partition(":")
    return parts.scheme, unquote(user), unquote(password), tuple(hosts)
