"""What workshops say they have repaired and no car has proved yet: the worklist of the simulated mechanic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection

_REPAIRED = """
SELECT c.id AS case_id, c.repaired_at, v.vin, a.rule, a.component FROM cases c
JOIN vehicles v ON v.dealer_id = c.dealer_id AND v.id = c.vehicle_id
JOIN alerts a ON a.dealer_id = c.dealer_id AND a.case_id = c.id
WHERE c.state = 'verifying' ORDER BY c.id, a.id
"""


@dataclass(frozen=True, slots=True)
class Repaired:
    """One fault of one car, repaired at a business time."""

    case_id: int
    repaired_at: datetime
    vin: str
    rule: str
    component: str


async def repaired(connection: Connection) -> list[Repaired]:
    """All of them, of every dealer."""
    return [Repaired(**dict(row)) for row in await connection.fetch(_REPAIRED)]
