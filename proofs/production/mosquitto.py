"""mosquitto as distributions ship it, with the files of `telltale broker-config mosquitto`: TLS, a password for each
car, closed.

Only one thing is added, a door on this machine for the rehearsal's own people: a witness who hears the cars, and the
workshop that mends simulated ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path

from proofs.production import account
from proofs.production.authority import Authority
from schemas.errors import Unavailable
from telltale.embedded.process import free_port

_ASIDE = """
# The rehearsal's own people
listener {port} 127.0.0.1
allow_anonymous false
password_file {home}/aside.passwords
acl_file {home}/aside.access
certfile {home}/server.crt
keyfile {home}/server.key
"""
_ACCESS = """
user workshop
topic readwrite workshop/#
user witness
topic read vehicles/+/+/up/telemetry
"""


class Mosquitto:
    """One broker: `port` for cars, `inner` for gateways, `aside` for the rehearsal's own people."""

    def __init__(self, home: Path, authority: Authority) -> None:
        self.home, self._authority = home, authority
        self.port, self.inner, self.aside = free_port(), free_port(), free_port()
        self.log = home / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """Of `telltale broker-config mosquitto`."""
        return (
            "--out",
            str(self.home),
            "--certificates",
            str(self._authority.home),
            "--port",
            str(self.port),
            "--gateway-port",
            str(self.inner),
        )

    def furnish(self, passwords: Mapping[str, str]) -> None:
        """After broker-config: the door aside."""
        (self.home / "rehearsal.conf").write_text(
            (self.home / "mosquitto.conf").read_text() + _ASIDE.format(home=self.home, port=self.aside)
        )
        (self.home / "aside.access").write_text(_ACCESS)
        file = self.home / "aside.passwords"
        file.write_text("".join(f"{user}:{password}\n" for user, password in passwords.items()))
        done = subprocess.run(
            [account.program("mosquitto_passwd") or "mosquitto_passwd", "-U", str(file)], capture_output=True, text=True
        )
        if done.returncode != 0:
            raise Unavailable("mosquitto_passwd", done.stderr)
        for name in ("aside.access", "aside.passwords"):
            (self.home / name).chmod(0o600)
        self.log.touch()
        account.give(self.home)

    async def start(self) -> None:
        """Until it shakes hands by TLS."""
        self._process = account.spawn(
            [account.program("mosquitto") or "mosquitto", "-c", str(self.home / "rehearsal.conf")], log=self.log
        )
        context = ssl.create_default_context(cafile=str(self._authority.trusted))
        for _ in range(3_000):
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context)
                writer.close()
                return
            await asyncio.sleep(0.02)
        raise Unavailable("mosquitto", f"it did not start: {self.log.read_text(errors='replace')[-600:]}")

    async def stop(self) -> None:
        """In order: it writes its store."""
        process, self._process = self._process, None
        await asyncio.to_thread(account.end, process, signal.SIGTERM)

    async def kill(self) -> None:
        """kill -9."""
        process, self._process = self._process, None
        await asyncio.to_thread(account.end, process, signal.SIGKILL)

    async def shows_the_new_certificate(self, within_s: float = 120.0) -> None:
        """Wait until broker-config has taken it over and the broker has been told: who connects now is shown it."""
        wanted = ssl.PEM_cert_to_DER_cert((self._authority.home / "server.crt").read_text())
        context = ssl.create_default_context(cafile=str(self._authority.trusted))
        deadline = asyncio.get_running_loop().time() + within_s
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context)
                shown = writer.get_extra_info("ssl_object").getpeercert(True)
                writer.close()
                if shown == wanted:
                    return
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable("mosquitto", "it goes on showing the old certificate")
            await asyncio.sleep(0.1)

    def wipe(self) -> None:
        """Lose everything that it stored; only while it does not run."""
        mode = (self.home / "store").stat().st_mode & 0o777
        shutil.rmtree(self.home / "store")
        os.mkdir(self.home / "store", mode)
        account.give(self.home / "store")

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None
