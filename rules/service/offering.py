"""Whether an owner can be asked by text at all, and when they will read it: an offer that nobody reads holds time for
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.service.permission import Go, Permission, Wait

PATIENCE = timedelta(hours=24)  #: a text that leaves later than this is no way to find a time


@dataclass(frozen=True, slots=True)
class Ask:
    """The text leaves at `at`: from then on its windows are held for an answer."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Ring:
    """No text of ours gets to them in time; a person rings and books."""

    because: str


def asked(permission: Permission, now: datetime) -> Ask | Ring:
    """`permission` is what the sender would say of the offer's text at `now`."""
    match permission:
        case Go():
            return Ask(now)
        case Wait(until=until) if until - now <= PATIENCE:
            return Ask(until)
        case _:
            return Ring(permission.reason)
