"""Diagnosis over ISO-TP: control units that answer OBD-II 01/02/03/07/0A and UDS 0x14/0x19/0x22, and the unit that asks
them.

A car's codes are read with services 03, 07 and 0A, an electric car's with UDS 0x19 02 and its snapshot with 04 (a unit
that does not know 02 is asked for all it supports, 0A), a truck's are broadcast as DM1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import can
import isotp
from udsoncan import DidCodec
from udsoncan.exceptions import ConfigError, InvalidResponseException
from udsoncan.Request import Request
from udsoncan.Response import Response
from udsoncan.services.ReadDTCInformation import ReadDTCInformation

from schemas.errors import Unavailable
from schemas.telemetry import LAMPS, Diagnostics, FreezeFrame, TroubleCode
from simulator import j1939, obd2, uds
from simulator.codes import CodeMemory
from simulator.telematics import PATHS

REQUEST, ANSWER = 0x7E0, 0x7E8
FREEZE_PIDS = (0x04, 0x05, 0x06, 0x07, 0x0B, 0x0C, 0x0D, 0x0F, 0x10, 0x1F, 0x42)
_ISO_TP = {
    "stmin": 0,
    "blocksize": 0,
    "tx_padding": 0xCC,
    "rx_flowcontrol_timeout": 1000,
    "rx_consecutive_frame_timeout": 1000,
}
_BACK: Mapping[int, Callable[[float], bytes]] = {
    0x04: lambda v: _clip(v * 2.55, 1),
    0x05: lambda v: _clip(v + 40, 1),
    0x06: lambda v: _clip((v + 100) * 1.28, 1),
    0x07: lambda v: _clip((v + 100) * 1.28, 1),
    0x0B: lambda v: _clip(v, 1),
    0x0C: lambda v: _clip(v * 4, 2),
    0x0D: lambda v: _clip(v, 1),
    0x0F: lambda v: _clip(v + 40, 1),
    0x10: lambda v: _clip(v * 100, 2),
    0x1F: lambda v: _clip(v, 2),
    0x21: lambda v: _clip(v, 2),
    0x2F: lambda v: _clip(v * 2.55, 1),
    0x30: lambda v: _clip(v, 1),
    0x31: lambda v: _clip(v, 2),
    0x33: lambda v: _clip(v, 1),
    0x42: lambda v: _clip(v * 1000, 2),
    0x46: lambda v: _clip(v + 40, 1),
    0x5C: lambda v: _clip(v + 40, 1),
}


def _clip(value: float, size: int) -> bytes:
    return min(max(round(value), 0), (1 << 8 * size) - 1).to_bytes(size, "big")


def status_byte(pending: bool, confirmed: bool, lamp: bool, failing: bool) -> int:
    """ISO 14229's status of one code."""
    return (failing and 0x03) | (pending and uds.PENDING) | (confirmed and uds.CONFIRMED) | (lamp and uds.LAMP) | 0x20


class Answerer:
    """What a control unit answers to a request; it reads the car's code memory and the values it last sent."""

    def __init__(self, vin: str, memory: CodeMemory, values: Callable[[], Mapping[int, float]]) -> None:
        self._vin, self._memory, self._values = vin, memory, values

    def answer(self, request: bytes) -> bytes:
        """The answer's payload, positive or negative."""
        service, rest = request[0], request[1:]
        known: dict[int, Callable[[bytes], bytes | None]] = {
            0x01: lambda r: self._live(r[0]),
            0x02: lambda r: self._frozen(r[0]),
            0x03: lambda r: self._listed(0x43, "confirmed"),
            0x07: lambda r: self._listed(0x47, "pending"),
            0x0A: lambda r: self._listed(0x4A, "permanent"),
            0x04: lambda r: self._cleared(b"\x44"),
            0x09: lambda r: b"\x49\x02\x01" + self._vin.encode() if r[:1] == b"\x02" else None,
            0x14: lambda r: self._cleared(b"\x54"),
            0x19: self._read_codes,
            0x22: lambda r: b"\x62\xf1\x90" + self._vin.encode() if r[:2] == b"\xf1\x90" else None,
        }
        make = known.get(service)
        if make is None:
            return bytes([0x7F, service, 0x11])  # serviceNotSupported
        found = make(rest) if rest or service in (0x03, 0x04, 0x07, 0x0A) else None
        return found if found is not None else bytes([0x7F, service, 0x12 if service == 0x19 else 0x31])

    def _live(self, pid: int) -> bytes | None:
        if pid == 0x01:
            return bytes([0x41, 0x01, (0x80 if self._memory.lamp else 0) | min(self._memory.count, 0x7F), 0, 0, 0])
        data = _encoded(pid, self._values())
        return None if data is None else bytes([0x41, pid]) + data

    def _frozen(self, pid: int) -> bytes | None:
        code, frame = frozen_of(self._memory)
        if pid == 0x02:
            return bytes([0x42, 0x02, 0x00]) + (obd2.bytes_of(code) if code else b"\0\0")
        data = _encoded(pid, frame)
        return None if data is None else bytes([0x42, pid, 0x00]) + data

    def _listed(self, service: int, status: str) -> bytes:
        codes = sorted(self._memory.listed(status))
        return bytes([service, len(codes)]) + b"".join(obd2.bytes_of(code) for code in codes)

    def _cleared(self, answer: bytes) -> bytes:
        self._memory.clear()
        return answer

    def _read_codes(self, rest: bytes) -> bytes | None:
        mask = rest[1] if len(rest) > 1 else 0xFF
        if rest[0] == 0x04:
            return self._snapshot(rest[1:])
        if rest[0] == 0x0A:
            return bytes([0x59, 0x0A, 0xFF]) + b"".join(
                obd2.bytes_of(code) + bytes([0x00, self._status(code)]) for code in self._memory.supported
            )
        records = [(code, byte) for code in sorted(self._memory.stored) if (byte := self._status(code)) & mask]
        if rest[0] == 0x01:
            return bytes([0x59, 0x01, 0xFF, 0x01, len(records) >> 8, len(records) & 0xFF])
        if rest[0] == 0x02:
            return bytes([0x59, 0x02, 0xFF]) + b"".join(
                obd2.bytes_of(code) + bytes([0x00, byte]) for code, byte in records
            )
        return None

    def _status(self, code: str) -> int:
        stored = self._memory.stored.get(code)
        return 0x00 if stored is None else status_byte(stored.pending, stored.confirmed, stored.lamp, stored.failing)

    def _snapshot(self, rest: bytes) -> bytes | None:
        """What was measured when that code was stored: record 1, or all of them (FF); none when it stored nothing."""
        if len(rest) != 4:
            return bytes([0x7F, 0x19, 0x13])  # incorrectMessageLengthOrInvalidFormat
        code, number = obd2.code_of(rest[:2]), rest[3]
        if code is None or code not in self._memory.supported or number not in (0x01, 0xFF):
            return bytes([0x7F, 0x19, 0x31])  # requestOutOfRange
        stored = self._memory.stored.get(code)
        record = b"" if stored is None else uds.snapshot_record(stored.frame)
        return bytes([0x59, 0x04]) + rest[:3] + bytes([self._status(code)]) + record


def _encoded(pid: int, values: Mapping[int, float]) -> bytes | None:
    known = obd2.PIDS.get(pid)
    if known is None or pid not in _BACK or known[0] not in values:
        return None
    return _BACK[pid](values[known[0]])


def frozen_of(memory: CodeMemory) -> tuple[str, Mapping[int, float]]:
    """The freeze frame: of the first confirmed code, and the signals of that moment."""
    for name, code in sorted(memory.stored.items()):
        if code.confirmed and code.frame:
            return name, code.frame
    return "", {}


Ask = Callable[[bytes], bytes]


class Link:
    """ISO-TP between the telematics unit and one control unit, over their CAN buses; no threads, so time-lapse is no
    matter.
    """

    def __init__(self, unit_bus: can.BusABC, ecu_bus: can.BusABC, answerer: Answerer) -> None:
        self._answerer = answerer
        self.unit = _layer(unit_bus, txid=REQUEST, rxid=ANSWER)
        self.ecu = _layer(ecu_bus, txid=ANSWER, rxid=REQUEST)

    def ask(self, request: bytes) -> bytes:
        """Send a request, let both sides run until the answer is whole."""
        self.unit.send(request)
        for _ in range(200):
            self.unit.process()
            self.ecu.process()
            if self.ecu.available():
                self.ecu.send(self._answerer.answer(bytes(self.ecu.recv())))
            if self.unit.available():
                return bytes(self.unit.recv())
        raise Unavailable("the control unit", f"no answer to {request.hex()}")


def _layer(bus: can.BusABC, *, txid: int, rxid: int) -> Any:
    def receive(timeout: float) -> Any:
        while (frame := bus.recv(0.0)) is not None:
            if frame.arbitration_id == rxid:
                return isotp.CanMessage(arbitration_id=rxid, data=bytes(frame.data), extended_id=False)
        return None

    def send(message: Any) -> None:
        bus.send(can.Message(arbitration_id=message.arbitration_id, data=message.data, is_extended_id=False))

    address = isotp.Address(isotp.AddressingMode.Normal_11bits, txid=txid, rxid=rxid)
    return isotp.TransportLayerLogic(rxfn=receive, txfn=send, address=address, params=_ISO_TP)


def read_car(ask: Ask, ts: float) -> Diagnostics:
    """The whole list of a car with a combustion engine, by OBD-II."""
    best: dict[str, str] = {}
    for service, status in ((0x0A, "permanent"), (0x07, "pending"), (0x03, "confirmed")):
        for code in obd2.codes_of(ask(bytes([service]))):
            best[code] = status
    lamp = bool(ask(b"\x01\x01")[2] & 0x80)
    codes = [
        TroubleCode.model_validate({"system": "obd", "code": code, "status": status})
        for code, status in sorted(best.items())
    ]
    return Diagnostics(
        ts=datetime.fromtimestamp(ts, UTC),
        codes=codes,
        mil=lamp,
        freeze_frame=_read_frozen(ask) if "confirmed" in best.values() else None,
    )


def _read_frozen(ask: Ask) -> FreezeFrame | None:
    code = obd2.code_of(ask(b"\x02\x02\x00")[3:5])
    if code is None:
        return None
    signals: dict[str, float | bool | None] = {}
    for pid in FREEZE_PIDS:
        answer = ask(bytes([0x02, pid, 0x00]))
        if answer[0] != 0x42:
            continue
        values = obd2.values_of(bytes([0x41, pid]) + answer[3:])
        if not isinstance(values, str):
            signals |= {PATHS[signal]: value for signal, value in values.items()}
    return FreezeFrame(code=code, signals=signals)


def read_electric(ask: Ask, ts: float) -> Diagnostics:
    """The whole list of an electric car, by UDS 0x19 02 (pending or confirmed), with the snapshot of the first
    confirmed code.
    """
    codes, confirmed, lamp = [], None, False
    for number, byte in _listed_dtcs(ask):
        lamp = lamp or bool(byte & uds.LAMP)
        code, status = obd2.code_of((number >> 8).to_bytes(2, "big")), uds.status_of(byte)
        if code is not None and status is not None:
            name = f"{code}-{number & 0xFF:02X}"
            codes.append(TroubleCode.model_validate({"system": "uds", "code": name, "status": status}))
            if status == "confirmed" and confirmed is None:
                confirmed = (number, name)
    frame = None if confirmed is None else _read_snapshot(ask, *confirmed)
    return Diagnostics(ts=datetime.fromtimestamp(ts, UTC), codes=codes, mil=lamp, freeze_frame=frame)


def _listed_dtcs(ask: Ask) -> list[tuple[int, int]]:
    """Number and status byte of each code that is pending or confirmed; from all supported ones where the unit cannot
    choose.
    """
    request = ReadDTCInformation.make_request(2, status_mask=uds.PENDING | uds.CONFIRMED)
    response = Response.from_payload(ask(Request.get_payload(request)))
    subfunction = 0x02
    if not response.positive:
        subfunction = 0x0A
        response = Response.from_payload(ask(Request.get_payload(ReadDTCInformation.make_request(subfunction))))
        if not response.positive:
            raise Unavailable("the control unit", f"it gives no list of codes: {response.code_name}")
    data = ReadDTCInformation.interpret_response(response, subfunction)
    return [(found.id, found.status.get_byte_as_int()) for found in data.service_data.dtcs]


class _Snapped(DidCodec):
    """A field of a snapshot, for udsoncan."""

    def __init__(self, field: uds.Field) -> None:
        super().__init__()
        self._field = field

    def decode(self, did_payload: bytes) -> Any:
        return self._field.value(did_payload)

    def __len__(self) -> int:
        return self._field.length


_SNAPPED: dict[int | str, str | DidCodec | type[DidCodec]] = {
    number: _Snapped(field) for number, field in uds.SNAPSHOT.items()
}


def _read_snapshot(ask: Ask, number: int, code: str) -> FreezeFrame | None:
    """What the car measured when the code was stored; None when it has kept nothing that we can read."""
    request = ReadDTCInformation.make_request(4, dtc=number, snapshot_record_number=0xFF)
    response = Response.from_payload(ask(Request.get_payload(request)))
    if not response.positive:
        return None
    try:
        data = ReadDTCInformation.interpret_response(response, 4, didconfig=_SNAPPED)
    except (InvalidResponseException, ConfigError):  # a maker's own identifiers: shown without
        return None
    found: list[Any] = [snapshot for dtc in data.service_data.dtcs for snapshot in dtc.snapshots]
    signals: dict[str, float | bool | None] = {
        PATHS[uds.SNAPSHOT[s.did].signal]: s.data for s in found if s.data is not None
    }
    return FreezeFrame(code=code, signals=signals) if signals else None


def dm1_frames(memory: CodeMemory) -> list[can.Message]:
    """A truck's active codes as its engine broadcasts them: one frame, or several by BAM."""
    payload = j1939.dm1_bytes(memory.lamp, sorted(name for name, code in memory.stored.items() if code.lamp))
    frames = [(0x18FECA00, payload)] if len(payload) <= 8 else j1939.bam(j1939.DM1, 0x00, payload)
    return [can.Message(arbitration_id=frame_id, data=data, is_extended_id=True) for frame_id, data in frames]


def read_truck(payload: bytes, ts: float) -> Diagnostics:
    """The whole list of a truck, from a DM1."""
    dm1 = j1939.dm1_of(payload)
    if dm1 is None:
        raise Unavailable("the control unit", "its DM1 is empty")
    listed = [TroubleCode(system="j1939", code=code, status="active") for code in dm1.codes]
    lamps = {name: name in dm1.lamps.on for name in LAMPS}
    return Diagnostics.model_validate(
        {"ts": datetime.fromtimestamp(ts, UTC), "codes": listed, **lamps, "flash": dict(dm1.lamps.flash)}
    )


def read_without_bus(drive: str, memory: CodeMemory, ts: float) -> Diagnostics:
    """What the unit would read over the bus: the same requests and answers, without frames (for `score`)."""
    if drive == "truck":
        active = sorted(name for name, code in memory.stored.items() if code.lamp)
        return read_truck(j1939.dm1_bytes(memory.lamp, active), ts)
    ask = Answerer("", memory, dict).answer
    return read_electric(ask, ts) if drive == "electric" else read_car(ask, ts)
