"""The files of a mosquitto of one's own, written from the enrolled cars and kept current: every change reaches it
within seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from gateway.mqtt import mosquitto
from gateway.mqtt.mosquitto import Doors
from schemas.credentials import mosquitto_hash
from schemas.errors import Misconfigured, Unavailable
from store import notifications, vehicles
from store.pool import connect, line
from telltale.embedded.process import command_line

log = structlog.get_logger()

#: Two rewrites are at least so far apart: a fleet that is enrolled in one go is a few of them and not a thousand.
APART_S = 1.0
REFRESH_S = 60.0  #: everything is read and looked at again, in case a bell was missed or a certificate was renewed
RELOAD_S = 30.0
OVERLAP_S = 3600.0  #: for so long gateways with the secret before this one are let in
_LOOK_S = 5.0  #: a lost connection is noticed after this, and a renewed certificate


@dataclass
class MosquittoFiles:
    """One folder of files, as `account` (empty: whoever we are) may read them."""

    folder: Path
    certificates: Path
    doors: Doors
    gateway_password: str
    account: str = ""
    gateway_account: str = "gateway"
    reload_command: str = ""  #: instead of SIGHUP to the process in mosquitto.pid
    cars: dict[str, str] = field(default_factory=dict)  #: VIN -> hash
    without_hash: set[str] = field(default_factory=set)  #: enrolled before mosquitto's hashes were kept

    def learn(self, passwords: dict[str, str | None], *, all_of_them: bool) -> None:
        """What vehicles.passwords says, of all cars or of one."""
        if all_of_them:
            self.cars.clear()
            self.without_hash.clear()
        for vin, hashed in passwords.items():
            self.cars.pop(vin, None)
            self.without_hash.discard(vin)
            if hashed:
                self.cars[vin] = hashed
            elif hashed is not None:
                self.without_hash.add(vin)

    def write(self) -> bool:
        """Write what has changed; whether anything has."""
        for folder in (self.folder, self.folder / "store"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.account:
                os.chown(folder, *self._owner())
        gateways = {self.gateway_account: mosquitto_hash(self.gateway_password), **self._gateways_before()}
        wanted = {
            "server.crt": self._certificate("server.crt"),
            "server.key": self._certificate("server.key"),
            "gateways.access": mosquitto.access_of_gateways(gateways),
            "gateways.passwords": mosquitto.passwords(gateways),
            "cars.access": mosquitto.access_of_cars(self.cars),
            "cars.passwords": mosquitto.passwords(self.cars),
            "mosquitto.conf": mosquitto.configuration(self.folder.resolve(), self.account, self.doors),
        }
        if self.doors.client_certificates:
            wanted["ca.crt"] = self._certificate("ca.crt")
        changed = [name for name, text in wanted.items() if self._put(name, text)]
        return bool(changed)

    def _gateways_before(self) -> dict[str, str]:
        """Accounts of an earlier TELLTALE_SECRET, for an hour after another one came: what a broker owes a session
        whose account is gone is thrown away, and gateways take a moment to be started anew.
        """
        path = self.folder / "gateways.passwords"
        try:
            known = dict(line.split(":", 1) for line in path.read_text().splitlines())
            since = self._now() - path.stat().st_mtime
        except (OSError, ValueError):
            return {}
        if known.pop(self.gateway_account, None) is not None and since > OVERLAP_S:
            return {}
        return known

    def _now(self) -> float:
        """By the clock that stamps these files: another one may be wrong, and an account that is taken away too early
        costs what is owed.
        """
        stamp = self.folder / ".now"
        stamp.unlink(missing_ok=True)
        stamp.touch(mode=0o600)
        try:
            return stamp.stat().st_mtime
        finally:
            stamp.unlink()

    def _put(self, name: str, text: str) -> bool:
        path, half = self.folder / name, self.folder / f".{name}.new"
        with contextlib.suppress(OSError):
            if path.read_text() == text:
                return False
        half.unlink(missing_ok=True)
        half.touch(mode=0o600)
        if self.account:
            os.chown(half, *self._owner())
        half.write_text(text)
        os.replace(half, path)  # mosquitto never reads half a file
        return True

    def _certificate(self, name: str) -> str:
        try:
            return (self.certificates / name).read_text()
        except OSError as error:
            raise Misconfigured(
                "--certificates",
                f"{self.certificates / name} cannot be read ({error.strerror}): make it with `telltale certificates "
                f"make --out {self.certificates}`",
            ) from None

    def _owner(self) -> tuple[int, int]:
        try:
            found = pwd.getpwnam(self.account)
        except KeyError:
            raise Misconfigured("--account", f"there is no account called {self.account} on this machine") from None
        return found.pw_uid, found.pw_gid

    def reload(self) -> bool:
        """Tell the running broker. False when none runs: it reads the files when it starts."""
        if self.reload_command:
            done = subprocess.run(
                shlex.split(self.reload_command), capture_output=True, text=True, timeout=RELOAD_S, check=False
            )
            if done.returncode:
                log.warning(
                    "broker_not_told",
                    command=self.reload_command,
                    status=done.returncode,
                    output=done.stderr[-200:].strip(),
                )
            return done.returncode == 0
        try:
            pid = int((self.folder / "mosquitto.pid").read_text())
            if "mosquitto" not in command_line(pid):  # it is gone, and its number may be somebody else's
                return False
            os.kill(pid, signal.SIGHUP)
        except (OSError, ValueError) as error:
            if isinstance(error, PermissionError):
                log.warning("broker_not_told", hint="run this as the broker's account, or say how with --reload")
            return False
        return True


async def read(database_url: str, files: MosquittoFiles) -> None:
    """Learn of all cars, once."""
    connection = await connect(database_url, name="broker-config")
    try:
        files.learn(await vehicles.passwords(connection), all_of_them=True)
    finally:
        await asyncio.wait_for(connection.close(), 5)


async def follow(database_url: str, files: MosquittoFiles, ready: Callable[..., None] = lambda **facts: None) -> None:
    """Until cancelled. While the database is away the files stay as they are."""
    first = _Once(ready)
    while True:
        try:
            async with line(database_url, name="broker-config") as connection:
                await _follow(connection, files, first)
        except Unavailable as error:
            log.info("database_away", reason=type(error).__name__)
        await asyncio.sleep(0.5)


class _Once:
    """Says that we are ready, the first time."""

    def __init__(self, ready: Callable[..., None]) -> None:
        self._ready, self._said = ready, False

    def __call__(self, files: MosquittoFiles) -> None:
        if not self._said:
            self._said = True
            self._ready(cars=len(files.cars))


async def _follow(connection: Any, files: MosquittoFiles, first: _Once) -> None:
    """For as long as this connection lives: everything now and then, and at once whatever a bell names."""
    asked: set[int] = set()
    rung, removed = asyncio.Event(), asyncio.Event()

    def heard(payload: dict[str, Any]) -> None:
        if payload.get("what") == "removed":
            removed.set()
        elif payload.get("what") in ("enrolled", "revoked") and isinstance(payload.get("vehicle"), int):
            asked.add(payload["vehicle"])
        else:
            return
        rung.set()

    await notifications.listen(connection, notifications.CARS, heard)
    due = 0.0
    while not connection.is_closed():
        if removed.is_set() or time.monotonic() >= due:
            asked.clear()
            removed.clear()
            files.learn(await vehicles.passwords(connection), all_of_them=True)
            due = time.monotonic() + REFRESH_S
        while asked:
            files.learn(await vehicles.passwords(connection, asked.pop()), all_of_them=False)
        await _write(files)
        first(files)
        await asyncio.sleep(APART_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await rung.wait()
        rung.clear()


async def _write(files: MosquittoFiles) -> None:
    """In a thread: the lists of a large fleet take a moment, and so may the command that reloads the broker."""
    if await asyncio.to_thread(files.write):
        told = await asyncio.to_thread(files.reload)
        log.info(
            "broker_config",
            cars=len(files.cars),
            enrol_again=len(files.without_hash),
            broker="told" if told else "not running",
        )
