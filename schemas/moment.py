"""Time as values: aware UTC inside, wall time and IANA zone at the edges, one resolver between them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, NewType
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from schemas.errors import BadInput

#: Seconds of a monotonic machine clock: leases, retries and time-outs. Never mixed with business time.
MachineTime = NewType("MachineTime", float)


def as_utc(value: datetime) -> datetime:
    """The same instant in UTC; a time without a zone is refused, for nobody knows what it means."""
    if value.tzinfo is None:
        raise ValueError("a time needs its zone, as in 2026-11-21T10:15:02Z")
    try:
        return value.astimezone(UTC)
    except OverflowError:  # 0001-01-01T00:00+14:00 lies before the first year
        raise ValueError("a time must lie between the years 1 and 9999") from None


#: One instant of business time, aware and in UTC.
Moment = Annotated[datetime, AfterValidator(as_utc)]


def from_epoch(seconds: float) -> datetime:
    """The instant that lies `seconds` after 1970-01-01T00:00Z."""
    return datetime.fromtimestamp(seconds, UTC)


def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name, or BadInput."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadInput("zone", f"{name!r} is not an IANA time zone such as Europe/Berlin") from None


def local(moment: datetime, zone_name: str) -> datetime:
    """What a clock on the wall of `zone_name` shows at `moment`."""
    return moment.astimezone(zone(zone_name))


def from_local(day: date, wall: time, zone_name: str, *, fold: int | None = None) -> datetime:
    """The instant at which a wall clock in `zone_name` shows `wall` on `day`.

    An hour that the spring change skips is refused; an hour that the autumn change repeats needs `fold`
    (0 the first, 1 the second), because PostgreSQL and Python would otherwise answer an hour apart.
    """
    where = zone(zone_name)
    first = datetime.combine(day, wall.replace(fold=0), where)
    second = datetime.combine(day, wall.replace(fold=1), where)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    exists = first.astimezone(UTC).astimezone(where).replace(tzinfo=None) == first.replace(tzinfo=None)
    if not exists:
        raise BadInput("time", f"{wall:%H:%M} on {day} does not exist in {zone_name}: the clocks go forward")
    if fold is None:
        raise BadInput("time", f"{wall:%H:%M} on {day} happens twice in {zone_name}: say the first or the second")
    return (second if fold else first).astimezone(UTC)


def minutes_between(earlier: datetime, later: datetime) -> int:
    """Whole minutes from `earlier` to `later`, never below 0."""
    return max(0, int((later - earlier) / timedelta(minutes=1)))
