"""The numbers in the margin of every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection, as_dict

_COUNTS = """
SELECT
    (SELECT count(*) FROM cases WHERE dealer_id = $1 AND state IN ('open', 'contacted')
      AND acknowledged_at IS NULL) AS new_cases,
    (SELECT count(*) FROM cases WHERE dealer_id = $1 AND state NOT IN ('done', 'dismissed')
      AND (snoozed_until > $3 AND changed_at <= snoozed_at) IS NOT TRUE) AS open_cases,
    (SELECT count(*) FROM cases WHERE dealer_id = $1 AND state NOT IN ('done', 'dismissed') AND severity = 'now'
      AND acknowledged_at IS NULL) AS urgent,
    (SELECT count(*) FROM bookings WHERE dealer_id = $1 AND kind = 'waiting'
      AND state IN ('arrived', 'working', 'ready')) AS waiting,
    (SELECT count(*) FROM bookings WHERE dealer_id = $1 AND kind = 'waiting'
      AND state IN ('arrived', 'working', 'ready')
        AND coalesce(last_word_at, starts_at) <= $2) AS overdue,
    (SELECT count(*) FROM bookings WHERE dealer_id = $1 AND state IN ('arrived', 'working')) AS in_building,
    (SELECT count(*) FROM legs WHERE dealer_id = $1 AND starts_at < $4
      AND state NOT IN ('at_workshop', 'handed_over', 'cancelled')) AS legs,
    (SELECT count(*) FROM legs WHERE dealer_id = $1 AND ends_at <= $3 AND state = 'planned') AS overdue_legs,
    (SELECT count(*) FROM quarantine WHERE dealer_id = $1 AND decided IS NULL) AS quarantined,
    (SELECT count(*) FROM threads WHERE dealer_id = $1 AND needs_reading)
        + (SELECT count(*) FROM replies WHERE dealer_id = $1 AND thread_id IS NULL AND read_at IS NULL) AS unread
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of what needs a person."""

    new_cases: int
    open_cases: int
    urgent: int
    waiting: int
    overdue: int
    in_building: int  #: cars to work on
    legs: int  #: of today, and those of days before that are not over
    overdue_legs: int
    quarantined: int
    unread: int


async def counts(
    connection: Connection, dealer_id: int, *, silent_since: datetime, now: datetime, day_to: datetime
) -> Counts:
    """`silent_since`: a waiting customer who has heard nothing since then has waited too long for a word."""
    row = await connection.fetchrow(_COUNTS, dealer_id, silent_since, now, day_to)
    assert row is not None
    return Counts(**as_dict(row))
