"""TLS of the embedded broker: what it shows, whom it asks for a certificate, and how we reach it ourselves."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class BrokerTls:
    """PEM files. With `ca` it lets in only clients that show a certificate of that authority, on top of their
    password.
    """

    cert: Path
    key: Path
    ca: Path | None = None

    def check(self) -> None:
        """The broker's own complaint would stand in its log only."""
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(self.cert, self.key, password="")
        except (OSError, ValueError) as error:
            raise Misconfigured(
                "TELLTALE_BROKER_CERT",
                f"{self.cert} and {self.key} are no certificate with its key that we can read ({_why(error)})",
            ) from None
        if self.ca is not None:
            try:
                ssl.create_default_context(cafile=self.ca)
            except (OSError, ValueError) as error:
                raise Misconfigured(
                    "TELLTALE_BROKER_CA", f"{self.ca} is no file of certificates that we can read ({_why(error)})"
                ) from None

    def block(self, *, clients: bool) -> str:
        """For nats-server's configuration; `clients`: of the cars' listener."""
        asked = f', ca_file: "{self.ca}", verify: true' if clients and self.ca is not None else ""
        return f'tls {{ cert_file: "{self.cert}", key_file: "{self.key}", timeout: 5{asked} }}'

    def written(self) -> tuple[int, ...]:
        """Changes when a certificate is renewed."""
        try:
            return tuple(path.stat().st_mtime_ns for path in (self.cert, self.key, self.ca) if path is not None)
        except OSError:
            return ()  # being replaced at this moment

    @staticmethod
    def ourselves() -> ssl.SSLContext:
        """For our own look at our own program on this machine, whatever name its certificate is for."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
