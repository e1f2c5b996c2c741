"""A database that is not empty: two dealers with one of everything, as the code of each version writes it
(tests/integration/store/rows).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROWS = Path(__file__).parent / "integration" / "store" / "rows"
DEALERS = (1, 2)


async def furnish(connection: Any, *, upto: str = "9999") -> None:
    """Rows of every table that exists at the version `upto` ("0003"), for both dealers, in one session of the owner."""
    for dealer in DEALERS:
        for path in sorted(ROWS.glob("*.sql")):
            if path.name[:4] <= upto:
                await connection.execute(path.read_text().replace("{d}", str(dealer)))
