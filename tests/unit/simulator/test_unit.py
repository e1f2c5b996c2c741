"""The telematics unit: what it keeps, within its budget."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.telemetry import Diagnostics, TroubleCode
from simulator.sampling import ON, Sampler
from simulator.spool import Spool, SpoolFile
from simulator.telematics import Unit, stamp

AT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def spool(tmp_path: Path):
    file = SpoolFile(tmp_path / "spool.sqlite3")
    yield Spool(file, "WTTPH0000NM000017")
    file.close()


def _drive(unit: Unit, seconds: int) -> None:
    for ts in range(0, seconds, 10):
        unit.hear(float(ts), {9: ON, 1: 50.0 + ts % 7, 5: 14.0})


def test_the_budget_of_a_day_is_reported_and_kept(spool: Spool) -> None:
    unit = Unit(spool, Sampler(30.0), budget=20_000)
    _drive(unit, 80_000)
    assert unit.bytes_today <= 20_000 + 500
    assert unit.budget() == {"bytes_today": unit.bytes_today, "bytes_per_day": 20_000}
    before = unit.messages
    unit.hear(80_010.0, {9: ON, 33: 1.0})
    assert unit.messages == before + 1  # a change still goes out
    unit.hear(90_000.0, {9: ON, 1: 20.0})
    unit.hear(90_040.0, {9: ON, 1: 21.0})
    assert unit.bytes_today < 1_000  # a new day


def test_without_a_budget_it_reports_every_period(spool: Spool) -> None:
    unit = Unit(spool, Sampler(30.0))
    _drive(unit, 3_000)
    assert unit.messages == 100


def test_only_a_change_of_codes_is_a_message(spool: Spool) -> None:
    unit = Unit(spool, Sampler())
    none = Diagnostics(ts=AT, codes=[], mil=False)
    some = Diagnostics(ts=AT, codes=[TroubleCode(system="obd", code="P0301", status="pending")], mil=False)
    for one_text in (none, none, some, some, none):
        unit.codes(0.0, one_text)
    assert [kept.way for kept in spool.after(0, 0, 9)] == ["up/diagnostics"] * 2


def test_a_stamp_is_as_fine_as_it_needs_to_be() -> None:
    assert stamp(AT.timestamp()) == "2026-11-23T00:00:00.000Z"
    assert stamp(AT.timestamp() + 0.1205) == "2026-11-23T00:00:00.120500Z"
