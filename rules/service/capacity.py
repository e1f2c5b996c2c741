"""What can be promised: windows in opening hours for which a bay, and for a pickup a driver both ways, are really free.

Work is spent in opening hours only and may span breaks and nights; its bay stays taken in between. A drive, and the
time of a customer who waits, lie between one opening and the next closing.

Instants are stepped in UTC and read on the dealer's wall clock, so that no window falls into an hour that the
spring change skips, and none into the one that the autumn change repeats: nobody could say which they meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from rules.service.asking import PLAIN, Asks, Work
from rules.service.claims import window_of, work_end
from rules.service.opening import Opening, open_times
from schemas.account import Dealer
from schemas.booking import Booking, BookingKind
from schemas.errors import BadInput
from schemas.moment import from_local, local
from schemas.slot import Claim, Resource, ResourceKind, Use, Window

STEP = timedelta(minutes=15)  #: the grid on which times are tried
ON_THE = 30  #: minutes of the wall clock on which windows begin
APART = timedelta(hours=2)  #: two windows that are offered together begin at least this far apart
HORIZON = timedelta(days=14)
KNOWN = HORIZON * 7  #: how far ahead it is known what is taken: work that would end later is not promised
_LATEST_WORK = timedelta(days=3)  #: a collected car does not wait longer than this for a bay or its return
Taken = Mapping[int, Sequence[Window]]


@dataclass(frozen=True, slots=True)
class Option:
    """A window as the person sees it, what it takes, and when the car will be ready."""

    window: Window
    claims: tuple[Claim, ...]
    ready_by: datetime


def offered(
    dealer: Dealer,
    kind: BookingKind,
    now: datetime,
    resources: Sequence[Resource],
    taken: Taken,
    *,
    loaner: bool = False,
    since: datetime | None = None,
    asks: Asks = PLAIN,
) -> tuple[Option, ...]:
    """Two windows that can be held side by side, on the same day if possible; fewer when there are no more.

    None begins before `since`, or before the parts are here that the work needs.
    """
    if asks.parts is not None:
        since = asks.parts.here_at if since is None else max(since, asks.parts.here_at)
    first = next(
        _options(dealer, kind, now=now, resources=resources, taken=taken, loaner=loaner, since=since, asks=asks), None
    )
    if first is None:
        return ()
    both = _with(taken, first.claims)
    day = local(first.window.starts_at, dealer.zone).date()
    left = replace(asks, places=asks.places.less(kind, day, loaner=loaner))
    later = first.window.starts_at + APART
    rest = list(
        _take_while_near(
            _options(
                dealer,
                kind,
                now=now,
                resources=resources,
                taken=both,
                loaner=loaner,
                since=first.window.ends_at,
                asks=left,
            ),
            first.window.starts_at,
        )
    )
    same_day = [option for option in rest if local(option.window.starts_at, dealer.zone).date() == day]
    second = (
        next((o for o in same_day if o.window.starts_at >= later), None)
        or next(iter(same_day), None)
        or next(iter(rest), None)
    )
    return (first,) if second is None else (first, second)


def free(
    dealer: Dealer,
    kind: BookingKind,
    now: datetime,
    resources: Sequence[Resource],
    taken: Taken,
    *,
    count: int = 12,
    loaner: bool = False,
    asks: Asks = PLAIN,
) -> tuple[Option, ...]:
    """The next windows, each free by itself: what is shown to somebody who picks one."""
    found: list[Option] = []
    for option in _options(dealer, kind, now=now, resources=resources, taken=taken, loaner=loaner, asks=asks):
        found.append(option)
        if len(found) == count:
            break
    return tuple(found)


def at(
    dealer: Dealer,
    kind: BookingKind,
    starts_at: datetime,
    now: datetime,
    resources: Sequence[Resource],
    taken: Taken,
    *,
    loaner: bool = False,
    asks: Asks = PLAIN,
) -> Option | None:
    """The option that begins exactly then, if there is one.

    A person at the desk may book without notice, never into the past.
    """
    if starts_at < now - STEP:
        raise BadInput("starts_at", "lies in the past")
    if starts_at > now + HORIZON * 6:
        raise BadInput("starts_at", f"lies further ahead than {(HORIZON * 6).days} days")
    day = _Day(dealer, now, resources, taken, asks=asks)
    return day.option(kind, starts_at, loaner)


def drive_after(
    dealer: Dealer,
    since: datetime,
    now: datetime,
    resources: Sequence[Resource],
    taken: Taken,
    *,
    usual: int | None = None,
) -> Claim | None:
    """The first free drive back that begins at `since` or later; of the driver with this resource if they are free
    then.
    """
    day = _Day(dealer, now, resources, taken)
    for start in _grid(since, since + _LATEST_WORK, dealer.zone, ON_THE):
        span = day._drive(start)
        if span is None:
            continue
        found = day._free([driver for driver in day.drivers if driver.id == usual], span) or day._free(
            day.drivers, span
        )
        if found is not None:
            return Claim(resource_id=found.id, use=Use.RETURN, window=span)
    return None


def drive_at(
    dealer: Dealer,
    start: datetime,
    now: datetime,
    resources: Sequence[Resource],
    taken: Taken,
    *,
    usual: int | None = None,
) -> Claim | None:
    """The drive back that begins exactly then, of the driver with this resource if they are free."""
    day = _Day(dealer, now, resources, taken)
    span = day._drive(start)
    found = (
        None
        if span is None
        else day._free([driver for driver in day.drivers if driver.id == usual], span) or day._free(day.drivers, span)
    )
    return None if span is None or found is None else Claim(resource_id=found.id, use=Use.RETURN, window=span)


def free_drives(
    dealer: Dealer, now: datetime, resources: Sequence[Resource], taken: Taken, *, count: int = 12
) -> tuple[Window, ...]:
    """The next windows in which somebody could drive a car back."""
    day, found = _Day(dealer, now, resources, taken), []
    for start in _grid(now, now + HORIZON, dealer.zone, ON_THE):
        span = day._drive(start)
        if span is not None and day._free(day.drivers, span) is not None:
            found.append(span)
            if len(found) == count:
                break
    return tuple(found)


def unable(work: Work, resources: Sequence[Resource]) -> str:
    """Which skills the work needs that none of the planned technicians has; "" where somebody can do it."""
    technicians = [r for r in resources if r.kind is ResourceKind.TECHNICIAN]
    if not technicians or any(work.skills <= set(r.skills) for r in technicians):
        return ""
    return " and ".join(sorted(skill.value.replace("_", " ") for skill in work.skills)) + " work"


def work_after(
    dealer: Dealer, since: datetime, now: datetime, resources: Sequence[Resource], taken: Taken, *, asks: Asks = PLAIN
) -> tuple[Claim, ...]:
    """The first free time of a bay, and of whoever can do it, from `since` on and long enough for the work; none when
    there is none in the next days.
    """
    return _Day(dealer, now, resources, taken, asks=asks).work_after(since) or ()


def work_done(dealer: Dealer, start: datetime, minutes: int = 0) -> datetime | None:
    """When work that could begin at `start` is done, on the next quarter of an hour; None when the house does not open
    in the next days.
    """
    opening = _opening(dealer, start.astimezone(UTC).date())
    for at in (start, *_grid(start, start + HORIZON, dealer.zone, 15)):
        span = opening.work(at, timedelta(minutes=minutes or dealer.workshop_minutes))
        if span is not None:
            return next(_grid(span.ends_at, span.ends_at + _LATEST_WORK, dealer.zone, 15))
    return None


def outside(dealer: Dealer, visits: Sequence[Booking]) -> tuple[Booking, ...]:
    """Agreed visits that do not lie in the dealer's opening hours: a change of hours drops nobody, people decide."""
    if not visits:
        return ()
    first, last = min(visit.starts_at for visit in visits), max(visit.ends_at for visit in visits)
    times = open_times(dealer, first - timedelta(days=1), last + timedelta(days=1))
    return tuple(v for v in visits if not any(t.starts_at <= v.starts_at and v.ends_at <= t.ends_at for t in times))


class _Day:
    """What is open and taken from `now` on; the search's working set."""

    def __init__(
        self, dealer: Dealer, now: datetime, resources: Sequence[Resource], taken: Taken, asks: Asks = PLAIN
    ) -> None:
        self.dealer, self.taken, self.asks = dealer, taken, asks
        self.open = _opening(dealer, now.astimezone(UTC).date())
        self.drivers = [r for r in resources if r.kind is ResourceKind.DRIVER]
        self.bays = [r for r in resources if r.kind is ResourceKind.BAY]
        self.loaners = [r for r in resources if r.kind is ResourceKind.LOANER]
        self.trucks = [r for r in resources if r.kind is ResourceKind.TOW_TRUCK]
        self.vans = [r for r in resources if r.kind is ResourceKind.VAN]
        self.technicians = [r for r in resources if r.kind is ResourceKind.TECHNICIAN]
        self.able = [r for r in self.technicians if asks.work.skills <= set(r.skills)]
        #: Where technicians' hours are planned, work takes as long as it takes; else every visit the same.
        own = asks.work.minutes if self.technicians else 0
        self.labour = timedelta(minutes=own or dealer.workshop_minutes)

    def option(self, kind: BookingKind, start: datetime, loaner: bool) -> Option | None:
        """What a visit that begins at `start` takes, or None when something is missing."""
        if self.asks.too_early(start):
            return None
        if self.asks.places.full(kind, local(start, self.dealer.zone).date(), loaner=loaner) is not None:
            return None
        claims = (
            self._on_the_road(start)
            if kind is BookingKind.MOBILE_REPAIR
            else self._fetched(kind, start)
            if kind.fetched
            else self._visit(kind, start)
        )
        if claims is None:
            return None
        if loaner:
            span = Window(starts_at=start, ends_at=max(claim.window.ends_at for claim in claims))
            car = self._free(self.loaners, span)
            if car is None:
                return None
            claims = (*claims, Claim(resource_id=car.id, use=Use.LOANER, window=span))
        spans = [(claim.use, claim.window.starts_at, claim.window.ends_at) for claim in claims]
        return Option(window_of(kind, spans), claims, work_end(spans))

    def _visit(self, kind: BookingKind, start: datetime) -> tuple[Claim, ...] | None:
        span = self._work(start)
        if span is None or not self.open.holds(window_of(kind, [(Use.WORK, span.starts_at, span.ends_at)])):
            return None
        return self._in_the_workshop(span)

    def _in_the_workshop(self, span: Window) -> tuple[Claim, ...] | None:
        """A bay, and of a house whose technicians' hours are planned one who can do it."""
        bay = self._free(self.bays, span)
        if bay is None:
            return None
        claim = Claim(resource_id=bay.id, use=Use.WORK, window=span)
        if not self.technicians:
            return (claim,)
        who = self._free(self.able, span)
        return None if who is None else (claim, Claim(resource_id=who.id, use=Use.LABOUR, window=span))

    def work_after(self, since: datetime) -> tuple[Claim, ...] | None:
        """The first time from `since` on at which the work can be done."""
        for start in _grid(since, since + _LATEST_WORK, self.dealer.zone, 15):
            span = self._work(start)
            if span is not None and (found := self._in_the_workshop(span)) is not None:
                return found
        return None

    def _fetched(self, kind: BookingKind, start: datetime) -> tuple[Claim, ...] | None:
        collect = self._drive(start)
        driver = None if collect is None else self._free(self.drivers, collect)
        if collect is None or driver is None:
            return None
        truck: tuple[Claim, ...] = ()
        if kind is BookingKind.TOW and self.trucks:  # a dealer without one orders it: then nothing of theirs bounds it
            free = self._free(self.trucks, collect)
            if free is None:
                return None
            truck = (Claim(resource_id=free.id, use=Use.TOW, window=collect),)
        work = self.work_after(collect.ends_at)
        if work is None:
            return None
        back = self._drive_back(work[0].window.ends_at)
        if back is None:
            return None
        return Claim(resource_id=driver.id, use=Use.COLLECT, window=collect), *work, back, *truck

    def _on_the_road(self, start: datetime) -> tuple[Claim, ...] | None:
        """A van and a technician, who is at the car within a drive, works there and drives back: none of it waits
        over a night.
        """
        if self.asks.work.bound:
            return None
        way = timedelta(minutes=self.dealer.drive_minutes)
        there, whole = start + way, Window(starts_at=start, ends_at=start + way + self.labour + way)
        van, who = self._free(self.vans, whole), self._free(self.able, whole)
        if van is None or who is None or not self.open.holds(whole):
            return None
        return (
            Claim(resource_id=van.id, use=Use.WAY, window=Window(starts_at=start, ends_at=there)),
            Claim(resource_id=van.id, use=Use.VAN, window=Window(starts_at=there, ends_at=whole.ends_at)),
            Claim(resource_id=who.id, use=Use.LABOUR, window=whole),
        )

    def _drive_back(self, since: datetime) -> Claim | None:
        for start in _grid(since, since + _LATEST_WORK, self.dealer.zone, ON_THE):
            span = self._drive(start)
            if span is not None and (found := self._free(self.drivers, span)) is not None:
                return Claim(resource_id=found.id, use=Use.RETURN, window=span)
        return None

    def _work(self, start: datetime) -> Window | None:
        return self.open.work(start, self.labour)

    def _drive(self, start: datetime) -> Window | None:
        span = Window(starts_at=start, ends_at=start + timedelta(minutes=self.dealer.drive_minutes))
        return span if self.open.holds(span) else None

    def _free(self, resources: Sequence[Resource], span: Window) -> Resource | None:
        """The least busy one that is free then, so that work spreads."""
        free = [r for r in resources if not any(overlap(span, other) for other in self.taken.get(r.id, ()))]
        return min(free, key=lambda r: (len(self.taken.get(r.id, ())), r.id), default=None)


@lru_cache(maxsize=64)
def _opening(dealer: Dealer, today: date) -> Opening:
    """Kept for the day: many ask for the same dealer's time at once, and one after the other."""
    midnight = datetime.combine(today, time(), UTC)
    return Opening(dealer, midnight - timedelta(days=1), midnight + KNOWN)


def overlap(one: Window, other: Window) -> bool:
    """Half-open spans: one may begin when the other ends."""
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def _options(
    dealer: Dealer,
    kind: BookingKind,
    now: datetime,
    resources: Sequence[Resource],
    taken: Taken,
    *,
    loaner: bool,
    since: datetime | None = None,
    asks: Asks = PLAIN,
) -> Iterator[Option]:
    earliest = now + timedelta(minutes=dealer.notice_minutes)
    start = earliest if since is None else max(since, earliest)
    day = _Day(dealer, now, resources, taken, asks=asks)
    for candidate in _grid(start, now + HORIZON, dealer.zone, ON_THE):
        option = day.option(kind, candidate, loaner)
        if option is not None:
            yield option


def _grid(since: datetime, until: datetime, zone_name: str, on_the: int) -> Iterator[datetime]:
    """Instants from `since` on at which the wall clock shows a multiple of `on_the` minutes, and shows it once."""
    start = datetime.fromtimestamp(-(-since.timestamp() // STEP.total_seconds()) * STEP.total_seconds(), UTC)
    while start < until:
        wall = local(start, zone_name)
        if wall.minute % on_the == 0 and _once(wall, zone_name):
            yield start
        start += STEP


def _once(wall: datetime, zone_name: str) -> bool:
    try:
        from_local(wall.date(), wall.time().replace(tzinfo=None), zone_name)
    except BadInput:
        return False
    return True


def _take_while_near(options: Iterator[Option], first: datetime) -> Iterator[Option]:
    """Up to a day after the first window: there is no need to look at two weeks to find the second."""
    for option in options:
        yield option
        if option.window.starts_at > first + timedelta(days=1):
            return


def _with(taken: Taken, claims: Sequence[Claim]) -> dict[int, list[Window]]:
    both = {resource: list(windows) for resource, windows in taken.items()}
    for claim in claims:
        both.setdefault(claim.resource_id, []).append(claim.window)
    return both
