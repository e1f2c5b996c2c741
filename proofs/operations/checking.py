"""What must hold when the night is over: rows and alerts by `proofs.checking`, and each text against what the provider
remembers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from proofs.operations.desk import History, Refusals
from proofs.production.sms import Text

IN_FLIGHT_S = 1.0  #: what left this close to a STOP was on its way already
IN_FLIGHT = timedelta(seconds=5)  #: the same for what clocks end, which are read once a second here
FRESH = timedelta(hours=24)  #: no text leaves later than this after it was due
OWED = frozenset({"stopped", "help"})  #: even to somebody who said STOP
_ROWS = """
SELECT m.reference, m.state, m.reason, m.kind, m.body, m.owner_id, m.due_at, coalesce(b.starts_at,
  o.expires_at) AS over_at
FROM messages m
LEFT JOIN bookings b ON b.id = (m.facts->'asserts'->0->>'id')::bigint AND m.facts->'asserts'->0->>'noun' = 'booking'
  AND m.kind IN ('booked', 'reminder')
LEFT JOIN offers o ON o.id = (m.facts->'asserts'->0->>'id')::bigint AND m.facts->'asserts'->0->>'noun' = 'offer'
  AND m.kind = 'offer'
"""


@dataclass(frozen=True)
class Row:
    """A text as our books have it."""

    reference: str
    state: str
    reason: str | None
    kind: str
    body: str
    owner: int | None
    due_at: datetime
    over_at: datetime | None = None  #: when the visit begins, or the offered windows are given away


async def rows(connection: asyncpg.Connection[asyncpg.Record]) -> list[Row]:
    """All texts."""
    return [
        Row(
            r["reference"],
            r["state"],
            reason=r["reason"],
            kind=r["kind"],
            body=r["body"],
            owner=r["owner_id"],
            due_at=r["due_at"],
            over_at=r["over_at"],
        )
        for r in await connection.fetch(_ROWS)
    ]


def texts_wrong(
    history: History, handed: Sequence[Text], known: Sequence[Row], wall: Any, settled_at: datetime
) -> list[tuple[str, str]]:
    """(kind of violation, in words). `wall` says what the house's clocks showed at a moment of the steady clock."""
    found: list[tuple[str, str]] = []
    by_reference = {row.reference: row for row in known}
    times: defaultdict[str, list[Text]] = defaultdict(list)
    for text in handed:
        times[text.reference].append(text)
    for reference, texts in times.items():
        row = by_reference.get(reference)
        if row is None:
            found.append(("strange", f"{reference!r} was handed over and stands in no book"))
            continue
        what = f"{row.kind} {reference} ({row.state}, {row.reason})"
        if len(texts) > 1:
            found.append(
                ("twice", f"{what} was handed over {len(texts)} times, {texts[-1].at - texts[0].at:.1f} s apart")
            )
        found += [
            (kind, f"{what} {words}") for text in texts for kind, words in _unwanted(row, text, wall(text.at), history)
        ]
    bodies = Counter(row.body for row in known)
    for written in history.written:
        if bodies[written.body] != 1:
            found.append(
                (
                    "lost" if not bodies[written.body] else "twice",
                    f"what was answered 201 stands {bodies[written.body]} times in the outbox",
                )
            )
    for row in known:
        found += _unsettled(row, row.reference in times, history.refusals, settled_at)
    return found


def _unwanted(row: Row, text: Text, at: datetime, history: History) -> list[tuple[str, str]]:
    found = []
    for refusal in history.refusals.get(row.owner or 0, ()):
        if row.kind not in OWED and refusal.since + IN_FLIGHT_S < text.at < refusal.until:
            found.append(("after STOP", f"went {text.at - refusal.since:.1f} s after STOP"))
    if row.over_at is not None and at > row.over_at + IN_FLIGHT:
        found.append(("stale", f"went {at - row.over_at} after what it speaks of was over"))
    elif at > row.due_at + FRESH and not row.kind.startswith(
        "staff_"
    ):  # our own people are told late what is still true
        found.append(("stale", f"went {at - row.due_at} after it was due"))
    return found


def _unsettled(
    row: Row, handed: bool, refusals: Mapping[int, Sequence[Refusals]], settled_at: datetime
) -> list[tuple[str, str]]:
    what = f"{row.kind} {row.reference} ({row.state}, {row.reason})"
    if row.state == "claimed" or (row.state == "queued" and row.due_at <= settled_at):
        return [("unsettled", f"{what} is still under way")]
    if row.state in ("sent", "delivered") and not handed:
        return [("lost", f"{what} was never handed over")]
    if row.state == "failed" and not (" too late: " in f" {row.reason}" and settled_at > row.due_at + FRESH):
        return [("lost", f"{what} was given up")]
    if row.state == "cancelled" and not handed and row.kind == "free":
        why = row.reason or ""
        unwanted = "STOP" in why or why.startswith("not allowed")
        if unwanted and not refusals.get(row.owner or 0):
            return [("lost", f"{what}, but the owner never said no")]
        if not unwanted:
            return [("lost", f"{what}: a person wrote it, and it was true")]
    return []
