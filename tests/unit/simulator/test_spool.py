"""The car's disk: nothing leaves it but by an acknowledgement, and a restart is a new boot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.spool import Spool, SpoolFile

VIN = "WTTPH0000NM000017"


@pytest.fixture
def file(tmp_path: Path):
    opened = SpoolFile(tmp_path / "spool.sqlite3")
    yield opened
    opened.close()


def _fill(spool: Spool, count: int) -> None:
    for n in range(count):
        spool.put("up/telemetry", f'{{"n":{n}}}')


def test_messages_are_numbered_from_one_and_carry_their_counters(file: SpoolFile) -> None:
    spool = Spool(file, VIN)
    _fill(spool, 3)
    kept = spool.after(0, 0, 10)
    assert [(k.boot, k.seq) for k in kept] == [(1, 1), (1, 2), (1, 3)]
    assert json.loads(kept[1].payload(spool.oldest(1))) == {"boot": 1, "seq": 2, "oldest": 1, "n": 1}


def test_an_acknowledgement_deletes_up_to_its_number_and_no_further(file: SpoolFile) -> None:
    spool = Spool(file, VIN)
    _fill(spool, 10)
    assert spool.acknowledge(1, 4) == 4
    assert spool.acknowledge(1, 4) == 0
    assert [k.seq for k in spool.after(0, 0, 99)] == [5, 6, 7, 8, 9, 10]
    assert spool.oldest(1) == 5 and len(spool) == 6


def test_an_acknowledgement_of_another_boot_touches_nothing(file: SpoolFile) -> None:
    _fill(Spool(file, VIN), 3)
    spool = Spool(file, VIN)
    _fill(spool, 2)
    assert spool.acknowledge(2, 99) == 2
    assert [(k.boot, k.seq) for k in spool.after(0, 0, 99)] == [(1, 1), (1, 2), (1, 3)]


def test_after_a_kill_the_messages_are_there_and_the_boot_is_higher(tmp_path: Path) -> None:
    file = SpoolFile(tmp_path / "spool.sqlite3")
    first = Spool(file, VIN)
    _fill(first, 5)
    file.commit()
    again = SpoolFile(tmp_path / "spool.sqlite3")  # the first one was never closed
    second = Spool(again, VIN)
    assert second.boot == first.boot + 1
    assert len(second) == 5
    _fill(second, 1)
    assert [(k.boot, k.seq) for k in second.after(1, 4, 9)] == [(1, 5), (2, 1)]
    file.close()
    again.close()


def test_a_full_spool_forgets_its_oldest_and_says_so(file: SpoolFile) -> None:
    spool = Spool(file, VIN, keep=4)
    _fill(spool, 7)
    assert [k.seq for k in spool.after(0, 0, 99)] == [4, 5, 6, 7]
    assert spool.oldest(1) == 4


def test_what_is_asked_for_is_given_as_far_as_it_is_there(file: SpoolFile) -> None:
    spool = Spool(file, VIN)
    _fill(spool, 9)
    spool.acknowledge(1, 3)
    assert [k.seq for k in spool.between(1, 2, 6)] == [4, 5, 6]
    assert list(spool.between(7, 1, 5)) == []


def test_an_empty_spool_says_that_the_next_number_is_its_oldest(file: SpoolFile) -> None:
    spool = Spool(file, VIN)
    assert spool.oldest(1) == 1
    _fill(spool, 2)
    spool.acknowledge(1, 2)
    assert spool.oldest(1) == 3


def test_two_cars_share_a_file_without_meeting(file: SpoolFile) -> None:
    one, other = Spool(file, VIN), Spool(file, "WTTPH0000NM000025")
    _fill(one, 2)
    _fill(other, 3)
    one.acknowledge(1, 99)
    assert (len(one), len(other)) == (0, 3)


def test_a_text_is_remembered_for_the_next_boot(file: SpoolFile) -> None:
    spool = Spool(file, VIN)
    assert spool.remembered() is None
    spool.remember("worn")
    assert Spool(file, VIN).remembered() == "worn"
