"""Whether a rule can decide at all for a car, by what its feed brings: a rule that hears nothing says nothing, and
silence is not health. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from rules.engine.rule import Rule
from rules.engine.thresholds import signal_of
from schemas.profile import Profile


@dataclass(frozen=True, slots=True)
class Unwatched:
    """A rule that cannot decide, and the signals that it lacks (VSS paths)."""

    rule: str
    title: str
    groups: tuple[tuple[str, ...], ...]  #: of each group one is enough

    @property
    def words(self) -> str:
        """What it needs, as people say it."""
        return ", ".join(" or ".join(signal_of(path).title for path in group) for group in self.groups)

    @property
    def needs(self) -> tuple[str, ...]:
        """All of them, one after the other."""
        return tuple(path for group in self.groups for path in group)


def unwatched(rules: Iterable[Rule], profile: Profile, heard: Collection[str]) -> list[Unwatched]:
    """The rules meant for this model that lack a signal: `heard` are the paths that the car has ever sent."""
    found, heard = [], frozenset(heard)
    for rule in rules:
        if (rule.drives and profile.drive not in rule.drives) or rule.stage != "live":
            continue
        lacks = tuple(group for group in rule.asks(profile.drive) if heard.isdisjoint(group))
        if lacks:
            found.append(Unwatched(rule.name, rule.title, lacks))
    return found
