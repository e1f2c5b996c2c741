"""What the time that a visit takes says of it: the window that a person is told, and when the work is done. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from schemas.booking import BookingKind
from schemas.slot import Use, Window

DROP_OFF = timedelta(minutes=30)  #: how long the door is open for a car that its owner brings


def window_of(kind: BookingKind, claims: Sequence[tuple[Use, datetime, datetime]]) -> Window:
    """The window that the person is told, out of what is held for it: (use, starts_at, ends_at)."""
    use = Use.WAY if kind is BookingKind.MOBILE_REPAIR else Use.COLLECT if kind.fetched else Use.WORK
    start, end = next((start, end) for claimed, start, end in claims if claimed is use)
    return Window(starts_at=start, ends_at=start + DROP_OFF if kind.left else end)


def work_end(claims: Sequence[tuple[Use, datetime, datetime]]) -> datetime:
    """When the work is planned to be done; on the road the way back, as long as the way there, comes after it."""
    way = next((end - start for use, start, end in claims if use is Use.WAY), None)
    if way is not None:
        return next(end for use, _, end in claims if use is Use.LABOUR) - way
    return next(end for use, _, end in claims if use is Use.WORK)
