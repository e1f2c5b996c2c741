"""Asking a road service for a matrix, in blocks that its limits allow; whatever goes wrong, there is an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import aiohttp
import structlog

from rules.service.travel import ESTIMATE, estimate
from schemas.place import Place

log = structlog.get_logger()

TIMEOUT_S = 5.0  #: for one block
BLOCK = 40  #: places on each side: osrm-routed takes 100 coordinates at once, Valhalla 2,500 pairs
Seconds = list[list[int | None]]


class RoadsFailed(Exception):
    """The road service gave no answer that one could use."""


class Service(Protocol):
    """A service with an address."""

    name: str

    async def block(
        self, session: aiohttp.ClientSession, sources: Sequence[Place], targets: Sequence[Place]
    ) -> Seconds:
        """Seconds from each source to each target, None where there is no road. Raises RoadsFailed, or as aiohttp."""


class Roads:
    """Travel times between places; `service` None: estimated."""

    def __init__(self, service: Service | None) -> None:
        self._service = service
        self._session: aiohttp.ClientSession | None = None
        self.failures = 0  #: how often the estimate had to stand in

    @property
    def name(self) -> str:
        """Who is asked."""
        return ESTIMATE if self._service is None else self._service.name

    async def matrix(self, places: Sequence[Place]) -> Seconds:
        """From each place to each; see `ways`."""
        return (await self.ways(places))[0]

    async def ways(self, places: Sequence[Place]) -> tuple[Seconds, str]:
        """From each place to each, and who says so. No failure of the service is one of ours: then it is estimated."""
        if self._service is None or len(places) < 2:
            return [list(row) for row in estimate(places)], ESTIMATE
        try:
            return await self._asked(self._service, places), self._service.name
        except (RoadsFailed, aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self.failures += 1
            log.warning("roads_failed", service=self._service.name, error=type(error).__name__, instead="estimate")
            return [list(row) for row in estimate(places)], ESTIMATE

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _asked(self, service: Service, places: Sequence[Place]) -> Seconds:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        parts = [places[n : n + BLOCK] for n in range(0, len(places), BLOCK)]
        rows: Seconds = []
        for sources in parts:
            blocks = [await service.block(self._session, sources, targets) for targets in parts]
            rows += [[second for block in blocks for second in block[n]] for n in range(len(sources))]
        for n, row in enumerate(rows):
            row[n] = 0
        return rows


async def payload_of(answer: aiohttp.ClientResponse) -> dict[str, object]:
    """Its JSON object. Raises RoadsFailed."""
    try:
        found = await answer.json(content_type=None)
    except (ValueError, aiohttp.ClientPayloadError, asyncio.IncompleteReadError):
        raise RoadsFailed(f"{answer.status}, and no JSON") from None
    if not isinstance(found, dict):
        raise RoadsFailed("no object")
    return found


def grid(found: object, height: int, width: int) -> Seconds:
    """Numbers and nulls in the shape that was asked for, in whole seconds. Raises RoadsFailed."""
    if not isinstance(found, list) or len(found) != height:
        raise RoadsFailed("another number of rows than was asked for")
    return [_row(row, width) for row in found]


def _row(row: object, width: int) -> list[int | None]:
    if not isinstance(row, list) or len(row) != width:
        raise RoadsFailed("another number of columns than was asked for")
    if not all(
        value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10**7)
        for value in row
    ):
        raise RoadsFailed("what is no time")
    return [None if value is None else round(value) for value in row]
