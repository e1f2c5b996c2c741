"""A large file is read in a process of its own, so that reading and judging have a processor each.

Portions come over a pipe, one ahead of the judge. Whoever judges is killed: the reader finds its pipe closed and ends.
"""

from __future__ import annotations

import asyncio
import pickle
import struct
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from gateway.imports.lines import Entry, Layout, Lines
from gateway.imports.moments import Moments
from gateway.imports.table import Table
from gateway.intake.shape import Shape, shape_of
from schemas.errors import BadInput
from schemas.mapping import Mapping, Refusals

WORTH: Final = 100_000  #: records from which on a process of its own is worth its start
_ROOT: Final = str(Path(__file__).resolve().parents[2])
_MAIN: Final = "import sys; sys.path.insert(0, sys.argv[1]); from gateway.imports.reading import main; main()"
_LENGTH: Final = struct.Struct("<Q")
_ROOM: Final = 1 << 26  #: bytes of a portion that may wait in this process


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be read. `skip` records were settled before, `between` are the times that are kept."""

    path: Path
    delimiter: str | None
    mapping: Mapping
    skip: int
    between: tuple[float, float]
    size: int  #: entries of a portion, at least


@dataclass(frozen=True, slots=True)
class Portion:
    """Entries, how many records have been read with them, and what was refused on the way."""

    entries: list[Entry]
    records: int
    refused: Refusals


def here(job: Job) -> Iterator[Portion]:
    """All portions, and an empty one at the end."""
    table = Table(job.path, job.delimiter)
    moments = Moments(job.mapping.time_is, job.mapping.zone)
    lines = Lines(Layout(table, job.mapping), moments, refused=Refusals(), skip=0, between=job.between)
    lines.begin_after(job.skip)
    entries = lines.entries(table.records())
    while True:
        taken: list[Entry] = []
        for one in entries:
            taken.append(one)
            if len(taken) >= job.size and one[5]:
                break
        yield Portion(taken, lines.records, lines.told())
        if not taken:
            return


async def portions(job: Job, records: int) -> AsyncGenerator[Portion, None]:
    """The same, of a large file out of another process. BadInput where the file breaks off."""
    if records - job.skip < WORTH:
        for portion in here(job):
            yield portion
        return
    reader = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-c",
        _MAIN,
        _ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_ROOM,
    )
    assert reader.stdin is not None and reader.stdout is not None
    shapes: list[Shape] = []
    ahead: asyncio.Task[Any] | None = None
    try:
        reader.stdin.write(pickle.dumps(job))
        reader.stdin.close()
        ahead = asyncio.create_task(_read(reader.stdout))
        while True:
            received = await ahead
            ahead = asyncio.create_task(_read(reader.stdout))
            portion = _unpacked(received, shapes)
            yield portion
            if not portion.entries:
                return
    finally:
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)
        with suppress(ProcessLookupError):
            reader.kill()
        await reader.wait()


async def _read(stream: asyncio.StreamReader) -> Any:
    try:
        (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
        return pickle.loads(await stream.readexactly(length))
    except asyncio.IncompleteReadError:
        raise RuntimeError("the process that reads the file ended before the file did") from None


def _packed(portion: Portion, shapes: dict[Shape, int]) -> tuple[Any, ...]:
    """Columns of plain values; a set of signals is named once and numbered from then on."""
    new = []
    numbers, packed = [], []
    for *_, (shape, _, octets), _ in portion.entries:
        if shape not in shapes:
            shapes[shape] = len(shapes)
            new.append(shape.paths)
        numbers.append(shapes[shape])
        packed.append(octets)
    columns = [[entry[n] for entry in portion.entries] for n in (0, 1, 2, 3, 5)]
    return portion.records, portion.refused, new, columns, numbers, packed


def _unpacked(received: Any, shapes: list[Shape]) -> Portion:
    if len(received) == 2:
        raise BadInput(*received)
    records, refused, new, (read, lines, cars, moments, ends), numbers, packed = received
    shapes += map(shape_of, new)
    values = [(shapes[n], shapes[n].stored(octets), octets) for n, octets in zip(numbers, packed, strict=True)]
    return Portion(list(zip(read, lines, cars, moments, values, ends, strict=True)), records, refused)


def main() -> None:
    """The process beside: a job on standard input, portions on standard output."""
    job, out, shapes = pickle.load(sys.stdin.buffer), sys.stdout.buffer, dict[Shape, int]()
    with suppress(BrokenPipeError):
        try:
            for portion in here(job):
                _write(out, _packed(portion, shapes))
        except BadInput as error:
            _write(out, (error.field, error.reason))
        out.flush()


def _write(out: BinaryIO, what: Any) -> None:
    octets = pickle.dumps(what, pickle.HIGHEST_PROTOCOL)
    out.write(_LENGTH.pack(len(octets)) + octets)
