"""A dealer's list of owners as text: comma or semicolon, with or without a byte order mark, lines with numbers."""

from __future__ import annotations

import csv
import io

from rules.service import importing
from schemas.errors import BadInput

LONGEST_LIST = 2_000
Rows = list[tuple[int, dict[str, str | None]]]  #: line number, cells by column


def lines_of(text: str) -> Rows:
    """Numbered lines of a list whose header is right; comma or semicolon, as its first line has it."""
    text = text.removeprefix("\ufeff")
    first = text.split("\n", 1)[0]
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ","
    )
    try:
        header = [name.strip().lower() for name in reader.fieldnames or []]
        reader.fieldnames = header
        rows = [
            (reader.line_num, row)
            for row in reader
            if any((cell or "") if isinstance(cell, str) else cell for cell in row.values())
        ]
    except csv.Error as error:
        raise BadInput("csv", f"cannot be read: {error}") from None
    if not header:
        raise BadInput("csv", "is empty")
    importing.check_header(header)
    if len(rows) > LONGEST_LIST:
        raise BadInput("csv", f"has {len(rows)} lines; send at most {LONGEST_LIST} at once")
    return rows
