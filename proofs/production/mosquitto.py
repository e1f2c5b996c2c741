"""mosquitto as distributions ship it, closed: TLS, a password or a certificate for each car, an ACL that binds it to its topics."""

from __future__ import annotations

import asyncio
import contextlib
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

_CONFIG = """
# cars sign in with a password
listener {port} 127.0.0.1
cafile {tls}/ca.pem
certfile {tls}/mosquitto.crt
keyfile {tls}/mosquitto.key
# the gateways sign in with a certificate, whose name is the user's
listener {inner} 127.0.0.1
cafile {tls}/ca.pem
certfile {tls}/mosquitto.crt
keyfile {tls}/mosquitto.key
require_certificate true
use_identity_as_username true

per_listener_settings false
allow_anonymous false
password_file {home}/passwords
acl_file {home}/acl
persistence true
persistence_location {home}/store/
autosave_interval 1
max_inflight_messages 4000
max_queued_messages 0
max_queued_bytes 0
message_size_limit 1048576
persistent_client_expiration 30d
retain_available true
log_type error
log_type warning
log_type notice
connection_messages false
"""
_ACL = """
user gateway
topic readwrite #
user workshop
topic readwrite workshop/#
user witness
topic read vehicles/+/+/up/telemetry
pattern write vehicles/+/%u/up/+
pattern read vehicles/+/%u/down/+
"""


class Mosquitto:
    """One broker: `port` for cars, `inner` for gateways (and cars) with certificates."""

    def __init__(self, home: Path, authority: Authority) -> None:
        self.home, self._authority = home, authority
        self.port, self.inner = free_port(), free_port()
        self.log = home / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def create(self, passwords: Mapping[str, str]) -> None:
        """Its files and the accounts; `start` starts it."""
        (self.home / "store").mkdir(parents=True, exist_ok=True)
        (self.home / "mosquitto.conf").write_text(_CONFIG.format(home=self.home, tls=self._authority.home, port=self.port, inner=self.inner))
        (self.home / "acl").write_text(_ACL)
        (self.home / "acl").chmod(0o600)
        self.certify()
        self.admit(passwords)
        account.give(self.home)

    def certify(self) -> None:
        """New certificates for the broker and for the gateways; believed after the next start or reload."""
        account.give(*self._authority.issue("mosquitto", common_name="localhost"), *self._authority.issue("gateway", common_name="gateway"))

    def admit(self, passwords: Mapping[str, str]) -> None:
        """Who may sign in with a password."""
        file = self.home / "passwords"
        file.touch(mode=0o600)
        file.write_text("".join(f"{user}:{password}\n" for user, password in passwords.items()))
        done = subprocess.run([account.program("mosquitto_passwd") or "mosquitto_passwd", "-U", str(file)], capture_output=True, text=True)
        if done.returncode != 0:
            raise Unavailable("mosquitto_passwd", done.stderr)
        file.chmod(0o600)
        account.give(file)

    async def start(self) -> None:
        """Until it shakes hands by TLS."""
        self.log.touch()
        account.give(self.log)
        self._process = account.spawn([account.program("mosquitto") or "mosquitto", "-c", str(self.home / "mosquitto.conf")], log=self.log)
        context = ssl.create_default_context(cafile=str(self._authority.trusted))
        for _ in range(400):
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

    def reload(self) -> None:
        """Read accounts, ACL and certificates again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def wipe(self) -> None:
        """Lose everything that it stored; only while it does not run."""
        shutil.rmtree(self.home / "store", ignore_errors=True)
        (self.home / "store").mkdir()
        account.give(self.home / "store")

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None
