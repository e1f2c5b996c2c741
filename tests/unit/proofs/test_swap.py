"""Switches find the guards that they take out: one that was renamed is an error, not a proof that stays green."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from proofs.sabotage import SWITCHES
from proofs.swap import swap

ROOT = Path(__file__).resolve().parents[3]


def test_what_is_not_there_is_not_taken_out() -> None:
    with pytest.raises(AttributeError):
        swap(SimpleNamespace(context=1), "kit", 2)


def test_every_switch_of_a_service_finds_its_guard() -> None:
    words = (
        "from proofs.sabotage import SWITCHES\nfor take_out in SWITCHES.values():\n    take_out()\nprint(len(SWITCHES))"
    )
    result = subprocess.run(
        [sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.stdout.strip() == str(len(SWITCHES)), result.stderr
