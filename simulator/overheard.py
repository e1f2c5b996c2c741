"""The decoder of a recorded bus: every frame becomes values, codes, or a counted reason why it did not.

Several control units answer the same question. Each has its own list of codes and its own lamps: the car's list is
their union, a lamp is on while any of them says so, and a value is heard from one of them (`control_units.Owners`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

import can
from pydantic import ValidationError

from schemas.telemetry import LAMPS, Diagnostics, TroubleCode
from simulator import j1939, obd2, uds
from simulator.control_units import Owners, is_asking, is_diagnostic
from simulator.isotp_listener import IsoTpListener
from simulator.j1939 import Lamps

J1939_SAMPLE_S = 1.0  # a machine's bus repeats itself every 10 ms: one sample a second is kept
_LAMP, _COUNT, _ODOMETER = 33, 34, 2
_VD, _VDHR = 0xFEE0, 0xFEC1  #: total distance in 125 m, and in 5 m
_ANSWERS = frozenset(
    {0x41, 0x42, 0x43, 0x44, 0x46, 0x47, 0x49, 0x4A, 0x50, 0x51, 0x54, 0x59, 0x61, 0x62, 0x67, 0x6E, 0x71, 0x7E, 0x7F}
)
_OFF = Lamps()


@dataclass(slots=True)
class Decoded:
    """What one frame led to."""

    ts: float
    values: dict[int, float] = field(default_factory=dict)
    diagnostics: Diagnostics | None = None


@dataclass(slots=True)
class _Listed:
    """What one control unit says in one list."""

    codes: list[TroubleCode] = field(default_factory=list)
    lamps: Lamps = _OFF


class Overheard:
    """Keeps what belongs together: long payloads, each unit's codes and lamps, the current second of a J1939 bus.

    `answers`: ids beyond 0x700-0x7FF and 18DA.. on which units of this car answer. `layouts`: names of the maker's own
    identifiers that this model has (`simulator/uds.py`); none named: all whose length fits.
    """

    def __init__(self, *, answers: Collection[int] = (), layouts: Collection[str] = ()) -> None:
        self.ignored: Counter[str] = Counter()
        self.read: Counter[str] = Counter()  #: frames that became something, by protocol
        self._answers, self._layouts = frozenset(answers), frozenset(layouts)
        self._iso_tp, self._long, self._groups = IsoTpListener(), j1939.Listener(), j1939.Groups()
        self._owners = Owners()
        self._lists: dict[tuple[str, int], _Listed] = {}
        self._monitors: dict[int, tuple[float, float]] = {}  # unit -> lamp and number of codes, as PID 01 has them
        self._fine_distance = False
        self._second: dict[int, float] = {}
        self._second_ends = 0.0

    def hear(self, frame: can.Message, ts: float) -> list[Decoded]:
        """What this frame says at `ts`."""
        if frame.is_error_frame or frame.is_remote_frame:
            return self._ignore("error_or_remote_frame")
        frame_id, extended, data = frame.arbitration_id, bool(frame.is_extended_id), bytes(frame.data)
        if frame_id in self._answers or is_diagnostic(frame_id, extended):
            asks = frame_id not in self._answers and is_asking(frame_id, extended)
            return self._ignore("request") if asks else self._car(frame_id, data, ts)
        return self._machine(frame_id, data, ts) if extended else self._ignore("not_diagnostics")

    def rest(self) -> list[Decoded]:
        """What is left at the end of the recording."""
        decoded = [Decoded(self._second_ends, self._second)] if self._second else []
        self._second = {}
        return decoded

    # cars: OBD-II and UDS, on 11 and 29 bits

    def _car(self, unit: int, data: bytes, ts: float) -> list[Decoded]:
        whole = self._iso_tp.hear(unit, data)
        if whole is None:
            return self._ignore("part_of_a_longer_answer")
        if isinstance(whole, str):
            return self._ignore(whole)
        service = whole[0]
        if service < 0x40:
            return self._ignore("request")
        if service == 0x41:
            return self._live(unit, whole, ts)
        if service == 0x62:
            return self._values(unit, uds.values_of(unit, whole, self._layouts), ts, "uds")
        if service in obd2.CODE_LISTS:
            status = obd2.CODE_LISTS[service]
            return self._list(
                (status, unit), [("obd", code, status) for code in obd2.codes_of(whole)], _OFF, ts, "obd2"
            )
        if service == 0x59 and len(whole) > 2 and whole[1] == 0x02:
            known = [(code, uds.status_of(byte), byte) for code, byte in uds.codes_of(whole)]
            lamps = Lamps(frozenset({"mil"})) if any(byte & uds.LAMP for _, _, byte in known) else _OFF
            return self._list(
                ("uds", unit), [("uds", code, status) for code, status, _ in known if status], lamps, ts, "uds"
            )
        if service not in _ANSWERS:
            return self._ignore("no_diagnostic_service")
        return self._ignore("negative_answer" if service == 0x7F else f"service_{service:02x}_has_no_signal")

    def _live(self, unit: int, whole: bytes, ts: float) -> list[Decoded]:
        """An answer of service 01: one sample, of all its PIDs."""
        found: dict[int, float] = {}
        for part in obd2.parts_of(whole):
            one = obd2.values_of(part)
            if isinstance(one, str):
                self.ignored[one] += 1
            elif _LAMP in one:
                self._monitors[unit] = one[_LAMP], one[_COUNT]
                lit, counts = zip(*self._monitors.values(), strict=True)
                found |= {_LAMP: max(lit), _COUNT: min(255.0, sum(counts))}
            else:
                mine = self._owners.take(unit, one, ts)
                found |= mine
                if not mine:
                    self.ignored["another_unit_says_this"] += 1
        if not found:
            return []
        self.read["obd2"] += 1
        return [Decoded(ts, found)]

    def _values(self, unit: int, found: dict[int, float] | str, ts: float, protocol: str) -> list[Decoded]:
        if isinstance(found, str):
            return self._ignore(found)
        mine = self._owners.take(unit, found, ts)
        if not mine:
            return self._ignore("another_unit_says_this")
        self.read[protocol] += 1
        return [Decoded(ts, mine)]

    def _list(
        self, source: tuple[str, int], entries: list[tuple[str, str, str]], lamps: Lamps, ts: float, protocol: str
    ) -> list[Decoded]:
        """A whole list of one unit; only what is new about it is a message."""
        codes = []
        for system, code, status in entries:
            try:
                codes.append(TroubleCode.model_validate({"system": system, "code": code, "status": status}))
            except ValidationError:
                self.ignored["code_that_is_none"] += 1
        before = self._lists.get(source, _Listed())
        self._lists[source] = _Listed(codes, lamps)
        if (before.codes, before.lamps) == (codes, lamps):
            return self._ignore("codes_unchanged")
        self.read[protocol] += 1
        return [Decoded(ts, diagnostics=self._diagnostics(ts))]

    # machines: J1939 on 29-bit ids

    def _machine(self, frame_id: int, data: bytes, ts: float) -> list[Decoded]:
        whole = self._long.hear(frame_id, data)
        if whole is None:
            return self._ignore("part_of_a_longer_message")
        if isinstance(whole, str):
            return self._ignore(whole)
        pgn, payload = whole
        if pgn == j1939.DM1:
            return self._active_codes(j1939.sender_of(frame_id), payload, ts)
        values = self._groups.values_of(pgn, payload)
        if values is None:
            return self._ignore("group_without_signal")
        if not values:
            return self._ignore("error_or_not_available")
        self._fine_distance = self._fine_distance or pgn == _VDHR
        if pgn == _VD and self._fine_distance:
            values.pop(_ODOMETER, None)
        values = self._owners.take(j1939.sender_of(frame_id), values, ts)
        if not values:
            return self._ignore("another_unit_says_this")
        self.read["j1939"] += 1
        decoded = self.rest() if ts >= self._second_ends and self._second else []
        if not self._second:
            self._second_ends = ts + J1939_SAMPLE_S
        if self._second.keys() & values.keys():
            self.ignored["between_samples"] += 1
            self.read["j1939"] -= 1
        self._second |= values
        return decoded

    def _active_codes(self, sender: int, payload: bytes, ts: float) -> list[Decoded]:
        dm1 = j1939.dm1_of(payload)
        if dm1 is None:
            return self._ignore("empty_frame")
        if dm1.unreadable:
            self.ignored["code_of_an_older_conversion_method"] += dm1.unreadable
        return self._list(("j1939", sender), [("j1939", code, "active") for code in dm1.codes], dm1.lamps, ts, "j1939")

    def _diagnostics(self, ts: float) -> Diagnostics:
        rank = {"confirmed": 0, "active": 0, "permanent": 1, "pending": 2}
        codes = sorted(
            (code for one in self._lists.values() for code in one.codes), key=lambda c: rank.get(c.status, 3)
        )
        best: dict[tuple[str, str], TroubleCode] = {}
        for code in codes:
            best.setdefault((code.system, code.code), code)
        lamps = j1939.union(one.lamps for one in self._lists.values())
        mil = "mil" in lamps.on or any(lit for lit, _ in self._monitors.values())
        others = {name: name in lamps.on for name in LAMPS[1:]}
        return Diagnostics.model_validate(
            {
                "ts": datetime.fromtimestamp(ts, UTC),
                "codes": list(best.values()),
                "mil": mil,
                **others,
                "flash": dict(lamps.flash),
            }
        )

    def _ignore(self, reason: str) -> list[Decoded]:
        self.ignored[reason] += 1
        return []
