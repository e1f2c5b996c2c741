"""SAE J1939 as the telematics unit reads it: parameter groups by DBC, DM1 also in several packets (BAM), error
patterns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.telemetry import LAMPS, LampName
from simulator.codec import Codec, Place, codec

DM1, TP_CM, TP_DT = 0xFECA, 0xEC00, 0xEB00
_BAM, _RTS = 0x20, 0x10  #: to everybody, and to one
TIRE = 0xFEF4
_PROPRIETARY = range(0xFF00, 0x10000)
_MOST = 0xFA  #: above lie the patterns for error and not available, in the highest byte of every field
#: (axle, position) -> signals of pressure and air temperature. A steering axle has two wheels, the others up to four.
TYRES: Mapping[tuple[int, int], tuple[int, int]] = {
    (0, 0): (70, 74),
    (0, 1): (71, 75),
    **{
        (axle, place): (90 + 4 * (axle - 1) + place, 106 + 4 * (axle - 1) + place)
        for axle in range(1, 5)
        for place in range(4)
    },
}


def group_of(frame_id: int) -> int:
    """The parameter group number of a 29-bit id; below PF 240 the second byte is a destination, not part of it."""
    pgn = frame_id >> 8 & 0x3FFFF
    return pgn & 0x3FF00 if (pgn >> 8 & 0xFF) < 240 else pgn


def sender_of(frame_id: int) -> int:
    """The source address."""
    return frame_id & 0xFF


_FLASH: Mapping[int, Literal["slow", "fast"]] = {
    0: "slow",
    1: "fast",
}  #: of its second byte; all ones: it does not flash


@dataclass(frozen=True, slots=True)
class Lamps:
    """What one control unit says of the four lamps: those that are on, and how those flash that do."""

    on: frozenset[LampName] = frozenset()
    flash: tuple[tuple[LampName, Literal["slow", "fast"]], ...] = ()


@dataclass(frozen=True, slots=True)
class Dm1:
    """A DM1: lamps, active codes (SPN/FMI), and how many codes are written in a way that cannot be told
    (`unreadable`).
    """

    lamps: Lamps
    codes: tuple[str, ...]
    unreadable: int = 0


def dm1_of(payload: bytes) -> Dm1 | None:
    """A DM1 of any length; None where there is none.

    A code whose conversion-method bit is set puts the bits of its SPN in one of three older orders, and does not say in
    which: it is counted, not guessed.
    """
    if len(payload) < 2:
        return None
    lamps = _lamps_of(payload[0], payload[1])
    codes, unreadable = [], 0
    for n in range(2, len(payload) - 3, 4):
        four = payload[n : n + 4]
        if four in (b"\0\0\0\0", b"\xff\xff\xff\xff"):
            continue
        spn = four[0] | four[1] << 8 | four[2] >> 5 << 16
        if four[3] & 0x80:
            unreadable += 1
        elif spn:
            codes.append(f"{spn}/{four[2] & 0x1F}")
    return Dm1(lamps, tuple(codes), unreadable)


def _lamps_of(state: int, flash: int) -> Lamps:
    pairs = {name: (state >> shift & 3, flash >> shift & 3) for name, shift in zip(LAMPS, (6, 4, 2, 0), strict=True)}
    on = [name for name, (lit, _) in pairs.items() if lit == 1]
    return Lamps(frozenset(on), tuple((name, _FLASH[pairs[name][1]]) for name in on if pairs[name][1] in _FLASH))


def union(all_units: Iterable[Lamps]) -> Lamps:
    """The car's lamps: on while any unit says so; of two that flash, the faster."""
    on: set[LampName] = set()
    flash: dict[LampName, Literal["slow", "fast"]] = {}
    for lamps in all_units:
        on |= lamps.on
        for name, pace in lamps.flash:
            flash[name] = "fast" if "fast" in (pace, flash.get(name)) else "slow"
    return Lamps(frozenset(on), tuple(sorted(flash.items())))


def dm1_bytes(lamp: bool, codes: list[str], stop: bool = False) -> bytes:
    """A DM1 as a control unit sends it."""
    payload = bytes([(0x40 if lamp else 0x00) | (0x10 if stop else 0x00), 0xFF])
    for code in codes:
        spn, fmi = (int(part) for part in code.split("/"))
        payload += bytes([spn & 0xFF, spn >> 8 & 0xFF, (spn >> 16) << 5 | fmi, 1])
    return payload if codes else payload + b"\0\0\0\0\xff\xff"


def bam(pgn: int, sender: int, payload: bytes) -> list[tuple[int, bytes]]:
    """Frames that broadcast a long payload."""
    packets = -(-len(payload) // 7)
    announce = bytes(
        [_BAM, len(payload) & 0xFF, len(payload) >> 8, packets, 0xFF, pgn & 0xFF, pgn >> 8 & 0xFF, pgn >> 16]
    )
    frames = [(0x1CECFF00 | sender, announce)]
    for n in range(packets):
        frames.append((0x1CEBFF00 | sender, bytes([n + 1]) + payload[7 * n : 7 * n + 7].ljust(7, b"\xff")))
    return frames


@dataclass(slots=True)
class _Long:
    pgn: int
    size: int
    packets: int
    data: bytearray = field(default_factory=bytearray)
    heard: int = 0


class Listener:
    """Puts long messages together, one per sender and destination: a unit may broadcast one while it sends another to a
    tester.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], _Long] = {}

    def hear(self, frame_id: int, data: bytes) -> tuple[int, bytes] | str | None:
        """The group and whole payload that this frame completes; None while it is not complete; else why it is
        nothing.
        """
        pgn, line = group_of(frame_id), (sender_of(frame_id), frame_id >> 8 & 0xFF)
        if not data:
            return "empty_frame"
        if pgn == TP_CM:
            if len(data) == 8 and data[0] in (_BAM, _RTS):
                self._open[line] = _Long(data[5] | data[6] << 8 | data[7] << 16, data[1] | data[2] << 8, data[3])
            return None
        if pgn != TP_DT:
            return pgn, data
        going = self._open.get(line)
        if going is None or data[0] != going.heard + 1:  # its start was missed, or a packet was lost
            self._open.pop(line, None)
            return None
        going.heard += 1
        going.data += data[1:]
        if going.heard < going.packets:
            return None
        del self._open[line]
        return going.pgn, bytes(going.data[: going.size])


class Groups:
    """The parameter groups of the standard (`j1939.dbc`) and of our truck's DBC, whoever sends them; what a maker
    defines himself is left out.
    """

    def __init__(self) -> None:
        self._by_group: dict[int, tuple[Codec, int]] = {}
        for book in (codec(("truck.dbc",)), codec(("j1939.dbc",))):
            self._by_group |= {group_of(i): (book, i) for i in book.messages if group_of(i) not in _PROPRIETARY}

    def names(self) -> dict[int, tuple[str, tuple[Place, ...]]]:
        """Each group we read: its name and what it holds."""
        return {pgn: (book.messages[i].name, book.places[i]) for pgn, (book, i) in self._by_group.items()}

    def values_of(self, pgn: int, payload: bytes) -> dict[int, float] | None:
        """The values of a group; None when it is not known. Error and not-available patterns are no values."""
        if pgn == TIRE:
            return tyre_of(payload)
        found = self._by_group.get(pgn)
        if found is None:
            return None
        if len(payload) < 8:
            return {}
        book, frame_id = found
        data = book.messages[frame_id].decode(payload[:8], decode_choices=False)
        places: tuple[Place, ...] = book.places[frame_id]
        return {p.signal: round(float(data[p.name]), p.digits) for p in places if data[p.name] <= p.high + p.scale / 2}


def tyre_of(payload: bytes) -> dict[int, float]:
    """One tyre of the standard tire condition group: its place (axle from the front, position from the left), pressure,
    temperature.
    """
    if len(payload) < 4:
        return {}
    signals = TYRES.get((payload[0] >> 4, payload[0] & 0x0F))
    if signals is None:
        return {}
    pressure, temperature = signals
    raw = payload[2] | payload[3] << 8
    found = {pressure: payload[1] * 4.0} if payload[1] <= _MOST else {}
    return found | ({temperature: round(raw / 32 - 273, 2)} if payload[3] <= _MOST else {})
