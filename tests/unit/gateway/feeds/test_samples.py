"""Every sample of a feed gives the signals that it has to give, in our units."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.feeds.feed import Heard, Message
from gateway.feeds.gathering import diagnostics, samples
from gateway.feeds.register import FEEDS
from gateway.intake import normalise
from schemas.signal import BY_ID

SAMPLES = Path(__file__).parent / "samples"
RECEIVED = 1_795_506_135.0  #: 2026-11-24T07:42:15Z
OF = {
    "ovms-v3": "ovms",
    "wican-autopid": "wican",
    "viss-v2": "viss",
    "kuksa-val": "viss",
    "traccar-forward": "traccar",
    "samsara-webhook": "samsara",
    "json-lines": "jsonl",
}


def translated(name: str) -> list[Heard]:
    found: list[Heard] = []
    sample = json.loads((SAMPLES / f"{name}.json").read_text())
    feed = FEEDS[OF.get(name, name)]
    for one in sample["input"]:
        if "mqtt" in one:
            said = one["mqtt"]["payload"].encode()
            topic = tuple(one["mqtt"]["topic"].removeprefix(feed.root + "/").split("/"))
            found += feed.translate(Message(said, RECEIVED, topic), {})
        elif "text" in one:
            found += feed.translate(Message(one["text"].encode(), RECEIVED), {})
        else:
            body = json.dumps(one["json"] if "json" in one else one["http"]["body"]).encode()
            found += feed.translate(Message(body, RECEIVED, ("car",) if feed.filters else ()), {})
    return found


def believed(found: list[Heard]) -> dict[str, float]:
    """What the intake makes of it: the last value of each signal."""
    values: dict[str, float] = {}
    for body in samples(one for heard in found for one in heard.values):
        decoded = normalise.telemetry(body, normalise.Source("", 1, "x"), RECEIVED)
        assert decoded.reading is not None and not decoded.refused
        values |= {BY_ID[i].path: v for i, v in zip(decoded.reading.ids, decoded.reading.values, strict=True)}
    return values


@pytest.mark.parametrize("name", sorted(path.stem for path in SAMPLES.glob("*.json")))
def test_a_sample_gives_its_signals(name: str) -> None:
    expected: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())["expect"]
    found = translated(name)
    first = [heard for heard in found if heard.car == found[0].car]  # TeslaMate's has a second car
    assert believed(first) == pytest.approx(expected["signals"], rel=2e-4)
    assert not [odd for heard in found for odd in heard.odd]
    named = [code.code for heard in found for one in heard.codes for code in one.codes]
    assert named == [_as_ours(code) for code in expected.get("codes", [])]
    for codes in (one for heard in found for one in heard.codes):
        decoded = normalise.diagnostics(diagnostics(codes), normalise.Source("", 1, "x"), RECEIVED)
        assert decoded.reading is not None and not decoded.refused


def _as_ours(code: str) -> str:
    """SPN 110 FMI 0 is 110/0 in the contract."""
    return code.replace("SPN ", "").replace(" FMI ", "/")
