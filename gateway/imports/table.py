"""A file as a header and numbered records of text cells: CSV (also .gz), or Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO

from schemas.errors import BadInput

Record = tuple[int, list[str]]  #: line (of a CSV file, counted from 1; of Parquet the row), cells

_DELIMITERS: Final = ",;\t|"
_PARQUET: Final = b"PAR1"
_PORTION: Final = 20_000


class Table:
    """Opened anew for each pass, so nothing of it stays in memory."""

    def __init__(self, path: Path, delimiter: str | None = None) -> None:
        self.path, self._delimiter = path, delimiter
        with path.open("rb") as file:
            head = file.read(4)
        self.parquet, self._gz = head == _PARQUET, head[:2] == b"\x1f\x8b"
        self.header = self._parquet_header() if self.parquet else self._csv_header()
        if len(set(self.header)) < len(self.header):
            twice = next(name for name in self.header if self.header.count(name) > 1)
            raise BadInput(path.name, f"two columns are called {twice!r}")

    def fingerprint(self) -> str:
        """sha256 of the file as it lies there."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def records(self) -> Iterator[Record]:
        """All records but the header; BadInput where the file breaks off."""
        return self._parquet_records() if self.parquet else self._csv_records()

    def _open(self) -> TextIO:
        if self._gz:
            return io.TextIOWrapper(gzip.open(self.path, "rb"), encoding="utf-8-sig", errors="replace", newline="")
        return self.path.open(encoding="utf-8-sig", errors="replace", newline="")

    def _csv_header(self) -> list[str]:
        try:
            with self._open() as file:
                first = file.readline()
        except (OSError, EOFError) as error:
            raise BadInput(self.path.name, f"cannot be read: {error}") from None
        if not first.strip():
            raise BadInput(self.path.name, "is empty: its first line has to name the columns")
        if self._delimiter is None:
            self._delimiter = max(_DELIMITERS, key=first.count)
        return [name.strip() for name in next(csv.reader([first], delimiter=self._delimiter))]

    def _csv_records(self) -> Iterator[Record]:
        with self._open() as file:
            reader = csv.reader(file, delimiter=self._delimiter or ",")
            try:
                next(reader)
                for cells in reader:
                    if cells:
                        yield reader.line_num, cells
            except (OSError, EOFError) as error:  # a gz that was cut off
                raise BadInput(
                    self.path.name,
                    f"breaks off after line {reader.line_num} ({error}): fetch it again, or pack what there is anew",
                ) from None
            except csv.Error as error:
                raise BadInput(self.path.name, f"line {reader.line_num + 1}: {error}") from None

    def _pyarrow(self) -> Any:
        try:
            import pyarrow.parquet
        except ImportError as error:
            raise BadInput(
                self.path.name,
                f"Parquet files need one more package (install telltale[parquet], or write the table as CSV): {error}",
            ) from None
        return pyarrow.parquet

    def _parquet_header(self) -> list[str]:
        return [str(name) for name in self._pyarrow().read_schema(self.path).names]

    def _parquet_records(self) -> Iterator[Record]:
        with self._pyarrow().ParquetFile(self.path) as file:
            line = 0
            for portion in file.iter_batches(_PORTION):
                for cells in zip(*(map(_text, column.to_pylist()) for column in portion.columns), strict=True):
                    line += 1
                    yield line, list(cells)


def _text(cell: Any) -> str:
    """A cell as a CSV file would have it; a moment with its zone, where it has one."""
    return "" if cell is None else cell.isoformat() if hasattr(cell, "isoformat") else str(cell)
