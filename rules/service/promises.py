"""The ledger of promises: which times stand for a visit now, what became of those that stood, and what to do before one
breaks. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from rules.service.travel import HANDOVER
from schemas.account import Dealer
from schemas.booking import Booking, BookingState
from schemas.pickup import Leg, LegKind, LegState
from schemas.promise import Promise, Promised, PromiseEvent, PromiseState

#: What a drive was promised for, and in which of its states that is so.
_KEPT = {
    LegKind.COLLECT: (Promised.COLLECT, frozenset({LegState.COLLECTED, LegState.AT_WORKSHOP})),
    LegKind.RETURN: (Promised.RETURN, frozenset({LegState.HANDED_OVER})),
    LegKind.VISIT: (Promised.VISIT, frozenset({LegState.AT_CAR, LegState.HANDED_OVER})),
}
_READY = frozenset({BookingState.READY, BookingState.COMPLETED})


@dataclass(frozen=True, slots=True)
class Standing:
    """A time that stands for a visit now; `begun`: the step that keeps it is being taken, `done`: it is kept."""

    what: Promised
    due_at: datetime
    leg_id: int | None = None
    begun: bool = False
    done: bool = False
    way: timedelta = timedelta()  #: how long it takes from setting out until somebody is at the door; zero once begun


def standing(booking: Booking, legs: Sequence[Leg]) -> tuple[Standing, ...]:
    """What is promised of this visit now, at most one of each kind; nothing once it is cancelled."""
    if booking.state is BookingState.CANCELLED:
        return ()
    found = []
    if booking.kind.brought:
        found.append(Standing(Promised.BRING, booking.ends_at, done=booking.state is not BookingState.AGREED))
    for leg in legs:
        if leg.state is LegState.CANCELLED:
            continue
        what, kept_in = _KEPT[leg.kind]
        kept = leg.state in kept_in
        begun = leg.state is not LegState.PLANNED
        way = timedelta(minutes=0 if begun else leg.travel_minutes or 0)
        found.append(Standing(what, leg.ends_at, leg_id=leg.id, begun=begun, done=kept, way=way))
    if booking.ready_by is not None:
        found.append(Standing(Promised.READY, booking.ready_by, done=booking.state in _READY))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Settlement:
    """How the ledger comes to say what stands: rows that end, rows whose promise came true (late), and new rows."""

    ends: tuple[tuple[Promise, PromiseEvent], ...]
    late: tuple[Promise, ...]
    opens: tuple[Standing, ...]


def settle(ledger: Sequence[Promise], stands: Sequence[Standing], now: datetime) -> Settlement:
    """`ledger` are all rows of the visit.

    A promise is kept only in time: what comes true afterwards was broken, and says how late it was.
    """
    by_what = {one.what: one for one in stands}
    ends: list[tuple[Promise, PromiseEvent]] = []
    for row in ledger:
        if row.state is PromiseState.OPEN and (event := _end(row, by_what.get(row.what), now)) is not None:
            ends.append((row, event))
    broken = [row for row in ledger if row.state is PromiseState.BROKEN] + [
        row for row, event in ends if event is PromiseEvent.BROKEN
    ]
    late = tuple(
        row
        for row in broken
        if row.done_at is None and row.what in by_what and by_what[row.what].done and _same(row, by_what[row.what])
    )
    gone = {row.id for row, event in ends if event is PromiseEvent.MOVED}
    known = [row for row in ledger if row.state is not PromiseState.MOVED and row.id not in gone]
    opens = tuple(one for one in stands if not one.done and not any(_same(row, one) for row in known))
    return Settlement(tuple(ends), late, opens)


def _end(row: Promise, stands: Standing | None, now: datetime) -> PromiseEvent | None:
    if stands is None:
        return PromiseEvent.VOID
    if stands.done:
        return PromiseEvent.KEPT if now <= row.due_at else PromiseEvent.BROKEN
    return None if _same(row, stands) else PromiseEvent.MOVED


def _same(row: Promise, stands: Standing) -> bool:
    return (row.what, row.due_at, row.leg_id) == (stands.what, stands.due_at, stands.leg_id)


class Act(StrEnum):
    """What time alone asks for about an open promise."""

    WARN = "warn"  #: our own people, with a draft of an apology and a new time
    TELL = "tell"  #: the owner, while there is time
    BREAK = "break"  #: its time has passed
    VOID = "void"  #: it rested on the customer, who did not come
    MISSED = "missed"  #: the customer did not come: somebody rings


def due(row: Promise, stands: Standing, booking: Booking, dealer: Dealer, now: datetime) -> Act | None:
    """The next thing to do about an open promise that stands; each is done once, in this order: our people, the owner,
    the end.

    The dealer says how long before: our people of one whose keeping has not begun, the owner of one for which nobody
    has given them another time. Where somebody has to drive there first, our people hear so long before they must set
    out, and the owner once nobody who sets out now could be at their door in time.
    """
    warn, tell = timedelta(minutes=dealer.late_warn_minutes), timedelta(minutes=dealer.late_tell_minutes)
    if stands.way:
        warn, tell = warn + stands.way + HANDOVER, max(tell, stands.way)
    if stands.done or row.state is not PromiseState.OPEN:
        return None
    if row.what is Promised.BRING:
        return Act.MISSED if missed(booking, dealer, now) else None
    if now < row.due_at - max(warn, tell):
        return None
    if row.what is Promised.READY and booking.state is BookingState.AGREED and booking.kind.brought:
        return Act.VOID
    told = row.owner_told_at is not None or row.must_ring
    if not told and now >= row.due_at - tell:
        return Act.TELL
    if row.warned_at is None and not told and not stands.begun:
        return Act.WARN
    return Act.BREAK if now >= row.due_at and told else None


def has_later_time(ledger: Sequence[Promise], booking: Booking) -> bool:
    """Whether the time at which the car is ready is later than one given before: "it takes longer" may name that time
    only.
    """
    before = [
        row.due_at
        for row in ledger
        if row.what is Promised.READY and row.state in (PromiseState.MOVED, PromiseState.BROKEN)
    ]
    return booking.ready_by is not None and any(due < booking.ready_by for due in before)


def later(ready_by: datetime | None, now: datetime) -> datetime:
    """A new time to propose: half an hour after what was said, or after now, on the next quarter of an hour."""
    earliest = (now if ready_by is None else max(ready_by, now)) + timedelta(minutes=30)
    return datetime.fromtimestamp(-(-earliest.timestamp() // 900) * 900, UTC)


def missed(booking: Booking, dealer: Dealer, now: datetime) -> bool:
    """Whether a customer who was to bring the car has not come, and should be rung: the dealer says how long after the
    end of the window.
    """
    return (
        booking.state is BookingState.AGREED
        and booking.kind.brought
        and now >= booking.ends_at + timedelta(minutes=dealer.no_show_minutes)
    )
