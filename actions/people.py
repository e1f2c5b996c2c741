"""A dealer's people: invited, let in, given another role, let go and taken back. A program never does any of this."""

from __future__ import annotations

from datetime import timedelta

from actions import labour, passwords, reviving
from actions.context import Acting, House
from actions.handing_on import hand_on
from actions.staff_links import person_of
from rules.service.numbers import e164
from schemas.account import Dealer, Role, Staff
from schemas.booking import OfferEvent
from schemas.case import Case, CaseEvent, CaseState
from schemas.errors import BadInput, Overtaken
from schemas.pickup import LegKind, LegState
from store import accounts, cases, history, offers, pickups, secrets
from store.pool import Connection

INVITATION = timedelta(days=7)


async def invite(
    acting: Acting, *, name: str, email: str, role: Role, phone: str | None = None, language: str | None = None
) -> tuple[Staff, str]:
    """A person, and the link with which they choose their password, once.

    Who was invited or let go before is asked back in.
    """
    async with acting.transaction() as connection:
        dealer, now = await accounts.dealer(connection, acting.dealer_id), acting.now()
        phone = e164(phone, dealer.country) if phone else None
        person = await accounts.staff_by_email(connection, acting.dealer_id, email)
        if person is None:
            person = await accounts.add_staff(
                connection,
                acting.dealer_id,
                name=name,
                email=email,
                phone=phone,
                role=role,
                language=language or dealer.language,
                password_hash=None,
                now=now,
            )
            return person, await _invitation(acting, connection, person, f"as {role.value}")
        if person.disabled_at is None and person.joined_at is not None:
            raise BadInput("email", f"{person.name} signs in with this address already")
        if person.role is not role:
            await _give_role(acting, connection, dealer=dealer, person=person, role=role)
        if person.disabled_at is not None:
            await _take_back(acting, connection, person)
        person = await accounts.describe_staff(
            connection,
            acting.dealer_id,
            person.id,
            name=name,
            phone=phone or person.phone,
            language=language or person.language,
        )
        return person, await _invitation(acting, connection, person, f"again, as {role.value}")


async def invite_again(acting: Acting, staff_id: int) -> tuple[Staff, str]:
    """A new link for somebody who has not used theirs; the old one opens nothing any more."""
    async with acting.transaction() as connection:
        person = await accounts.staff(connection, acting.dealer_id, staff_id)
        if person.disabled_at is not None or person.joined_at is not None:
            raise BadInput(
                "staff",
                f"{person.name} {'does not work here any more' if person.disabled_at else 'has a password already'}",
            )
        return person, await _invitation(acting, connection, person, "again")


async def invitation(house: House, token: str) -> Staff:
    """Who an invitation is for; NotFound when it does not open anything any more."""
    return await person_of(house, token, "invitation", house.now(), noun="invitation")


async def speak(acting: Acting, person: Staff, language: str) -> Staff:
    """The language in which somebody reads the desk and gets notices."""
    async with acting.transaction() as connection:
        return await accounts.describe_staff(
            connection, person.dealer_id, person.id, name=person.name, phone=person.phone, language=language
        )


async def describe(acting: Acting, staff_id: int, *, name: str, phone: str) -> Staff:
    """What a colleague is called, and the number on which notices reach them; without one they get none by text."""
    if not name.strip():
        raise BadInput("name", "write who it is")
    async with acting.transaction() as connection:
        dealer = await accounts.dealer(connection, acting.dealer_id)
        person = await accounts.staff(connection, acting.dealer_id, staff_id)
        number = e164(phone, dealer.country) if phone.strip() else None
        if (person.name, person.phone) == (name.strip(), number):
            return person
        changed = await accounts.describe_staff(
            connection, acting.dealer_id, staff_id, name=name.strip()[:200], phone=number, language=person.language
        )
        await history.write(
            connection,
            acting.dealer_id,
            "staff",
            staff_id,
            old=None,
            new="described anew",
            reason=", ".join(
                what
                for what, is_new in (("name", person.name != changed.name), ("phone", person.phone != number))
                if is_new
            ),
            actor=acting.actor,
            now=acting.now(),
        )
        return changed


async def accept_invitation(house: House, token: str, password: str) -> Staff:
    """The password is set, and the invitation is used up; of two who use it at once one is too late."""
    person = await invitation(house, token)
    password_hash = await passwords.hashed(password, (person.name, person.email, person.phone or ""))
    async with house.at(person.dealer_id) as connection:
        if not await secrets.use(connection, token, house.now()):
            raise Overtaken("invitation", "it has been used")
        await accounts.set_password(
            connection, person.dealer_id, staff_id=person.id, password_hash=password_hash, now=house.now()
        )
        await history.write(
            connection,
            person.dealer_id,
            "staff",
            person.id,
            old="invited",
            new="joined",
            reason="chose a password",
            actor=f"staff:{person.id}",
            now=house.now(),
        )
    return person


async def change_role(acting: Acting, staff_id: int, role: Role) -> Staff:
    """Another role counts from the next request on; their open live pages end. The last manager stays one."""
    async with acting.transaction() as connection:
        dealer, person = (
            await accounts.dealer(connection, acting.dealer_id),
            await accounts.staff(connection, acting.dealer_id, staff_id),
        )
        if person.disabled_at is not None:
            raise BadInput("staff", f"{person.name} does not work here any more")
        if person.role is role:
            return person
        await _not_the_last_manager(connection, person)
        await _give_role(acting, connection, dealer=dealer, person=person, role=role)
        return await accounts.staff(connection, acting.dealer_id, staff_id)


async def disable(acting: Acting, staff_id: int, *, to: int | None = None) -> Staff:
    """They no longer work here: their sessions end at once, and their cases are the colleague's `to`, or nobody's until
    somebody takes them.
    """
    async with acting.transaction() as connection:
        dealer, person = (
            await accounts.dealer(connection, acting.dealer_id),
            await accounts.staff(connection, acting.dealer_id, staff_id),
        )
        if acting.actor == f"staff:{staff_id}":
            raise BadInput("staff", "nobody can lock themselves out")
        if person.disabled_at is not None:
            return person
        await _not_the_last_manager(connection, person)
        heir = await _heir(acting, connection, person, to) if to is not None else None
        for case in await _free_drives(acting, connection, person):
            if case.assignee_id == staff_id and case.state not in (CaseState.DONE, CaseState.DISMISSED):
                case = await cases.get(connection, acting.dealer_id, case.id)
                if heir is None:
                    await _free_case(acting, connection, dealer=dealer, case=case, person=person)
                else:
                    await _pass_on(acting, connection, case, person=person, heir=heir)
        await labour.hand_on(acting, connection, staff_id, reason=f"{person.name} works here no more")
        await accounts.disable_staff(connection, acting.dealer_id, staff_id, acting.now())
        await secrets.revoke_of_person(connection, acting.dealer_id, staff_id, acting.now())
        await history.write(
            connection,
            acting.dealer_id,
            "staff",
            staff_id,
            old=None,
            new="disabled",
            reason="let go",
            actor=acting.actor,
            now=acting.now(),
        )
        return await accounts.staff(connection, acting.dealer_id, staff_id)


async def enable(acting: Acting, staff_id: int) -> Staff:
    """They work here again, with the password that they had; somebody who never chose one is invited again."""
    async with acting.transaction() as connection:
        person = await accounts.staff(connection, acting.dealer_id, staff_id)
        if person.disabled_at is not None:
            await _take_back(acting, connection, person)
        return await accounts.staff(connection, acting.dealer_id, staff_id)


async def _invitation(acting: Acting, connection: Connection, person: Staff, reason: str) -> str:
    now = acting.now()
    await secrets.revoke_of_person(connection, person.dealer_id, person.id, now, purpose="invitation")
    token = await secrets.make(
        connection,
        person.dealer_id,
        "invitation",
        now=now,
        expires_at=now + INVITATION,
        staff_id=person.id,
        label=person.email,
    )
    await history.write(
        connection,
        person.dealer_id,
        "staff",
        person.id,
        old=None,
        new="invited",
        reason=reason,
        actor=acting.actor,
        now=now,
    )
    return acting.house.link("invitation", token)


async def _take_back(acting: Acting, connection: Connection, person: Staff) -> None:
    await accounts.enable_staff(connection, person)
    await history.write(
        connection,
        person.dealer_id,
        "staff",
        person.id,
        old="disabled",
        new="enabled",
        reason="works here again",
        actor=acting.actor,
        now=acting.now(),
    )


async def _not_the_last_manager(connection: Connection, person: Staff) -> None:
    """Somebody must be able to let others in.

    The managers' rows are locked: of two who let each other go one is told so.
    """
    others = [one for one in await accounts.lock_managers(connection, person.dealer_id) if one != person.id]
    if person.role is Role.MANAGER and person.joined_at is not None and not others:
        raise BadInput(
            "staff", f"{person.name} is the last manager who can sign in: make somebody else a manager first"
        )


async def _give_role(acting: Acting, connection: Connection, dealer: Dealer, person: Staff, role: Role) -> None:
    if person.role in (Role.DRIVER, Role.TECHNICIAN):
        await _free_drives(acting, connection, person)
    if person.role is Role.TECHNICIAN:
        await labour.hand_on(acting, connection, person.id, reason=f"{person.name} is no technician any more")
    await accounts.set_role(connection, person, role, acting.now())
    await history.write(
        connection,
        dealer.id,
        "staff",
        person.id,
        old=person.role.value,
        new=role.value,
        reason="another role",
        actor=acting.actor,
        now=acting.now(),
    )


async def _free_drives(acting: Acting, connection: Connection, person: Staff) -> list[Case]:
    """Drives that have not begun go to another driver, offers that hold their time end; a drive under way must end
    first.

    The cases that rest on this person come back locked: everybody locks a case before its offer and its drives.
    """
    locked, now = await cases.resting_on(connection, person.dealer_id, person.id), acting.now()
    by_id = {case.id: case for case in locked}
    for offer in await offers.holding(connection, person.dealer_id, person.id):
        reason = f"{person.name} drives no more: these windows cannot be kept"
        await offers.move(connection, offer, OfferEvent.EXPIRED, reason=reason, actor=acting.actor, now=now)
        if by_id[offer.case_id].state is CaseState.CONTACTED:
            await cases.move(
                connection, by_id[offer.case_id], CaseEvent.OFFER_EXPIRED, reason=reason, actor=acting.actor, now=now
            )
    for leg in await pickups.listed(connection, person.dealer_id, driver_id=person.id, unfinished=True):
        if leg.state is not LegState.PLANNED:
            raise BadInput(
                "staff",
                f"{person.name} is on the way with a customer's car, or to one: let it end, or give it away first",
            )
    planned = await pickups.listed(connection, person.dealer_id, driver_id=person.id, unfinished=True)
    left = [leg for leg in planned if leg.kind is not LegKind.VISIT]  # those go with a technician's hours
    dealer = await accounts.dealer(connection, person.dealer_id)
    await hand_on(
        acting, connection, dealer=dealer, legs=left, reason=f"{person.name} drives no more", without=person.id
    )
    return locked


async def _free_case(acting: Acting, connection: Connection, dealer: Dealer, case: Case, person: Staff) -> None:
    """Nobody's again. One that waits to be taken is watched as if it had just come."""
    now, columns = acting.now(), {}
    if case.state is CaseState.OPEN:
        columns = {"acknowledged_at": None, "escalated_at": None}
        await reviving.watch(connection, dealer, case, now)
    await cases.change(
        connection,
        case,
        what="unassigned",
        reason=f"{person.name} was let go",
        actor=acting.actor,
        now=now,
        assignee_id=None,
        **columns,
    )


async def _heir(acting: Acting, connection: Connection, person: Staff, to: int) -> Staff:
    """Who takes the cases over: a colleague who works here and may."""
    heir = await accounts.staff(connection, acting.dealer_id, to)
    works = heir.disabled_at is None and heir.joined_at is not None and heir.role in (Role.ADVISOR, Role.MANAGER)
    if heir.id == person.id or not works:
        raise BadInput("to", f"{heir.name} cannot take cases over")
    return heir


async def _pass_on(acting: Acting, connection: Connection, case: Case, *, person: Staff, heir: Staff) -> None:
    """A colleague's from now on, as if somebody had handed it over."""
    now = acting.now()
    await cases.change(
        connection,
        case,
        what="assigned",
        reason=f"{person.name} was let go: to {heir.name}",
        actor=acting.actor,
        now=now,
        assignee_id=heir.id,
        acknowledged_at=case.acknowledged_at or now,
    )
