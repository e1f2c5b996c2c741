"""SAE J1939 as the telematics unit reads it: parameter groups by DBC, DM1 also in several packets (BAM), error patterns."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.codec import Codec, Place, codec

DM1, TP_CM, TP_DT = 0xFECA, 0xEC00, 0xEB00
_BAM = 0x20
_PROPRIETARY = range(0xFF00, 0x10000)


def group_of(frame_id: int) -> int:
    """The parameter group number of a 29-bit id; below PF 240 the second byte is a destination, not part of it."""
    pgn = frame_id >> 8 & 0x3FFFF
    return pgn & 0x3FF00 if (pgn >> 8 & 0xFF) < 240 else pgn


def sender_of(frame_id: int) -> int:
    """The source address."""
    return frame_id & 0xFF


@dataclass(frozen=True, slots=True)
class Lamps:
    """The first byte of a DM1: malfunction, red stop, amber warning, protect."""

    malfunction: bool
    stop: bool
    warning: bool
    protect: bool


def dm1_of(payload: bytes) -> tuple[Lamps, list[str]]:
    """Lamps and active codes (SPN/FMI) of a DM1, however long."""
    lamp = payload[0]
    lamps = Lamps(*((lamp >> shift & 3) == 1 for shift in (6, 4, 2, 0)))
    codes = []
    for n in range(2, len(payload) - 3, 4):
        four = payload[n : n + 4]
        if four in (b"\0\0\0\0", b"\xff\xff\xff\xff"):
            continue
        spn = four[0] | four[1] << 8 | four[2] >> 5 << 16
        codes.append(f"{spn}/{four[2] & 0x1F}")
    return lamps, codes


def dm1_bytes(lamp: bool, codes: list[str]) -> bytes:
    """A DM1 as a control unit sends it."""
    payload = bytes([0x40 if lamp else 0x00, 0xFF])
    for code in codes:
        spn, fmi = (int(part) for part in code.split("/"))
        payload += bytes([spn & 0xFF, spn >> 8 & 0xFF, (spn >> 16) << 5 | fmi, 1])
    return payload if codes else payload + b"\0\0\0\0\xff\xff"


def bam(pgn: int, sender: int, payload: bytes) -> list[tuple[int, bytes]]:
    """Frames that broadcast a long payload."""
    packets = -(-len(payload) // 7)
    announce = bytes([_BAM, len(payload) & 0xFF, len(payload) >> 8, packets, 0xFF, pgn & 0xFF, pgn >> 8 & 0xFF, pgn >> 16])
    frames = [(0x1CECFF00 | sender, announce)]
    for n in range(packets):
        frames.append((0x1CEBFF00 | sender, bytes([n + 1]) + payload[7 * n : 7 * n + 7].ljust(7, b"\xff")))
    return frames


@dataclass(slots=True)
class _Broadcast:
    pgn: int
    size: int
    packets: int
    data: bytearray = field(default_factory=bytearray)
    heard: int = 0


class Listener:
    """Puts long broadcasts together, one per sender."""

    def __init__(self) -> None:
        self._open: dict[int, _Broadcast] = {}

    def hear(self, frame_id: int, data: bytes) -> tuple[int, bytes] | None:
        """The group and whole payload that this frame completes, or None."""
        pgn, sender = group_of(frame_id), sender_of(frame_id)
        if pgn == TP_CM:
            if len(data) == 8 and data[0] == _BAM:
                self._open[sender] = _Broadcast(data[5] | data[6] << 8 | data[7] << 16, data[1] | data[2] << 8, data[3])
            return None
        if pgn != TP_DT:
            return pgn, data
        going = self._open.get(sender)
        if going is None or data[0] != going.heard + 1:  # its start was missed, or a packet was lost
            self._open.pop(sender, None)
            return None
        going.heard += 1
        going.data += data[1:]
        if going.heard < going.packets:
            return None
        del self._open[sender]
        return going.pgn, bytes(going.data[: going.size])


class Groups:
    """The parameter groups of our truck's DBC, whoever sends them; what a maker defines himself is left out."""

    def __init__(self) -> None:
        self._codec: Codec = codec(("truck.dbc",))
        self._by_group = {group_of(i): i for i in self._codec.messages if group_of(i) not in _PROPRIETARY}

    def values_of(self, pgn: int, payload: bytes) -> dict[int, float] | None:
        """The values of a group; None when it is not known. Error and not-available patterns are no values."""
        frame_id = self._by_group.get(pgn)
        if frame_id is None:
            return None
        if len(payload) < 8:
            return {}
        said = self._codec.messages[frame_id].decode(payload[:8], decode_choices=False)
        places: tuple[Place, ...] = self._codec.places[frame_id]
        return {p.signal: round(float(said[p.name]), p.digits) for p in places if said[p.name] <= p.high + p.scale / 2}
