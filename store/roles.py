"""The roles of the services, of the commands and of the backup.

They belong to the server, not to a database: no dump of a database brings them along, so each `migrate` makes those
that are missing, and gives those that sign in the passwords that follow from the one secret.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from schemas.errors import Misconfigured

SERVICES = ("telltale_gateway", "telltale_worker", "telltale_desk", "telltale_owner_page")
OFFICE = "telltale_office"  #: the commands of a house: what the workers may, and making people and keys
LOGINS = (*SERVICES, OFFICE)
#: reads everything, past row security, and writes nothing. Nobody signs in as it: the database's owner becomes it
BACKUP = "telltale_backup"
ROLES = (*LOGINS, BACKUP)
#: What a superuser has to say once, where the account that migrates may not.
BACKUP_RIGHTS = f"ALTER ROLE {BACKUP} BYPASSRLS; GRANT pg_read_all_data TO {BACKUP}"

_CREATE = "CREATE ROLE {} {} NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT"
_ATTEMPTS = 5


def role_url(url: str, secret: str, role: str, previous: str = "") -> str:
    """The same database, signed in as a service's role instead of its owner.

    While the secret is being changed, the password of the previous one goes along behind # for store.connecting.dial to
    try.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(
        parts._replace(
            netloc=f"{role}:{password_of(secret, role)}@{host}",
            fragment=password_of(previous, role) if previous else "",
        )
    )


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
            for role in LOGINS:  # a hex digest needs no quoting, and ALTER ROLE takes no parameters
                await connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{password_of(secret, role)}'")

    await _among_others(give)


async def become_backup(connection: asyncpg.Connection) -> None:
    """From here to the end of its transaction this connection of the database's owner reads every row.

    Raises Misconfigured where it may not.
    """
    try:
        await connection.execute(f"SET LOCAL ROLE {BACKUP}")
        reads = await connection.fetchval(
            "SELECT rolbypassrls AND pg_has_role(rolname, 'pg_read_all_data', 'USAGE') FROM pg_roles "
            "WHERE rolname = current_user"
        )
    except (
        asyncpg.InsufficientPrivilegeError,
        asyncpg.InvalidParameterValueError,
    ):  # the second: there is no such role
        reads = False
    if not reads:
        raise Misconfigured(
            BACKUP,
            f"may not read past row security: run `telltale migrate`, or let a superuser say once: {BACKUP_RIGHTS}",
        )


async def _ensure(connection: asyncpg.Connection) -> None:
    known = {
        row["rolname"]
        for row in await connection.fetch("SELECT rolname FROM pg_roles WHERE rolname = ANY($1::text[])", list(ROLES))
    }
    async with connection.transaction():
        for role in ROLES:
            if role not in known:
                await connection.execute(_CREATE.format(role, "LOGIN" if role in LOGINS else "NOLOGIN"))
        if not await connection.fetchval("SELECT pg_has_role($1, 'telltale_worker', 'MEMBER')", OFFICE):
            await connection.execute(f"GRANT telltale_worker TO {OFFICE}")
        if await connection.fetchval("SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", BACKUP):
            await connection.execute(f"ALTER ROLE {BACKUP} NOLOGIN PASSWORD NULL")
    if not await _becomes_backup(connection):
        for rights in (BACKUP_RIGHTS, f"GRANT {BACKUP} TO CURRENT_USER"):
            with suppress(
                asyncpg.InsufficientPrivilegeError
            ):  # everything else works without; `telltale backup` says what is missing
                async with connection.transaction():
                    await connection.execute(rights)


async def _becomes_backup(connection: asyncpg.Connection) -> bool:
    trial = connection.transaction()
    await trial.start()
    try:
        await become_backup(connection)
        return True
    except Misconfigured:
        return False
    finally:
        await trial.rollback()


async def _among_others(work: Callable[[], Awaitable[None]]) -> None:
    """Roles are the whole server's: whoever migrates another database of it may change them at the same moment."""
    for attempt in range(_ATTEMPTS):
        try:
            return await work()
        except (
            asyncpg.InternalServerError,
            asyncpg.DuplicateObjectError,
            asyncpg.UniqueViolationError,
        ):  # "tuple concurrently updated"
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(0.1 * (attempt + 1))
