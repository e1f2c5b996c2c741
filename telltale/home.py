"""Where a house keeps its own files when nobody says."""

from __future__ import annotations

import os
from pathlib import Path


def usual_home(data: str | None) -> Path:
    """`data` is the account's folder for such things (XDG_DATA_HOME), if it names one."""
    if os.geteuid() == 0:  # the database's account could not enter /root
        return Path("/var/lib/telltale/home")
    return (Path(data) if data else Path.home() / ".local" / "share") / "telltale"
