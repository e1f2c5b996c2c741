"""The first pass over a file: everything that can be known to be wrong is said before a row is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.imports.lines import Layout
from gateway.imports.moments import Moments, Refused
from gateway.imports.table import Table
from schemas.errors import BadInput
from schemas.mapping import Mapping

LOOKED_AT: Final = 10_000  #: lines whose times tell which way the file runs
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file holds: how many records, and which cars by the names it gives them, each with the first line that
    does.
    """

    records: int
    cars: dict[str, int]


def survey(table: Table, mapping: Mapping) -> Survey:
    """BadInput for a column, a name of a signal or a zone that is unknown, and for a file that runs backwards."""
    layout = Layout(table, mapping)
    file, width, signals = table.path.name, len(table.header), layout.signals
    car_at, time_at, signal_at = layout.car_at, layout.time_at, layout.signal_at
    cars: dict[str, int] = {} if mapping.vin is None else {mapping.vin: 2}
    strange: dict[str, int] = {}
    moments, last, ways = Moments(mapping.time_is, mapping.zone), dict[str, float](), [0, 0]
    records = 0
    for line, cells in table.records():
        records += 1
        if len(cells) != width:
            continue
        name = cells[car_at] if car_at is not None else mapping.vin or ""
        if name not in cars and name.strip():
            cars[name] = line
        if (
            signal_at is not None
            and cells[signal_at] not in signals
            and mapping.ignore != "*"
            and cells[signal_at] not in mapping.ignore
        ):
            strange.setdefault(cells[signal_at], line)
        if records <= LOOKED_AT:
            try:
                ts = moments.of(name, cells[time_at])
            except Refused:
                continue
            ways[ts < last.get(name, ts)] += ts != last.get(name, ts)
            last[name] = ts
    if strange:
        raise BadInput(
            file, f"signals without a meaning: {named(strange)}; name them under [columns], or put them into ignore"
        )
    if ways[1] > ways[0]:
        raise BadInput(
            file,
            "runs backwards in time (the newest line of a car comes first): turn it round, or sort it by time, so that "
            "it can be judged as it happened",
        )
    return Survey(records, cars)


def named(found: dict[str, int]) -> str:
    """Some of them, with their lines."""
    some = ", ".join(f"{name!r} (line {line})" for name, line in list(found.items())[:_NAMED])
    return some + (f" and {len(found) - _NAMED} more" if len(found) > _NAMED else "")
