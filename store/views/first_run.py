"""How far the first days of a house are, as its rows say it."""

from __future__ import annotations

from schemas.step import Facts
from store.pool import Connection, as_dict

_FACTS = """
SELECT
    EXISTS (SELECT FROM history h WHERE h.dealer_id = $1 AND h.noun = 'dealer' AND h.subject_id = $1
        AND h.new = 'changed' AND h.reason LIKE '%opening\\_hours%')
      OR EXISTS (SELECT FROM bookings b WHERE b.dealer_id = $1) AS hours_saved,
    p.joined, p.invited, p.drivers, p.drivers_invited,
    (SELECT count(*) FROM resources r WHERE r.dealer_id = $1 AND r.kind = 'bay' AND r.retired_at IS NULL) AS bays,
    EXISTS (SELECT FROM owners o WHERE o.dealer_id = $1) AS owners,
    EXISTS (SELECT FROM vehicles v WHERE v.dealer_id = $1) AS cars,
    EXISTS (SELECT FROM vehicles v WHERE v.dealer_id = $1 AND v.enrolled_at IS NOT NULL AND v.revoked_at IS NULL)
      AS enrolled,
    EXISTS (SELECT FROM vehicles v WHERE v.dealer_id = $1 AND v.last_heard_at IS NOT NULL) AS heard,
    (SELECT m.state FROM first_steps f JOIN messages m ON m.dealer_id = f.dealer_id AND m.id = f.message_id
        WHERE f.dealer_id = $1 AND f.step = 'text') AS text_state
FROM (SELECT count(*) FILTER (WHERE role <> 'driver' AND joined_at IS NOT NULL AND id <> $2) AS joined,
    count(*) FILTER (WHERE role <> 'driver' AND joined_at IS NULL) AS invited,
    count(*) FILTER (WHERE role = 'driver' AND joined_at IS NOT NULL) AS drivers,
    count(*) FILTER (WHERE role = 'driver' AND joined_at IS NULL) AS drivers_invited
  FROM staff WHERE dealer_id = $1 AND disabled_at IS NULL) p
"""
_ASIDE = "SELECT step FROM first_steps WHERE dealer_id = $1 AND aside"


async def facts(connection: Connection, dealer_id: int, me: int) -> Facts:
    """`me`: whoever looks is not a colleague of their own."""
    row = await connection.fetchrow(_FACTS, dealer_id, me)
    assert row is not None
    return Facts(**as_dict(row))


async def aside(connection: Connection, dealer_id: int) -> frozenset[str]:
    """The steps that were put aside."""
    return frozenset(row["step"] for row in await connection.fetch(_ASIDE, dealer_id))
