"""A folder that an ordinary user can enter, on a real disk or in memory, and what this machine must have."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from proofs.production.house import missing


@pytest.fixture
def home() -> Iterator[Path]:
    """Removed afterwards; kept when KEEP_PRODUCTION_HOMES is set, for its logs."""
    made = Path(tempfile.mkdtemp(prefix="telltale-production-"))
    made.chmod(0o711)
    yield made
    if not os.environ.get("KEEP_PRODUCTION_HOMES"):
        shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def parts() -> None:
    """Skips, with the reason, where the distribution’s servers are not installed."""
    lacking = missing()
    if lacking:
        pytest.skip(f"not on this machine: {', '.join(lacking)} (on Debian: apt-get install {' '.join(lacking)})")
