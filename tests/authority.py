"""A certificate authority of a test, as `telltale certificates` makes one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from telltale import certificates


class Authority:
    """`trusted` is what clients believe in; `issue` makes a certificate and its key."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home, self.trusted = home, home / "ca.crt"
        certificates.authority(home, datetime.now(UTC))

    def issue(self, file: str, *, common_name: str) -> tuple[Path, Path]:
        """Certificate and key as `file`.crt and `file`.key, each time a new pair: of a server called localhost, or else
        of a client.
        """
        now, made = datetime.now(UTC), self.home / common_name
        if common_name == "localhost":
            (self.home / "server.crt").unlink(missing_ok=True)
            certificates.server(self.home, ["localhost", "127.0.0.1"], now)
            made = self.home / "server"
        else:
            certificates.client(self.home, common_name, now)
        found = self.home / f"{file}.crt", self.home / f"{file}.key"
        for path in found:
            made.with_suffix(path.suffix).replace(path)
        return found
