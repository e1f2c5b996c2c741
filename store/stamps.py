"""When stored messages were made, by their numbers: tells one that comes again from another one that bears its
number."""

from __future__ import annotations

from collections.abc import Collection

from store.pool import Connection

_STAMP = "SELECT coalesce(car_ts, ts) FROM readings WHERE vehicle_id = $1 AND boot = $2 AND seq = $3 LIMIT 1"
_STAMPS = """
SELECT n.vehicle, n.boot, n.seq, known.made FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[])
  AS n (vehicle, boot, seq, day)
CROSS JOIN LATERAL (
    SELECT coalesce(r.car_ts, r.ts) AS made FROM readings r WHERE r.vehicle_id = n.vehicle AND r.boot = n.boot
      AND r.seq = n.seq AND r.day = n.day AND r.day IN ({days}) LIMIT 1
) AS known
"""


async def stamps(
    connection: Connection, keys: Collection[tuple[int, int, int, int]]
) -> dict[tuple[int, int, int], float]:
    """When those of these (vehicle, boot, seq, day) that are stored were made, as their cars said (epoch seconds)."""
    columns = [[key[n] for key in keys] for n in range(4)]
    found = await connection.fetch(
        _STAMPS.format(days=", ".join(f"{day:d}" for day in sorted(set(columns[3])))), *columns
    )
    return {(row["vehicle"], row["boot"], row["seq"]): row["made"].timestamp() for row in found}


async def stamp(connection: Connection, key: tuple[int, int, int]) -> float | None:
    """When this message was made, whatever its day; None when it is not stored. Costs a look at every day."""
    found = await connection.fetchval(_STAMP, *key)
    return None if found is None else float(found.timestamp())
