"""The queue: every case with its car, its owner, who has taken it, and what is agreed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection, as_dict
from store.undrivable import FORBIDS

FILTERS = ("open", "mine", "unowned", "waiting", "today", "resting", "done")

#: It was put off until later, and nothing has changed it since.
_RESTS = "(c.snoozed_until > {now} AND c.changed_at <= c.snoozed_at) IS TRUE"

#: The cases of one page first: what is shown of each is looked up for these alone.
_PAGE = f"""
SELECT c.id, CASE WHEN $2 = 'done' THEN 0 ELSE array_position(ARRAY['now', 'soon', 'advice'], c.severity) END AS rank,
  (extract(epoch FROM CASE WHEN $2 = 'done' THEN c.changed_at ELSE c.opened_at END) * 1000000)::bigint
    * CASE WHEN $2 = 'done' THEN -1 ELSE 1 END AS place
FROM cases c
WHERE c.dealer_id = $1 AND ($7::text IS NULL OR c.severity = $7) AND CASE $2::text
    WHEN 'done' THEN c.state IN ('done', 'dismissed')
    WHEN 'mine' THEN c.state NOT IN ('done', 'dismissed') AND c.assignee_id = $3 AND NOT {_RESTS.format(now="$11")}
    WHEN 'unowned' THEN c.state NOT IN ('done', 'dismissed') AND c.assignee_id IS NULL
    WHEN 'resting' THEN c.state NOT IN ('done', 'dismissed') AND {_RESTS.format(now="$11")}
    WHEN 'waiting' THEN c.state = 'contacted'
    WHEN 'today' THEN c.state NOT IN ('done', 'dismissed') AND EXISTS (SELECT 1 FROM bookings b
      WHERE b.dealer_id = c.dealer_id AND b.case_id = c.id AND b.state NOT IN ('completed', 'cancelled')
      AND b.starts_at >= $4 AND b.starts_at < $5)
    ELSE c.state NOT IN ('done', 'dismissed') AND NOT {_RESTS.format(now="$11")} END
"""
_ROWS = f"""
WITH page AS MATERIALIZED (SELECT * FROM ({_PAGE}) AS one
    WHERE $8::bigint IS NULL OR (rank, place, id) > ($8, $9::bigint, $10::bigint) ORDER BY rank, place, id LIMIT $6)
SELECT p.rank, p.place, c.id, c.state, c.severity, c.title, c.origin, c.assignee_id, s.name AS assignee, c.comebacks,
  c.opened_at, c.changed_at,
    c.acknowledged_at, c.escalated_at, v.id AS vehicle_id, v.title AS vehicle, v.plate, v.last_heard_at,
    o.id AS owner_id, o.name AS owner, coalesce(t.needs_reading, false) AS unread,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(a.rule, a.component, a.severity, a.because) ORDER BY
        array_position(ARRAY['now', 'soon', 'advice'], a.severity), a.id), '[]') FROM alerts a
        WHERE a.dealer_id = c.dealer_id AND a.case_id = c.id AND a.state = 'active' AND NOT a.shadow) AS alerts,
    (SELECT jsonb_build_object('state', m.state, 'sent_at', m.sent_at, 'reason', m.reason) FROM messages m
        WHERE d.stays AND m.dealer_id = c.dealer_id AND m.thread_id = t.id AND m.case_id = c.id
          AND m.purpose = 'safety' AND m.kind <> 'safety_over'
        ORDER BY m.state IN ('sent', 'delivered') DESC, m.id DESC LIMIT 1) AS warning,
    (SELECT max(w.at) FROM spoken_warnings w WHERE d.stays AND w.dealer_id = c.dealer_id AND w.case_id = c.id
        AND w.owner_id = o.id AND w.at > coalesce((SELECT max(m.sent_at) FROM messages m WHERE m.dealer_id = c.dealer_id
            AND m.thread_id = t.id AND m.case_id = c.id AND m.kind = 'safety_over'
            AND m.state IN ('sent', 'delivered')), '-infinity')) AS rang,
    coalesce(CASE WHEN d.stays THEN (SELECT s.given FROM consents s WHERE s.dealer_id = c.dealer_id
      AND s.owner_id = o.id AND s.purpose = 'safety'
        ORDER BY s.id DESC LIMIT 1) END, false) AS warnable, o.stopped_at IS NOT NULL AS stopped, coalesce(o.phone,
          o.email) IS NOT NULL AS reachable,
    b.id AS booking_id, b.kind AS booking_kind, b.state AS booking_state, b.starts_at, b.ends_at,
    f.id AS offer_id, f.expires_at,
    CASE WHEN {_RESTS.format(now="$11::timestamptz")} THEN c.snoozed_until END AS rests_until
FROM page p
JOIN cases c ON c.dealer_id = $1 AND c.id = p.id
JOIN vehicles v ON v.dealer_id = c.dealer_id AND v.id = c.vehicle_id
LEFT JOIN owners o ON o.dealer_id = c.dealer_id AND o.id = coalesce(c.owner_id, v.owner_id)
LEFT JOIN LATERAL (SELECT EXISTS (SELECT FROM alerts a WHERE a.dealer_id = c.dealer_id AND a.case_id = c.id
    AND {FORBIDS}) AS stays) d ON true
LEFT JOIN staff s ON s.dealer_id = c.dealer_id AND s.id = c.assignee_id
LEFT JOIN threads t ON t.dealer_id = c.dealer_id AND t.owner_id = o.id
LEFT JOIN bookings b ON b.dealer_id = c.dealer_id AND b.case_id = c.id AND b.state NOT IN ('completed', 'cancelled')
LEFT JOIN offers f ON f.dealer_id = c.dealer_id AND f.case_id = c.id AND f.state = 'open'
ORDER BY p.rank, p.place, p.id
"""
_COUNTS = f"""
SELECT count(*) FILTER (WHERE live AND NOT rests) AS open,
    count(*) FILTER (WHERE live AND NOT rests AND c.assignee_id = $2) AS mine,
    count(*) FILTER (WHERE live AND c.assignee_id IS NULL) AS unowned,
    count(*) FILTER (WHERE c.state = 'contacted') AS waiting,
    count(*) FILTER (WHERE live AND b.starts_at >= $3 AND b.starts_at < $4) AS today,
    count(*) FILTER (WHERE live AND rests) AS resting,
    count(*) FILTER (WHERE NOT live) AS done
FROM (SELECT c.*, state NOT IN ('done', 'dismissed') AS live, {_RESTS.format(now="$5")} AS rests
  FROM cases c WHERE dealer_id = $1) c
LEFT JOIN bookings b ON b.dealer_id = c.dealer_id AND b.case_id = c.id AND b.state NOT IN ('completed', 'cancelled')
"""


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of the queue. `rank` and `place` say where it stands in it."""

    rank: int
    place: int
    id: int
    state: str
    severity: str
    title: str
    origin: str
    assignee_id: int | None
    assignee: str | None
    comebacks: int
    opened_at: datetime
    changed_at: datetime
    acknowledged_at: datetime | None
    escalated_at: datetime | None
    vehicle_id: int
    vehicle: str
    plate: str | None
    last_heard_at: datetime | None
    owner_id: int | None
    owner: str | None
    unread: bool
    alerts: list[list[str]]  #: [rule, component, severity, because] of those that stand, the most urgent first
    warning: (
        dict[str, str] | None
    )  #: of a car that must not be driven on: the newest text about it, one that came first (state, sent_at, reason)
    rang: datetime | None  #: when one of us last told its owner so on the telephone
    warnable: bool  #: the owner agreed to safety texts
    stopped: bool
    reachable: bool
    booking_id: int | None
    booking_kind: str | None
    booking_state: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    offer_id: int | None
    expires_at: datetime | None
    rests_until: datetime | None


async def rows(
    connection: Connection,
    dealer_id: int,
    which: str,
    *,
    staff_id: int | None,
    day_from: datetime,
    day_to: datetime,
    now: datetime,
    severity: str | None = None,
    after: tuple[int, int, int] | None = None,
    limit: int = 200,
) -> list[QueueRow]:
    """The cases of one filter: the most urgent first, among those the oldest; closed ones by when they closed.

    `after`: (rank, place, id) of the last one that was seen.
    """
    found = await connection.fetch(
        _ROWS,
        dealer_id,
        which,
        staff_id,
        day_from,
        day_to,
        limit,
        severity,
        *(after or (None, None, None)),
        now,
    )
    return [QueueRow(**as_dict(row)) for row in found]


async def counts(
    connection: Connection,
    dealer_id: int,
    *,
    staff_id: int | None,
    day_from: datetime,
    day_to: datetime,
    now: datetime,
) -> dict[str, int]:
    """How many cases each filter would show."""
    row = await connection.fetchrow(_COUNTS, dealer_id, staff_id, day_from, day_to, now)
    assert row is not None
    return {name: int(row[name]) for name in FILTERS}
