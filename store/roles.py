"""The login roles of the services. They belong to the server, not to a database: no dump of a database brings them along, so
each `migrate` makes those that are missing, and gives all of them the passwords that follow from the one secret."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit, urlunsplit

import asyncpg

SERVICES = ("telltale_gateway", "telltale_worker", "telltale_desk", "telltale_owner_page")
OFFICE = "telltale_office"  #: the commands of a house: what the workers may, and making people and keys
BACKUP = "telltale_backup"  #: reads everything, past row security, and writes nothing
ROLES = (*SERVICES, OFFICE, BACKUP)
#: What a superuser has to say once, where the account that migrates may not.
BACKUP_RIGHTS = f"ALTER ROLE {BACKUP} BYPASSRLS; GRANT pg_read_all_data TO {BACKUP}"

_CREATE = "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT"
_ATTEMPTS = 5


def role_url(url: str, secret: str, role: str, previous: str = "") -> str:
    """The same database, signed in as a service's role instead of its owner.

    While the secret is being changed, the password of the previous one goes along behind # for store.connecting.dial to try.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{password_of(secret, role)}@{host}", fragment=password_of(previous, role) if previous else ""))


def password_of(secret: str, role: str) -> str:
    """Derived, so that nothing but the one secret needs to be kept or handed around."""
    return hmac.new(secret.encode(), role.encode(), hashlib.sha256).hexdigest()


async def ensure(connection: asyncpg.Connection) -> None:
    """Make the roles that this server does not have yet. Needs CREATEROLE only if one is missing."""
    await _among_others(lambda: _ensure(connection))


async def give_passwords(connection: asyncpg.Connection, secret: str) -> None:
    """All of them in one transaction, so that no service sees half a change."""

    async def give() -> None:
        async with connection.transaction():
            for role in ROLES:  # a hex digest needs no quoting, and ALTER ROLE takes no parameters
                await connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{password_of(secret, role)}'")

    await _among_others(give)


async def may_back_up(connection: asyncpg.Connection) -> bool:
    """Whether the account of this connection reads every row of every table."""
    return bool(
        await connection.fetchval(
            "SELECT rolsuper OR (rolbypassrls AND pg_has_role(rolname, 'pg_read_all_data', 'USAGE')) FROM pg_roles WHERE rolname = current_user"
        )
    )


async def _ensure(connection: asyncpg.Connection) -> None:
    known = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles WHERE rolname = ANY($1::text[])", list(ROLES))}
    async with connection.transaction():
        for role in ROLES:
            if role not in known:
                await connection.execute(_CREATE.format(role))
        if not await connection.fetchval("SELECT pg_has_role($1, 'telltale_worker', 'MEMBER')", OFFICE):
            await connection.execute(f"GRANT telltale_worker TO {OFFICE}")
    if not await connection.fetchval("SELECT rolbypassrls AND pg_has_role(rolname, 'pg_read_all_data', 'USAGE') FROM pg_roles WHERE rolname = $1", BACKUP):
        try:
            async with connection.transaction():
                await connection.execute(BACKUP_RIGHTS)
        except asyncpg.InsufficientPrivilegeError:
            pass  # everything else works without; `telltale backup` says what is missing


async def _among_others(work: Callable[[], Awaitable[None]]) -> None:
    """Roles are the whole server's: whoever migrates another database of it may change them at the same moment."""
    for attempt in range(_ATTEMPTS):
        try:
            return await work()
        except (asyncpg.InternalServerError, asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):  # "tuple concurrently updated"
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(0.1 * (attempt + 1))
