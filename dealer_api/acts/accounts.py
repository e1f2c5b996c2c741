"""A dealer's people and programs: invited, let in, let go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dealer_api.acts.house import House
from rules import capacity
from schemas.account import Dealer, Role, Staff
from schemas.booking import Booking, BookingState
from schemas.errors import BadInput, NotFound, Overtaken
from store import accounts, bookings, history, secrets

INVITATION = timedelta(days=7)


async def invite(
    house: House, dealer_id: int, actor: str, *, name: str, email: str, role: Role, phone: str | None = None, language: str | None = None
) -> tuple[Staff, str]:
    """A new person, and the link with which they choose their password, once."""
    async with house.at(dealer_id) as connection:
        dealer, now = await accounts.dealer(connection, dealer_id), house.now()
        person = await accounts.add_staff(
            connection, dealer_id, name=name, email=email, phone=phone, role=role, language=language or dealer.language, password_hash=None, now=now
        )
        token = await secrets.make(connection, dealer_id, "invitation", now=now, expires_at=now + INVITATION, staff_id=person.id, label=person.email)
        await history.write(connection, dealer_id, "staff", person.id, old=None, new="invited", reason=f"as {role.value}", actor=actor, now=now)
        return person, house.link("invitation", token)


async def invitation(house: House, token: str) -> Staff:
    """Who an invitation is for; NotFound when it does not open anything any more. Looking uses nothing up."""
    async with house.at(None) as connection:
        secret = await secrets.find(connection, token, "invitation")
    if secret is None or secret.staff_id is None or secret.used_at is not None or not secret.opens(house.now()):
        raise NotFound("invitation")
    async with house.at(secret.dealer_id) as connection:
        return await accounts.staff(connection, secret.dealer_id, secret.staff_id)


async def accept_invitation(house: House, token: str, password_hash: str) -> Staff:
    """The password is set, and the invitation is used up; of two who use it at once one is too late."""
    person = await invitation(house, token)
    async with house.at(person.dealer_id) as connection:
        if not await secrets.use(connection, token, house.now()):
            raise Overtaken("invitation", "it has been used")
        await accounts.set_password(connection, person.dealer_id, person.id, password_hash, house.now())
        await history.write(
            connection, person.dealer_id, "staff", person.id, old="invited", new="joined", reason="chose a password", actor=f"staff:{person.id}", now=house.now()
        )
    return person


async def disable(house: House, dealer_id: int, actor: str, staff_id: int) -> Staff:
    """They no longer work here: sessions end at once."""
    async with house.at(dealer_id) as connection:
        await accounts.staff(connection, dealer_id, staff_id)
        if actor == f"staff:{staff_id}":
            raise BadInput("staff", "nobody can lock themselves out")
        await accounts.disable_staff(connection, dealer_id, staff_id, house.now())
        await history.write(connection, dealer_id, "staff", staff_id, old=None, new="disabled", reason="let go", actor=actor, now=house.now())
        return await accounts.staff(connection, dealer_id, staff_id)


async def create_key(house: House, dealer_id: int, actor: str, label: str) -> str:
    """An API key, shown once."""
    async with house.at(dealer_id) as connection:
        if any(secret.label == label for secret in await secrets.labels(connection, dealer_id, "api_key")):
            raise BadInput("label", "there is a key of this name already")
        token = await secrets.make(connection, dealer_id, "api_key", now=house.now(), label=label)
        await history.write(connection, dealer_id, "dealer", dealer_id, old=None, new="key", reason=f"API key {label}", actor=actor, now=house.now())
        return token


async def revoke_key(house: House, dealer_id: int, actor: str, label: str) -> None:
    """The key opens nothing from now on."""
    async with house.at(dealer_id) as connection:
        if not await secrets.revoke(connection, dealer_id, house.now(), purpose="api_key", label=label):
            raise NotFound("key")
        await history.write(connection, dealer_id, "dealer", dealer_id, old=None, new="key revoked", reason=label, actor=actor, now=house.now())


async def conflicts(house: House, dealer_id: int) -> tuple[Booking, ...]:
    """Agreed visits outside the opening hours as they are now: listed for people, never dropped."""
    async with house.at(dealer_id) as connection:
        dealer = await accounts.dealer(connection, dealer_id)
        ahead = await bookings.listed(connection, dealer_id, states=[BookingState.AGREED], since=house.now(), limit=2_000)
        return capacity.outside(dealer, ahead)


async def update_dealer(house: House, dealer_id: int, actor: str, changes: dict[str, Any]) -> Dealer:
    """Opening hours, limits, address. Bookings that stand keep standing; see `conflicts`."""
    async with house.at(dealer_id) as connection:
        dealer = await accounts.dealer(connection, dealer_id)
        if "opening_hours" in changes:
            capacity.check_hours(changes["opening_hours"], dealer.zone, dealer.country)
        changed = await accounts.update_dealer(connection, dealer_id, changes)
        said = ", ".join(sorted(changes)) or "nothing"
        await history.write(connection, dealer_id, "dealer", dealer_id, old=None, new="changed", reason=f"changed {said}", actor=actor, now=house.now())
        return changed


async def add_resource(house: House, dealer_id: int, actor: str, kind: str, name: str) -> int:
    """A bay or a loaner car. Drivers come with their person."""
    async with house.at(dealer_id) as connection:
        found = await accounts.add_resource(connection, dealer_id, kind, name)
        await history.write(connection, dealer_id, "resource", found, old=None, new="added", reason=f"{kind} {name}", actor=actor, now=house.now())
        return found
