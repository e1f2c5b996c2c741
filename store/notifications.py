"""NOTIFY as a bell: it says that something is there, the rows say what. A missed bell is made good by a slow tick."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from store.pool import Connection

JOBS = "wakeups"  #: for the workers: a row of `wakeups` or a queued message is due
DESK = "desk"  #: for live pages: {"dealer": 1, "noun": "case", "id": 5}
#: for the gateway: enrolled, revoked, a repair done, quarantine decided: {"vehicle": 7, "what": "revoked"}
CARS = "cars"
CLOCK = "clock"  #: business time was set anew


async def ring(connection: Connection, bell: str, **payload: Any) -> None:
    """Ring when this transaction commits."""
    await connection.execute("SELECT pg_notify($1, $2)", bell, json.dumps(payload))


async def ring_desk(connection: Connection, dealer_id: int, noun: str, subject_id: int) -> None:
    """Tell the dealer's open pages that something of theirs changed."""
    await ring(connection, DESK, dealer=dealer_id, noun=noun, id=subject_id)


async def listen(connection: Connection, bell: str, heard: Callable[[dict[str, Any]], None]) -> None:
    """Call `heard` with each payload of `bell`, for as long as the connection lives."""

    def _heard(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        heard(json.loads(str(payload)) if payload else {})

    await connection.add_listener(bell, _heard)
