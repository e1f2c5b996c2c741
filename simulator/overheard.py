"""The decoder of a recorded bus: every frame becomes values, codes, or a counted reason why it did not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import can

from schemas.telemetry import Diagnostics, TroubleCode
from simulator import j1939, obd2, uds
from simulator.isotp_listener import IsoTpListener

_UDS_ANSWERS = range(0x708, 0x7F0)
J1939_SAMPLE_S = 1.0  # a machine's bus repeats itself every 10 ms: one sample a second is kept


@dataclass(slots=True)
class Said:
    """What one frame led to."""

    ts: float
    values: dict[int, float] = field(default_factory=dict)
    diagnostics: Diagnostics | None = None


class Overheard:
    """Keeps what belongs together: long payloads, lists of codes, the current second of a J1939 bus."""

    def __init__(self) -> None:
        self.ignored: Counter[str] = Counter()
        self.read: Counter[str] = Counter()  #: frames that became something, by protocol
        self._iso_tp, self._broadcasts, self._groups = IsoTpListener(), j1939.Listener(), j1939.Groups()
        self._codes: dict[tuple[str, str], list[TroubleCode]] = {}
        self._lamp = False
        self._second: dict[int, float] = {}
        self._second_ends = 0.0

    def hear(self, frame: can.Message, ts: float) -> list[Said]:
        """What this frame says at `ts`."""
        if frame.is_error_frame or frame.is_remote_frame:
            return self._ignore("error_or_remote_frame")
        if frame.is_extended_id:
            return self._machine(frame.arbitration_id, bytes(frame.data), ts)
        return self._car(frame.arbitration_id, bytes(frame.data), ts)

    def rest(self) -> list[Said]:
        """What is left at the end of the recording."""
        said = [Said(self._second_ends, self._second)] if self._second else []
        self._second = {}
        return said

    # cars: OBD-II and UDS on 11-bit ids

    def _car(self, frame_id: int, data: bytes, ts: float) -> list[Said]:
        if frame_id not in _UDS_ANSWERS or not frame_id & 0x08:
            return self._ignore("request" if 0x700 <= frame_id < 0x800 else "not_diagnostics")
        whole = self._iso_tp.hear(frame_id, data)
        if whole is None:
            return self._ignore("part_of_a_longer_answer")
        if isinstance(whole, str):
            return self._ignore(whole)
        service = whole[0]
        if service == 0x41:
            return self._values(obd2.values_of(whole), ts, "obd2")
        if service == 0x62:
            return self._values(uds.values_of(frame_id, whole), ts, "uds")
        if service in obd2.CODE_LISTS:
            status = obd2.CODE_LISTS[service]
            codes = [TroubleCode.model_validate({"system": "obd", "code": c, "status": status}) for c in obd2.codes_of(whole)]
            return self._list(("obd", status), codes, ts, "obd2")
        if service == 0x59 and len(whole) > 2 and whole[1] == 0x02:
            known = [(code, uds.status_of(byte), byte) for code, byte in uds.codes_of(whole)]
            self._lamp = any(byte & uds.LAMP for _, _, byte in known)
            found = [
                TroubleCode.model_validate({"system": "uds", "code": code, "status": status})
                for code, status, _ in known
                if status
            ]
            return self._list(("uds", f"{frame_id:x}"), found, ts, "uds")
        return self._ignore("negative_answer" if service == 0x7F else f"service_{service:02x}_has_no_signal")

    def _values(self, found: dict[int, float] | str, ts: float, protocol: str) -> list[Said]:
        if isinstance(found, str):
            return self._ignore(found)
        self.read[protocol] += 1
        if 33 in found:
            self._lamp = bool(found[33])
        return [Said(ts, found)]

    def _list(self, source: tuple[str, str], codes: list[TroubleCode], ts: float, protocol: str) -> list[Said]:
        if self._codes.get(source, []) == codes:
            self._codes[source] = codes
            return self._ignore("codes_unchanged")
        self.read[protocol] += 1
        self._codes[source] = codes
        return [Said(ts, diagnostics=self._diagnostics(ts))]

    # machines: J1939 on 29-bit ids

    def _machine(self, frame_id: int, data: bytes, ts: float) -> list[Said]:
        whole = self._broadcasts.hear(frame_id, data)
        if whole is None:
            return self._ignore("part_of_a_longer_message")
        pgn, payload = whole
        if pgn == j1939.DM1:
            lamps, listed = j1939.dm1_of(payload)
            self._lamp = lamps.malfunction
            codes = [TroubleCode(system="j1939", code=code, status="active") for code in listed]
            return self._list(("j1939", f"{j1939.sender_of(frame_id):02x}"), codes, ts, "j1939")
        values = self._groups.values_of(pgn, payload)
        if values is None:
            return self._ignore("group_without_signal")
        if not values:
            return self._ignore("error_or_not_available")
        self.read["j1939"] += 1
        said = self.rest() if ts >= self._second_ends and self._second else []
        if not self._second:
            self._second_ends = ts + J1939_SAMPLE_S
        if self._second.keys() & values.keys():
            self.ignored["between_samples"] += 1
            self.read["j1939"] -= 1
        self._second |= values
        return said

    def _diagnostics(self, ts: float) -> Diagnostics:
        codes = [code for listed in self._codes.values() for code in listed]
        rank = {"confirmed": 0, "active": 0, "permanent": 1, "pending": 2}
        best: dict[tuple[str, str], TroubleCode] = {}
        for code in sorted(codes, key=lambda c: rank.get(c.status, 3)):
            best.setdefault((code.system, code.code), code)
        return Diagnostics(ts=datetime.fromtimestamp(ts, UTC), codes=list(best.values()), mil=self._lamp)

    def _ignore(self, reason: str) -> list[Said]:
        self.ignored[reason] += 1
        return []
