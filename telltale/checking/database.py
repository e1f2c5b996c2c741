"""The database: there, durable, of this version, with roles of little power, and a clock that agrees with ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError

import tzdata

from schemas.errors import Misconfigured
from store import check, transactions
from store import clock as clock_row
from store.pool import Connection, connect
from store.roles import LOGINS, role_url
from telltale.checking.finding import Wrong
from telltale.settings import Settings

CLOCKS_AGREE = timedelta(seconds=2)  #: more than a connection takes, less than anybody notices


@asynccontextmanager
async def office(settings: Settings, role: str = "telltale_office") -> AsyncIterator[Connection]:
    """A connection of that role."""
    connection = await connect(
        role_url(settings.database, settings.key, role, settings.secret_previous.get_secret_value()), name="check"
    )
    try:
        yield connection
    finally:
        await asyncio.wait_for(connection.close(), 5)


async def server(settings: Settings) -> str:
    """Reachable, new enough, and COMMIT means on disk."""
    async with office(settings) as connection:
        try:
            await transactions.check_settings(connection)
        except Misconfigured as error:
            raise Wrong(
                f"{error.setting} {error.reason.partition(':')[0]}",
                f"{error.reason.partition(': ')[2]} (postgresql.conf)",
            ) from None
        found = await check.server(connection)
    return (
        f"PostgreSQL {found.version}, database {found.database} at {found.host}, "
        f"{'by TLS' if found.tls else 'without TLS'}"
    )


async def roles(settings: Settings) -> str:
    """Every service can sign in with the password that follows from the secret, and sees no more than it must."""
    for role in LOGINS:
        async with office(settings, role) as connection:
            if await check.too_mighty(connection):
                raise Wrong(f"{role} sees past row security", f"ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS")
    return f"{len(LOGINS)} roles sign in, none sees past row security"


async def migrations(settings: Settings) -> str:
    """The database is of this version."""
    async with office(settings) as connection:
        missing, newer = await check.migrations(connection)
    if missing:
        raise Wrong(f"{len(missing)} migrations are missing, from {min(missing)} on", "run telltale migrate")
    if newer:
        raise Wrong(
            f"the database is of a newer version ({max(newer)})", "run the version of Telltale that migrated it"
        )
    return "all of this version's are applied"


async def clock(settings: Settings) -> str:
    """Our clock against the database's; and business time is the real one."""
    async with office(settings) as connection:
        before = datetime.now(UTC)
        witness = await clock_row.witness(connection)
        after = datetime.now(UTC)
    if witness.time_lapse:
        raise Wrong(
            f"business time runs {witness.speed:g} times as fast: this is a demo",
            "use a database that no demo has used",
        )
    off = max(before - witness.machine, witness.machine - after, timedelta())
    if off > CLOCKS_AGREE:
        raise Wrong(
            f"this machine and the database are {off.total_seconds():.0f} s apart",
            "let both follow a time server (systemd-timesyncd, chrony)",
        )
    return (
        f"this machine and the database agree within {max(1, round((after - before + off).total_seconds() * 1000))} ms"
    )


async def zones(settings: Settings) -> str:
    """Time zone data knows every zone that somebody lives in, and is not from long ago."""
    async with office(settings) as connection:
        used = await check.zones(connection)
    for name in used:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise Wrong(f"{name} is not known here", "bring the package tzdata up to date") from None
    version = _zone_data()
    if version[:4].isdigit() and datetime.now(UTC).year - int(version[:4]) > 1:
        raise Wrong(
            f"time zone data is of {version}", "bring the package tzdata up to date: governments change their minds"
        )
    return f"{len(used)} zones are known, data of {version}"


def _zone_data() -> str:
    """The release that zoneinfo reads: the system's where it has one, else our package's."""
    for place in TZPATH:
        with suppress(OSError), (Path(place) / "tzdata.zi").open() as lines:
            return lines.readline().removeprefix("# version").strip()
    return str(tzdata.IANA_VERSION)
