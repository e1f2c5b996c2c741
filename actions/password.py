"""A new password: changed by whoever knows the old one, or chosen again by a link that reaches only them.

Links are machine time: half an hour is half an hour, also in a demo whose day runs fast.
"""

from __future__ import annotations

from datetime import timedelta

from actions import attempts, outbox, passwords, recipients
from actions.context import Acting, House
from actions.second_factor import confirm_password
from actions.staff_links import person_of
from actions.visitor import Visitor
from schemas.account import Staff
from schemas.errors import BadInput, Overtaken
from schemas.message import Draft, MessageKind, Purpose
from store import accounts, history, secrets
from store.pool import Connection

LINK = timedelta(minutes=30)
HANDED = timedelta(hours=24)  #: a link that a manager hands over, on paper or by telephone


async def change(house: House, person: Staff, visitor: Visitor, session_id: str, old: str, new: str) -> None:
    """The old one is asked for again: whoever finds an open browser must not keep the account.

    All other sessions end.
    """
    await confirm_password(house, person, visitor, old)
    if new == old:
        raise BadInput("password", "is the one that you have already")
    hashed = await passwords.hashed(new, await _about(house, person))
    async with house.at(person.dealer_id) as connection:
        await _set(house, connection, person, hashed, keep=session_id)
        await _note(
            house,
            connection,
            person=person,
            new="new password",
            reason="changed by themselves",
            actor=f"staff:{person.id}",
        )


async def ask_reset(house: House, visitor: Visitor, email: str) -> None:
    """Somebody says that they forgot theirs.

    Whoever it is hears nothing, neither by words nor by time; a link goes to the person alone.
    """
    email = email.strip().lower()
    await attempts.take(house, attempts.reset(house, visitor, email))
    house.afterwards.soon(_send(house, email))


async def reset_link(acting: Acting, staff_id: int) -> tuple[Staff, str]:
    """A manager's way for somebody whom no text reaches: the link is shown once, and history says who made it."""
    async with acting.transaction() as connection:
        person = await accounts.staff(connection, acting.dealer_id, staff_id)
        if person.disabled_at is not None or person.joined_at is None:
            raise BadInput(
                "staff",
                f"{person.name} "
                + (
                    "does not work here any more"
                    if person.disabled_at
                    else "has no password yet: send a new invitation"
                ),
            )
        link = await _link(acting.house, connection, person, HANDED)
        await _note(
            acting.house,
            connection,
            person=person,
            new="link for a new password",
            reason="made to be handed over",
            actor=acting.actor,
        )
        return person, link


async def who_resets(house: House, token: str) -> Staff:
    """Whose link this is; NotFound when it does not open anything any more."""
    return await person_of(house, token, "reset", house.machine(), noun="link")


async def reset(house: House, token: str, new: str) -> Staff:
    """The password is chosen and the link used up; all sessions end.

    They sign in with it then, second factor and all.
    """
    person = await who_resets(house, token)
    hashed = await passwords.hashed(new, await _about(house, person))
    async with house.at(person.dealer_id) as connection:
        if not await secrets.use(connection, token, house.machine()):
            raise Overtaken("link", "it has been used")
        await _set(house, connection, person, hashed)
        await _note(
            house, connection, person=person, new="new password", reason="chosen by a link", actor=f"staff:{person.id}"
        )
    return person


async def _send(house: House, email: str) -> None:
    async with house.at(None) as connection:
        found = await accounts.sign_in_of(connection, email)
    if found is None:
        return
    async with house.at(found.dealer_id) as connection:
        person = await accounts.staff(connection, found.dealer_id, found.staff_id)
        if person.disabled_at is not None or person.joined_at is None:
            return  # an invitation is not forgotten, it is made again
        to = recipients.staff(person, _channels(house))
        if to is None:
            await _note(
                house,
                connection,
                person=person,
                new="no way to reach them",
                reason="asked for a new password",
                actor="somebody",
            )
            return
        dealer = await accounts.dealer(connection, person.dealer_id)
        draft = Draft(
            dealer_id=person.dealer_id, to=to, kind=MessageKind.STAFF_RESET, purpose=Purpose.STAFF, author="system"
        )
        link = await _link(house, connection, person, LINK)
        await outbox.queue(
            connection,
            house.wording,
            draft,
            house.now(),
            dealer=dealer.name,
            minutes=int(LINK.total_seconds() // 60),
            link=link,
        )
        await _note(
            house,
            connection,
            person=person,
            new="link for a new password",
            reason=f"asked for, sent by {to.channel}",
            actor="somebody",
        )


def _channels(house: House) -> tuple[str, ...]:
    """By mail where mail leaves, else by a text that leaves: outside a demo nobody's link may lie on the demo phone."""
    if house.mails:
        return ("email",)
    return (house.usual_channel,) if house.demo or house.usual_channel not in ("phone", "email") else ()


async def _link(house: House, connection: Connection, person: Staff, life: timedelta) -> str:
    now = house.machine()
    await secrets.revoke_of_person(connection, person.dealer_id, person.id, now, purpose="reset")
    return house.link(
        "reset",
        await secrets.make(connection, person.dealer_id, "reset", now=now, expires_at=now + life, staff_id=person.id),
    )


async def _set(house: House, connection: Connection, person: Staff, hashed: str, *, keep: str | None = None) -> None:
    await accounts.set_password(
        connection, person.dealer_id, staff_id=person.id, password_hash=hashed, now=house.now(), keep=keep
    )
    await secrets.revoke_of_person(connection, person.dealer_id, person.id, house.machine(), purpose="reset")


async def _about(house: House, person: Staff) -> tuple[str, ...]:
    """What somebody would try first who knows this person."""
    async with house.at(person.dealer_id) as connection:
        dealer = await accounts.dealer(connection, person.dealer_id)
    return person.name, person.email, person.phone or "", dealer.name, dealer.address


async def _note(house: House, connection: Connection, person: Staff, new: str, reason: str, actor: str) -> None:
    await history.write(
        connection, person.dealer_id, "staff", person.id, old=None, new=new, reason=reason, actor=actor, now=house.now()
    )
