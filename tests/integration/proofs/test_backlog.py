"""`telltale prove backlog`, short: green as it is, red when reading stops before the broker has answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from proofs import backlog
from proofs.bench.brokers import mosquitto
from telltale.settings import Settings

needs_mosquitto = pytest.mark.skipif(
    mosquitto() is None, reason="mosquitto is not installed on this machine (Debian: apt install mosquitto)"
)


@pytest.mark.parametrize("broker", ["embedded", pytest.param("mosquitto", marks=needs_mosquitto)])
async def test_what_a_night_left_behind_is_stored_once_and_nobody_would_end_the_gateway_meanwhile(
    home: Path, broker: str
):
    facts = await backlog.main(Settings.read(home=home), messages=24_000, broker=broker, seed=1, sabotage=None)
    assert (facts["stored"], facts["missing"], facts["twice"], facts["not_alive"]) == (24_000, 0, 0, 0)
    assert facts["said"][0].startswith("catching up")
    assert set(facts["violated"]) <= {
        "late_first_commit"
    }  # how soon is the command's to say, on a machine that does nothing else


@needs_mosquitto
async def test_the_proof_is_red_when_reading_stops_before_the_broker_has_answered(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(backlog, "STUCK_S", 12.0)
    facts = await backlog.main(
        Settings.read(home=home), messages=48_000, broker="mosquitto", seed=1, sabotage="stop-reading"
    )
    assert facts["missing"] == 48_000 and "late_first_commit" in facts["violated"]
