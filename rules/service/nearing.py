"""How near somebody of ours is who is on the way to a customer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.service.travel import DETOUR, kilometres, seconds
from schemas.place import Place

STANDS = timedelta(minutes=3)  #: an older place says nothing about where they are now


@dataclass(frozen=True, slots=True)
class Near:
    """Where they are; `km` and `minutes` by road, estimated, where it is known where the customer is."""

    place: Place
    at: datetime
    km: float | None = None
    minutes: int | None = None


def near(here: Place, at: datetime, to: Place | None, now: datetime) -> Near | None:
    """None when that was too long ago: nobody is told where somebody was."""
    if now - at >= STANDS:
        return None
    if to is None:
        return Near(here, at)
    return Near(here, at, km=round(kilometres(here, to) * DETOUR, 1), minutes=max(1, -(-seconds(here, to) // 60)))
