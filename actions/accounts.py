"""A dealer's keys, limits and bays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from actions.context import Acting, House
from rules.service import capacity, opening, parts, places
from schemas.account import Dealer
from schemas.booking import Booking, BookingState
from schemas.errors import BadInput, NotFound
from schemas.keeping import KINDS
from schemas.place import place_of
from schemas.scope import chosen
from store import accounts, bookings, history, pickups, secrets, slots
from store.pool import Connection

KEY_LIFE = timedelta(days=365)  #: unless another end is asked for


async def create_key(acting: Acting, label: str, scopes: Sequence[str], expires_at: datetime | None) -> str:
    """An API key, shown once. `scopes` as in schemas/scope.py; without `expires_at` it works until it is revoked."""
    granted, now = chosen(scopes), acting.now()
    if expires_at is not None and expires_at <= now:
        raise BadInput("expires_at", "is past already")
    async with acting.transaction() as connection:
        if any(secret.label == label for secret in await secrets.labels(connection, acting.dealer_id, "api_key")):
            raise BadInput("label", "there is a key of this name already")
        token = await secrets.make(
            connection, acting.dealer_id, "api_key", now=now, label=label, scopes=granted, expires_at=expires_at
        )
        until = f"until {expires_at:%Y-%m-%d}" if expires_at else "without end"
        reason = f"{label}: {', '.join(granted)}, {until}"
        await history.write(
            connection,
            acting.dealer_id,
            "key",
            acting.dealer_id,
            old=None,
            new="made",
            reason=reason,
            actor=acting.actor,
            now=now,
        )
        return token


async def revoke_key(acting: Acting, label: str) -> None:
    """The key opens nothing from now on."""
    async with acting.transaction() as connection:
        if not await secrets.revoke(connection, acting.dealer_id, acting.now(), purpose="api_key", label=label):
            raise NotFound("key")
        await history.write(
            connection,
            acting.dealer_id,
            "key",
            acting.dealer_id,
            old="made",
            new="revoked",
            reason=label,
            actor=acting.actor,
            now=acting.now(),
        )


async def conflicts(house: House, dealer_id: int) -> tuple[Booking, ...]:
    """Agreed visits outside the opening hours as they are now: listed for people, never dropped."""
    async with house.at(dealer_id) as connection:
        dealer = await accounts.dealer(connection, dealer_id)
        ahead = await bookings.listed(
            connection, dealer_id, states=[BookingState.AGREED], since=house.now(), limit=2_000
        )
        return capacity.outside(dealer, ahead)


async def update_dealer(acting: Acting, changes: dict[str, Any]) -> Dealer:
    """Opening hours, limits, address. Bookings that stand keep standing; see `conflicts`."""
    async with acting.transaction() as connection:
        dealer = await accounts.dealer(connection, acting.dealer_id)
        if "opening_hours" in changes:
            opening.check_hours(changes["opening_hours"], dealer.zone, dealer.country)
        if "region" in changes:
            changes["region"] = opening.check_region(changes["region"], dealer.country)
        if "special_days" in changes:
            opening.special_days(changes["special_days"])
        if "day_limits" in changes:
            places.day_limits(changes["day_limits"])
        if "parts_shelf" in changes:
            parts.shelf(changes["parts_shelf"])
        if "place" in changes:
            changes["place"] = str(place_of(changes["place"]) or "")
        changed = await accounts.update_dealer(connection, acting.dealer_id, changes)
        names = ", ".join(sorted(changes)) or "nothing"
        await history.write(
            connection,
            acting.dealer_id,
            "dealer",
            acting.dealer_id,
            old=None,
            new="changed",
            reason=f"changed {names}",
            actor=acting.actor,
            now=acting.now(),
        )
        await _keep(connection, dealer, now_kept=changed, actor=acting.actor, at=acting.now())
        if changed.place != dealer.place:
            await pickups.forget_ways(connection, acting.dealer_id)
        if changed.second_factor != dealer.second_factor:
            await history.write(
                connection,
                acting.dealer_id,
                "dealer",
                acting.dealer_id,
                old=f"second factor: {dealer.second_factor}",
                new=f"second factor: {changed.second_factor}",
                reason="of whom more than a password is asked",
                actor=acting.actor,
                now=acting.now(),
            )
        return changed


async def _keep(connection: Connection, before: Dealer, now_kept: Dealer, actor: str, at: datetime) -> None:
    """Each limit that moved is a line of its own; a shorter one counts a day later."""
    moved = [(kind, getattr(before, kind.setting), getattr(now_kept, kind.setting)) for kind in KINDS]
    for kind, was, becomes in moved:
        if was != becomes:
            await history.write(
                connection,
                before.id,
                "dealer",
                before.id,
                old=f"{kind.name} kept {was} days",
                new=f"{kind.name} kept {becomes} days",
                reason=f"how long is kept: {kind.goes}",
                actor=actor,
                now=at,
            )
    if any(becomes < was for _, was, becomes in moved):
        await accounts.limit_shortened(connection, before.id, at)


async def add_resource(acting: Acting, kind: str, name: str) -> int:
    """A bay or a loaner car. Drivers come with their person."""
    async with acting.transaction() as connection:
        found = await accounts.add_resource(connection, acting.dealer_id, kind, name)
        await history.write(
            connection,
            acting.dealer_id,
            "resource",
            found,
            old=None,
            new="added",
            reason=f"{kind} {name}",
            actor=acting.actor,
            now=acting.now(),
        )
        return found


async def retire_resource(acting: Acting, resource_id: int, *, again: bool = False) -> str:
    """A bay, a loaner, a truck or a van is not used any more, or is again; its name.

    What is agreed or offered for it is moved first, by people.
    """
    async with acting.transaction() as connection:
        now = acting.now()
        used = await slots.resources(connection, acting.dealer_id, lock=True)  # nobody books it meanwhile
        among = await slots.retired(connection, acting.dealer_id) if again else used
        found = next((one for one in among if one.id == resource_id and one.staff_id is None), None)
        if found is None:
            raise BadInput("resource", "is one of the list")
        ahead = 0 if again else await slots.ahead_of(connection, acting.dealer_id, resource_id, now)
        if ahead:
            raise BadInput(
                found.name,
                "1 visit or offer still needs it: move or cancel it on the schedule first"
                if ahead == 1
                else f"{ahead} visits or offers still need it: move or cancel them on the schedule first",
            )
        await slots.retire(connection, acting.dealer_id, resource_id, None if again else now)
        await history.write(
            connection,
            acting.dealer_id,
            "resource",
            resource_id,
            old="retired" if again else "in use",
            new="in use" if again else "retired",
            reason=f"{found.kind.value} {found.name}",
            actor=acting.actor,
            now=now,
        )
        return found.name
