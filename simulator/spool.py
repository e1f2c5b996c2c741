"""The car's memory on disk: every message stays until the dealer's system has said that it is stored for good.

One file may serve many cars of one process. WAL without a sync per commit: safe against a killed process (a power cut
may take the last moments, which then are a gap that the ledger shows).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Way = Literal["up/telemetry", "up/diagnostics"]
KEEP = 200_000  # messages of one car; then the oldest are forgotten, and `oldest` says so

_SCHEMA = """
CREATE TABLE IF NOT EXISTS units (vin TEXT PRIMARY KEY, boot INTEGER NOT NULL, state TEXT);
CREATE TABLE IF NOT EXISTS messages (
    vin TEXT NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL, way TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (vin, boot, seq)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """One message of the spool."""

    boot: int
    seq: int
    way: Way
    body: str  #: a JSON object without boot, seq and oldest

    def payload(self, oldest: int) -> bytes:
        """The message as it goes out now: what is the oldest may have changed since it was written."""
        return f'{{"boot":{self.boot},"seq":{self.seq},"oldest":{oldest},{self.body[1:]}'.encode()


class SpoolFile:
    """The sqlite file of one process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        self._open = False

    def execute(self, statement: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        """A write inside the running batch."""
        if not self._open:
            self._db.execute("BEGIN IMMEDIATE")
            self._open = True
        return self._db.execute(statement, values)

    def query(self, statement: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        """A read; it sees the running batch."""
        return self._db.execute(statement, values)

    def commit(self) -> None:
        """End the batch: now it survives a kill."""
        if self._open:
            self._db.execute("COMMIT")
            self._open = False

    def close(self) -> None:
        """Commit and let go."""
        self.commit()
        self._db.close()


class Spool:
    """The messages of one car, by (boot, seq). Each opening is a new boot."""

    def __init__(self, file: SpoolFile, vin: str, keep: int = KEEP) -> None:
        self._file, self.vin, self._keep = file, vin, keep
        row = file.query("SELECT boot FROM units WHERE vin = ?", (vin,)).fetchone()
        self.boot = (row[0] if row else 0) + 1
        file.execute(
            "INSERT INTO units (vin, boot) VALUES (?, ?) ON CONFLICT (vin) DO UPDATE SET boot = excluded.boot",
            (vin, self.boot),
        )
        file.commit()
        self.seq = 0
        self._size = int(file.query("SELECT count(*) FROM messages WHERE vin = ?", (vin,)).fetchone()[0])
        self._oldest: dict[int, int] = {}

    def __len__(self) -> int:
        return self._size

    def put(self, way: Way, body: str) -> Kept:
        """Keep a message under the next number. It is safe after the file's next commit."""
        self.seq += 1
        self._file.execute("INSERT INTO messages VALUES (?, ?, ?, ?, ?)", (self.vin, self.boot, self.seq, way, body))
        self._size += 1
        if self._size > self._keep:
            self._forget_oldest()
        return Kept(self.boot, self.seq, way, body)

    def lose(self, kept: Kept) -> None:
        """Forget a message as a bad disk would: its number is used, and whoever asks for it gets nothing."""
        self._size -= self._file.execute(
            "DELETE FROM messages WHERE vin = ? AND boot = ? AND seq = ?", (self.vin, kept.boot, kept.seq)
        ).rowcount
        self._oldest.pop(kept.boot, None)

    def commit(self) -> None:
        """End the file's batch."""
        self._file.commit()

    def acknowledge(self, boot: int, upto: int) -> int:
        """Delete what the dealer's system has stored; answers how many messages went."""
        gone = self._file.execute(
            "DELETE FROM messages WHERE vin = ? AND boot = ? AND seq <= ?", (self.vin, boot, upto)
        ).rowcount
        self._size -= gone
        self._oldest.pop(boot, None)
        return gone

    def oldest(self, boot: int) -> int:
        """The smallest number of that boot which is still here (the next one, when nothing is)."""
        found = self._oldest.get(boot)
        if found is None:
            row = self._file.query(
                "SELECT min(seq) FROM messages WHERE vin = ? AND boot = ?", (self.vin, boot)
            ).fetchone()
            found = row[0] if row[0] is not None else (self.seq + 1 if boot == self.boot else 0)
            if row[0] is not None:
                self._oldest[boot] = found
        return int(found)

    def after(self, boot: int, seq: int, limit: int) -> list[Kept]:
        """The next messages in order, from whichever boot."""
        rows = self._file.query(
            "SELECT boot, seq, way, body FROM messages WHERE vin = ? AND (boot, seq) > (?, ?) ORDER BY boot, seq "
            "LIMIT ?",
            (self.vin, boot, seq, limit),
        )
        return [Kept(*row) for row in rows]

    def between(self, boot: int, first: int, last: int, limit: int = 1_000) -> Iterator[Kept]:
        """What is still here of an asked range."""
        rows = self._file.query(
            "SELECT boot, seq, way, body FROM messages WHERE vin = ? AND boot = ? AND seq BETWEEN ? AND ? ORDER BY seq "
            "LIMIT ?",
            (self.vin, boot, first, last, limit),
        )
        return iter([Kept(*row) for row in rows])

    def remember(self, state: str) -> None:
        """Keep a text for the next boot (the car's condition)."""
        self._file.execute("UPDATE units SET state = ? WHERE vin = ?", (state, self.vin))

    def remembered(self) -> str | None:
        """The text of an earlier boot."""
        row = self._file.query("SELECT state FROM units WHERE vin = ?", (self.vin,)).fetchone()
        return row[0] if row else None

    def _forget_oldest(self) -> None:
        row = self._file.query(
            "SELECT boot, seq FROM messages WHERE vin = ? ORDER BY boot, seq LIMIT 1", (self.vin,)
        ).fetchone()
        self._file.execute("DELETE FROM messages WHERE vin = ? AND boot = ? AND seq = ?", (self.vin, *row))
        self._size -= 1
        self._oldest.pop(row[0], None)
