"""The certificates of the rehearsal: a private authority as `telltale certificates` makes it, believed in by everybody.

`trusted` is what clients are given: the authority's certificate, and while one succeeds another, both.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from proofs.production import account
from telltale import certificates

HOSTS = ("localhost", "127.0.0.1")


class Authority:
    """`server.crt` and `server.key` in `home` are shared by all servers; each copies them when it is told."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.trusted = home / "trusted.pem"

    def begin(self) -> None:
        """After `telltale certificates make`."""
        shutil.copy(self.home / "ca.crt", self.trusted)

    def renew(self) -> None:
        """A new certificate of the servers."""
        (self.home / "server.crt").unlink()
        certificates.server(self.home, HOSTS, datetime.now(UTC))
        account.give(self.home)

    def succeed(self) -> None:
        """Another authority signs from now on; for a while both are believed."""
        before = self.trusted.read_bytes()
        for name in ("ca.crt", "ca.key"):
            (self.home / name).unlink()
        certificates.authority(self.home, datetime.now(UTC))
        fresh = self.home / "trusted.new"
        fresh.write_bytes((self.home / "ca.crt").read_bytes() + before)
        fresh.replace(self.trusted)
        self.renew()

    def retire(self) -> None:
        """The one before is believed no longer."""
        fresh = self.home / "trusted.new"
        shutil.copy(self.home / "ca.crt", fresh)
        fresh.replace(self.trusted)
