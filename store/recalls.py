"""Campaigns of the manufacturer: kept in each car's facts, judged by the sweeper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from store.pool import Connection, as_dict

_OPEN = """
UPDATE vehicles SET facts = jsonb_set(facts, '{recalls}', (
    SELECT to_jsonb(array_agg(DISTINCT name ORDER BY name))
    FROM (SELECT jsonb_array_elements_text(coalesce(facts -> 'recalls', '[]'::jsonb)) AS name UNION SELECT $1) names))
WHERE vin = ANY($2::text[]) RETURNING vin
"""
_CLOSE = (
    "UPDATE vehicles SET facts = jsonb_set(facts, '{recalls}', (facts -> 'recalls') - $1) WHERE vin = ANY($2::text[]) "
    "AND facts -> 'recalls' ? $1 RETURNING vin"
)
_DUE = """
SELECT v.id, v.dealer_id, names.name, coalesce(v.facts -> 'recalls', '[]'::jsonb) ? names.name AS open, a.episode,
  a.step, a.state, a.severity
FROM vehicles v
CROSS JOIN LATERAL (SELECT jsonb_array_elements_text(coalesce(v.facts -> 'recalls', '[]'::jsonb)) AS name
                    UNION SELECT component FROM alerts WHERE dealer_id = v.dealer_id AND vehicle_id = v.id AND rule = $1
                      AND state IN ('pending', 'active')) names
LEFT JOIN LATERAL (SELECT episode, step, state, severity FROM alerts
                   WHERE dealer_id = v.dealer_id AND vehicle_id = v.id AND rule = $1 AND component = names.name
                     ORDER BY episode DESC LIMIT 1) a ON true
WHERE (coalesce(v.facts -> 'recalls', '[]'::jsonb) ? names.name) <> (coalesce(a.state, '') IN ('pending', 'active'))
ORDER BY v.id, names.name LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A car and a campaign whose alert does not say yet what the facts say."""

    id: int
    dealer_id: int
    name: str
    open: bool
    episode: int | None
    step: int | None
    state: str | None
    severity: str | None


async def announce(connection: Connection, campaign: str, vins: Sequence[str]) -> list[str]:
    """These cars belong to the campaign; answers those that we know."""
    return [row["vin"] for row in await connection.fetch(_OPEN, campaign, list(vins))]


async def finish(connection: Connection, campaign: str, vins: Sequence[str]) -> list[str]:
    """The campaign's work is done on these cars."""
    return [row["vin"] for row in await connection.fetch(_CLOSE, campaign, list(vins))]


async def due(connection: Connection, rule: str, limit: int = 500) -> list[Recalled]:
    """Campaigns that opened or closed since the alerts were last judged."""
    return [Recalled(**as_dict(row)) for row in await connection.fetch(_DUE, rule, limit)]
