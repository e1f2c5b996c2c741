"""All that a rule may look at: the values of this message, the last ones of earlier messages, the codes, the
instant.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, Any

from rules.engine.thresholds import BATTERY, ENGINE, ODOMETER, signal_of
from schemas.profile import Profile
from schemas.telemetry import Diagnostics

if TYPE_CHECKING:
    from rules.engine.code_book import CodeBook

LATEST = Struct("<fI")  #: last value and the second (since 1970) of its reading
#: not said with every message: before those that are, so that one `pack` writes these
EDGE = tuple(
    signal_of(path).id
    for path in (
        "Vehicle.LowVoltageSystemState",
        ODOMETER,
        f"{BATTERY}.CrankingVoltageMin",
        f"{BATTERY}.RestingVoltage",
        f"{ENGINE}.EngineCoolant.Level",
    )
)
FRESH_S = 600.0  #: a value carried over from an earlier message counts as present for ten minutes


class Snapshot:
    """One instant of one car. Made only when some rule may have something to say."""

    __slots__ = (
        "codes",
        "diagnostics",
        "fresh",
        "late",
        "memory",
        "now",
        "open",
        "place",
        "profile",
        "shared",
        "slots",
        "ts",
        "values",
    )

    def __init__(
        self,
        ts: float,
        place: int,
        values: dict[int, float],
        memory: bytearray,
        slots: dict[int, int],
        profile: Profile,
        diagnostics: Diagnostics | None = None,
        late: bool = False,
        codes: CodeBook | None = None,
    ) -> None:
        self.ts, self.place, self.values = ts, place, values
        #: The value in this very message; zero is a value, None is no reading. The dict's own look-up: every rule asks,
        #: some often.
        self.now: Callable[[int], float | None] = values.get
        self.memory, self.slots, self.profile = memory, slots, profile
        self.diagnostics, self.late = diagnostics, late
        self.codes = codes  #: the words of trouble codes
        self.shared: dict[str, Any] = {}  #: what one rule has worked out of this instant and another needs, too
        self.fresh = False  #: the first reading of the rule's period
        self.open: tuple[str, ...] = ()  #: components of the rule at hand whose alert is pending or active

    def get(self, signal_id: int, max_age_s: float = FRESH_S) -> float | None:
        """The value in this message or, for signals a rule asked to be carried, a fresh enough earlier one."""
        value = self.now(signal_id)
        if value is not None:
            return value
        at = self.slots.get(signal_id)
        if at is None:
            return None
        found: tuple[float, int] = LATEST.unpack_from(self.memory, at)
        return found[0] if found[1] and abs(self.ts - found[1]) <= max_age_s else None

    def before(self, signal_id: int, max_age_s: float = float("inf")) -> float | None:
        """What earlier messages said of a carried signal, whatever this one says; for who is asked before it is taken
        in.
        """
        at = self.slots.get(signal_id)
        if at is None:
            return None
        found: tuple[float, int] = LATEST.unpack_from(self.memory, at)
        return found[0] if found[1] and self.ts - found[1] <= max_age_s else None

    def frame_of(self, code: str) -> dict[str, float] | None:
        """The freeze frame stored with this trouble code: what was measured for another code is no evidence."""
        stored = self.diagnostics.freeze_frame if self.diagnostics is not None else None
        if stored is None or stored.code.partition("-")[0] != code.partition("-")[0]:
            return None
        return {path: float(value) for path, value in stored.signals.items() if value is not None}
