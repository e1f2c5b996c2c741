"""After each drive of ours the car itself says how it was: distance, minutes, top speed, trouble codes before and
after.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.service import witness as rules
from rules.service.witness import Said
from schemas.handover import HandoverKind
from schemas.moment import minutes_between
from schemas.pickup import Leg, LegKind
from schemas.signal import BY_PATH
from schemas.witness import Trip, Witness
from store import bookings, handovers, notifications, pickups, readings, witnesses
from store.jobs import Job
from store.pool import Connection
from workers.context import Context

_ODOMETER, _SPEED = BY_PATH["Vehicle.TraveledDistance"].id, BY_PATH["Vehicle.Speed"].id
_SPAN = {LegKind.COLLECT: ("collected", "at_workshop"), LegKind.RETURN: ("on_the_way_back", "handed_over")}
_MOST = 20_000
_LAST = timedelta(seconds=1)  #: what is said at the very end belongs to it


async def write(context: Context, connection: Connection, job: Job) -> timedelta | None:
    """The line of one drive, once. A drive that was never made has none."""
    dealer_id = job.dealer_id
    leg = await pickups.get(connection, dealer_id, job.subject_id)
    at = await witnesses.times(connection, dealer_id, leg.id)
    begin, end = _SPAN[leg.kind]
    if begin not in at or end not in at:
        return None
    booking = await bookings.get(connection, dealer_id, leg.booking_id)
    since, until = at[begin], at[end]
    odometer = await _series(
        connection, booking.dealer_id, vehicle_id=booking.vehicle_id, signal=_ODOMETER, since=since, until=until
    )
    speed = await _series(
        connection, booking.dealer_id, vehicle_id=booking.vehicle_id, signal=_SPEED, since=since, until=until
    )
    before = await witnesses.codes(connection, dealer_id, booking.vehicle_id, since) or set()
    after = await witnesses.codes(connection, dealer_id, booking.vehicle_id, until)
    found = rules.line(Said(odometer, speed, before, before if after is None else after))
    kind = HandoverKind.COLLECT if leg.kind is LegKind.COLLECT else HandoverKind.RETURN
    record = await handovers.find(connection, dealer_id, booking.id, kind)
    ends = [value for _, value in odometer]
    here = (ends[0] if kind is HandoverKind.COLLECT else ends[-1]) / 1000 if ends else None
    trip = Trip(
        planned_minutes=max(1, minutes_between(leg.starts_at, leg.ends_at)),
        workshop_km=await _in_the_workshop(connection, leg, booking.vehicle_id, since),
        recorded_km=record.odometer_km if record else None,
        car_km=here,
    )
    await witnesses.add(
        connection,
        Witness(
            id=0,
            dealer_id=dealer_id,
            booking_id=booking.id,
            leg_id=leg.id,
            since=since,
            until=until,
            messages=await witnesses.messages(
                connection, dealer_id, vehicle_id=booking.vehicle_id, since=since, until=until
            ),
            distance_km=found.distance_km,
            minutes=found.minutes,
            top_speed_kmh=found.top_speed_kmh,
            codes_before=list(found.codes_before),
            codes_after=list(found.codes_after),
            odd=list(rules.odd(found, trip)),
            written_at=context.clock(),
            seen_at=None,
            seen_by=None,
        ),
    )
    await notifications.ring_desk(connection, dealer_id, "leg", leg.id)
    return None


async def _in_the_workshop(connection: Connection, leg: Leg, vehicle_id: int, back: datetime) -> float | None:
    """How far it was driven between our driver's two drives, by its odometer."""
    if leg.kind is not LegKind.RETURN:
        return None
    legs = await pickups.of_booking(connection, leg.dealer_id, leg.booking_id)
    collect = next((one for one in legs if one.kind is LegKind.COLLECT), None)
    came = (await witnesses.times(connection, leg.dealer_id, collect.id)).get("at_workshop") if collect else None
    if came is None:
        return None
    metres = [
        v
        for _, v in await _series(
            connection, leg.dealer_id, vehicle_id=vehicle_id, signal=_ODOMETER, since=came, until=back
        )
    ]
    return (max(metres) - min(metres)) / 1000 if len(metres) > 1 else None


async def _series(
    connection: Connection, dealer_id: int, vehicle_id: int, signal: int, since: datetime, until: datetime
) -> list[tuple[float, float]]:
    points = await readings.series(
        connection, dealer_id, vehicle_id=vehicle_id, signal_id=signal, since=since, until=until + _LAST, limit=_MOST
    )
    return [(point.ts.timestamp(), point.value) for point in points]
