"""Dealers, their people, how they sign in, and the numbers that owners answer to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from schemas.account import Dealer, DealerSettings, Role, Staff
from schemas.errors import BadInput, NotFound
from store import notifications
from store.pool import Connection, as_dict

_DEALER = ", ".join(Dealer.model_fields)  # a column each
_STAFF = "id, dealer_id, name, email, phone, role, language, disabled_at, joined_at"
_CREATE_DEALER = f"""
INSERT INTO dealers (name, zone, country, phone, address, opening_hours, language, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {_DEALER}
"""
_ADD_STAFF = f"""
INSERT INTO staff (dealer_id, name, email, phone, role, language, created_at, joined_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {_STAFF}
"""
_ADD_SIGN_IN = (
    "INSERT INTO sign_ins (email, dealer_id, staff_id, password_hash, changed_at) VALUES ($1, $2, $3, $4, $5)"
)
_SIGN_IN = "SELECT dealer_id, staff_id, password_hash FROM sign_in_of($1)"
_SET_PASSWORD = "UPDATE sign_ins SET password_hash = $3, changed_at = $4 WHERE dealer_id = $1 AND staff_id = $2"
_JOINED = "UPDATE staff SET joined_at = coalesce(joined_at, $3) WHERE dealer_id = $1 AND id = $2"
_DESCRIBE = f"UPDATE staff SET name = $3, phone = $4, language = $5 WHERE dealer_id = $1 AND id = $2 RETURNING {_STAFF}"
_MANAGERS = """
SELECT id FROM staff WHERE dealer_id = $1 AND role = 'manager' AND disabled_at IS NULL AND joined_at IS NOT NULL
  ORDER BY id FOR UPDATE
"""
_ADD_RESOURCE = "INSERT INTO resources (dealer_id, kind, name, staff_id) VALUES ($1, $2, $3, $4) RETURNING id"
_SET_SENDER = """
INSERT INTO senders (address, dealer_id, channel) VALUES ($1, $2, $3)
ON CONFLICT (address) DO UPDATE SET channel = excluded.channel WHERE senders.dealer_id = excluded.dealer_id
"""
_RETIRE_SENDERS = (
    "UPDATE senders SET channel = 'former' WHERE dealer_id = $1 AND channel = ANY($2::text[]) AND address <> $3"
)
_LEND_NUMBER = """
INSERT INTO senders (address, dealer_id, channel)
SELECT $1, min(d.id), 'sms' FROM dealers d
WHERE NOT EXISTS (SELECT 1 FROM senders s WHERE s.dealer_id = d.id AND s.channel = ANY($2::text[])) HAVING count(*) = 1
ON CONFLICT (address) DO NOTHING RETURNING dealer_id
"""


@dataclass(frozen=True, slots=True)
class SignIn:
    """What is known about an e-mail address before anybody is signed in."""

    dealer_id: int
    staff_id: int
    password_hash: str | None


async def create_dealer(
    connection: Connection,
    *,
    name: str,
    zone: str,
    country: str,
    phone: str,
    address: str,
    opening_hours: str,
    language: str,
    now: datetime,
) -> Dealer:
    """A dealer; its bays and people come after. Needs the office's role: nobody is signed in yet."""
    row = await connection.fetchrow(_CREATE_DEALER, name, zone, country, phone, address, opening_hours, language, now)
    return Dealer(**as_dict(row))


async def dealer(connection: Connection, dealer_id: int) -> Dealer:
    """That dealer, or NotFound."""
    row = await connection.fetchrow(f"SELECT {_DEALER} FROM dealers WHERE id = $1", dealer_id)
    if row is None:
        raise NotFound("dealer")
    return Dealer(**as_dict(row))


async def dealers(connection: Connection) -> list[Dealer]:
    """All dealers that this role may see."""
    return [Dealer(**as_dict(row)) for row in await connection.fetch(f"SELECT {_DEALER} FROM dealers ORDER BY id")]


async def demo_dealers(connection: Connection) -> list[int]:
    """The dealers that a demo has made up; seen before anybody has said who they are."""
    return [row["id"] for row in await connection.fetch("SELECT id FROM dealers WHERE demo ORDER BY id")]


async def mark_demo(connection: Connection, dealer_id: int) -> None:
    """This dealer and its people are made up: a demo may show them to everybody. Needs the worker's role."""
    await connection.execute("UPDATE dealers SET demo = true WHERE id = $1 AND NOT demo", dealer_id)


async def update_dealer(connection: Connection, dealer_id: int, changes: dict[str, object]) -> Dealer:
    """Change settings; other names are not heard."""
    names = [name for name in DealerSettings.model_fields if name in changes]
    if names:
        sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(names, 2))
        await connection.execute(
            f"UPDATE dealers SET {sets} WHERE id = $1", dealer_id, *(changes[name] for name in names)
        )
        await notifications.ring_desk(connection, dealer_id, "dealer", dealer_id)
    return await dealer(connection, dealer_id)


async def limit_shortened(connection: Connection, dealer_id: int, now: datetime) -> None:
    """Something is to be kept for a shorter time: nothing goes before a day has passed."""
    await connection.execute("UPDATE dealers SET keep_shortened_at = $2 WHERE id = $1", dealer_id, now)


async def add_staff(
    connection: Connection,
    dealer_id: int,
    *,
    name: str,
    email: str,
    phone: str | None,
    role: Role,
    language: str,
    password_hash: str | None,
    now: datetime,
) -> Staff:
    """A person, with a way to sign in; a driver's time is a resource at once.

    An e-mail address signs in at one dealer only.
    """
    try:
        async with connection.transaction():
            row = await connection.fetchrow(
                _ADD_STAFF,
                dealer_id,
                name,
                email.strip().lower(),
                phone,
                role.value,
                language,
                now,
                now if password_hash else None,
            )
            person = Staff(**as_dict(row))
            await connection.execute(_ADD_SIGN_IN, person.email, dealer_id, person.id, password_hash, now)
            if role is Role.DRIVER:
                await connection.execute(_ADD_RESOURCE, dealer_id, "driver", f"{name} ({person.id})", person.id)
    except asyncpg.UniqueViolationError:
        raise BadInput("email", "somebody signs in with this address already") from None
    await notifications.ring_desk(connection, dealer_id, "staff", person.id)
    return person


async def staff(connection: Connection, dealer_id: int, staff_id: int) -> Staff:
    """That person, or NotFound."""
    row = await connection.fetchrow(f"SELECT {_STAFF} FROM staff WHERE dealer_id = $1 AND id = $2", dealer_id, staff_id)
    if row is None:
        raise NotFound("person")
    return Staff(**as_dict(row))


async def staff_by_email(connection: Connection, dealer_id: int, email: str) -> Staff | None:
    """Who has this address at this dealer, whether or not they still work there."""
    row = await connection.fetchrow(
        f"SELECT {_STAFF} FROM staff WHERE dealer_id = $1 AND email = $2", dealer_id, email.strip().lower()
    )
    return Staff(**as_dict(row)) if row else None


async def describe_staff(
    connection: Connection, dealer_id: int, staff_id: int, *, name: str, phone: str | None, language: str
) -> Staff:
    """What they are called and how they are reached."""
    row = await connection.fetchrow(_DESCRIBE, dealer_id, staff_id, name, phone, language)
    await notifications.ring_desk(connection, dealer_id, "staff", staff_id)
    return Staff(**as_dict(row))


async def lock_managers(connection: Connection, dealer_id: int) -> list[int]:
    """The managers who can sign in, locked until this transaction ends."""
    return [row["id"] for row in await connection.fetch(_MANAGERS, dealer_id)]


async def set_role(connection: Connection, person: Staff, role: Role, now: datetime) -> None:
    """Another role; a driver's time is a resource, anybody else's is not."""
    await connection.execute(
        "UPDATE staff SET role = $3 WHERE dealer_id = $1 AND id = $2", person.dealer_id, person.id, role.value
    )
    if person.role is not role:
        await connection.execute(
            "UPDATE resources SET retired_at = $3 WHERE dealer_id = $1 AND staff_id = $2",
            person.dealer_id,
            person.id,
            now,
        )
    if role is Role.DRIVER and person.role is not role:
        await _seat(connection, person)
    await notifications.ring_desk(connection, person.dealer_id, "staff", person.id)


async def staff_of(connection: Connection, dealer_id: int, *roles: Role) -> list[Staff]:
    """The people of a dealer who still work there, in these roles or all."""
    rows = await connection.fetch(
        f"SELECT {_STAFF} FROM staff WHERE dealer_id = $1 AND disabled_at IS NULL AND ($2::text[] = '{{}}' "
        "OR role = ANY($2)) ORDER BY name, id",
        dealer_id,
        [role.value for role in roles],
    )
    return [Staff(**as_dict(row)) for row in rows]


async def enable_staff(connection: Connection, person: Staff) -> None:
    """They work here again."""
    await connection.execute(
        "UPDATE staff SET disabled_at = NULL WHERE dealer_id = $1 AND id = $2", person.dealer_id, person.id
    )
    if person.role is Role.DRIVER:
        await _seat(connection, person)
    elif person.role is Role.TECHNICIAN:
        await connection.execute(
            "UPDATE resources SET retired_at = NULL WHERE dealer_id = $1 AND staff_id = $2 AND kind = 'technician' "
            "AND skills <> '{}'",
            person.dealer_id,
            person.id,
        )
    await notifications.ring_desk(connection, person.dealer_id, "staff", person.id)


async def _seat(connection: Connection, person: Staff) -> None:
    """A driver's time can be taken: the resource of earlier, or a new one."""
    back = await connection.execute(
        "UPDATE resources SET retired_at = NULL WHERE dealer_id = $1 AND staff_id = $2 AND kind = 'driver'",
        person.dealer_id,
        person.id,
    )
    if back == "UPDATE 0":
        await connection.execute(_ADD_RESOURCE, person.dealer_id, "driver", f"{person.name} ({person.id})", person.id)


async def plan_technician(connection: Connection, person: Staff, skills: Sequence[str], now: datetime) -> None:
    """A technician's time can be taken for work that needs these skills; without any it is not planned."""
    known = await connection.fetchval(
        "UPDATE resources SET skills = $3, retired_at = $4 WHERE dealer_id = $1 AND staff_id = $2 "
        "AND kind = 'technician' RETURNING id",
        person.dealer_id,
        person.id,
        list(skills),
        None if skills else now,
    )
    if known is None and skills:
        made = await connection.fetchval(
            _ADD_RESOURCE, person.dealer_id, "technician", f"{person.name} ({person.id})", person.id
        )
        await connection.execute(
            "UPDATE resources SET skills = $3 WHERE dealer_id = $1 AND id = $2", person.dealer_id, made, list(skills)
        )
    await notifications.ring_desk(connection, person.dealer_id, "staff", person.id)


async def skills_of(connection: Connection, dealer_id: int, staff_id: int) -> tuple[str, ...]:
    """What a technician knows whose hours are planned."""
    found = await connection.fetchval(
        "SELECT skills FROM resources WHERE dealer_id = $1 AND staff_id = $2 AND kind = 'technician' "
        "AND retired_at IS NULL",
        dealer_id,
        staff_id,
    )
    return tuple(found or ())


async def disable_staff(connection: Connection, dealer_id: int, staff_id: int, now: datetime) -> None:
    """They can no longer sign in, and their open sessions end with this transaction."""
    await connection.execute(
        "UPDATE staff SET disabled_at = $3 WHERE dealer_id = $1 AND id = $2", dealer_id, staff_id, now
    )
    await end_sessions(connection, dealer_id, staff_id)
    await connection.execute(
        "UPDATE resources SET retired_at = $3 WHERE dealer_id = $1 AND staff_id = $2", dealer_id, staff_id, now
    )
    await notifications.ring_desk(connection, dealer_id, "staff", staff_id)


async def sign_in_of(connection: Connection, email: str) -> SignIn | None:
    """Who signs in with this address."""
    row = await connection.fetchrow(_SIGN_IN, email.strip().lower())
    return SignIn(**as_dict(row)) if row else None


async def set_password(
    connection: Connection, dealer_id: int, staff_id: int, password_hash: str, now: datetime, *, keep: str | None = None
) -> None:
    """A new password ends every session of that person, but the one that is kept."""
    await connection.execute(_SET_PASSWORD, dealer_id, staff_id, password_hash, now)
    await connection.execute(_JOINED, dealer_id, staff_id, now)
    await end_sessions(connection, dealer_id, staff_id, keep)


async def end_sessions(connection: Connection, dealer_id: int, staff_id: int, keep: str | None = None) -> None:
    """All of them, with their open live pages; no browser and no place of this person is known any more."""
    if keep is None:
        await connection.execute("DELETE FROM sessions WHERE dealer_id = $1 AND staff_id = $2", dealer_id, staff_id)
    else:
        await connection.execute(
            "DELETE FROM sessions WHERE dealer_id = $1 AND staff_id = $2 AND id <> $3", dealer_id, staff_id, keep
        )
    await connection.execute("DELETE FROM devices WHERE dealer_id = $1 AND staff_id = $2", dealer_id, staff_id)
    await notifications.ring_desk(connection, dealer_id, "session", staff_id)


async def set_sender(connection: Connection, address: str, dealer_id: int, channel: str) -> None:
    """The number or mailbox that this dealer's owners answer to; an address belongs to one dealer."""
    done = await connection.execute(_SET_SENDER, address, dealer_id, channel)
    if done == "INSERT 0 0":
        raise BadInput("phone", f"{address} belongs to another dealer")


async def change_sender(
    connection: Connection, address: str, dealer_id: int, channel: str, aliases: tuple[str, ...] = ()
) -> None:
    """From now on texts on this channel come from here; what is sent to the earlier address is still heard."""
    await set_sender(connection, address, dealer_id, channel)
    await connection.execute(_RETIRE_SENDERS, dealer_id, [channel, *aliases], address)


async def lend_number(connection: Connection, number: str, channels: tuple[str, ...]) -> int | None:
    """The house's number becomes that of the one dealer who has none on these channels, so that answers to it are
    heard. None: nobody needs it, it is somebody's already, or several would.
    """
    found: int | None = await connection.fetchval(_LEND_NUMBER, number, list(channels))
    return found


async def sender_of(connection: Connection, dealer_id: int, channel: str) -> str | None:
    """The address that this dealer's texts come from on `channel`."""
    found: str | None = await connection.fetchval(
        "SELECT address FROM senders WHERE dealer_id = $1 AND channel = $2 ORDER BY address LIMIT 1", dealer_id, channel
    )
    return found


async def dealer_at(connection: Connection, address: str) -> int | None:
    """Whose number or mailbox this is: how an incoming text finds its dealer."""
    found: int | None = await connection.fetchval("SELECT dealer_at($1)", address)
    return found


async def add_resource(
    connection: Connection, dealer_id: int, kind: str, name: str, staff_id: int | None = None
) -> int:
    """A bay, a loaner or a driver: something whose time can be taken once."""
    try:
        async with connection.transaction():
            found: int = await connection.fetchval(_ADD_RESOURCE, dealer_id, kind, name, staff_id)
    except asyncpg.UniqueViolationError:
        raise BadInput("name", f"there is a {kind} called {name} already") from None
    return found
