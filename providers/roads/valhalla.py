"""Valhalla's matrix service: POST /sources_to_targets with sources, targets and costing.

A cell has `time` in seconds, null where there is no road.
"""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp

from providers.roads.asking import RoadsFailed, Seconds, grid, payload_of
from schemas.place import Place


class Valhalla:
    """`url`: http://host:8002."""

    name = "valhalla"

    def __init__(self, url: str) -> None:
        self._matrix = f"{url}/sources_to_targets"

    async def block(
        self, session: aiohttp.ClientSession, sources: Sequence[Place], targets: Sequence[Place]
    ) -> Seconds:
        """Newer servers answer `"verbose": false` with one object of `durations`, older ones with rows of cells."""
        body = {"sources": _points(sources), "targets": _points(targets), "costing": "auto", "verbose": False}
        async with session.post(self._matrix, json=body, allow_redirects=False) as answer:
            found = await payload_of(answer)
            if answer.status != 200:
                raise RoadsFailed(f"{answer.status} {found.get('error_code')}")
            said = found.get("sources_to_targets")
            rows = (
                said.get("durations")
                if isinstance(said, dict)
                else [_times(row) for row in said]
                if isinstance(said, list)
                else None
            )
            return grid(rows, len(sources), len(targets))


def _times(row: object) -> list[object]:
    """A row of cells in the order of its targets."""
    if not isinstance(row, list) or not all(isinstance(cell, dict) and "time" in cell for cell in row):
        raise RoadsFailed("no cells")
    return [cell["time"] for cell in row]


def _points(places: Sequence[Place]) -> list[dict[str, float]]:
    return [{"lat": round(place.latitude, 5), "lon": round(place.longitude, 5)} for place in places]
