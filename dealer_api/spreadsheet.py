"""Lists for spreadsheets: CSV in which no cell is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")  #: a spreadsheet runs what begins so, also behind spaces


def cell(value: object) -> str:
    """As text; what a spreadsheet would run is shown to it as text, with an apostrophe in front."""
    text = "" if value is None else str(value).replace("\x00", "")
    return f"'{text}" if text.lstrip(" \u00a0\ufeff").startswith(_FORMULA) or text[:1] in _FORMULA else text


def lines(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV (RFC 4180), each cell quoted."""
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([[cell(value) for value in row] for row in rows])
    return out.getvalue()
