"""How long drivers need to get there: what was estimated when a drive was agreed is asked of the road service, if there
is one. A promise presses by it (rules/service/promises.py).
"""

from __future__ import annotations

from itertools import groupby

from rules.service.travel import ESTIMATE
from schemas.place import place_of
from store import sweeps
from store.pool import transaction
from workers.context import Context


async def travelling_once(context: Context) -> int:
    """Ask about the next drives whose way nobody knows, or only by estimate. Returns how many are known better now.

    No transaction is open while the service is asked. What it could not say stays an estimate until the next look.
    """
    worse = () if context.roads.name == ESTIMATE else (ESTIMATE,)
    async with transaction(context.pool) as connection:
        asked = await sweeps.ways(connection, context.clock(), worse)
    done = 0
    for house, of_house in groupby(asked, key=lambda way: way.house):
        found = list(of_house)
        places = [place_of(text) for text in (house, *(way.place for way in found))]
        matrix, by = await context.roads.ways([place for place in places if place is not None])
        async with transaction(context.pool) as connection:
            for n, way in enumerate(found, 1):
                seconds = matrix[0][n]
                await sweeps.keep_way(connection, way, None if seconds is None else -(-seconds // 60), by)
        done += len(found) if by not in worse else 0
    return done
