"""Coming in and going out: by password, by an invitation, by the demo's one click; and the sessions that somebody has
open.
"""

from __future__ import annotations

import secrets as randomness
from dataclasses import dataclass

from actions import attempts, passwords, second_factor
from actions.context import House
from actions.visitor import Visitor, roughly
from schemas.account import Staff
from schemas.errors import NotAllowed, NotFound
from store import accounts, devices, history, second_factors, sessions
from store.pool import Connection
from store.sessions import Session

WRONG = "The address or the password is not right."  #: says nothing about which half was wrong


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody is in: the cookie of their session, and of the browser that is known from now on.

    `waits`: not yet, for they have a second factor; the session opens nothing until `with_code` or a passkey replaces
    it.
    """

    person: Staff
    session: str
    device: str
    waits: bool = False


async def with_password(house: House, visitor: Visitor, email: str, password: str) -> Entered:
    """Counted first, looked at afterwards.

    NotAllowed is the same for a wrong password, an unknown address and somebody who was let go.
    """
    email = email.strip().lower()
    async with house.at(None) as connection:
        found = await accounts.sign_in_of(connection, email)
    dealer_id, staff_id = (found.dealer_id, found.staff_id) if found else (0, 0)
    async with house.at(dealer_id) as connection:
        known, been_here = await devices.known(
            connection, dealer_id, staff_id=staff_id, token=visitor.device, place=attempts.place_digest(house, visitor)
        )
    limits = attempts.sign_in(house, visitor, email, device=known, place=been_here)
    await attempts.take(house, limits)
    good = await passwords.right(found.password_hash if found else None, password)
    person = None
    if found is not None:
        async with house.at(dealer_id) as connection:
            person = await accounts.staff(connection, dealer_id, staff_id)
    if person is None or not good or person.disabled_at is not None:
        if person is not None:
            house.afterwards.soon(
                _refused(house, person, visitor, "wrong password" if not good else "they were let go")
            )
        raise NotAllowed(WRONG, signed_in=False)
    await attempts.give_back(house, limits)
    return await admit(house, person, visitor, "password")


async def admit(house: House, person: Staff, visitor: Visitor, proof: str) -> Entered:
    """Whoever has a second factor is asked for it, whatever the first one was: a password, or the link of an
    invitation.
    """
    async with house.at(person.dealer_id) as connection:
        if (await second_factors.standing(connection, person.dealer_id, person.id)).any:
            cookie = await sessions.start(
                connection,
                person,
                house.machine(),
                device=visitor.words,
                place=roughly(visitor.place),
                proof=proof,
                waits=True,
            )
            return Entered(person, cookie, "", waits=True)
    return await enter(house, person, visitor, proof)


async def waiting(house: House, cookie: str) -> tuple[Staff, Session] | None:
    """Who has proved the first half and not yet the second, in this browser."""
    async with house.at(None) as connection:
        found = await sessions.who(connection, sessions.digest(cookie), house.machine())
    return (found[1], found[2]) if found is not None and found[2].waits else None


async def with_code(house: House, visitor: Visitor, cookie: str, code: str) -> Entered:
    """The second half: the app's code or a recovery code.

    NotFound when nobody waits here; BadInput and TooOften as the code deserves.
    """
    found = await waiting(house, cookie)
    if found is None:
        raise NotFound("session")
    person, session = found
    proof = await second_factor.proved(house, person, visitor, code)
    return await complete(house, person, visitor=visitor, waited=session, proof=proof)


async def complete(house: House, person: Staff, visitor: Visitor, waited: Session, proof: str) -> Entered:
    """Both halves are there: a new session, whose cookie nobody has seen, in place of the one that waited."""
    async with house.at(person.dealer_id) as connection:
        if not await sessions.end(connection, person.dealer_id, person.id, only=waited.id):
            raise NotFound("session")
    return await enter(house, person, visitor, f"{waited.proof} and {proof}", two=True)


async def enter(house: House, person: Staff, visitor: Visitor, proof: str, *, two: bool = False) -> Entered:
    """A session for somebody of whom we know who they are.

    `proof` says by what, as in `password and code`; `two`: that was more than one thing.
    """
    device = visitor.device or randomness.token_urlsafe(32)
    async with house.at(person.dealer_id) as connection:
        cookie = await sessions.start(
            connection,
            person,
            house.machine(),
            device=visitor.words,
            place=roughly(visitor.place),
            proof=proof,
            second_factor=two,
        )
        await devices.note(
            connection,
            person.dealer_id,
            staff_id=person.id,
            token=device,
            place=attempts.place_digest(house, visitor),
            now=house.machine(),
        )
        await history.write(
            connection,
            person.dealer_id,
            "staff",
            person.id,
            old=None,
            new="signed in",
            reason=f"by {proof}, {visitor.told}",
            actor=f"staff:{person.id}",
            now=house.now(),
        )
    return Entered(person, cookie, device)


async def give_up(house: House, waited: Entered) -> None:
    """The second half will not come here."""
    async with house.at(waited.person.dealer_id) as connection:
        await sessions.end(connection, waited.person.dealer_id, waited.person.id, only=sessions.digest(waited.session))


async def leave(house: House, person: Staff, session_id: str) -> None:
    """Signed out here; in other browsers they stay signed in."""
    async with house.at(person.dealer_id) as connection:
        await sessions.end(connection, person.dealer_id, person.id, only=session_id)
        await _ended(house, connection, person=person, new="signed out", reason="by themselves")


async def open_sessions(house: House, person: Staff) -> list[Session]:
    """The browsers in which they are signed in, the one used last first."""
    async with house.at(person.dealer_id) as connection:
        return await sessions.of_person(connection, person.dealer_id, person.id, house.machine())


async def end_session(house: House, person: Staff, session_id: str) -> None:
    """One of their own, wherever it is; NotFound when it is not theirs or has ended."""
    async with house.at(person.dealer_id) as connection:
        if not await sessions.end(connection, person.dealer_id, person.id, only=session_id):
            raise NotFound("session")
        await _ended(house, connection, person=person, new="session ended", reason="from another browser")


async def end_other_sessions(house: House, person: Staff, but: str | None) -> int:
    """All of them except this one.

    No browser and no place is known any more, so that a stranger who was in has no advantage left.
    """
    async with house.at(person.dealer_id) as connection:
        ended = await sessions.end(connection, person.dealer_id, person.id, but=but)
        await devices.forget(connection, person.dealer_id, person.id)
        await _ended(house, connection, person=person, new="sessions ended", reason=f"{ended} in other browsers")
        return ended


async def _ended(house: House, connection: Connection, person: Staff, new: str, reason: str) -> None:
    await history.write(
        connection,
        person.dealer_id,
        "staff",
        person.id,
        old=None,
        new=new,
        reason=reason,
        actor=f"staff:{person.id}",
        now=house.now(),
    )


async def _refused(house: House, person: Staff, visitor: Visitor, why: str) -> None:
    """After the answer: what is written for an address that we know must not take longer than for one that we do
    not.
    """
    async with house.at(person.dealer_id) as connection:
        await history.write(
            connection,
            person.dealer_id,
            "staff",
            person.id,
            old=None,
            new="refused",
            reason=f"{why}, {visitor.told}",
            actor="somebody",
            now=house.now(),
        )
