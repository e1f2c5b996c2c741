"""A rule as data: what it looks at, how long it must hold, how the car proves the repair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from rules.engine.detector import Detector
from rules.engine.repair_verification import Proof

Stage = Literal["live", "shadow"]
Need = str | tuple[str, ...]  #: a signal, or several that say the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a rule needs of a feed beside its signals, so that it can decide at all (rules/engine/feed.py)."""

    every_s: float | None = None  #: its samples must lie no further apart; None: however far apart they are
    #: … where one of these is all that is heard of its group
    every_of: Mapping[str, float] = field(default_factory=dict)
    lasts_s: float = 0.0  #: … for so long in one piece
    driving: bool = False  #: while the car drives: its engine turns, or it is switched on
    #: Signals whose last word holds for so many seconds; all others must come in one message.
    ages: Mapping[str, float] = field(default_factory=dict)
    codes: bool = False  #: it reads lists of trouble codes
    #: Where one of these is all that is heard of its group: so many starts seen while the starter turns …
    starts_of: Mapping[str, int] = field(default_factory=dict)
    mornings_of: Mapping[str, int] = field(default_factory=dict)  #: … or so many days with a word before it does


ANY_FEED = Watch()  #: one sample after the other, however far apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that can be wrong with a car. `judge` is a detector, or `own(...)` for a rule that fits none."""

    name: str
    version: int  #: raise it with every change of meaning: the rule's memory then starts anew
    title: str  #: as the desk shows it
    needs: tuple[Need, ...]  #: VSS paths without which it says nothing; of a tuple of them one is enough
    needs_of: Mapping[str, tuple[Need, ...]] = field(default_factory=dict)  #: … and more for a powertrain
    watch: Watch | None = None  #: and how they must come; each rule of the catalogue states it
    judge: Detector
    hold: timedelta  #: how long the fault must show before the dealer hears of it
    samples: int = 2  #: … and in how many readings: of a slow feed two span a hold, and both may be of a bend
    settle: timedelta = timedelta(hours=1)  #: how long it must be clear before the alert is resolved
    proof: Proof  #: what the car must show after the repair
    owner_text: str = ""  #: Fluent key of the plain words; `rule-<name>` unless named
    drives: tuple[str, ...] = ()  #: powertrains it is meant for; none named means all
    stage: Stage = "live"
    max_age: timedelta = timedelta(hours=2)  #: a step judged on an older reading is marked late, never worded as "now"
    muted_by: tuple[str, ...] = ()  #: rules whose active alert explains this one away
    doubted_by: tuple[str, ...] = ()  #: rules whose active alert says that what it looks at is a sensor's fault
    muted_by_codes: tuple[str, ...] = ()  #: … and how the codes begin whose active alert does
    about_the_car: bool = True  #: False: a fault of a sensor or the unit, nothing that its owner must be told
    group: str = ""  #: alerts of one group belong to one job in the workshop

    def asks(self, drive: str) -> tuple[tuple[str, ...], ...]:
        """What it needs of a car with that powertrain: of each group one signal."""
        return tuple((n,) if isinstance(n, str) else n for n in (*self.needs, *self.needs_of.get(drive, ())))

    @property
    def text_key(self) -> str:
        """The Fluent key under which the owner's words stand."""
        return self.owner_text or f"rule-{self.name}"


def versions_of(rules: tuple[Rule, ...]) -> Mapping[str, int]:
    """Name to version, as checkpoints carry them."""
    return {rule.name: rule.version for rule in rules}
