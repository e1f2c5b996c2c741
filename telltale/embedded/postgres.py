"""Our own small supervisor around PostgreSQL's programs: start, ready, stop, and safe after kill -9."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg

from schemas.errors import Misconfigured, Unavailable
from telltale.embedded import binaries
from telltale.embedded.process import alive, command_line, die_with_parent, free_port

USER = "telltale"
DATABASE = "telltale"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
_SHELTER = Path("/var/lib/telltale")
# For a laptop: many short connections, day partitions (locks), no spinning disk. fsync stays on: the promise is
# durability.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_locks_per_transaction": "512",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
}


class EmbeddedPostgres:
    """One database server below one home folder; the home's owner makes sure that there is only one of us."""

    def __init__(
        self,
        home: Path,
        *,
        port: int | None = None,
        settings: dict[str, str] | None = None,
        programs: Path | None = None,
    ) -> None:
        """`programs`: the `bin` folder of the PostgreSQL to run, when it is not the one that `binaries.find`
        prefers.
        """
        self.home = home.resolve()
        self._programs = programs
        self._settings = {**SETTINGS, **(settings or {})}
        self._who = binaries.account()
        self._process: subprocess.Popen[bytes] | None = None
        self._password = ""
        self.port = port or 0  #: kept over restarts, for its address was handed out
        self.folder = self.home

    @property
    def data(self) -> Path:
        return self.folder / "pgdata"

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None

    async def start(self) -> None:
        """Start and wait until it answers. A server that was left behind by a killed supervisor is ended first."""
        self.folder = self._place()
        bin_folder = await asyncio.to_thread(
            binaries.runnable, self._programs or binaries.find(), self.folder, self._who
        )
        self._password = self._secret()
        if not (self.data / "PG_VERSION").exists():
            await asyncio.to_thread(self._initialise, bin_folder)
        await self._end_leftover()
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        keep_port = bool(self.port)
        while True:
            if not keep_port:
                self.port = free_port()
            self._launch(bin_folder)
            if await self._answers(deadline):
                break
            # A just-killed server's children hold its shared memory for a moment; or somebody took the port.
            if asyncio.get_running_loop().time() > deadline:
                await self.stop()
                raise Unavailable("PostgreSQL", f"it did not start: {self._last_words()} (see {self._log})")
            await asyncio.sleep(0.2)
        await self._create_database()

    async def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, what was committed is on disk."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            await asyncio.to_thread(process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            await asyncio.to_thread(process.wait)

    def kill(self) -> None:
        """kill -9 of the server, for the proofs; `start()` brings it back with everything that was committed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def erase(self) -> None:
        """Forget everything (demo --fresh); only while nothing runs."""
        folder = self._place()
        if folder != self.home:
            shutil.rmtree(folder, ignore_errors=True)
            return
        for data in (folder / "pgdata", folder / "pgdata.new"):
            shutil.rmtree(data, ignore_errors=True)
        (folder / "postgres.secret").unlink(missing_ok=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def _log(self) -> Path:
        return self.folder / "postgres.log"

    def _place(self) -> Path:
        """Our home, unless the account that runs the server cannot walk to it; a parent is never touched."""
        self.home.mkdir(parents=True, exist_ok=True)
        if not self._who.borrowed:
            return self.home
        folder = self.home
        if not all(parent.stat().st_mode & 0o001 for parent in self.home.parents):
            folder = _SHELTER / hashlib.sha256(str(self.home).encode()).hexdigest()[:16]
            folder.mkdir(parents=True, exist_ok=True)
            _SHELTER.chmod(0o711)
            (folder / "sheltered-for").write_text(str(self.home))
            _forget_homeless()
        folder.chmod(0o711)
        return folder

    def _secret(self) -> str:
        path = self.folder / "postgres.secret"
        if not path.exists():
            if self.data.exists():
                raise Misconfigured(
                    str(path), "is missing, so its database cannot be opened: start anew with demo --fresh"
                )
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32))
        return path.read_text().strip()

    def _initialise(self, bin_folder: Path) -> None:
        """Make the cluster in a folder beside, then rename: a kill -9 in the middle leaves nothing half-made."""
        half = self.folder / "pgdata.new"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        if self._who.borrowed:
            os.chown(half, self._who.uid, self._who.gid)
        password = self.folder / "pgdata.password"
        password.touch(mode=0o600)
        password.write_text(self._password)
        if self._who.borrowed:
            os.chown(password, self._who.uid, self._who.gid)
        command = [
            str(bin_folder / "initdb"),
            "-D",
            str(half),
            "-U",
            USER,
            "-E",
            "UTF8",
            "--no-locale",
            "-N",
            "--data-checksums",
            "--auth=scram-sha-256",
            f"--pwfile={password}",
        ]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            env=_environment(),
            **self._who.popen(),  # type: ignore[call-overload]
        )
        password.unlink()
        if done.returncode != 0:
            raise Misconfigured(
                str(self.folder), f"PostgreSQL could not make a database there: {done.stderr[-300:].strip()}"
            )
        lines = "".join(f"{name} = '{value}'\n" for name, value in self._settings.items())
        with (half / "postgresql.conf").open("a") as conf:
            conf.write("\n# Telltale\n" + lines)
        half.rename(self.data)

    def _launch(self, bin_folder: Path) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(bin_folder / "postgres"), "-D", str(self.data), "-p", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
                start_new_session=True,  # Ctrl-C in the terminal reaches us first, then we stop it in order
                preexec_fn=die_with_parent(signal.SIGINT),
                **self._who.popen(),  # type: ignore[call-overload]
            )

    async def _answers(self, deadline: float) -> bool:
        """Wait until the server takes a connection; False when it ended instead."""
        while asyncio.get_running_loop().time() < deadline and self.pid is not None:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncio.TimeoutError):
                connection = await asyncpg.connect(self._maintenance, timeout=5)
                await connection.close()
                return True
            await asyncio.sleep(0.03)
        return False

    async def _create_database(self) -> None:
        connection = await asyncpg.connect(self._maintenance, timeout=10)
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

    async def _end_leftover(self) -> None:
        """A pid file says who ran here: end that server if it still does, else the file is stale."""
        path = self.data / "postmaster.pid"
        try:
            pid = int(path.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            path.unlink(missing_ok=True)
            return
        if alive(pid) and str(self.data) in command_line(pid):
            os.kill(pid, signal.SIGINT)
            for _ in range(int(STOP_SECONDS / 0.05)):
                if not alive(pid):
                    break
                await asyncio.sleep(0.05)
            else:
                os.kill(pid, signal.SIGQUIT)
                await asyncio.sleep(0.5)
        path.unlink(missing_ok=True)

    @property
    def _maintenance(self) -> str:
        return self.url.rpartition("/")[0] + "/postgres"

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = self._log.read_text(errors="replace").strip().splitlines()
            return next((line for line in reversed(lines) if "FATAL" in line), lines[-1] if lines else "no log")
        return "no log"


def _forget_homeless() -> None:
    """Shelters whose homes are gone, such as those of stories and proofs that were killed."""
    for note in _SHELTER.glob("*/sheltered-for"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid_file = note.parent / "pgdata" / "postmaster.pid"
            running = pid_file.exists() and alive(int(pid_file.read_text().split()[0]))
            if note.is_file() and not running and not Path(note.read_text()).exists():
                shutil.rmtree(note.parent, ignore_errors=True)


def _environment() -> dict[str, str]:
    """What the server's programs need of the environment: nothing of ours, above all no PG* variable."""
    return {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
