"""What our people said on the telephone: that a car must not be driven on. Added to, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection

_ADD = """
INSERT INTO spoken_warnings (dealer_id, case_id, owner_id, alert_ids, staff_id, at) VALUES ($1, $2, $3, $4, $5, $6)
"""
_OF_CASE = """
SELECT alert_ids, staff_id, at FROM spoken_warnings WHERE dealer_id = $1 AND case_id = $2 AND owner_id = $3 ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Somebody rang: about which alerts, and when."""

    alert_ids: tuple[int, ...]
    staff_id: int | None
    at: datetime


async def add(
    connection: Connection,
    dealer_id: int,
    case_id: int,
    owner_id: int,
    alert_ids: Sequence[int],
    staff_id: int | None,
    now: datetime,
) -> None:
    """This owner was told of these alerts of this case."""
    await connection.execute(_ADD, dealer_id, case_id, owner_id, list(alert_ids), staff_id, now)


async def of_case(connection: Connection, dealer_id: int, case_id: int, owner_id: int) -> list[Spoken]:
    """What this owner was told about this case, oldest first."""
    return [
        Spoken(tuple(row["alert_ids"]), row["staff_id"], row["at"])
        for row in await connection.fetch(_OF_CASE, dealer_id, case_id, owner_id)
    ]
