"""A car of the furnished dealer that changed hands."""

from __future__ import annotations

from collections.abc import Mapping

from actions.context import House
from rules.service import handover
from schemas.handover import Energy, Handover, HandoverKind, Photo, View
from store import handovers
from store.photo_shelf import new_place
from store.pool import Connection

#: A JPEG's first and last bytes: what a shelf keeps is never looked into again.
PICTURE = b"\xff\xd8\xff\xd9"


async def handed_over(house: House, dealer_id: int, canary: str, booking: int) -> int:
    """A record with one photo, the photo's number: the way to it is long, and other proofs go it."""
    place, now = new_place(dealer_id, booking), house.now()
    await house.photos.put(place, PICTURE)
    photo = Photo(
        id=0,
        dealer_id=dealer_id,
        booking_id=booking,
        kind=HandoverKind.RETURN,
        handover_id=None,
        key="photo-0001",
        view=View.FRONT,
        place=place,
        sha256="0" * 64,
        size=len(PICTURE),
        width=1,
        height=1,
        stored_at=now,
    )
    record = Handover(
        id=0,
        dealer_id=dealer_id,
        booking_id=booking,
        leg_id=None,
        loaner_id=None,
        kind=HandoverKind.RETURN,
        key="record-01",
        odometer_km=1,
        energy=Energy.FUEL,
        energy_percent=1,
        keys=1,
        marks=(),
        photos=("0" * 64,),
        proof="signature",
        made_at=now,
        recorded_at=now,
        actor="system",
        name=f"Owner {canary}",
        note=f"At the gate, {canary}",
        signature=((0, 0, 9, 9),),
        salt=b"salt",
        person=b"",
        hash=b"",
    )
    async with house.at(dealer_id) as connection:
        kept = await handovers.add_photo(connection, photo)
        await handovers.add(connection, handover.seal(record), "for the proof")
    return kept.id


async def witnessed(connection: Connection, dealer_id: int, rows: Mapping[str, int]) -> int:
    """What the car said of a drive, and somebody should look at."""
    found: int = await connection.fetchval(
        """INSERT INTO witnesses (dealer_id, booking_id, leg_id, since, until, messages, codes_before, codes_after, odd,
           written_at) SELECT dealer_id, booking_id, id, starts_at, ends_at, 1, '{}', '{}', '{fast}', ends_at
           FROM legs WHERE dealer_id = $1 AND id = $2 RETURNING id""",
        dealer_id,
        rows["legs"],
    )
    return found
