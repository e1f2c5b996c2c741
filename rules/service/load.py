"""How full a day is: what is taken of bays, drivers, loaners and trucks against the hours in which they are there.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from schemas.slot import ResourceKind, Window

_FULL = 85  #: from here on a sudden visit finds no place
_ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Load:
    """Time taken, and time there is, of all resources of one kind together."""

    kind: ResourceKind
    count: int
    taken: timedelta
    there: timedelta

    @property
    def percent(self) -> int:
        """Whole percent; what is taken of a house that is closed is all there is."""
        return round(100 * self.taken / self.there) if self.there else 100 if self.taken else 0

    @property
    def full(self) -> bool:
        return self.percent >= _FULL


def load(kind: ResourceKind, opening: Sequence[Window], taken: Sequence[Sequence[Window]]) -> Load:
    """`opening`: when the house is open on that day; `taken`: what is taken of each resource. Work that waits over
    night counts while the house is open.
    """
    there = sum((w.ends_at - w.starts_at for w in opening), _ZERO) * len(taken)
    spent = sum((_shared(one, hours) for windows in taken for one in windows for hours in opening), _ZERO)
    return Load(kind, len(taken), spent, there)


def _shared(one: Window, other: Window) -> timedelta:
    return max(_ZERO, min(one.ends_at, other.ends_at) - max(one.starts_at, other.starts_at))
