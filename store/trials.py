"""What rules on trial have found, and how it comes before the desk once such a rule may speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store import jobs, notifications
from store.pool import Connection, as_dict

_DEALERS = """
SELECT DISTINCT dealer_id FROM alerts WHERE shadow AND state = 'active' AND rule = ANY($1::text[]) ORDER BY dealer_id
"""
_WAITING = """
SELECT a.id, a.vehicle_id, a.rule, a.severity, a.first_at, EXISTS (
    SELECT 1 FROM cases c WHERE c.dealer_id = a.dealer_id AND c.vehicle_id = a.vehicle_id
        AND c.state NOT IN ('done', 'dismissed')) AS joins
FROM alerts a WHERE a.dealer_id = $1 AND a.shadow AND a.state = 'active' AND a.rule = ANY($2::text[])
ORDER BY a.id FOR NO KEY UPDATE OF a SKIP LOCKED
"""
_BEFORE_THE_DESK = """
SELECT count(DISTINCT a.vehicle_id) FROM alerts a
WHERE a.dealer_id = $1 AND a.spoke_at >= $2 AND a.spoke_at < $3 AND a.severity <> 'now'
"""
_SPEAK = """
UPDATE alerts SET shadow = false, spoke_at = $3
WHERE dealer_id = $1 AND id = ANY($2::bigint[]) AND shadow AND state = 'active' RETURNING id, state, severity, late
"""
_FINDS = """
SELECT a.id, a.dealer_id, a.vehicle_id, v.title AS vehicle, v.plate, a.rule, a.rule_version, a.component, a.state,
    a.severity, a.because, a.first_at, a.changed_at, a.late, a.shadow, a.spoke_at, a.case_id,
    (SELECT min(c.repaired_at) FROM cases c
     WHERE c.dealer_id = a.dealer_id AND c.vehicle_id = a.vehicle_id AND c.repaired_at >= a.first_at) AS repaired_at
FROM alerts a JOIN vehicles v ON v.dealer_id = a.dealer_id AND v.id = a.vehicle_id
WHERE a.dealer_id = $1 AND (a.shadow OR a.spoke_at IS NOT NULL) AND a.state NOT IN ('pending', 'lapsed')
    AND ($2::text IS NULL OR a.rule = $2)
ORDER BY a.rule, a.state <> 'active', a.id DESC LIMIT $3
"""
_COUNTS = """
SELECT a.rule, count(*) AS found, count(*) FILTER (WHERE a.state = 'active') AS standing,
    count(*) FILTER (WHERE a.shadow AND a.state = 'active') AS waiting,
    count(*) FILTER (WHERE a.state = 'withdrawn') AS withdrawn,
    count(*) FILTER (WHERE EXISTS (
        SELECT 1 FROM cases c WHERE c.dealer_id = a.dealer_id AND c.vehicle_id = a.vehicle_id
            AND c.repaired_at >= a.first_at AND c.repaired_at < a.first_at + interval '60 days')) AS repaired
FROM alerts a WHERE a.dealer_id = $1 AND (a.shadow OR a.spoke_at IS NOT NULL) AND a.state NOT IN ('pending', 'lapsed')
GROUP BY a.rule ORDER BY a.rule
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A find that stands and is not before the desk. `joins`: its car has an open case."""

    id: int
    vehicle_id: int
    rule: str
    severity: str
    first_at: datetime
    joins: bool


@dataclass(frozen=True, slots=True)
class Find:
    """What a rule on trial found, and what came of it. `spoke_at`: before the desk since then; `repaired_at`: when its
    car was repaired next."""

    id: int
    dealer_id: int
    vehicle_id: int
    vehicle: str
    plate: str | None
    rule: str
    rule_version: int
    component: str
    state: str
    severity: str
    because: str
    first_at: datetime
    changed_at: datetime
    late: bool
    shadow: bool
    spoke_at: datetime | None
    case_id: int | None
    repaired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule's trial at one dealer in numbers. `repaired`: the car was repaired within 60 days, `waiting`: stands, and
    not before the desk."""

    rule: str
    found: int
    standing: int
    waiting: int
    withdrawn: int
    repaired: int


async def dealers_waiting(connection: Connection, rules: Sequence[str]) -> list[int]:
    """Where something stands that these rules found on trial."""
    return [row["dealer_id"] for row in await connection.fetch(_DEALERS, list(rules))]


async def waiting(connection: Connection, dealer_id: int, rules: Sequence[str]) -> list[Waiting]:
    """What stands of it at one dealer; locked, and what somebody else has locked is left out."""
    return [Waiting(**as_dict(row)) for row in await connection.fetch(_WAITING, dealer_id, list(rules))]


async def cars_put_before_the_desk(connection: Connection, dealer_id: int, since: datetime, until: datetime) -> int:
    """How many cars' finds came before the desk in this time, dangerous ones not counted."""
    return int(await connection.fetchval(_BEFORE_THE_DESK, dealer_id, since, until))


async def speak(connection: Connection, dealer_id: int, alert_ids: Sequence[int], now: datetime) -> int:
    """Put these before the desk, each like an alert that has just become active, but in a batch; returns how many."""
    rows = await connection.fetch(_SPEAK, dealer_id, list(alert_ids), now)
    for row in sorted(rows, key=lambda row: list(alert_ids).index(row["id"])):
        payload = {"state": row["state"], "severity": row["severity"], "late": row["late"], "after_trial": True}
        await jobs.put(connection, dealer_id, "alert", row["id"], due_at=now, **payload)
        await notifications.ring_desk(connection, dealer_id, "alert", row["id"])
    return len(rows)


async def finds(connection: Connection, dealer_id: int, rule: str | None = None, limit: int = 500) -> list[Find]:
    """What rules on trial found here, what stands first, then the newest."""
    return [Find(**as_dict(row)) for row in await connection.fetch(_FINDS, dealer_id, rule, limit)]


async def tried(connection: Connection, dealer_id: int) -> list[Tried]:
    """Each rule that found something on trial here, in numbers."""
    return [Tried(**as_dict(row)) for row in await connection.fetch(_COUNTS, dealer_id)]
