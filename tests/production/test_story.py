"""The guiding story on parts that others made: from the leak in the tyre to the owner's answer, watched from
outside.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from proofs.production.playing import leaks, rehearse
from proofs.story import tell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_a_log_that_names_a_person_is_found() -> None:
    assert leaks({"gateway-0": "all is well", "workers-1": "a text for Emma Clarke"}) == ["Emma Clarke in workers-1"]


@pytest.mark.parametrize("broker", ["mosquitto", "nats"])
async def test_the_whole_story_runs_in_production(broker: str, home: Path, parts: None) -> None:
    facts = await rehearse(home, broker=broker, tell=tell)
    assert facts["ok"], facts["steps"][-1]
    assert len(facts["served"]) == 2 and min(facts["served"].values()) >= 50, "both desks served it"
    assert facts["users"] and 0 not in facts["users"], "nothing of ours ran as root"
    assert facts["tracebacks"] == [], "no service stumbled"
    assert facts["canaries"] == [], "no log names a person"
    assert facts["texts"] >= 12 and facts["texts_twice"] == [], "each text was handed over once"
    assert facts["refused"] == 0, "the provider knew our password"
