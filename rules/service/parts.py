"""When the parts that work is likely to need are here: what lies on the dealer's shelf, or is ordered. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rules.service.opening import open_times
from rules.service.operations import SUGGESTED
from schemas.account import Dealer
from schemas.errors import BadInput
from schemas.moment import local
from schemas.operation import Operation

NOTHING = "nothing"  #: what a dealer writes who orders each part
#: Every part that an operation of ours may need, by its name in small letters.
KNOWN = {part.name.casefold(): part.name for work in SUGGESTED.values() for part in work.parts}
_AHEAD = timedelta(days=60)  #: no part takes longer; a house that is closed so long promises nothing anyway


@dataclass(frozen=True, slots=True)
class Ordered:
    """Parts that are not on the shelf, and when the last of them is here."""

    names: tuple[str, ...]
    here_at: datetime


def shelf(text: str) -> frozenset[str] | None:
    """The parts that a dealer has, one a line or with semicolons between; None: they have said nothing, and no window
    waits. BadInput names what is no part of ours.
    """
    lines = [line for line in (part.strip() for part in re.split(r"[;\n]", text)) if line]
    if not lines:
        return None
    if [line.casefold() for line in lines] == [NOTHING]:
        return frozenset()
    for line in lines:
        if line.casefold() not in KNOWN:
            raise BadInput(
                "parts_shelf", f"{line[:60]!r} is no part that we know. Known are {', '.join(sorted(KNOWN.values()))}"
            )
    return frozenset(KNOWN[line.casefold()] for line in lines)


def ordered(dealer: Dealer, operations: Iterable[Operation], at: datetime) -> Ordered | None:
    """What has to be ordered at `at` for this work. None when everything is here, or the dealer leaves it open.

    A lead of a day is over when the house opens on the day after it could order; closed days do not count.
    """
    here = shelf(dealer.parts_shelf)
    if here is None:
        return None
    away = {part.name: part.lead_days for work in operations for part in work.parts if part.name not in here}
    days = max(away.values(), default=0)
    if days == 0:
        return None
    last = next((opens for n, opens in enumerate(_days_after(dealer, at), 1) if n == days), at + _AHEAD)
    return Ordered(tuple(name for name, lead in away.items() if lead), last)


def _days_after(dealer: Dealer, at: datetime) -> Iterator[datetime]:
    """When the house opens on each day after the one on which it can order: in the evening that is the next."""
    before: date | None = None
    for span in open_times(dealer, at, at + _AHEAD):
        day = local(max(span.starts_at, at), dealer.zone).date()
        if before is not None and day > before:
            yield span.starts_at
        before = day
