"""Whether two clocks agree. One machine's clock may be wrong; nothing irreversible rests on it alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

APART: Final = timedelta(minutes=10)  #: more than this and one of the two is wrong


def apart(own: datetime, told: datetime) -> str | None:
    """How far our own business clock is from the one that the database tells, in words; None while they agree."""
    off = own - told
    return (
        None if abs(off) <= APART else f"{length(off)} {'ahead of' if off > timedelta(0) else 'behind'} the database's"
    )


def length(span: timedelta) -> str:
    """`500 days`, `3 hours`, `12 minutes`."""
    seconds = abs(span).total_seconds()
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{seconds:.0f} seconds"
