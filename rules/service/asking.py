"""What a visit asks for beside its kind and time: a place within the day's limits, somebody who can do its work, and
its parts. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rules.service.parts import Ordered
from rules.service.places import Places
from schemas.operation import Operation, Skill


@dataclass(frozen=True, slots=True)
class Work:
    """Minutes of labour, and what whoever does it must know; no minutes: as long as any visit."""

    minutes: int = 0
    skills: frozenset[Skill] = frozenset()
    bound: tuple[str, ...] = ()  #: what of it needs the workshop


@dataclass(frozen=True, slots=True)
class Asks:
    """Without them, a visit takes the dealer's usual time of a bay, any day has room for it, and nothing is ordered."""

    places: Places = field(default_factory=Places)
    work: Work = field(default_factory=Work)
    parts: Ordered | None = None  #: what the work needs and is not here yet; only the desk books before it is

    def too_early(self, start: datetime) -> bool:
        """Whether a visit then would wait for its parts; at the desk a person knows better."""
        return self.places.online and self.parts is not None and start < self.parts.here_at


PLAIN = Asks()


def work_of(operations: Sequence[Operation]) -> Work:
    """All of it, by one technician, one piece after the other."""
    return Work(
        sum(one.minutes for one in operations),
        frozenset(one.skill for one in operations),
        tuple(one.title for one in operations if not one.mobile),
    )
