"""A driver's day: the legs of one driver in order, with what is needed to drive them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas.pickup import Leg
from store.alerts import STANDING
from store.pickups import LEG_COLUMNS
from store.pool import Connection, as_dict

_COLUMNS = f"""{LEG_COLUMNS},
    b.case_id, b.state AS booking_state, b.kind AS booking_kind, b.loaner_id,
    ARRAY(SELECT h.kind FROM handovers h WHERE h.dealer_id = l.dealer_id AND h.booking_id = l.booking_id) AS recorded,
    (SELECT max(h.at) FROM history h WHERE h.dealer_id = l.dealer_id AND h.noun = 'leg' AND h.subject_id = l.id
        AND h.new = l.state) AS reached_at,
    {STANDING} AS standing, v.title AS car, v.plate,
      o.name AS customer, o.phone, s.name AS driver
FROM legs l
JOIN bookings b ON b.dealer_id = l.dealer_id AND b.id = l.booking_id
JOIN cases c ON c.dealer_id = b.dealer_id AND c.id = b.case_id
JOIN vehicles v ON v.dealer_id = b.dealer_id AND v.id = b.vehicle_id
LEFT JOIN owners o ON o.dealer_id = c.dealer_id AND o.id = coalesce(c.owner_id, v.owner_id)
LEFT JOIN staff s ON s.dealer_id = l.dealer_id AND s.id = l.driver_id"""
_DAY = f"""
SELECT {_COLUMNS} WHERE l.dealer_id = $1 AND l.driver_id = $2 AND l.state <> 'cancelled' AND l.starts_at < $4
AND (l.starts_at >= $3 OR l.state NOT IN ('at_workshop', 'handed_over')) ORDER BY l.starts_at, l.id LIMIT 100
"""
_ONE = f"SELECT {_COLUMNS} WHERE l.dealer_id = $1 AND l.id = $2"


@dataclass(frozen=True, slots=True)
class Drive:
    """One leg as its driver sees it."""

    leg: Leg
    case_id: int
    booking_state: str
    booking_kind: str
    loaner_id: int | None
    recorded: list[str]  #: kinds of handover records of this visit
    reached_at: datetime | None  #: when the leg came into its state
    standing: list[list[str]]  #: as store.alerts.STANDING
    car: str
    plate: str | None
    customer: str | None
    phone: str | None
    driver: str | None


async def of_day(
    connection: Connection, dealer_id: int, driver_id: int, since: datetime, until: datetime
) -> list[Drive]:
    """The driver's legs that begin in [since, until), and older ones that are not finished."""
    return [_drive(row) for row in await connection.fetch(_DAY, dealer_id, driver_id, since, until)]


async def one(connection: Connection, dealer_id: int, leg_id: int) -> Drive | None:
    """One leg, whoever drives it."""
    row = await connection.fetchrow(_ONE, dealer_id, leg_id)
    return _drive(row) if row else None


def _drive(row: object) -> Drive:
    values = as_dict(row)
    leg = Leg(**{name: values[name] for name in Leg.model_fields})
    return Drive(
        leg,
        **{
            name: values[name]
            for name in (
                "case_id",
                "booking_state",
                "booking_kind",
                "loaner_id",
                "recorded",
                "reached_at",
                "standing",
                "car",
                "plate",
                "customer",
                "phone",
                "driver",
            )
        },
    )
