"""What the rules remember of one car: one bytearray, so that a hundred thousand cars cost the garbage collector nothing.

Layout: header (8 bytes) | open rules (8, a bit each) | last values | each rule's own cell | tail (open alerts, JSON).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import Any, TypeAlias

Memory: TypeAlias = bytearray

PROFILE_AT = 0  #: which program of the judge reads this memory
OPEN_AT = 1  #: 1 while any alert is pending or active: the quiet path looks at this one byte
MASK_AT = 8  #: which rules those are
BODY_AT = 16
MASK = Struct("<Q")


class Cell:
    """A rule's own piece of a car's memory."""

    __slots__ = ("at", "memory", "size")

    def __init__(self, memory: Memory, at: int, size: int) -> None:
        self.memory, self.at, self.size = memory, at, size

    def read(self, layout: Struct, offset: int = 0) -> tuple[Any, ...]:
        """The fields at `offset`."""
        return layout.unpack_from(self.memory, self.at + offset)

    def write(self, layout: Struct, *fields: float, offset: int = 0) -> None:
        """Put the fields at `offset`."""
        layout.pack_into(self.memory, self.at + offset, *fields)

    def due(self, ts: float, period_s: int, offset: int = 0) -> bool:
        """Whether this reading is the first of its period; says so once, and remembers."""
        bucket = int(ts) // period_s & 255
        if self.memory[self.at + offset] == bucket:
            return False
        self.memory[self.at + offset] = bucket
        return True


class Ring:
    """The newest `room` records of one layout, newest first, whose first field is a time. Shifted, not rotated:
    two cars that saw the same have the same bytes."""

    __slots__ = ("layout", "offset", "room", "size")

    def __init__(self, layout: str, room: int, offset: int = 0) -> None:
        self.layout, self.room, self.offset = Struct("<" + layout), room, offset
        self.size = 1 + room * self.layout.size

    def count(self, cell: Cell) -> int:
        """How many records there are."""
        return cell.memory[cell.at + self.offset]

    def records(self, cell: Cell, most: int = 255) -> list[tuple[Any, ...]]:
        """Newest first, at most so many."""
        start = cell.at + self.offset + 1
        end = start + min(most, self.count(cell)) * self.layout.size
        return list(self.layout.iter_unpack(bytes(cell.memory[start:end])))

    def newest(self, cell: Cell) -> tuple[Any, ...] | None:
        """The newest record alone."""
        start = cell.at + self.offset
        return self.layout.unpack_from(cell.memory, start + 1) if cell.memory[start] else None

    def push(self, cell: Cell, *fields: float) -> None:
        """Insert a record at its time; the oldest falls out when the ring is full."""
        newest = self.newest(cell)
        if newest is None or fields[0] >= newest[0]:  # in order, as nearly always: shift the bytes
            memory, size = cell.memory, self.layout.size
            start = cell.at + self.offset + 1
            end = start + self.room * size
            memory[start + size : end] = memory[start : end - size]
            self.layout.pack_into(memory, start, *fields)
            memory[start - 1] = min(self.room, memory[start - 1] + 1)
            return
        self.keep(cell, [fields, *self.records(cell)])

    def replace(self, cell: Cell, *fields: float) -> None:
        """Put the newest record anew (a running mean of today)."""
        self.layout.pack_into(cell.memory, cell.at + self.offset + 1, *fields)

    def keep(self, cell: Cell, records: list[tuple[Any, ...]]) -> None:
        """Write these records, newest first by their time."""
        kept = sorted(records, key=lambda record: -record[0])[: self.room]
        start = cell.at + self.offset
        cell.memory[start] = len(kept)
        packed = b"".join(self.layout.pack(*record) for record in kept)
        blank = b"\0" * (self.room * self.layout.size - len(packed))
        cell.memory[start + 1 : start + 1 + len(packed) + len(blank)] = packed + blank


@dataclass(slots=True)
class Track:
    """Where one alert of one rule and component stands; idle tracks keep only their episode number."""

    rule: str
    component: str
    state: str = ""  #: "" idle, else the value of an AlertState
    episode: int = 0
    step: int = -1
    severity: str = ""
    since: float = 0.0  #: when it began to hold
    clear_since: float | None = None
    lower_since: float | None = None  #: since when a lower severity is judged
    first_place: int = 0
    flips: list[float] = field(default_factory=list)  #: times at which it began or fell away, newest last
    samples: list[list[float]] = field(default_factory=list)  #: [ts, value] that mattered
    intermittent: bool = False

    @property
    def open(self) -> bool:
        """Whether the alert is pending or active."""
        return self.state != ""

    def row(self) -> list[Any]:
        """As kept in the tail."""
        idle = [self.rule, self.component, self.state, self.episode, self.flips]
        if not self.open:
            return idle
        return [
            *idle, self.step, self.severity, self.since, self.clear_since, self.lower_since,
            self.first_place, self.samples, int(self.intermittent),
        ]  # fmt: skip

    @classmethod
    def from_row(cls, row: list[Any]) -> Track:
        """As read from the tail."""
        track = cls(row[0], row[1], row[2], row[3], flips=row[4])
        if track.open:
            (track.step, track.severity, track.since, track.clear_since, track.lower_since, track.first_place, track.samples) = row[5:12]
            track.intermittent = bool(row[12])
        return track


Tracks: TypeAlias = dict[tuple[str, str], Track]


def tracks_of(memory: Memory, body_end: int) -> Tracks:
    """The alerts that are open, and the episode numbers of those that were."""
    tail = memory[body_end:]
    return {(t.rule, t.component): t for t in map(Track.from_row, json.loads(tail))} if tail else {}


def keep_tracks(memory: Memory, body_end: int, tracks: Tracks, bits: dict[str, int]) -> None:
    """Write the tail, the open byte and the mask of open rules."""
    mask = 0
    for track in tracks.values():
        if track.open and track.rule in bits:
            mask |= 1 << bits[track.rule]
    memory[OPEN_AT] = 1 if mask else 0
    MASK.pack_into(memory, MASK_AT, mask)
    memory[body_end:] = json.dumps([t.row() for t in tracks.values()], separators=(",", ":")).encode() if tracks else b""


def bits_of(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
