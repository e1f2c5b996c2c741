"""OSRM's table service (osrm-routed): GET /table/v1/driving/{lon},{lat};…?sources=…&destinations=….

Seconds stand in `durations`.
"""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp

from providers.roads.asking import RoadsFailed, Seconds, grid, payload_of
from schemas.place import Place


class Osrm:
    """`url`: http://host:5000."""

    name = "osrm"

    def __init__(self, url: str) -> None:
        self._table = f"{url}/table/v1/driving"

    async def block(
        self, session: aiohttp.ClientSession, sources: Sequence[Place], targets: Sequence[Place]
    ) -> Seconds:
        """Longitude first, as OSRM wants it."""
        where = ";".join(f"{place.longitude:.5f},{place.latitude:.5f}" for place in (*sources, *targets))
        query = {
            "annotations": "duration",
            "sources": ";".join(str(n) for n in range(len(sources))),
            "destinations": ";".join(str(n) for n in range(len(sources), len(sources) + len(targets))),
        }
        async with session.get(f"{self._table}/{where}", params=query, allow_redirects=False) as answer:
            found = await payload_of(answer)
            if answer.status != 200 or found.get("code") != "Ok":
                raise RoadsFailed(f"{answer.status} {found.get('code')}")
            return grid(found.get("durations"), len(sources), len(targets))
