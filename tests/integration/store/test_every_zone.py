"""The minute that a person saw comes back out of the database, in every zone, around each change of its clocks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from schemas.moment import local
from tests.unit.rules.test_every_zone import CHANGES, MINUTE

_THERE_AND_BACK = "SELECT z, m, w FROM unnest($1::text[], $2::timestamptz[], $3::text[]) AS n (z, m, w)"


async def test_an_instant_and_its_wall_time_come_back_as_they_were(pool_as: Any) -> None:
    admin = await pool_as("admin", size=1)
    asked = [(name, change + n * MINUTE) for name, found in CHANGES.items() for change in found for n in (-61, 0, 59)]
    walls = [f"{local(moment, name):%Y-%m-%dT%H:%M}" for name, moment in asked]
    rows = await admin.fetch(_THERE_AND_BACK, [name for name, _ in asked], [moment for _, moment in asked], walls)
    assert [(row["z"], row["m"]) for row in rows] == asked and len(rows) > 4_000
    assert all(f"{local(row['m'], row['z']):%Y-%m-%dT%H:%M}" == row["w"] for row in rows)


def test_the_database_is_never_asked_what_a_wall_shows() -> None:
    """It knows zones by files of its own, which may be older than ours: Morocco's of 2027 were."""
    sources = [*Path("store").rglob("*.py"), *Path("store/migrations").glob("*.sql")]
    assert not [path for path in sources if re.search(r"at time zone|timezone\(", path.read_text(), re.IGNORECASE)]
