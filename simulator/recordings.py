"""Recorded CAN logs: whatever a tool wrote, read as far as it is whole, with a line on what was done about the rest.

BLF, ASC, TRC, MF4, python-can's CSV and candump's log are python-can's; what `candump` shows on a screen and SavvyCAN's
GVRET table are turned into the same frames here. The format is known by the first lines, not by the file's name.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO, cast

import can

from schemas.errors import BadInput

RIGHT_WAY = "record one with: candump -l can0 (from can-utils), or save BLF, ASC, TRC or MF4"
_LOGGED = re.compile(
    r"^\(\d+\.\d+\) \S+ (?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{8})#(?:#[0-9A-Fa-f])?(?:[Rr]\d?|(?:[0-9A-Fa-f]{2})*)(?: [RT])?$"
)
_SHOWN = re.compile(
    r"^\((?P<at>[\d.]+|\d{4}-\d\d-\d\d "
    r"\d\d:\d\d:\d\d\.\d+)\)\s+(?P<bus>\S+)\s+(?:(?:RX|TX)\s.*?)?(?P<id>[0-9A-Fa-f]{3,8})\s+"
    r"\[(?P<size>\d+)\]\s*(?P<data>remote request|(?:[0-9A-Fa-f]{2}\s*)*)(?:'.*)?$"
)
_UNTIMED = re.compile(r"^\S+\s+[0-9A-Fa-f]{3,8}\s+\[\d+\]")
_JUMPS_S = 86_400.0  #: no two frames of one recording are further apart
_GVRET = "time stamp,id,extended"
_DAMAGE = (ValueError, IndexError, KeyError, OSError, EOFError, zlib.error, NotImplementedError)


@dataclass
class Recording:
    """One file. `notes` are for the person who plays it; complete when the frames have been read."""

    path: Path
    notes: list[str] = field(default_factory=list)

    def frames(self) -> Iterator[can.Message]:
        """The frames in the log's own times. Raises BadInput where there is none, or the format is not known."""
        if not self.path.is_file():
            raise BadInput("file", f"{self.path} is not a file")
        count, reading = 0, self._reader()()
        try:
            for frame in reading:
                count += 1
                yield frame
        except BadInput:
            raise
        except _DAMAGE as error:
            if not count:
                raise BadInput(
                    "file", f"{self.path.name} is damaged or of another format ({error}): {RIGHT_WAY}"
                ) from None
            self.notes.append(
                f"the file is damaged after frame {count} ({type(error).__name__}): what came before is played"
            )

    def _reader(self) -> Callable[[], Iterator[can.Message]]:
        suffix = [part.lower() for part in self.path.suffixes if part.lower() != ".gz"][-1:] or [""]
        if suffix[0] in (".blf", ".mf4", ".db", ".asc", ".trc"):
            return self._by_library
        head = self._head()
        if any(_LOGGED.match(line) for line in head):
            return lambda: self._candump(lambda line: line if _LOGGED.match(line) else None)
        if any(_SHOWN.match(line) for line in head):
            apart = _are_differences(head)
            how = "its times are differences, which were added up" if apart else "its times are taken as they stand"
            self.notes.append(f"candump's screen output was read; {how}")
            return lambda: self._candump(_Shown(apart))
        if head and head[0].lower().startswith(_GVRET):
            return self._gvret
        if suffix[0] == ".csv" and head and "arbitration_id" in head[0]:
            return self._by_library
        seen = (
            "candump's screen output without times (start it with -t a, or better -l)"
            if any(map(_UNTIMED.match, head))
            else _shown(head)
        )
        raise BadInput("file", f"{self.path.name} is of no format that is read here, it looks like {seen}: {RIGHT_WAY}")

    def _by_library(self) -> Iterator[can.Message]:
        options = {"relative_timestamp": False} if self.path.name.lower().removesuffix(".gz").endswith(".asc") else {}
        try:
            reader = can.LogReader(str(self.path), **options)
        except (ImportError, RuntimeError) as error:
            raise BadInput(
                "file", f"{self.path.suffix} files need one more package (install telltale[mf4]): {error}"
            ) from None
        if options:
            self.notes.append("the date in the ASC header was read in this machine's zone")
        with reader:
            yield from reader

    def _candump(self, line_of: Callable[[str], str | None]) -> Iterator[can.Message]:
        """candump's lines by python-can; lines that are none are left out and counted."""
        torn = _Torn()
        with closing(self._text()) as text:
            yield from can.CanutilsLogReader(cast("TextIO", _Lines(text, line_of, torn)))
        if torn.lines:
            self.notes.append(f"{torn.lines} line(s) were torn and left out, the first of them line {torn.first}")
        if torn.ended:
            self.notes.append("the file ends in the middle: what came before is played")

    def _gvret(self) -> Iterator[can.Message]:
        """SavvyCAN's table: microseconds, id, and a column for each byte."""
        torn = 0
        with closing(self._text()) as text:
            for row in csv.DictReader(text):
                try:
                    one = {
                        (name or "").strip().lower(): (value or "")
                        for name, value in row.items()
                        if isinstance(value, str)
                    }
                    data = bytes(int(one[f"d{n}"], 16) for n in range(1, int(one["len"]) + 1))
                    yield can.Message(
                        timestamp=float(one["time stamp"]) / 1e6,
                        arbitration_id=int(one["id"], 16),
                        is_extended_id=one["extended"].strip().lower() == "true",
                        data=data,
                        is_fd=len(data) > 8,
                    )
                except (KeyError, ValueError):
                    torn += 1
        if torn:
            self.notes.append(f"{torn} row(s) were torn and left out")

    def _text(self) -> TextIO:
        if self.path.suffix.lower() == ".gz":
            return gzip.open(self.path, "rt", encoding="utf-8", errors="replace")
        return self.path.open(encoding="utf-8", errors="replace")

    def _head(self) -> list[str]:
        with closing(self._text()) as text:
            found = []
            try:
                for line in text:
                    if line.strip():
                        found.append(line.strip().lstrip("\ufeff"))
                    if len(found) == 20:
                        break
            except _DAMAGE:
                pass
            return found


@dataclass
class _Torn:
    lines: int = 0
    first: int = 0
    ended: bool = False


class _Lines(io.TextIOBase):
    """The whole lines of a text, as python-can's reader wants them."""

    def __init__(self, text: TextIO, line_of: Callable[[str], str | None], torn: _Torn) -> None:
        self._text, self._line_of, self._torn = text, line_of, torn

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        number = 0
        lines = iter(self._text)
        while True:
            try:
                line = next(lines).strip()
            except StopIteration:
                return
            except _DAMAGE:
                self._torn.ended = True
                return
            number += 1
            whole = self._line_of(line) if line else ""
            if whole is None:
                self._torn.lines += 1
                self._torn.first = self._torn.first or number
            elif whole:
                yield whole


def _are_differences(head: list[str]) -> bool:
    """Whether a screen shows how long each frame came after the one before (`candump -t d`): small, and up and down."""
    times = [float(found["at"]) for line in head if (found := _SHOWN.match(line)) and "-" not in found["at"]]
    return len(times) > 2 and times[0] == 0.0 and max(times) < _JUMPS_S and times != sorted(times)


class _Shown:
    """The lines of candump's screen as it would have logged them."""

    def __init__(self, differences: bool) -> None:
        self._differences, self._at = differences, 0.0

    def __call__(self, line: str) -> str | None:
        found = _SHOWN.match(line)
        if found is None:
            return None
        at = found["at"]
        if "-" in at:
            at = f"{datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp():.6f}"
        elif self._differences:
            self._at += float(at)
            at = f"{self._at:.6f}"
        return _as_logged(found, at)


def _as_logged(found: re.Match[str], at: str) -> str | None:
    remote = found["data"].startswith("remote")
    data = "".join(found["data"].split())
    if not remote and len(data) != 2 * int(found["size"]):
        return None
    flag = "#" if len(data) <= 16 else "##0"
    return f"({at}) {found['bus']} {found['id']}{flag}{'R' if remote else data}"


def _shown(head: list[str]) -> str:
    """The first line, for the message."""
    return f"{head[0][:60]!r}" if head else "an empty file"
