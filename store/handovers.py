"""Handover records and their photos. Rows are added; the database lets nobody change them, but for the erasure of a
person.
"""

from __future__ import annotations

from typing import Any

import asyncpg

from schemas.errors import NotFound, Overtaken
from schemas.handover import Handover, HandoverKind, Photo
from store import history, notifications
from store.pool import Connection, as_dict

_RECORD = (
    "dealer_id, booking_id, leg_id, loaner_id, kind, key, odometer_km, energy, energy_percent, keys, marks, photos, "
    "proof, made_at, recorded_at, actor, name, note, signature, salt, person, hash"
)
_PHOTO = "id, dealer_id, booking_id, kind, handover_id, key, view, place, sha256, size, width, height, stored_at"
_NAMES = _RECORD.split(", ")
_ADD = (
    f"INSERT INTO handovers ({_RECORD}) VALUES ({', '.join(f'${n}' for n in range(1, len(_NAMES) + 1))}) RETURNING id"
)
_TAKE = """
UPDATE handover_photos SET handover_id = $4
WHERE dealer_id = $1 AND booking_id = $2 AND kind = $3 AND handover_id IS NULL
"""
_ADD_PHOTO = f"""
INSERT INTO handover_photos (dealer_id, booking_id, kind, key, view, place, sha256, size, width, height, stored_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (dealer_id, booking_id, kind, key) DO NOTHING RETURNING {_PHOTO}
"""
_ORDER = "ORDER BY array_position(ARRAY['front', 'rear', 'left', 'right', 'inside', 'detail'], view), id"
_OWNERS = """booking_id IN (
    SELECT b.id FROM bookings b JOIN cases c ON c.dealer_id = b.dealer_id AND c.id = b.case_id
    WHERE b.dealer_id = $1 AND c.owner_id = $2)"""
_BLANK = f"""
UPDATE handovers SET name = '', note = '', signature = '[]', salt = NULL,
    marks = (SELECT coalesce(jsonb_agg(m.mark || '{{"note": ""}}' ORDER BY m.n), '[]')
             FROM jsonb_array_elements(marks) WITH ORDINALITY AS m (mark, n))
WHERE dealer_id = $1 AND {_OWNERS}
"""
_SELECT = f"SELECT id, {_RECORD} FROM handovers WHERE dealer_id = $1"
_PHOTOS = f"SELECT {_PHOTO} FROM handover_photos WHERE dealer_id = $1"
_PLACES = f"SELECT place FROM handover_photos WHERE dealer_id = $1 AND place <> '' AND {_OWNERS}"
_GONE = f"UPDATE handover_photos SET place = '' WHERE dealer_id = $1 AND place <> '' AND {_OWNERS}"


async def add(connection: Connection, record: Handover, reason: str) -> Handover:
    """Write it down; its photos are those that have come for this end of the visit. Overtaken when this end has one
    already.
    """
    values = record.model_dump(mode="json", include={"marks", "photos", "signature"})
    row = {**{name: getattr(record, name) for name in _NAMES}, **values}
    try:
        async with connection.transaction():
            number = await connection.fetchval(
                _ADD, *(row[name].value if name in ("kind", "energy") else row[name] for name in _NAMES)
            )
    except asyncpg.UniqueViolationError:
        raise Overtaken("record", "there is one already, and a record is not changed") from None
    await connection.execute(_TAKE, record.dealer_id, record.booking_id, record.kind.value, number)
    noun, subject = ("booking", record.booking_id) if record.leg_id is None else ("leg", record.leg_id)
    await history.write(
        connection,
        record.dealer_id,
        noun,
        subject,
        old=None,
        new=f"recorded_{record.kind.value}",
        reason=reason,
        actor=record.actor,
        now=record.recorded_at,
    )
    await notifications.ring_desk(connection, record.dealer_id, noun, subject)
    return record.model_copy(update={"id": number})


async def of_booking(connection: Connection, dealer_id: int, booking_id: int) -> list[Handover]:
    """Every record of a visit, in the order in which they were written."""
    rows = await connection.fetch(
        f"{_SELECT} AND booking_id = $2 ORDER BY id",
        dealer_id,
        booking_id,
    )
    return [_record(row) for row in rows]


async def find(connection: Connection, dealer_id: int, booking_id: int, kind: HandoverKind) -> Handover | None:
    """The record of this end."""
    row = await connection.fetchrow(
        f"{_SELECT} AND booking_id = $2 AND kind = $3",
        dealer_id,
        booking_id,
        kind.value,
    )
    return _record(row) if row else None


async def out_with(connection: Connection, dealer_id: int, loaner_id: int) -> int | None:
    """The visit whose customer has this loaner now."""
    found: int | None = await connection.fetchval(
        """SELECT o.booking_id FROM handovers o WHERE o.dealer_id = $1 AND o.loaner_id = $2 AND o.kind = 'loaner_out'
           AND NOT EXISTS (SELECT FROM handovers i
                           WHERE i.dealer_id = $1 AND i.booking_id = o.booking_id AND i.kind = 'loaner_in')""",
        dealer_id,
        loaner_id,
    )
    return found


async def add_photo(connection: Connection, photo: Photo) -> Photo:
    """The photo as it is kept; one that came before with the same key is that one."""
    about = (photo.dealer_id, photo.booking_id, photo.kind.value, photo.key)
    picture = (photo.view.value, photo.place, photo.sha256, photo.size, photo.width, photo.height, photo.stored_at)
    row = await connection.fetchrow(_ADD_PHOTO, *about, *picture)
    found = row or await connection.fetchrow(
        f"{_PHOTOS} AND booking_id = $2 AND kind = $3 AND key = $4",
        *about,
    )
    return Photo(**as_dict(found))


async def photos(
    connection: Connection, dealer_id: int, booking_id: int, kind: HandoverKind | None = None
) -> list[Photo]:
    """The photos of a visit or of one end of it, those of a record before loose ones."""
    rows = await connection.fetch(
        f"{_PHOTOS} AND booking_id = $2 AND ($3::text IS NULL OR kind = $3) {_ORDER}",
        dealer_id,
        booking_id,
        kind.value if kind else None,
    )
    return [Photo(**as_dict(row)) for row in rows]


async def photo(connection: Connection, dealer_id: int, photo_id: int) -> Photo:
    """That one, or NotFound."""
    row = await connection.fetchrow(f"{_PHOTOS} AND id = $2", dealer_id, photo_id)
    if row is None:
        raise NotFound("photo")
    return Photo(**as_dict(row))


async def places_of(connection: Connection, dealer_id: int, owner_id: int) -> list[str]:
    """Where the pictures of an owner's visits lie."""
    return [row["place"] for row in await connection.fetch(_PLACES, dealer_id, owner_id)]


async def blank(connection: Connection, dealer_id: int, owner_id: int) -> None:
    """Of an owner who is erased already: name, words, signature and pictures go, the numbers and their hash stay."""
    await connection.execute(_BLANK, dealer_id, owner_id)
    await connection.execute(_GONE, dealer_id, owner_id)


def _record(row: Any) -> Handover:
    return Handover(**as_dict(row))
