"""How many visits of a kind a day takes: the dealer's own limits, some of them kept for the desk. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from schemas.booking import BookingKind
from schemas.errors import BadInput

LOANER = "loaner"  #: what can be limited beside the ways in which a car comes
LIMITED = (*(kind.value for kind in BookingKind), LOANER)
_LINE = re.compile(r"([a-z_]+)\s+(\d{1,3})(?:\s*,?\s*desk\s+(\d{1,3}))?")


@dataclass(frozen=True, slots=True)
class Limit:
    """`most` a day; `desk` of them only the desk may give."""

    most: int
    desk: int = 0


def day_limits(text: str) -> dict[str, Limit]:
    """What a dealer has said, one a line or with semicolons between, as in "pickup 8, desk 2"; or BadInput."""
    found: dict[str, Limit] = {}
    for line in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
        parts = _LINE.fullmatch(line.lower())
        if parts is None or parts[1] not in LIMITED:
            raise BadInput(
                "day_limits",
                f"{line[:60]!r} cannot be read. Write one a line, as in: pickup 8, desk 2. Known are "
                f"{', '.join(LIMITED)}",
            )
        limit = Limit(int(parts[2]), int(parts[3] or 0))
        if limit.desk > limit.most:
            raise BadInput("day_limits", f"{line[:60]!r}: the desk cannot keep more than there are")
        if parts[1] in found:
            raise BadInput("day_limits", f"{parts[1]} is there twice")
        found[parts[1]] = limit
    return found


NO_SHUTTLE = "this house has no shuttle: a line of the daily limits says how many it takes a day, as in: shuttle 6"


@dataclass(frozen=True, slots=True)
class Places:
    """What is left of the limits. `online`: it is not the desk that asks."""

    limits: Mapping[str, Limit] = field(default_factory=dict)
    taken: Mapping[tuple[str, date], int] = field(default_factory=dict)
    online: bool = False

    def lacks(self, kind: BookingKind) -> str | None:
        """Why there is no such way to come in this house at all: nothing else says that it has a shuttle."""
        return NO_SHUTTLE if kind is BookingKind.SHUTTLE and kind.value not in self.limits else None

    def full(self, kind: BookingKind, day: date, *, loaner: bool) -> str | None:
        """Which of the limits such a visit would break on that day; None when there is a place."""
        if self.lacks(kind) is not None:
            return kind.value
        for what in (kind.value, LOANER)[: 2 if loaner else 1]:
            limit = self.limits.get(what)
            if limit is None:
                continue
            most = limit.most - (limit.desk if self.online else 0)
            if self.taken.get((what, day), 0) >= most:
                return what
        return None

    def less(self, kind: BookingKind, day: date, *, loaner: bool) -> Places:
        """With one more such visit on that day."""
        return replace(self, taken=counted([(kind.value, day, loaner)], self.taken))


def counted(
    visits: Iterable[tuple[str, date, bool]], before: Mapping[tuple[str, date], int] | None = None
) -> dict[tuple[str, date], int]:
    """Visits by what they take of the limits: (way, day, with a loaner) each."""
    found = dict(before or {})
    for kind, day, loaner in visits:
        for what in (kind, LOANER)[: 2 if loaner else 1]:
            found[(what, day)] = found.get((what, day), 0) + 1
    return found
