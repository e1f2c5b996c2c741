"""A few faults on parts that others made: the small run of `telltale prove operations`, which brings every kind to a
whole house after ./test (`.ci/run`).
"""

from __future__ import annotations

import pytest

from proofs.operations import main
from proofs.operations.faults import possible
from telltale.settings import Settings

#: Of each sort one: a certificate, the connections, and a server that another takes over from.
KINDS = ("certificates_rotated", "connections_used_up", "database_failed_over")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


async def test_after_a_few_faults_nothing_is_lost_twice_or_wrong(parts: None) -> None:
    wanted, left_out = possible(KINDS)
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
