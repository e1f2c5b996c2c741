"""How a service tells the one who started it that it is ready, and where: one JSON line on an inherited pipe."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog

Ready = Callable[..., None]


def teller(descriptor: int) -> Ready:
    """A function to call once with the facts (url=..., health=...); without a supervisor it only logs them."""

    def tell(**facts: Any) -> None:
        structlog.get_logger().info("ready", **{f"at_{name}" if name == "url" else name: value for name, value in facts.items()})
        if descriptor >= 0:
            with suppress(OSError):
                os.write(descriptor, json.dumps(facts).encode() + b"\n")
                os.close(descriptor)

    return tell
