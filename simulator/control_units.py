"""Control units by their CAN ids, and which of them a value is heard from.

A unit is named by the id on which it answers: 0x7E8 on 11 bits (ISO 15765-4), 0x18DAF110 on 29 (normal fixed
addressing, the last byte is its address). On J1939 a unit is its source address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TESTERS = frozenset(
    {0xF0, 0xF1, 0xF9, 0xFA, 0xFB, 0xFD}
)  #: addresses of whoever asks: on board, off board, a service tool
_PHYSICAL, _FUNCTIONAL = 0x18DA, 0x18DB
_DIAGNOSTIC = range(
    0x700, 0x800
)  #: where cars on 11 bits keep diagnosis; who asks and who answers is told by the service
ASKING = frozenset({0x7DF, *range(0x7E0, 0x7E8)})
#: The engine's own unit: what it measures itself is its to say.
ENGINE = frozenset({0x7E8, 0x18DAF110, 0x18DAF100, 0x00, 0x01})
QUIET_S = 60.0  #: a unit that has not said a value for so long no longer owns it


def is_diagnostic(frame_id: int, extended: bool) -> bool:
    """Whether frames of this id carry ISO-TP between a tester and a control unit."""
    if extended:
        return frame_id >> 16 in (_PHYSICAL, _FUNCTIONAL)
    return frame_id in _DIAGNOSTIC


def is_asking(frame_id: int, extended: bool) -> bool:
    """Whether this id is a tester's, as far as the id tells."""
    if extended:
        return frame_id >> 16 == _FUNCTIONAL or (frame_id >> 8 & 0xFF) not in TESTERS
    return frame_id in ASKING


@dataclass(slots=True)
class Owners:
    """One unit for each signal: the engine's where it says it, else the first that did. Two units never take turns."""

    _owners: dict[int, tuple[int, float]] = field(default_factory=dict)  # signal -> unit, time it last said it

    def take(self, unit: int, values: Mapping[int, float], ts: float) -> dict[int, float]:
        """Those of the values that are this unit's to say at `ts`."""
        mine = {}
        for signal, value in values.items():
            owner, last = self._owners.get(signal, (unit, ts))
            if owner == unit or (unit in ENGINE and owner not in ENGINE) or ts - last > QUIET_S:
                self._owners[signal] = unit, ts
                mine[signal] = value
        return mine
