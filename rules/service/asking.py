"""What a visit asks for beside its kind and time: a place within the day's limits, and somebody who can do its work.
Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rules.service.places import Places
from schemas.operation import Operation, Skill


@dataclass(frozen=True, slots=True)
class Work:
    """Minutes of labour, and what whoever does it must know; no minutes: as long as any visit."""

    minutes: int = 0
    skills: frozenset[Skill] = frozenset()


@dataclass(frozen=True, slots=True)
class Asks:
    """Without both, a visit takes the dealer's usual time of a bay, and any day has room for it."""

    places: Places = field(default_factory=Places)
    work: Work = field(default_factory=Work)


PLAIN = Asks()


def work_of(operations: Sequence[Operation]) -> Work:
    """All of it, by one technician, one piece after the other."""
    return Work(sum(one.minutes for one in operations), frozenset(one.skill for one in operations))
