"""How a service tells whoever started it that it is ready, and where: one JSON line on an inherited pipe, or a word to
systemd.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog

from telltale.settings import Settings

Ready = Callable[..., None]


def teller(settings: Settings) -> Ready:
    """A function to call once with the facts (url=..., health=...); without anybody who waits it only logs them."""

    def tell(**facts: Any) -> None:
        structlog.get_logger().info(
            "ready", **{f"at_{name}" if name == "url" else name: value for name, value in facts.items()}
        )
        notify(settings.notify_socket, "READY=1")
        if settings.ready_fd >= 0:
            with suppress(OSError):
                os.write(settings.ready_fd, json.dumps(facts).encode() + b"\n")
                os.close(settings.ready_fd)

    return tell


def pinger(settings: Settings) -> Callable[[], None]:
    """A function to call with each turn of the loop, for systemd's WatchdogSec."""
    return (lambda: notify(settings.notify_socket, "WATCHDOG=1")) if settings.watchdog_usec else (lambda: None)


def notify(where: str, word: str) -> None:
    """One word of the sd_notify protocol; nobody there is no error."""
    if where:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.sendto(word.encode(), "\0" + where[1:] if where.startswith("@") else where)
