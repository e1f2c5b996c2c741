"""One fault of each kind that only a whole house can show, on parts that others made: the small run of `telltale prove
operations`.
"""

from __future__ import annotations

import pytest

from proofs.operations import main
from proofs.operations.faults import KINDS, possible
from telltale.settings import Settings

#: These have tests of their own beside the gateway's or the workers'; `.ci/run` brings them to a whole house, too,
#: after ./test.
SHOWN_ELSEWHERE = {
    "service_killed",
    "gateway_killed_in_commit",
    "worker_killed_in_hand_over",
    "database_restarted",
    "database_crashed",
    "database_slow",
    "broker_restarted",
    "broker_lost_its_store",
    "clock_wrong",
    "gateways_away",
    "secret_rotated",
    "rolling_restart",
    "workers_away_for_an_afternoon",
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


async def test_after_a_night_with_each_kind_of_fault_nothing_is_lost_twice_or_wrong(parts: None) -> None:
    wanted, left_out = possible([kind for kind in KINDS if kind not in SHOWN_ELSEWHERE])
    facts = await main(Settings(), trials=len(wanted), seed=5, sabotage=None, kinds=",".join(wanted))
    assert facts["violations"] == 0, {
        name: facts[name]
        for name in ("examples", "broken", "texts_wrong", "missing", "twice", "alerts_differ", "open_gaps", "settled")
    }
    assert facts["checked"] > 600 * len(wanted) and facts["handed_over"] > 20
    assert len(facts["recovery_s"]) == len(wanted)
    if left_out:
        pytest.skip(
            "the others are brought; this machine cannot bring "
            f"{', '.join(f'{name}: {why}' for name, why in left_out.items())}"
        )
