"""Calendar feeds: a link for one person or for the whole house, that opens until it is taken back."""

from __future__ import annotations

from datetime import datetime, timedelta

from actions.context import Acting, House
from rules.service import calendar_feed
from rules.service.calendar_feed import Entry
from schemas.account import Dealer, Role, Staff
from schemas.booking import BookingKind
from schemas.errors import NotFound
from store import accounts, history, secrets
from store.pool import Connection
from store.views import diary

_BACK, _AHEAD = timedelta(days=14), timedelta(days=90)
_VISITS = {
    "pickup": "Collection",
    "drop_off": "Car is brought",
    "waiting": "Customer waits",
    "tow": "Tow truck",
    "mobile_repair": "Mobile repair",
    "shuttle": "Car is brought, shuttle",
}
_DRIVES = {"collect": "Collect", "return": "Bring back", "visit": "Repair where it stands"}


async def make_own(acting: Acting, staff_id: int) -> str:
    """A new link to somebody's own drives and visits, shown once; the one before opens nothing any more."""
    return await _make(acting, staff_id)


async def make_of_house(acting: Acting) -> str:
    """The same to all visits and drives of the house."""
    return await _make(acting, None)


async def revoke_own(acting: Acting, staff_id: int) -> None:
    """Somebody's own link opens nothing from now on. NotFound where there is none."""
    await _revoke(acting, staff_id)


async def revoke_of_house(acting: Acting) -> None:
    """The house's link opens nothing from now on. NotFound where there is none."""
    await _revoke(acting, None)


async def _make(acting: Acting, staff_id: int | None) -> str:
    async with acting.transaction() as connection:
        await _end(connection, acting, staff_id)
        token = await secrets.make(
            connection, acting.dealer_id, "calendar", now=acting.now(), staff_id=staff_id, label=_label(staff_id)
        )
        await _note(connection, acting, staff_id, "made")
        return token


async def _revoke(acting: Acting, staff_id: int | None) -> None:
    async with acting.transaction() as connection:
        if not await _end(connection, acting, staff_id):
            raise NotFound("calendar")
        await _note(connection, acting, staff_id, "revoked")


async def made_at(connection: Connection, dealer_id: int, staff_id: int | None) -> datetime | None:
    """Since when there is one."""
    found = await secrets.labels(connection, dealer_id, "calendar")
    return next((one.created_at for one in found if one.staff_id == staff_id), None)


async def of_link(house: House, token: str) -> bytes:
    """The calendar that this link opens, as it is now. NotFound for what opens nothing, or nothing any more."""
    async with house.at(None) as connection:
        secret = await secrets.find(connection, token, "calendar")
    if secret is None or not secret.opens(house.now()):
        raise NotFound("calendar")
    async with house.at(secret.dealer_id) as connection:
        dealer = await accounts.dealer(connection, secret.dealer_id)
        person = await accounts.staff(connection, dealer.id, secret.staff_id) if secret.staff_id else None
        if person is not None and person.disabled_at is not None:
            raise NotFound("calendar")
        entries = await _entries(connection, dealer, person, house.now())
    return calendar_feed.feed(f"{dealer.name}: {person.name}" if person else dealer.name, dealer.zone, entries)


async def _entries(connection: Connection, dealer: Dealer, person: Staff | None, now: datetime) -> list[Entry]:
    since, until = now - _BACK, now + _AHEAD
    driver = person.id if person is not None and person.role is Role.DRIVER else None
    drives = [
        Entry(
            f"leg-{row.id}@telltale",
            f"{_DRIVES[row.kind]}: {row.vehicle}",
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            changed_at=row.changed_at,
            where=row.address,
            words=" · ".join(word for word in (row.plate, row.driver) if word),
            cancelled=row.state == "cancelled",
        )
        for row in await diary.drives(connection, dealer.id, since=since, until=until, driver_id=driver)
    ]
    if driver is not None:
        return drives
    visits = [
        Entry(
            f"visit-{row.id}@telltale",
            f"{_VISITS[row.kind]}: {row.vehicle}",
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            changed_at=row.changed_at,
            where=dealer.address if BookingKind(row.kind).brought else "",
            words=row.plate or "",
            cancelled=row.state == "cancelled",
        )
        for row in await diary.visits(connection, dealer.id, since, until)
    ]
    return [*visits, *drives]


async def _end(connection: Connection, acting: Acting, staff_id: int | None) -> int:
    return await secrets.revoke(connection, acting.dealer_id, acting.now(), purpose="calendar", label=_label(staff_id))


def _label(staff_id: int | None) -> str:
    return "house" if staff_id is None else f"staff {staff_id}"


async def _note(connection: Connection, acting: Acting, staff_id: int | None, what: str) -> None:
    noun, subject = ("dealer", acting.dealer_id) if staff_id is None else ("staff", staff_id)
    await history.write(
        connection,
        acting.dealer_id,
        noun,
        subject,
        old=None,
        new=f"calendar link {what}",
        reason="",
        actor=acting.actor,
        now=acting.now(),
    )
