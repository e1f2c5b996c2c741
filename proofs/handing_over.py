"""A car changes hands in a proof: four photos and a signature, by the acts or over the API."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image

from actions import handovers
from actions.context import Acting
from rules.service.handover import SIDES
from schemas.errors import NotFound
from schemas.handover import Filled, Handover, HandoverKind

SIGNATURE = ((0, 0, 100, 100, 200, 50, 300, 300),)


@cache
def picture() -> bytes:
    """As a phone sends it, small."""
    out = BytesIO()
    Image.new("RGB", (320, 240), (90, 110, 120)).save(out, "JPEG")
    return out.getvalue()


def facts(kind: HandoverKind, booking_id: int, odometer_km: int = 41_230) -> dict[str, Any]:
    """What somebody fills in."""
    return {
        "key": f"proof-{booking_id}-{kind.value}",
        "odometer_km": odometer_km,
        "energy_percent": 60,
        "keys": 1,
        "name": "Rosa Frost",
        "signature": SIGNATURE,
    }


class Memory:
    """A shelf that is gone with the proof."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def put(self, place: str, body: bytes) -> None:
        self._kept[place] = body

    async def get(self, place: str) -> bytes:
        try:
            return self._kept[place]
        except KeyError:
            raise NotFound("photo") from None

    async def take_away(self, places: Iterable[str]) -> None:
        for place in places:
            self._kept.pop(place, None)


async def photos(acting: Acting, booking_id: int, kind: HandoverKind) -> None:
    """One of each side."""
    for side in SIDES:
        await handovers.add_photo(acting, booking_id, kind=kind, view=side, key=f"proof-{side.value}", raw=picture())


async def record(acting: Acting, booking_id: int, kind: HandoverKind, odometer_km: int = 41_230) -> Handover:
    """All of it."""
    await photos(acting, booking_id, kind)
    return await handovers.write(acting, booking_id, kind, Filled(**facts(kind, booking_id, odometer_km)))
