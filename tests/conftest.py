"""What every test may ask for: one database server and one broker per session, a fresh database per test."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import hypothesis
import pytest

from store.migrate import migrate, role_url
from store.pool import Pool, open_pool
from telltale.embedded.postgres import EmbeddedPostgres
from tests.standing import PoolAs

pytest_plugins = ["tests.skipped", "tests.slow_first"]

# No test may fail because the machine is busy: speed is measured by `telltale bench`.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")

SECRET = "tests-only-secret"
RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data"
_TEMPLATE = "telltale_template"
_ADMIN = "telltale"


class _Server:
    """The session's PostgreSQL: whichever worker asks first starts it, and stops it after all others are done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._users = (folder / "postgres.users").open("w")
        self._own: EmbeddedPostgres | None = None
        self.url = ""

    def join(self) -> None:
        fcntl.flock(self._users, fcntl.LOCK_SH)
        result = self.folder / "postgres.url"
        with (self.folder / "postgres.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not result.exists():
                asyncio.run(self._start())
                result.write_text(self.url)
        self.url = result.read_text()

    async def _start(self) -> None:
        # Each test's database costs some 20 MB of writing: in memory where there is room. fsync stays on, as the
        # gateway insists.
        self._own = EmbeddedPostgres(self.folder / "home", settings={"max_wal_size": "512MB"})
        await self._own.start()
        self.url = self._own.url
        admin = await asyncpg.connect(self.url)
        try:
            await admin.execute(f"CREATE DATABASE {_TEMPLATE}")
            await migrate(_named(self.url, _TEMPLATE), SECRET)
            await admin.execute(f"ALTER DATABASE {_TEMPLATE} IS_TEMPLATE true")
        finally:
            await admin.close()

    def leave(self) -> None:
        try:
            fcntl.flock(self._users, fcntl.LOCK_UN)
            if self._own is not None:
                fcntl.flock(self._users, fcntl.LOCK_EX)  # the others leave first
                with (self.folder / "postgres.lock").open("w") as lock:  # and who comes later starts one anew
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    asyncio.run(self._own.stop())
                    self._own.erase()
                    (self.folder / "postgres.url").unlink(missing_ok=True)  # it may never have come up
        finally:
            self._users.close()  # or the others would wait for ever


_server: _Server | None = None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Not in a fixture: waiting for the other workers must not count against the last test's time."""
    if _server is not None:
        _server.leave()
    if not os.environ.get("PYTEST_XDIST_WORKER"):  # the last to end
        shutil.rmtree(_shared(session.config._tmp_path_factory.getbasetemp()), ignore_errors=True)  # type: ignore[attr-defined]


def _shared(base: Path) -> Path:
    """Of all workers of a session, in memory where there is room for it."""
    roof = Path(tempfile.gettempdir())
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK):
        space = os.statvfs(memory)
        if space.f_bavail * space.f_frsize > 4e9 and not space.f_flag & os.ST_NOEXEC:
            roof = memory
    return roof / f"telltale-tests{base.resolve().as_posix().replace('/', '-')}"


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder that all workers of this session share, and that the account of the database can enter."""
    base = tmp_path_factory.getbasetemp()
    folder = _shared(base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base)
    folder.mkdir(mode=0o711, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def postgres(session_folder: Path) -> str:
    """The session's server, as its superuser's URL. Tests that kill a server start their own EmbeddedPostgres."""
    global _server
    if _server is None:
        _server = _Server(session_folder)
        _server.join()
    return _server.url


@dataclass(frozen=True)
class Database:
    """A fresh, migrated database of one test.

    Migrate it with no other secret: the roles' passwords are the whole server's.
    """

    url: str
    secret: str = SECRET

    def role(self, name: str) -> str:
        """The URL for one of `gateway`, `worker`, `desk`, `owner_page`, `office`."""
        return role_url(self.url, self.secret, name if name.startswith("telltale_") else f"telltale_{name}")


_count = 0


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[Database]:
    global _count
    _count += 1
    name = f"test_{os.getpid()}_{_count}"
    admin = await asyncpg.connect(postgres)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        yield Database(_named(postgres, name))
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture
async def pool_as(database: Database) -> AsyncIterator[PoolAs]:
    """`await pool_as("gateway")`: a pool under that role; `pool_as("admin")` is the owner, for looking at
    everything.
    """
    pools: list[Pool] = []

    async def make(role: str, **options: Any) -> Pool:
        url = database.url if role == "admin" else database.role(role)
        pool = await open_pool(url, name=f"test-{role}", **{"size": 4, **options})
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(pool.close(), 5)
        pool.terminate()


@pytest.fixture(scope="session")
async def broker(session_folder: Path) -> AsyncIterator[Any]:
    """The session's own embedded broker (one per worker: tests enrol and revoke cars in it)."""
    from telltale.embedded.broker import EmbeddedBroker

    home = session_folder / f"broker-{os.getpid()}"
    home.mkdir()
    async with EmbeddedBroker(home) as started:
        yield started
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty TELLTALE_HOME whose parents every account can enter (pytest's tmp_path is private)."""
    folder = Path(tempfile.mkdtemp(prefix="telltale-home-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The recorded drives beside the checkout."""
    if not RECORDINGS.is_dir():
        pytest.skip("the recorded drives are not on this machine (they lie beside the checkout in ../shared/data)")
    return RECORDINGS


def _named(url: str, database: str) -> str:
    return url.rpartition("/")[0] + "/" + database
