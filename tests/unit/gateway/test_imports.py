"""What a file of history says: units by name, times of a zone, cells that cost only themselves, and mistakes that are
named before anything is stored.
"""

from __future__ import annotations

import asyncio
import gzip
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.imports import reading
from gateway.imports.lines import Layout, Lines
from gateway.imports.moments import Moments, Refused
from gateway.imports.reading import Job
from gateway.imports.survey import survey
from gateway.imports.table import Table
from schemas.errors import BadInput
from schemas.mapping import Mapping, Refusals
from schemas.signal import SIGNALS
from schemas.unit import conversion

VOLTS = {"path": "Vehicle.LowVoltageBattery.CurrentVoltage", "unit": "mV"}
TYRE = {"path": "Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure", "unit": "psi"}
WIDE = {"vehicle": "vin", "zone": "UTC", "columns": {"volts": VOLTS, "tyre": TYRE}}
CAR = "WVWZZZ1KZAW000001"


def read(path: Path, text: str, **phrase: Any) -> tuple[list[tuple[Any, ...]], Refusals, int]:
    path.write_text(text, encoding="utf-8")
    mapping = Mapping.of({**WIDE, **phrase}, "mapping.toml")
    table, refused = Table(path, mapping.delimiter), Refusals()
    survey(table, mapping)
    lines = Lines(Layout(table, mapping), Moments(mapping.time_is, mapping.zone), refused, 0, (0.0, 2e9))
    found = [
        (line, name, ts, dict(zip(shape.paths, values, strict=True)))
        for _, line, name, ts, (shape, values, _), _ in lines.entries(table.records())
    ]
    return found, refused, lines.records


def test_every_unit_of_ours_is_known_and_others_become_it() -> None:
    assert all(conversion(signal.unit, signal.unit) == (1.0, 0.0) for signal in SIGNALS)
    for written, ours, value, expected in (
        ("psi", "kPa", 32, 220.63),
        ("°F", "Celsius", 212, 100),
        ("miles", "m", 1, 1609.344),
        ("bar", "kPa", 2.2, 220),
        ("PSI", "kPa", 1, 6.895),
    ):
        factor, offset = conversion(written, ours)
        assert value * factor + offset == pytest.approx(expected, rel=1e-4)
    for written, words in (
        ("psy", "perhaps psi"),
        ("mph", "speed, and the signal is a pressure"),
        ("mpa", "not a unit"),
    ):
        with pytest.raises(BadInput, match=words):
            conversion(written, "kPa")


def test_a_bad_cell_costs_only_itself_and_a_torn_line_only_that_line(tmp_path: Path) -> None:
    found, refused, records = read(
        tmp_path / "f.csv",
        f"vin,time,volts,tyre\n{CAR},2026-01-05T10:00:00Z,12400,32\n{CAR},2026-01-05T10:01:00Z,oops,32\n{CAR},2026-01-05T10:02:00Z,12500,\n"
        f"{CAR},2026-01-05T10:03:00Z,99999999,inf\n{CAR},yesterday,12400,32\n,2026-01-05T10:05:00Z,12400,32\n{CAR},2026-01-05T10:06",
    )
    assert [(line, sorted(values)) for line, _, _, values in found] == [
        (2, sorted([TYRE["path"], VOLTS["path"]])),
        (3, [TYRE["path"]]),
        (4, [VOLTS["path"]]),
    ]
    assert found[0][3][VOLTS["path"]] == pytest.approx(12.4) and records == 7
    assert {reason: (one["times"], one["lines"]) for reason, one in refused.reasons.items()} == {
        "not_a_number": (1, [3]),
        "out_of_range": (1, [5]),
        "not_finite": (1, [5]),
        "not_a_time": (1, [6]),
        "no_vehicle": (1, [7]),
        "torn_line": (1, [8]),
    }


def test_a_long_file_says_the_same_as_a_wide_one_and_so_does_one_with_decimal_commas(tmp_path: Path) -> None:
    wide, *_ = read(
        tmp_path / "w.csv",
        f"vin,time,volts,tyre\n{CAR},2026-01-05T10:00:00Z,12400.5,32.5\n{CAR},2026-01-05T11:00:00Z,12300,\n",
    )
    comma, *_ = read(
        tmp_path / "c.csv",
        f"vin;time;volts;tyre\n{CAR};05.01.2026 10:00;12400,5;32,5\n{CAR};05.01.2026 11:00;12300;\n",
        decimal=",",
        time_is="%d.%m.%Y %H:%M",
    )
    rows = ("10:00:00Z,volts,12400.5", "10:00:00Z,tyre,32.5", "11:00:00Z,volts,12300")
    result = "".join(f"{CAR},2026-01-05T{row}\n" for row in rows)
    long, *_ = read(tmp_path / "l.csv", "vin,time,signal,value\n" + result, format="long")
    assert [one[1:] for one in wide] == [one[1:] for one in long] == [one[1:] for one in comma] and len(wide) == 2


@pytest.mark.parametrize(
    ("text", "phrase", "words"),
    [
        ("vin,time,volts\n", {}, "has no column 'tyre'"),
        ("vin,time,volts,tyre,boost\n", {}, "columns without a meaning: 'boost'"),
        ("vin,time,signal,value\nX,2026-01-05T10:00:00Z,boost,1\n", {"format": "long"}, r"'boost' \(line 2\)"),
        ("vin,time,volts,tyre\nX,2026-01-05 10:00,1,1\n", {"zone": None}, "names none"),
        ("vin,time,volts,tyre\n", {"zone": "Europe/Berln"}, "not a time zone"),
        ("vin,time,volts,tyre\n", {"columns": {"volts": {**VOLTS, "unit": "mV?"}}}, "column 'volts': unit"),
        ("vin,time,volts,tyre\n", {"columns": {"volts": {"path": "Vehicle.Volts"}}}, "is not a signal we know"),
        ("vin,time,volts,tyre\nX,2026-01-05T10:02:00Z,1,1\nX,2026-01-05T10:01:00Z,1,1\n", {}, "backwards"),
    ],
)
def test_what_is_not_understood_is_named_before_anything_is_stored(
    tmp_path: Path, text: str, phrase: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        read(tmp_path / "f.csv", text, **phrase)


def test_an_archive_that_was_cut_off_and_a_parquet_file_without_its_package_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(("vin,time,volts,tyre\n" + f"{CAR},2026-01-05T10:00:00Z,12400,32\n" * 3000).encode(), 0)
    (tmp_path / "torn.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(BadInput, match=r"breaks off after line \d"):
        survey(Table(tmp_path / "torn.csv.gz"), Mapping.of(WIDE, "m"))
    (tmp_path / "f.parquet").write_bytes(b"PAR1 and more")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(BadInput, match=r"telltale\[parquet\]"):
        Table(tmp_path / "f.parquet")


def test_a_local_time_that_nobody_saw_is_refused_and_one_that_came_twice_is_told_by_its_order() -> None:
    moments = Moments("iso", "Europe/Berlin")
    with pytest.raises(Refused, match="did not exist"):
        moments.of("a", "2026-03-29T02:30:00")
    minutes = [
        moments.of("a", f"2026-10-25T{text}")
        for text in ("01:59", "02:00", "02:30", "02:59", "02:00", "02:30", "03:00")
    ]
    assert [b - a for a, b in zip(minutes, minutes[1:], strict=False)] == [60, 1800, 1740, 60, 1800, 1800]
    hourly = [moments.of("b", f"2026-10-25T{text}") for text in ("00:00", "01:00", "02:00", "02:00", "03:00")]
    assert [b - a for a, b in zip(hourly, hourly[1:], strict=False)] == [3600] * 4
    with pytest.raises(Refused, match="came twice"):
        moments.of("c", "2026-10-25T02:30")
    assert moments.of("c", "2026-10-25T02:30+01:00") == datetime.fromisoformat("2026-10-25T01:30:00+00:00").timestamp()


def _large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Two cars for an hour, with what is not believed in between, in portions of a hundred lines."""
    lines = ["vin,at,v"]
    for n in range(1_800):
        for car in ("A", "B"):
            value = "x" if n % 97 == 0 else "999" if n % 211 == 0 else f"{12 + n % 7 / 10}"
            lines.append(f"{car},{1_795_000_000 + n},{value}" if n % 401 else f"{car},torn")
    (tmp_path / "large.csv").write_text("\n".join(lines))
    text = 'vehicle = "vin"\ntime = "at"\ntime_is = "unix"\n[columns]\n'
    text += 'v = { path = "Vehicle.LowVoltageBattery.CurrentVoltage", unit = "V" }\n'
    mapping = Mapping.of(tomllib.loads(text), "m.toml")
    monkeypatch.setattr(reading, "WORTH", 0)
    return Job(tmp_path / "large.csv", None, mapping, 0, (0.0, 2e9), 100)


def _of(found: Sequence[reading.Portion]) -> tuple[list[Any], list[int], dict[str, Any]]:
    refused = Refusals()
    for portion in found:
        refused.merge(portion.refused)
    entries = [(*one[:4], one[4][0].ids, one[4][1:], one[5]) for portion in found for one in portion.entries]
    return entries, [portion.records for portion in found], refused.reasons


@pytest.mark.parametrize("skip", [0, 1_234])
def test_a_file_that_is_read_beside_says_the_same_as_one_that_is_read_here(
    skip: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = replace(_large(tmp_path, monkeypatch), skip=skip)

    async def beside() -> list[reading.Portion]:
        return [portion async for portion in reading.portions(job, 3_600)]

    found, expected = _of(asyncio.run(beside())), _of(list(reading.here(job)))
    assert found == expected and len(found[0]) > 2_000 - skip
    assert set(found[2]) == {"torn_line", "not_a_number", "out_of_range"}


def test_what_is_wrong_with_a_file_that_is_read_beside_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = _large(tmp_path, monkeypatch)
    packed = gzip.compress(job.path.read_bytes())
    (tmp_path / "cut.csv.gz").write_bytes(packed[: len(packed) * 2 // 3])

    async def beside() -> list[reading.Portion]:
        return [one async for one in reading.portions(replace(job, path=tmp_path / "cut.csv.gz"), 3_600)]

    with pytest.raises(BadInput, match="breaks off after line"):
        asyncio.run(beside())
