"""How the desk is. The details stand on the health port; the public one says yes or no (`api/health.py`)."""

from __future__ import annotations

from collections.abc import Mapping

from dealer_api import metrics
from dealer_api.live import Live
from monitoring.page import HealthPage, State
from store.pool import Pool, answers, refused, waiting


class Health:
    """`pools` by the name under which they are counted; the first is asked whether the database answers."""

    def __init__(self, pools: Mapping[str, Pool], live: Live) -> None:
        self._pools, self._live = pools, live
        self._refused = {name: refused(pool) for name, pool in pools.items()}

    def page(self) -> HealthPage:
        """The page of this desk."""
        return HealthPage("dealer-api", live=list, ready=self.state, look=self.look)

    async def state(self) -> State:
        """Whether pages and calls are answered at this moment."""
        state = State()
        for name, pool in self._pools.items():
            if not await answers(pool):
                state.faults.append(f"the database is away, or has no connection free for {name}")
        if not self._live.listening.is_set():
            state.faults.append("the bell is not heard: open pages do not move")
        return state

    async def look(self) -> None:
        """Gauges, before a scrape."""
        for name, pool in self._pools.items():
            size, idle = pool.get_size(), pool.get_idle_size()
            for state, count in (("in_use", size - idle), ("idle", idle), ("most", pool.get_max_size())):
                metrics.POOL.labels(name, state).set(count)
            metrics.POOL_WAITING.labels(name).set(waiting(pool))
            so_far = refused(pool)
            metrics.POOL_REFUSED.labels(name).inc(so_far - self._refused[name])
            self._refused[name] = so_far
