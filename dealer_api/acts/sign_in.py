"""Coming in and going out: by password, by an invitation, by the demo's one click; and the sessions that somebody has open."""

from __future__ import annotations

import secrets as randomness
from dataclasses import dataclass

from dealer_api.acts import attempts, passwords
from dealer_api.acts.house import House
from dealer_api.acts.visitor import Visitor, roughly
from schemas.account import Staff
from schemas.errors import NotAllowed, NotFound
from store import accounts, devices, history, sessions
from store.pool import Connection
from store.sessions import Session

WRONG = "The address or the password is not right."  #: says nothing about which half was wrong


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody is in: the cookie of their session, and of the browser that is known from now on."""

    person: Staff
    session: str
    device: str


async def with_password(house: House, visitor: Visitor, email: str, password: str) -> Entered:
    """Counted first, looked at afterwards. NotAllowed is the same for a wrong password, an unknown address and somebody who was let go."""
    email = email.strip().lower()
    async with house.at(None) as connection:
        found = await accounts.sign_in_of(connection, email)
    dealer_id, staff_id = (found.dealer_id, found.staff_id) if found else (0, 0)
    async with house.at(dealer_id) as connection:
        known, been_here = await devices.known(connection, dealer_id, staff_id, visitor.device, attempts.place_digest(house, visitor))
    limits = attempts.sign_in(house, visitor, email, device=known, place=been_here)
    await attempts.take(house, limits)
    good = await passwords.right(found.password_hash if found else None, password)
    person = None
    if found is not None:
        async with house.at(dealer_id) as connection:
            person = await accounts.staff(connection, dealer_id, staff_id)
    if person is None or not good or person.disabled_at is not None:
        if person is not None:
            house.afterwards.soon(_refused(house, person, visitor, "wrong password" if not good else "they were let go"))
        raise NotAllowed(WRONG, signed_in=False)
    await attempts.give_back(house, limits)
    return await enter(house, person, visitor, "password")


async def enter(house: House, person: Staff, visitor: Visitor, proof: str, *, second_factor: bool = False) -> Entered:
    """A session for somebody of whom we know who they are. `proof` says by what, as in `password` or `invitation`."""
    device = visitor.device or randomness.token_urlsafe(32)
    async with house.at(person.dealer_id) as connection:
        cookie = await sessions.start(
            connection, person, house.machine(), device=visitor.words, place=roughly(visitor.place), proof=proof, second_factor=second_factor
        )
        await devices.note(connection, person.dealer_id, person.id, device, attempts.place_digest(house, visitor), house.machine())
        await history.write(
            connection, person.dealer_id, "staff", person.id, old=None, new="signed in", reason=f"by {proof}, {_from(visitor)}", actor=f"staff:{person.id}",
            now=house.now(),
        )  # fmt: skip
    return Entered(person, cookie, device)


async def leave(house: House, person: Staff, session_id: str) -> None:
    """Signed out here; in other browsers they stay signed in."""
    async with house.at(person.dealer_id) as connection:
        await sessions.end(connection, person.dealer_id, person.id, only=session_id)
        await _ended(house, connection, person, "signed out", "by themselves")


async def open_sessions(house: House, person: Staff) -> list[Session]:
    """The browsers in which they are signed in, the one used last first."""
    async with house.at(person.dealer_id) as connection:
        return await sessions.of_person(connection, person.dealer_id, person.id, house.machine())


async def end_session(house: House, person: Staff, session_id: str) -> None:
    """One of their own, wherever it is; NotFound when it is not theirs or has ended."""
    async with house.at(person.dealer_id) as connection:
        if not await sessions.end(connection, person.dealer_id, person.id, only=session_id):
            raise NotFound("session")
        await _ended(house, connection, person, "session ended", "from another browser")


async def end_other_sessions(house: House, person: Staff, but: str | None) -> int:
    """All of them except this one. No browser and no place is known any more, so that a stranger who was in has no advantage left."""
    async with house.at(person.dealer_id) as connection:
        ended = await sessions.end(connection, person.dealer_id, person.id, but=but)
        await devices.forget(connection, person.dealer_id, person.id)
        await _ended(house, connection, person, "sessions ended", f"{ended} in other browsers")
        return ended


async def _ended(house: House, connection: Connection, person: Staff, new: str, reason: str) -> None:
    await history.write(connection, person.dealer_id, "staff", person.id, old=None, new=new, reason=reason, actor=f"staff:{person.id}", now=house.now())


async def _refused(house: House, person: Staff, visitor: Visitor, why: str) -> None:
    """After the answer: what is written for an address that we know must not take longer than for one that we do not."""
    async with house.at(person.dealer_id) as connection:
        await history.write(
            connection, person.dealer_id, "staff", person.id, old=None, new="refused", reason=f"{why}, {_from(visitor)}", actor="somebody", now=house.now()
        )


def _from(visitor: Visitor) -> str:
    return f"{visitor.words}, {roughly(visitor.place)}"
