"""What cars say of the drives that we made with them: read out of telemetry once, and kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.witness import Witness
from store.pool import Connection, as_dict
from store.readings import days_between

_COLUMNS = ", ".join(Witness.model_fields)
_KNOWN = [name for name in Witness.model_fields if name not in ("id", "seen_at", "seen_by")]
_ADD = f"""
INSERT INTO witnesses ({", ".join(_KNOWN)}) VALUES ({", ".join(f"${n}" for n in range(1, len(_KNOWN) + 1))})
ON CONFLICT (dealer_id, leg_id) DO NOTHING
"""
_TIMES = """
SELECT new, max(at) AS at FROM history WHERE dealer_id = $1 AND noun = 'leg' AND subject_id = $2 GROUP BY new
"""
_COUNT = """
SELECT count(*) FROM readings WHERE dealer_id = $1 AND vehicle_id = $2 AND ts >= $3 AND ts <= $4
AND (day BETWEEN $5 AND $6 OR day < 16436)
"""
_CODES = """
SELECT diagnostics FROM readings WHERE dealer_id = $1 AND vehicle_id = $2 AND ts >= $3 AND ts <= $4
AND (day BETWEEN $5 AND $6 OR day < 16436) AND diagnostics IS NOT NULL ORDER BY ts DESC, boot DESC, seq DESC LIMIT 1
"""
_BEFORE = timedelta(days=30)
_SEEN = "UPDATE witnesses SET seen_at = $3, seen_by = $4 WHERE dealer_id = $1 AND id = $2 AND seen_at IS NULL"
_ODD = f"""
SELECT {", ".join(f"w.{name}" for name in Witness.model_fields)}, b.case_id, v.title AS vehicle, v.plate,
    s.name AS driver, l.kind
FROM witnesses w JOIN legs l ON l.dealer_id = w.dealer_id AND l.id = w.leg_id
JOIN bookings b ON b.dealer_id = w.dealer_id AND b.id = w.booking_id
JOIN vehicles v ON v.dealer_id = b.dealer_id AND v.id = b.vehicle_id
LEFT JOIN staff s ON s.dealer_id = l.dealer_id AND s.id = l.driver_id
WHERE w.dealer_id = $1 AND w.odd <> '{{}}' AND w.seen_at IS NULL ORDER BY w.id LIMIT 50
"""


@dataclass(frozen=True, slots=True)
class OddRow:
    """A drive that somebody should look at."""

    witness: Witness
    case_id: int
    vehicle: str
    plate: str | None
    driver: str | None
    kind: str


async def add(connection: Connection, witness: Witness) -> None:
    """Write it; a drive has one."""
    await connection.execute(_ADD, *(getattr(witness, name) for name in _KNOWN))


async def of_booking(connection: Connection, dealer_id: int, booking_id: int) -> list[Witness]:
    """Those of a visit, in the order of its drives."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM witnesses WHERE dealer_id = $1 AND booking_id = $2 ORDER BY since",
        dealer_id,
        booking_id,
    )
    return [Witness(**as_dict(row)) for row in rows]


async def odd(connection: Connection, dealer_id: int) -> list[OddRow]:
    """Those that nobody has looked at."""
    found = []
    for row in await connection.fetch(_ODD, dealer_id):
        values = as_dict(row)
        witness = Witness(**{name: values[name] for name in Witness.model_fields})
        about = {name: values[name] for name in ("case_id", "vehicle", "plate", "driver", "kind")}
        found.append(OddRow(witness, **about))
    return found


async def seen(connection: Connection, dealer_id: int, witness_id: int, by: str, now: datetime) -> bool:
    """Somebody looked; False when somebody had already, or there is none."""
    return bool(await connection.execute(_SEEN, dealer_id, witness_id, now, by) == "UPDATE 1")


async def times(connection: Connection, dealer_id: int, leg_id: int) -> dict[str, datetime]:
    """When a drive came into each of its states."""
    return {row["new"]: row["at"] for row in await connection.fetch(_TIMES, dealer_id, leg_id)}


async def messages(connection: Connection, dealer_id: int, vehicle_id: int, since: datetime, until: datetime) -> int:
    """How many readings there are of a span."""
    return int(await connection.fetchval(_COUNT, dealer_id, vehicle_id, since, until, *days_between(since, until)))


async def codes(connection: Connection, dealer_id: int, vehicle_id: int, at: datetime) -> set[str] | None:
    """The trouble codes of the newest list at that moment; None when it never sent one in a month."""
    since = at - _BEFORE
    found = await connection.fetchval(_CODES, dealer_id, vehicle_id, since, at, *days_between(since, at))
    return None if found is None else {str(one["code"]) for one in found.get("codes", ())}
