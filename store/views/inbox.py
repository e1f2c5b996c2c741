"""The inbox as the desk lists it, and one conversation with what stands beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from store.pool import Connection, as_dict

SHOWS = ("unread", "mine", "waiting", "snoozed", "all")
TYPING = timedelta(minutes=10)  #: machine time: whoever has written so lately is taken to be writing

_AWAKE = "(t.snoozed_until IS NULL OR t.snoozed_until <= $3)"
_WHICH = {
    "unread": f"t.needs_reading AND {_AWAKE}",
    "mine": f"t.assignee_id = $2 AND {_AWAKE}",
    "waiting": f"t.needs_reading AND {_AWAKE}",
    "snoozed": "t.snoozed_until > $3",
    "all": "$3::timestamptz IS NOT NULL AND (t.last_in_at IS NOT NULL OR t.last_out_at IS NOT NULL)",
}
_SINCE = """
coalesce((SELECT min(r.received_at) FROM replies r WHERE r.dealer_id = t.dealer_id AND r.thread_id = t.id
  AND r.read_at IS NULL AND r.understood IN ('other', 'sold', 'wrong', 'feedback')), t.last_in_at)
"""
_LAST = "greatest(t.last_in_at, t.last_out_at)"
_ROWS = """
SELECT t.owner_id, o.name, o.language, o.zone, o.stopped_at, t.needs_reading AS unread, t.assignee_id,
  s.name AS assignee, t.snoozed_until, t.last_in_at, t.last_out_at, {key} AS at,
  CASE WHEN t.needs_reading THEN {since} END AS since, w.body, w.direction, w.understood,
  (SELECT string_agg(v.title, ', ' ORDER BY v.title) FROM vehicles v WHERE v.dealer_id = t.dealer_id
    AND v.owner_id = t.owner_id) AS cars,
  EXISTS (SELECT 1 FROM drafts d WHERE d.dealer_id = t.dealer_id AND d.thread_id = t.id AND d.staff_id = $2) AS draft
FROM threads t JOIN owners o ON o.dealer_id = t.dealer_id AND o.id = t.owner_id
LEFT JOIN staff s ON s.dealer_id = t.dealer_id AND s.id = t.assignee_id
LEFT JOIN LATERAL (SELECT * FROM (
    (SELECT body, 'in' AS direction, understood, received_at AS at FROM replies
      WHERE dealer_id = t.dealer_id AND thread_id = t.id ORDER BY id DESC LIMIT 1)
    UNION ALL
    (SELECT body, 'out', kind, coalesce(sent_at, queued_at) FROM messages
      WHERE dealer_id = t.dealer_id AND thread_id = t.id AND state <> 'cancelled' ORDER BY id DESC LIMIT 1)
  ) AS last ORDER BY (t.needs_reading AND direction = 'in') DESC, at DESC LIMIT 1) w ON true
WHERE t.dealer_id = $1 AND ({which}) AND ($4::timestamptz IS NULL OR ({key}, t.owner_id) {beyond} ($4, $5))
ORDER BY {key} {order}, t.owner_id {order} LIMIT $6
"""
_COUNTS = f"""
SELECT count(*) FILTER (WHERE {_WHICH["unread"]}) AS unread, count(*) FILTER (WHERE {_WHICH["mine"]}) AS mine,
  count(*) FILTER (WHERE {_WHICH["waiting"]}) AS waiting, count(*) FILTER (WHERE {_WHICH["snoozed"]}) AS snoozed
FROM threads t WHERE t.dealer_id = $1
"""
_BESIDE = f"""
SELECT t.id AS thread_id, t.needs_reading AS unread, t.assignee_id, t.snoozed_until, t.last_in_at, t.last_out_at,
  CASE WHEN t.needs_reading THEN {_SINCE} END AS since,
  (SELECT d.body FROM drafts d WHERE d.dealer_id = $1 AND d.thread_id = t.id AND d.staff_id = $3) AS draft,
  ARRAY(SELECT s.name FROM drafts d JOIN staff s ON s.dealer_id = d.dealer_id AND s.id = d.staff_id
    WHERE d.dealer_id = $1 AND d.thread_id = t.id AND d.staff_id <> $3 AND d.at > $4 ORDER BY s.name) AS writing
FROM threads t WHERE t.dealer_id = $1 AND t.owner_id = $2
"""
_NOTES = """
SELECT n.id, n.body, n.at, s.name AS author FROM thread_notes n
JOIN staff s ON s.dealer_id = n.dealer_id AND s.id = n.staff_id
WHERE n.dealer_id = $1 AND n.thread_id = (SELECT id FROM threads WHERE dealer_id = $1 AND owner_id = $2)
ORDER BY n.id DESC LIMIT 60
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation of the list. `at` is what it is ordered by, `since` when the owner began to wait for us."""

    owner_id: int
    name: str
    language: str
    zone: str
    stopped_at: datetime | None
    unread: bool
    assignee_id: int | None
    assignee: str | None
    snoozed_until: datetime | None
    last_in_at: datetime | None
    last_out_at: datetime | None
    at: datetime | None
    since: datetime | None
    body: str | None
    direction: str | None
    understood: str | None
    cars: str | None
    draft: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a conversation."""

    thread_id: int
    unread: bool
    assignee_id: int | None
    snoozed_until: datetime | None
    last_in_at: datetime | None
    last_out_at: datetime | None
    since: datetime | None
    draft: str | None
    writing: list[str]  #: colleagues who have begun an answer


@dataclass(frozen=True, slots=True)
class NoteLine:
    """A colleague's note."""

    id: int
    body: str
    at: datetime
    author: str


async def rows(
    connection: Connection,
    dealer_id: int,
    show: str,
    *,
    staff_id: int,
    now: datetime,
    after: tuple[datetime, int] | None = None,
    limit: int = 51,
) -> list[Row]:
    """Who waits longest comes first where they wait for us; else the newest word."""
    oldest = show in ("unread", "waiting")
    query = _ROWS.format(
        since=_SINCE,
        key=_SINCE if oldest else _LAST,
        which=_WHICH[show],
        beyond=">" if oldest else "<",
        order="ASC" if oldest else "DESC",
    )
    found = await connection.fetch(query, dealer_id, staff_id, now, *(after or (None, None)), limit)
    return [Row(**as_dict(row)) for row in found]


async def counts(connection: Connection, dealer_id: int, staff_id: int, now: datetime) -> dict[str, int]:
    """How many stand under each heading."""
    return as_dict(await connection.fetchrow(_COUNTS, dealer_id, staff_id, now))


async def beside(
    connection: Connection, dealer_id: int, owner_id: int, *, staff_id: int, machine: datetime
) -> Beside | None:
    """None where no word has gone either way yet."""
    row = await connection.fetchrow(_BESIDE, dealer_id, owner_id, staff_id, machine - TYPING)
    return Beside(**as_dict(row)) if row else None


async def notes(connection: Connection, dealer_id: int, owner_id: int) -> list[NoteLine]:
    """The newest notes, oldest first."""
    return [NoteLine(**as_dict(row)) for row in reversed(await connection.fetch(_NOTES, dealer_id, owner_id))]
