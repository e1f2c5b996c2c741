"""Two on one home is one clear line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas.errors import Misconfigured
from telltale.lock import HomeLock


def test_the_second_one_is_told_who_is_there(tmp_path: Path) -> None:
    with HomeLock(tmp_path):
        with pytest.raises(Misconfigured, match=f"in use by another telltale .process {os.getpid()}"):
            HomeLock(tmp_path).__enter__()
    with HomeLock(tmp_path):
        pass
