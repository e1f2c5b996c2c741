"""The work that an alert suggests: each rule has one, and what it needs is named."""

from __future__ import annotations

import pytest

from rules.catalogue import RULES
from rules.service.operations import DIAGNOSE, SUGGESTED, suggested


def test_every_rule_of_the_catalogue_suggests_its_work() -> None:
    assert set(SUGGESTED) == {rule.name for rule in RULES}


def test_an_operation_takes_time_and_a_code_means_one_piece_of_work() -> None:
    works = [*SUGGESTED.values(), DIAGNOSE]
    assert all(work.minutes >= 15 and work.title for work in works)
    assert all(part.lead_days >= 0 for work in works for part in work.parts)
    assert len({work.code for work in works}) == len({id(work) for work in works})


@pytest.mark.parametrize(
    "alerts, codes",
    [
        ([("tyre_leak", "front_left"), ("tyre_leak", "rear_left")], ["TYR-10"]),
        ([("coolant_low", ""), ("coolant_hot", "")], ["COO-10"]),
        ([("trouble_code", "P0301"), ("misfire", "")], ["ENG-10"]),
        ([("trouble_code", "P0420"), ("a_rule_of_the_dealer", "")], ["DIA-10"]),
        ([], []),
    ],
)
def test_alerts_of_one_job_suggest_it_once(alerts: list[tuple[str, str]], codes: list[str]) -> None:
    assert [work.code for work in suggested(alerts)] == codes
