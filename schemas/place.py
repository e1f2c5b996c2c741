"""Where something is: a latitude and a longitude, written as people paste them from a map."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict

from schemas.errors import BadInput

_WRITTEN = re.compile(r"\s*([+-]?\d{1,3}(?:\.\d{1,15})?)\s*[,;\s]\s*([+-]?\d{1,3}(?:\.\d{1,15})?)\s*", re.ASCII)


class Place(BaseModel):
    """Degrees of WGS 84, north and east positive; kept to about a metre."""

    model_config = ConfigDict(frozen=True)

    latitude: float
    longitude: float

    def __str__(self) -> str:
        return f"{self.latitude:.5f},{self.longitude:.5f}"


def place_of(text: str | None, field: str = "place") -> Place | None:
    """`53.5503, 9.9920`; None for nothing, BadInput naming `field` for anything else that is no place on earth."""
    if text is None or not text.strip():
        return None
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise BadInput(field, "is written as on a map, latitude before longitude: 53.5503, 9.9920")
    latitude, longitude = float(found[1]), float(found[2])
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise BadInput(field, "a latitude lies between -90 and 90, a longitude between -180 and 180")
    return Place(latitude=latitude, longitude=longitude)
