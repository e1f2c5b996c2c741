"""Two clocks that must agree: this machine's, and as its witness the database's.

A clock that is a day wrong would sign people out, send tomorrow's texts today, let offers run out: nothing of that can
be taken back. So nobody who stands alone with his time works with the database; business time, which may be a
time-lapse, is another matter. The witness is asked rarely: in between, a step of our own clock shows against the steady
one.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import structlog

from schemas.errors import Unavailable

log = structlog.get_logger()

APART_S = 60.0  #: machines that keep time by NTP differ by milliseconds
ASKED_S = 10.0  #: the witness is asked this often
STEPPED_S = 1.0  #: and at once when our own clock has moved by so much against the steady one
_AT = "SELECT clock_timestamp()"


class ClocksApart(Unavailable):
    """{part} is not available right now."""

    def __init__(self, off: str) -> None:
        self.off = off
        super().__init__("the right time", f"this machine's clock is {off}")


def machine() -> datetime:
    """What this machine believes."""
    return datetime.now(UTC)


class _Agreed:
    """What was found when the witness was last asked."""

    def __init__(self) -> None:
        self.at = float("-inf")  #: by the steady clock
        self.offset = 0.0  #: of our clock against the steady one
        self.apart = 0.0  #: of our clock against the database's, in seconds; positive when ours is ahead
        self.told = False


_agreed = _Agreed()  #: a process works with one database


async def agree(connection: Any) -> None:
    """Raises Unavailable while the clocks are more than a minute apart."""
    found = _agreed
    steady = time.monotonic()
    offset = machine().timestamp() - steady
    if steady - found.at > ASKED_S or abs(offset - found.offset) > STEPPED_S or abs(found.apart) > APART_S:
        theirs: datetime = await connection.fetchval(_AT)
        found.at = time.monotonic()
        found.offset = machine().timestamp() - found.at
        found.apart = machine().timestamp() - theirs.timestamp()
    if abs(found.apart) <= APART_S:
        found.told = False
        return
    if not found.told:
        found.told = True
        log.error(
            "clocks_apart",
            seconds=round(found.apart),
            hint="nothing is done until this machine and the database agree on the time: is NTP running on both?",
        )
    raise ClocksApart(f"{abs(found.apart):.0f} s {'ahead of' if found.apart > 0 else 'behind'} the database's")
