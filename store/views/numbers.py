"""The journeys of a dealer's cases that were opened in a time, for the numbers page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.journey import Journey, Step
from store.pool import Connection

_JOURNEYS = """
SELECT c.id, c.state, c.comebacks, c.confirmed, c.opened_at, c.acknowledged_at, c.repaired_at,
    coalesce(a.found_at, c.opened_at) AS found_at, coalesce(a.rules, '{}') AS rules,
    m.texts, m.left, least(m.told_at, w.told_at) AS told_at, o.offers, o.answered OR r.wrote AS answered,
    b.agreed_at, b.here_at, b.kept, b.moved, b.broken, b.silent, b.silence,
    CASE WHEN c.state = 'done' AND c.confirmed IS NULL THEN (SELECT max(h.at) FROM history h
        WHERE h.dealer_id = c.dealer_id AND h.noun = 'case' AND h.subject_id = c.id
            AND h.new = 'done') END AS proved_at,
    f.case_id IS NOT NULL AS asked, f.score
FROM cases c
LEFT JOIN feedback f ON f.dealer_id = c.dealer_id AND f.case_id = c.id
CROSS JOIN LATERAL (SELECT min(coalesce(a.spoke_at, a.first_at)) AS found_at, array_agg(DISTINCT a.rule) AS rules
    FROM alerts a WHERE a.dealer_id = c.dealer_id AND a.case_id = c.id AND NOT a.shadow) a
CROSS JOIN LATERAL (SELECT count(*) AS texts, count(*) FILTER (WHERE m.state IN ('sent', 'delivered')) AS left,
    min(m.sent_at) FILTER (WHERE m.state IN ('sent', 'delivered')) AS told_at
    FROM messages m WHERE m.dealer_id = c.dealer_id AND m.case_id = c.id AND m.owner_id IS NOT NULL
        AND m.purpose <> 'survey') m
CROSS JOIN LATERAL (SELECT min(w.at) AS told_at FROM spoken_warnings w
    WHERE w.dealer_id = c.dealer_id AND w.case_id = c.id) w
CROSS JOIN LATERAL (SELECT count(*) AS offers, coalesce(bool_or(o.state IN ('accepted', 'declined')), false) AS answered
    FROM offers o WHERE o.dealer_id = c.dealer_id AND o.case_id = c.id) o
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM replies r JOIN threads t ON t.dealer_id = r.dealer_id
    AND t.id = r.thread_id JOIN messages m ON m.dealer_id = t.dealer_id AND m.thread_id = t.id AND m.case_id = c.id
    WHERE r.dealer_id = c.dealer_id AND r.received_at >= c.opened_at) AS wrote) r
CROSS JOIN LATERAL (SELECT min(b.made_at) AS agreed_at, min(h.here_at) AS here_at,
        max(g.silence) FILTER (WHERE b.kind = 'waiting') AS silence,
        coalesce(sum(p.kept), 0) AS kept, coalesce(sum(p.moved), 0) AS moved, coalesce(sum(p.broken), 0) AS broken,
        coalesce(sum(p.silent), 0) AS silent
    FROM bookings b
    CROSS JOIN LATERAL (SELECT min(h.at) FILTER (WHERE h.new = 'arrived') AS here_at,
            min(h.at) FILTER (WHERE h.new IN ('ready', 'completed')) AS ready_at
        FROM history h WHERE h.dealer_id = b.dealer_id AND h.noun = 'booking' AND h.subject_id = b.id) h
    CROSS JOIN LATERAL (SELECT max(gap) AS silence FROM (SELECT at - lag(at) OVER (ORDER BY at) AS gap FROM (
            SELECT h.here_at AS at UNION ALL SELECT h.ready_at
            UNION ALL SELECT m.sent_at FROM messages m WHERE m.dealer_id = b.dealer_id AND m.case_id = b.case_id
                AND m.owner_id IS NOT NULL AND m.state IN ('sent', 'delivered')
                AND m.sent_at BETWEEN h.here_at AND h.ready_at) words WHERE at IS NOT NULL) gaps) g
    CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE p.state = 'kept') AS kept,
            count(*) FILTER (WHERE p.state = 'moved') AS moved, count(*) FILTER (WHERE p.state = 'broken') AS broken,
            count(*) FILTER (WHERE p.state = 'broken' AND NOT p.must_ring
                AND (p.owner_told_at IS NULL OR p.owner_told_at > p.due_at)) AS silent
        FROM promises p WHERE p.dealer_id = b.dealer_id AND p.booking_id = b.id AND p.what <> 'bring') p
    WHERE b.dealer_id = c.dealer_id AND b.case_id = c.id) b
WHERE c.dealer_id = $1 AND c.opened_at >= $2 AND c.opened_at < $3 ORDER BY c.id
"""
_CASES = """
SELECT c.id, c.title, c.state, c.severity, c.opened_at, c.changed_at, v.id AS vehicle_id, v.title AS vehicle, v.plate,
    o.id AS owner_id, o.name AS owner, s.name AS assignee
FROM cases c JOIN vehicles v ON v.dealer_id = c.dealer_id AND v.id = c.vehicle_id
LEFT JOIN owners o ON o.dealer_id = c.dealer_id AND o.id = coalesce(c.owner_id, v.owner_id)
LEFT JOIN staff s ON s.dealer_id = c.dealer_id AND s.id = c.assignee_id
WHERE c.dealer_id = $1 AND c.id = ANY($2::bigint[]) ORDER BY c.opened_at DESC, c.id DESC LIMIT $3
"""
_STOPPED = """
SELECT id, name, stopped_at FROM owners WHERE dealer_id = $1 AND stopped_at >= $2 AND stopped_at < $3
ORDER BY stopped_at DESC, id
"""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case behind a number."""

    id: int
    title: str
    state: str
    severity: str
    opened_at: datetime
    changed_at: datetime
    vehicle_id: int
    vehicle: str
    plate: str | None
    owner_id: int | None
    owner: str | None
    assignee: str | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """An owner who wants no more texts."""

    id: int
    name: str
    stopped_at: datetime


async def journeys(connection: Connection, dealer_id: int, since: datetime, until: datetime) -> list[Journey]:
    """Of the cases that were opened in that time, until today."""
    rows = await connection.fetch(_JOURNEYS, dealer_id, since, until)
    return [
        Journey(
            row["id"],
            {
                step: at
                for step, at in (
                    (Step.FOUND, row["found_at"]),
                    (Step.TAKEN, row["acknowledged_at"]),
                    (Step.TOLD, row["told_at"]),
                    (Step.AGREED, row["agreed_at"]),
                    (Step.HERE, row["here_at"]),
                    (Step.REPAIRED, row["repaired_at"]),
                    (Step.PROVED, row["proved_at"]),
                )
                if at is not None
            },
            closed=row["state"] in ("done", "dismissed"),
            dismissed=row["state"] == "dismissed",
            comebacks=row["comebacks"],
            confirmed=row["confirmed"] is not None,
            texts=row["texts"],
            left=row["left"],
            offers=row["offers"],
            answered=row["answered"],
            kept=int(row["kept"]),
            moved=int(row["moved"]),
            broken=int(row["broken"]),
            silent=int(row["silent"]),
            longest_silence=row["silence"],
            asked=row["asked"],
            score=row["score"],
            rules=tuple(row["rules"]),
        )
        for row in rows
    ]


async def cases(connection: Connection, dealer_id: int, ids: tuple[int, ...], *, limit: int = 500) -> list[CaseRow]:
    """These cases, the newest first."""
    return [CaseRow(**dict(row)) for row in await connection.fetch(_CASES, dealer_id, list(ids), limit)]


async def stopped(connection: Connection, dealer_id: int, since: datetime, until: datetime) -> list[Stopped]:
    """Who said STOP in that time and has not taken it back."""
    return [Stopped(**dict(row)) for row in await connection.fetch(_STOPPED, dealer_id, since, until)]
