"""A car changes hands: its photos come, then the record is written. Both are harmless to send twice, and neither is
ever changed.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from actions import attempts
from actions.bookings import locked
from actions.cases import staff_id
from actions.context import Acting, House
from rules.service import handover, photographs
from schemas.account import Role
from schemas.booking import Booking, BookingState
from schemas.errors import BadInput, IllegalMove, NotAllowed, NotFound, Overtaken
from schemas.handover import MOST_PHOTOS, Filled, Handover, HandoverKind, Photo, View
from schemas.pickup import Leg, LegState
from schemas.witness import Witness
from store import accounts, bookings, handovers, pickups, witnesses
from store.photo_shelf import new_place
from store.pool import Connection

_LEG_OF = {kind: leg for leg, kind in handover.OF_LEG.items()}
_NOT_YET = frozenset({LegState.PLANNED, LegState.CANCELLED})
_BEFORE = {HandoverKind.RETURN: HandoverKind.COLLECT, HandoverKind.LOANER_IN: HandoverKind.LOANER_OUT}
_SALT = 16


@dataclass(frozen=True, slots=True)
class Kept:
    """A record with its photos, and what does not fit in it (None: it stands as it was written)."""

    record: Handover
    photos: tuple[Photo, ...]
    broken: str | None
    witness: Witness | None  #: what the car says of the drive at whose end it was made


async def add_photo(acting: Acting, booking_id: int, kind: HandoverKind, view: View, key: str, raw: bytes) -> Photo:
    """Keep a photo for the record of this end. BadInput with `photo` for what is none; the same `key` again is the
    same photo.
    """
    async with acting.transaction() as connection:
        booking = await bookings.get(connection, acting.dealer_id, booking_id)
        await _end(acting, connection, booking, kind)
        there = await handovers.photos(connection, acting.dealer_id, booking_id, kind)
        if (found := next((one for one in there if one.key == key), None)) is not None:
            return found
        if await handovers.find(connection, acting.dealer_id, booking_id, kind) is not None:
            raise Overtaken("record", "it is written already, and takes no more photos")
        if len(there) >= MOST_PHOTOS:
            raise BadInput("photo", f"there are {MOST_PHOTOS} already")
    async with acting.house.developing:
        picture = await asyncio.to_thread(photographs.checked, raw)
    place = new_place(acting.dealer_id, booking_id)
    await acting.house.photos.put(place, picture.body)
    photo = Photo(
        id=0,
        dealer_id=acting.dealer_id,
        booking_id=booking_id,
        kind=kind,
        handover_id=None,
        key=key,
        view=view,
        place=place,
        sha256=picture.sha256,
        size=len(picture.body),
        width=picture.width,
        height=picture.height,
        stored_at=acting.now(),
    )
    async with acting.transaction() as connection:
        kept = await handovers.add_photo(connection, photo)
    if kept.place != place:  # the same photo came twice at once
        await acting.house.photos.take_away([place])
    return kept


async def write(acting: Acting, booking_id: int, kind: HandoverKind, filled: Filled) -> Handover:
    """The record of this end, with the photos that have come for it. BadInput names what is missing; a second one is
    Overtaken.
    """
    if filled.code:
        await attempts.take(acting.house, attempts.handover(acting.house, booking_id, kind.value))
    async with acting.transaction() as connection:
        _, booking = await locked(connection, acting.dealer_id, booking_id)
        before = await handovers.find(connection, acting.dealer_id, booking_id, kind)
        if before is not None and before.key == filled.key:
            return before
        if before is not None:
            raise Overtaken("record", "it is written already, and a record is not changed")
        leg = await _end(acting, connection, booking, kind)
        loaner = await _loaner(connection, booking, kind)
        photos = await handovers.photos(connection, acting.dealer_id, booking_id, kind)
        proof = handover.complete(filled, [photo.view for photo in photos], code(acting.house, booking_id, kind))
        await _no_less(connection, booking, kind, filled)
        now = acting.now()
        made = filled.made_at if filled.made_at is not None and booking.made_at <= filled.made_at <= now else now
        record = handover.seal(
            Handover(
                id=0,
                dealer_id=acting.dealer_id,
                booking_id=booking_id,
                leg_id=leg.id if leg else None,
                loaner_id=loaner,
                kind=kind,
                key=filled.key,
                odometer_km=filled.odometer_km,
                energy=filled.energy,
                energy_percent=filled.energy_percent,
                keys=filled.keys,
                marks=filled.marks,
                photos=tuple(photo.sha256 for photo in photos),
                proof=proof,
                made_at=made,
                recorded_at=now,
                actor=acting.actor,
                name=filled.name,
                note=filled.note,
                signature=filled.signature,
                salt=secrets.token_bytes(_SALT),
                person=b"",
                hash=b"",
            )
        )
        return await handovers.add(connection, record, handover.sentence(record))


def code(house: House, booking_id: int, kind: HandoverKind) -> str:
    """What the owner's page shows while somebody of ours stands before them: they say it instead of signing."""
    return handover.code_of(house.sign("handover", str(booking_id), kind.value))


async def of_visit(connection: Connection, dealer_id: int, booking_id: int) -> tuple[Kept, ...]:
    """Every record of a visit, each looked through."""
    photos = await handovers.photos(connection, dealer_id, booking_id)
    lines = {one.leg_id: one for one in await witnesses.of_booking(connection, dealer_id, booking_id)}
    return tuple(
        _kept(record, photos, lines.get(record.leg_id or 0))
        for record in await handovers.of_booking(connection, dealer_id, booking_id)
    )


async def picture(acting: Acting, photo_id: int, booking_id: int | None = None) -> bytes:
    """The JPEG itself; `booking_id`: only if it is of this visit. NotFound where there is none or it went with its
    person.
    """
    async with acting.transaction() as connection:
        photo = await handovers.photo(connection, acting.dealer_id, photo_id)
    if booking_id is not None and photo.booking_id != booking_id:
        raise NotFound("photo")
    return await acting.house.photos.get(photo.place)


def _kept(record: Handover, photos: Sequence[Photo], witness: Witness | None) -> Kept:
    mine = tuple(photo for photo in photos if photo.handover_id == record.id)
    return Kept(record, mine, handover.stands(record, mine), witness)


async def _end(acting: Acting, connection: Connection, booking: Booking, kind: HandoverKind) -> Leg | None:
    """The drive at whose end this record is made; IllegalMove while it is too early. A driver writes those of their
    own drives.
    """
    if booking.state is BookingState.CANCELLED:
        raise IllegalMove("visit", booking.state.value, "record", ())
    legs = await pickups.of_booking(connection, booking.dealer_id, booking.id)
    leg = next((leg for leg in legs if leg.kind is _LEG_OF.get(kind)), None)
    if not kind.of_loaner and (leg is None or leg.state in _NOT_YET):
        raise IllegalMove(kind.value, "without a drive" if leg is None else leg.state.value, "record", ())
    own_id = staff_id(acting.actor)
    if own_id is not None:
        person = await accounts.staff(connection, acting.dealer_id, own_id)
        mine = [
            one for one in (legs if kind.of_loaner else [leg]) if one is not None and one.driver_id in (own_id, None)
        ]
        if person.role is Role.DRIVER and not mine:
            raise NotAllowed("another driver has this leg")
    return leg


async def _loaner(connection: Connection, booking: Booking, kind: HandoverKind) -> int | None:
    """Which of our cars it is about; one that somebody else has still is given to nobody."""
    if not kind.of_loaner:
        return None
    if booking.loaner_id is None:
        raise IllegalMove("visit", "without a loaner", "record", ())
    has_it = await handovers.out_with(connection, booking.dealer_id, booking.loaner_id)
    if kind is HandoverKind.LOANER_OUT and has_it is not None:
        raise Overtaken("loaner", "another customer has it still: record first that it is back")
    if kind is HandoverKind.LOANER_IN and has_it != booking.id:
        raise IllegalMove("loaner", "not out with this customer", "record", ())
    return booking.loaner_id


async def _no_less(connection: Connection, booking: Booking, kind: HandoverKind, filled: Filled) -> None:
    """No car comes back with fewer kilometres than it left with."""
    before = await handovers.find(connection, booking.dealer_id, booking.id, _BEFORE[kind]) if kind in _BEFORE else None
    if before is not None and filled.odometer_km < before.odometer_km:
        raise BadInput("odometer_km", f"is less than the {before.odometer_km} km that were recorded before")
