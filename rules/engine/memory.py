"""What the rules remember of one car: one bytearray, so that a hundred thousand cars cost the garbage collector
nothing.

Layout: header (8 bytes) | open rules (8, a bit each) | last values | each rule's own cell | tail (open alerts as JSON,
and packed: their samples, and the time of their newest evidence, which moves with each message while the rows stay).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from struct import Struct, calcsize
from typing import Any, TypeAlias

from pydantic_core import from_json, to_json

Memory: TypeAlias = bytearray

PROFILE_AT = 0  #: which program of the judge reads this memory
OPEN_AT = 1  #: 1 while any alert is pending or active: the quiet path looks at this one byte
CALM_AT = 4  #: while alerts are open: until which second a car whose values are quiet moves none of them
MASK_AT = 8  #: which rules those are
BODY_AT = 16
MASK = Struct("<Q")
CALM = Struct("<I")


class Cell:
    """A rule's own piece of a car's memory."""

    __slots__ = ("at", "memory")

    def __init__(self, memory: Memory, at: int) -> None:
        self.memory, self.at = memory, at

    def read(self, layout: Struct, offset: int = 0) -> tuple[Any, ...]:
        """The fields at `offset`."""
        return layout.unpack_from(self.memory, self.at + offset)

    def write(self, layout: Struct, *fields: float, offset: int = 0) -> None:
        """Put the fields at `offset`."""
        layout.pack_into(self.memory, self.at + offset, *fields)


class Ring:
    """The newest `room` records of one layout, newest first, whose first field is a time. Shifted, not rotated:
    two cars that saw the same have the same bytes."""

    __slots__ = ("_columns", "_counted", "_first", "_span", "_time", "layout", "offset", "room", "size")

    def __init__(self, layout: str, room: int, offset: int = 0) -> None:
        self.layout, self.room, self.offset = Struct("<" + layout), room, offset
        self.size = 1 + room * self.layout.size
        self._first, self._span = offset + 1, room * self.layout.size
        kinds = [kind for times, kind in re.findall(r"(\d*)([a-zA-Z])", layout) for _ in range(int(times or 1))]
        self._columns = tuple(
            Struct(f"<{room * (f'{calcsize(before)}x{kind}{calcsize(after)}x')}")
            for n, kind in enumerate(kinds)
            for before, after in [("<" + "".join(kinds[:n]), "<" + "".join(kinds[n + 1 :]))]
        )
        self._counted = Struct("<B" + layout)  # how many there are, and the newest
        self._time = Struct("<" + layout[0])

    def count(self, cell: Cell) -> int:
        """How many records there are."""
        return cell.memory[cell.at + self.offset]

    def kept(self, cell: Cell) -> bytes:
        """The records as they lie, newest first."""
        start = cell.at + self._first
        return bytes(cell.memory[start : start + cell.memory[start - 1] * self.layout.size])

    def records(self, cell: Cell) -> list[tuple[Any, ...]]:
        """Newest first."""
        return self.unpacked(self.kept(cell))

    def unpacked(self, kept: bytes) -> list[tuple[Any, ...]]:
        """The same of what `kept` gave."""
        return list(self.layout.iter_unpack(kept))

    def column(self, cell: Cell, field: int) -> tuple[Any, ...]:
        """That field of every record, newest first."""
        start = cell.at + self._first
        return self._columns[field].unpack_from(cell.memory, start)[: cell.memory[start - 1]]

    def newest(self, cell: Cell) -> tuple[Any, ...] | None:
        """The newest record alone."""
        start = cell.at + self._first
        return self.layout.unpack_from(cell.memory, start) if cell.memory[start - 1] else None

    def oldest(self, cell: Cell) -> tuple[Any, ...] | None:
        """The oldest record alone."""
        start = cell.at + self._first
        count = cell.memory[start - 1]
        return self.layout.unpack_from(cell.memory, start + (count - 1) * self.layout.size) if count else None

    def push(self, cell: Cell, *fields: float) -> None:
        """Insert a record at its time; the oldest falls out when the ring is full."""
        memory, start = cell.memory, cell.at + self._first
        count = memory[start - 1]
        # in order, as nearly always: shift the bytes
        if not count or fields[0] >= self._time.unpack_from(memory, start)[0]:
            size = self.layout.size
            if count < self.room:
                end = start + count * size
                count += 1
            else:
                end = start + self._span - size
            memory[start + size : end + size] = memory[start:end]
            self._counted.pack_into(memory, start - 1, count, *fields)
            return
        self.keep(cell, [fields, *self.records(cell)])

    def replace(self, cell: Cell, *fields: float) -> None:
        """Put the newest record anew (a running mean of today)."""
        self.layout.pack_into(cell.memory, cell.at + self._first, *fields)

    def keep(self, cell: Cell, records: list[tuple[Any, ...]]) -> None:
        """Write these records, newest first by their time."""
        kept = sorted(records, key=lambda record: -record[0])[: self.room]
        start = cell.at + self._first
        cell.memory[start - 1] = len(kept)
        packed = b"".join(self.layout.pack(*record) for record in kept)
        cell.memory[start : start + self._span] = packed.ljust(self._span, b"\0")


PAIR = Struct("<dd")  #: one sample: ts, value


@dataclass(slots=True)
class Samples:
    """[ts, value] pairs that mattered, packed: a car with an open alert need not unpack them to be judged."""

    packed: bytes = b""

    def __len__(self) -> int:
        return len(self.packed) // PAIR.size

    def newest(self) -> float:
        """The time of the newest one."""
        ts: float = PAIR.unpack_from(self.packed, len(self.packed) - PAIR.size)[0]
        return ts

    def add(self, ts: float, value: float) -> None:
        """Put one more at the end."""
        self.packed += PAIR.pack(ts, value)

    def halve(self) -> None:
        """Drop every second one; the first and the last stay."""
        pairs = self.pairs()
        self.packed = b"".join(PAIR.pack(*pair) for pair in (*pairs[:-1:2], pairs[-1]))

    def pairs(self) -> list[list[float]]:
        """All of them, oldest first."""
        return [list(pair) for pair in PAIR.iter_unpack(self.packed)]


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
    flips: list[float] = field(default_factory=list)  #: times at which it became active or ceased to be, newest last
    samples: Samples = field(default_factory=Samples)
    intermittent: bool = False
    newest: float = float("-inf")  #: the newest evidence that it answered: what is older moves nothing
    paused_s: float = 0.0  #: of the time since it began to hold, how long nobody could say so
    unsure: bool = False  #: such a pause goes on, since the newest evidence
    late: bool = (
        False  #: its last step rests on a reading that was old when it came: history, until a live one shows the same
    )

    seen: int = 0  #: how many samples have shown it while it is pending
    told: float = 0.0  #: how large it was when it was last told; 0: nothing to compare with

    @property
    def open(self) -> bool:
        """Whether the alert is pending or active."""
        return self.state != ""

    def stand(self) -> tuple[object, ...]:
        """What is written down when it changes; its newest evidence has a place of its own."""
        moves = self.state, self.severity, self.clear_since, self.lower_since
        return *moves, self.paused_s, self.unsure, self.seen, self.told

    def row(self) -> list[Any]:
        """As kept in the tail, where the samples follow all rows."""
        idle = [self.rule, self.component, self.state, self.episode, self.flips]
        if not self.open:
            return [*idle, self.newest]
        return [
            *idle,
            self.step,
            self.severity,
            self.since,
            self.clear_since,
            self.lower_since,
            self.first_place,
            len(self.samples),
            int(self.intermittent),
            self.newest,
            self.paused_s,
            int(self.unsure),
            *self._last(),
        ]

    def _last(self) -> list[Any]:
        """What most have none of."""
        if self.told:
            return [int(self.late), self.seen, self.told]
        return [int(self.late), self.seen] if self.seen else [1] if self.late else []

    @classmethod
    def from_row(cls, row: list[Any], samples: Samples | None = None) -> Track:
        """As read from the tail."""
        if not row[2]:
            return cls(row[0], row[1], "", row[3], flips=row[4], newest=(row[5:] or row[4][-1:] or [float("-inf")])[0])
        count, since = len(row), row[7]
        return cls(
            row[0],
            row[1],
            row[2],
            row[3],
            row[5],
            row[6],
            since,
            row[8],
            row[9],
            row[10],
            row[4],
            Samples() if samples is None else samples,
            bool(row[12]),
            row[13] if count > 13 else max(since, row[8] or since, row[9] or since),  # earlier releases had none
            row[14] if count > 14 else 0.0,
            count > 15 and bool(row[15]),
            count > 16 and bool(row[16]),
            row[17] if count > 17 else 0,
            row[18] if count > 18 else 0.0,
        )


Tracks: TypeAlias = dict[tuple[str, str], Track]
_END = 0x0A  #: between the rows and what is packed behind them; JSON as we write it has no line end


@cache
def _newest(count: int) -> Struct:
    """The times of the newest evidence of so many open alerts, the last of the tail."""
    return Struct(f"<{count}d")


@lru_cache(maxsize=1_024)
def _rows(written: bytes) -> list[list[Any]]:
    """The rows of such a tail, to be read only: while an alert stands each message reads the same ones."""
    found: list[list[Any]] = from_json(written)
    return found


def tracks_of(memory: Memory, body_end: int) -> Tracks:
    """The alerts that are open, and the episode numbers of those that were."""
    if len(memory) <= body_end:
        return {}
    end = memory.find(_END, body_end)
    tracks: Tracks = {}
    at = end + 1
    standing: list[Track] = []
    for row in _rows(bytes(memory[body_end:] if end < 0 else memory[body_end:end])):
        track = tracks[row[0], row[1]] = Track.from_row(row)
        if row[2]:
            standing.append(track)
            if row[11]:
                if isinstance(row[11], list):  # as checkpoints of earlier releases have them: in the row
                    track.samples.packed = b"".join(PAIR.pack(*pair) for pair in row[11])
                else:
                    track.samples.packed = bytes(memory[at : at + row[11] * PAIR.size])
                    at += row[11] * PAIR.size
    if 0 < at < len(memory):  # earlier releases have them in the rows alone
        for track, newest in zip(standing, _newest(len(standing)).unpack_from(memory, at)):
            track.newest = newest
    return tracks


def keep_newest(memory: Memory, tracks: Tracks) -> None:
    """Of alerts of which nothing else has changed: with each message, while they stand."""
    newest = [track.newest for track in tracks.values() if track.state]
    _newest(len(newest)).pack_into(memory, len(memory) - 8 * len(newest), *newest)


def keep_tracks(
    memory: Memory, body_end: int, tracks: Tracks, bits: dict[str, int], calm_until: int, patient: int = 0
) -> None:
    """Write the tail, the open byte, the mask of open rules, and `alerting.calm_until`.

    The rules whose bits are `patient` are not asked by every message, though their alert stands.
    """
    mask, packed, newest = 0, b"", list[float]()
    for track in tracks.values():
        if track.state:
            packed += track.samples.packed
            newest.append(track.newest)
            if track.rule in bits:
                mask |= 1 << bits[track.rule]
    memory[OPEN_AT] = 1 if mask else 0
    MASK.pack_into(memory, MASK_AT, mask & ~patient)
    CALM.pack_into(memory, CALM_AT, calm_until)
    rows = to_json([t.row() for t in tracks.values()]) if tracks else b""
    memory[body_end:] = rows + b"\n" + packed + _newest(len(newest)).pack(*newest) if newest else rows


def open_mask(memory: Memory) -> int:
    """A bit for each rule that has an alert pending or active, and is asked by every message therefore."""
    return int.from_bytes(memory[8:16], "little") if memory[1] else 0
