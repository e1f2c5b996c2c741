"""From numbered records to what each says of which car at which moment; what is not believed goes into the report."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from operator import itemgetter
from typing import Any, Final

from gateway.imports.cells import Field, Fields, Values
from gateway.imports.moments import Moments, Refused
from gateway.imports.table import Record, Table
from schemas.errors import BadInput
from schemas.mapping import Mapping, Refusals
from schemas.moment import from_epoch

TORN_LINE, NO_VEHICLE, FUTURE, PAST_RETENTION = "torn_line", "no_vehicle", "in_the_future", "past_retention"
Entry = tuple[
    int, int, str, float, Values, bool
]  #: records so far, line, car as the file names it, epoch seconds, values, whether a batch may end here
_LEFT: Final = 8  #: columns that are named in a refusal


class Layout:
    """Where in a record everything stands. BadInput when the mapping and the header do not fit."""

    def __init__(self, table: Table, mapping: Mapping) -> None:
        header, file = table.header, table.path.name
        long = mapping.format == "long"
        needed = [
            mapping.time,
            *([mapping.vehicle] if mapping.vehicle else []),
            *([mapping.signal, mapping.value] if long else mapping.columns),
        ]
        missing = [name for name in needed if name not in header]
        if missing:
            raise BadInput(
                file, f"has no column {', '.join(map(repr, missing))}; it has {', '.join(map(repr, header[:40]))}"
            )
        left = (
            []
            if long or mapping.ignore == "*"
            else [name for name in header if name not in needed and name not in mapping.ignore]
        )
        if left:
            more = f" and {len(left) - _LEFT} more" if len(left) > _LEFT else ""
            raise BadInput(
                file,
                f"columns without a meaning: {', '.join(map(repr, left[:_LEFT]))}{more}; name them under [columns], or "
                'put them into ignore ("*": all)',
            )
        self.width, self.vin = len(header), mapping.vin
        self.time_at = header.index(mapping.time)
        self.car_at = header.index(mapping.vehicle) if mapping.vehicle else None
        self.signal_at = header.index(mapping.signal) if long else None
        self.value_at = header.index(mapping.value) if long else None
        self.signals = {name: n for n, name in enumerate(mapping.columns)}
        self.fields = Fields([Field.of(name, meant, mapping.decimal) for name, meant in mapping.columns.items()])
        at = [] if long else [header.index(name) for name in mapping.columns]
        self.pick: Any = itemgetter(*at) if len(at) > 1 else lambda cells: tuple(cells[n] for n in at)


class Lines:
    """One pass. `refused` and `records` move on as `said` does; the first `skip` records were settled before."""

    def __init__(
        self, layout: Layout, moments: Moments, refused: Refusals, skip: int, between: tuple[float, float]
    ) -> None:
        self._layout, self._moments, self._skip = layout, moments, skip
        self._oldest, self._newest = between
        self.refused, self._count = (
            refused,
            Refusals() if skip else refused,
        )  # what was settled before was counted before
        self.records = 0

    def begin_after(self, skip: int) -> None:
        """The first so many records were settled, and what was refused of them counted, before."""
        self._skip, self._count = skip, Refusals() if skip else self.refused

    def told(self) -> Refusals:
        """What was refused since this was asked last."""
        refused, fresh = self.refused, Refusals()
        self._count = fresh if self._count is refused else self._count
        self.refused = fresh
        return refused

    def entries(self, records: Iterator[Record]) -> Iterator[Entry]:
        """Everything from the first record on that was not settled before."""
        return self._wide(records) if self._layout.signal_at is None else self._long(records)

    def _wide(self, records: Iterator[Record]) -> Iterator[Entry]:
        pick, read = self._layout.pick, self._layout.fields.read
        for line, cells in records:
            self.records = n = self.records + 1
            if n > self._skip:
                self._count = self.refused
            found = self._placed(line, cells)
            if found is None or n <= self._skip:
                continue
            values = read(pick(cells), repeat(line), self.refused)
            if values is not None:
                yield n, line, found[0], found[1], values, True

    def _long(self, records: Iterator[Record]) -> Iterator[Entry]:
        """Lines of one time that follow each other are one word of each of their cars."""
        layout, together, when = self._layout, dict[str, tuple[list[str], list[int], float]](), ""
        assert layout.signal_at is not None and layout.value_at is not None
        for line, cells in records:
            if len(cells) == layout.width and cells[layout.time_at] != when:
                yield from self._words(together)
                together, when = {}, cells[layout.time_at]
            self.records = n = self.records + 1
            if n > self._skip:
                self._count = self.refused
            name = self._name(cells)
            at = layout.signals.get(cells[layout.signal_at]) if len(cells) == layout.width else None
            if name not in together:
                found = self._placed(line, cells)
                if found is None or n <= self._skip:
                    continue
                together[name] = [""] * len(layout.signals), [line] * len(layout.signals), found[1]
            elif len(cells) != layout.width:
                self._count.add(TORN_LINE, line, self._torn(cells))
            if at is not None:
                together[name][0][at], together[name][1][at] = cells[layout.value_at], line
        yield from self._words(together)

    def _words(self, together: dict[str, tuple[list[str], list[int], float]]) -> Iterator[Entry]:
        read = [
            (min(lines), name, ts, self._layout.fields.read(cells, lines, self.refused))
            for name, (cells, lines, ts) in together.items()
        ]
        good = [(line, name, ts, values) for line, name, ts, values in read if values is not None]
        for n, (line, name, ts, values) in enumerate(good, start=1):
            yield self.records, line, name, ts, values, n == len(good)

    def _name(self, cells: list[str]) -> str:
        at = self._layout.car_at
        return self._layout.vin or "" if at is None else cells[at] if len(cells) == self._layout.width else ""

    def _torn(self, cells: list[str]) -> str:
        return f"{len(cells)} cells where the header has {self._layout.width}"

    def _placed(self, line: int, cells: list[str]) -> tuple[str, float] | None:
        """Which car, and when; None when the line is refused."""
        if len(cells) != self._layout.width:
            self._count.add(TORN_LINE, line, self._torn(cells))
            return None
        at = self._layout.car_at
        name = cells[at] if at is not None else self._layout.vin or ""
        if not name or name.isspace():
            self._count.add(NO_VEHICLE, line, "the cell that names the car is empty")
            return None
        text = cells[self._layout.time_at]
        try:
            ts = self._moments.of(name, text)
        except Refused as error:
            self._count.add(error.args[0], line, error.args[1])
            return None
        if ts > self._newest:
            self._count.add(FUTURE, line, f"{text} is later than now")
        elif ts < self._oldest:
            self._count.add(
                PAST_RETENTION, line, f"{text} is before {from_epoch(self._oldest):%Y-%m-%d}: such days are not kept"
            )
        else:
            return name, ts
        return None
