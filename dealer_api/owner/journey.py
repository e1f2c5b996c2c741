"""The live journey: where a visit stands, said from its rows alone. Pure: it reads no clock and no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dealer_api.owner.formatting import Speech, first_name
from schemas.booking import Booking, BookingKind, BookingState
from schemas.case import Case, CaseState
from schemas.pickup import Leg, LegKind, LegState

#: What the owner sees, in order. A visit without pickup knows fewer steps.
PICKUP_STEPS = (
    "agreed",
    "on_the_way",
    "collected",
    "at_workshop",
    "ready",
    "on_the_way_back",
    "handed_over",
    "proving",
    "all_clear",
)
MOBILE_STEPS = ("agreed", "on_the_way", "at_car", "ready", "proving", "all_clear")
VISIT_STEPS = ("agreed", "at_workshop", "ready", "handed_over", "proving", "all_clear")
_MOODS = {
    "agreed": "calm",
    "proving": "calm",
    "all_clear": "good",
    "cancelled": "sorry",
    "open": "calm",
    "dismissed": "calm",
}
_REACHED_BY_LEG = {
    LegState.ON_THE_WAY: "on_the_way",
    LegState.COLLECTED: "collected",
    LegState.AT_WORKSHOP: "at_workshop",
    LegState.ON_THE_WAY_BACK: "on_the_way_back",
    LegState.HANDED_OVER: "handed_over",
    LegState.AT_CAR: "at_car",
}

#: Steps that a driver makes, and on which way; the others every visit goes through.
_DRIVEN = {"on_the_way": LegKind.COLLECT, "collected": LegKind.COLLECT, "on_the_way_back": LegKind.RETURN}


@dataclass(frozen=True, slots=True)
class Drive:
    """A leg and who drives it."""

    leg: Leg
    driver: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the journey."""

    key: str
    title: str
    state: str  #: done, current or todo
    time: str  #: when it happened, or when it is planned; empty when nobody knows
    note: str = ""


@dataclass(frozen=True, slots=True)
class Journey:
    """What the owner's page shows after the booking."""

    at: str  #: the step it stands at, or cancelled, open, comeback, dismissed
    headline: str
    lead: str
    mood: str
    promise: str
    steps: tuple[Step, ...]
    finding: str | None
    cancellable: bool


def stands_at(case: Case, booking: Booking | None, drives: tuple[Drive, ...]) -> str:
    """The step that a visit has reached.

    The furthest of its rows counts: a driver may be ahead of the workshop's clicks.
    """
    if booking is None:
        return _without_booking(case)
    if booking.state is BookingState.CANCELLED:
        return "cancelled" if not case.comebacks else "open"
    if case.state is CaseState.DONE and booking.state is BookingState.COMPLETED:
        return "all_clear"
    if booking.state is BookingState.COMPLETED:
        return "proving" if case.state in (CaseState.VERIFYING, CaseState.DONE) else _without_booking(case)
    order = _order(booking)
    reached = [
        {BookingState.AGREED: "agreed", BookingState.ARRIVED: "at_workshop", BookingState.WORKING: "at_workshop"}.get(
            booking.state, "ready"
        )
    ]
    reached += [_REACHED_BY_LEG[drive.leg.state] for drive in drives if drive.leg.state in _REACHED_BY_LEG]
    furthest = max((step for step in reached if step in order), key=order.index)
    if furthest == "at_workshop" and booking.state is BookingState.WORKING:
        return "working"
    return "proving" if furthest == "handed_over" else furthest


def _without_booking(case: Case) -> str:
    match case.state:
        case CaseState.DONE:
            return "all_clear"
        case CaseState.DISMISSED:
            return "dismissed"
        case CaseState.VERIFYING:
            return "proving"
        case CaseState.IN_WORKSHOP:
            return "working"
        case _:
            return "open"  # a comeback too: the dealer is told first, and a person tells the owner


def _order(booking: Booking) -> tuple[str, ...]:
    if booking.kind is BookingKind.MOBILE_REPAIR:
        return MOBILE_STEPS
    return PICKUP_STEPS if booking.kind.fetched else VISIT_STEPS


def journey_of(
    speech: Speech,
    *,
    dealer: str,
    dealer_address: str,
    case: Case,
    booking: Booking | None,
    drives: tuple[Drive, ...],
    times: Mapping[str, datetime],
    finding: str | None = None,
    proves: bool = True,
) -> Journey:
    """The journey in words.

    `times` says when each step was reached, by the step's name; `proves`: the car speaks, so it can show that it is
    healed.
    """
    at = stands_at(case, booking, drives)
    by_kind = {drive.leg.kind: drive for drive in drives if drive.leg.state is not LegState.CANCELLED}
    back, there = by_kind.get(LegKind.RETURN), by_kind.get(LegKind.COLLECT) or by_kind.get(LegKind.VISIT)
    drive = back if at == "on_the_way_back" else there
    facts = {
        "dealer": dealer,
        "kind": booking.kind.value if booking else "none",
        "window": speech.window(booking.starts_at, booking.ends_at) if booking else None,
        "address": (booking.address if booking and booking.kind.at_theirs else None) or dealer_address,
        "driver": first_name(drive.driver) if drive else None,
        "proves": "itself" if proves and case.confirmed is None else None,
        "how": case.confirmed.value if case.confirmed else None,
    }
    return Journey(
        at=at,
        headline=speech.say(f"now-{at}", **facts),
        lead=speech.say(f"lead-{at}", **facts),
        mood=_MOODS.get(at, "live"),
        promise=_promise(speech, at, booking, back),
        steps=_steps(speech, at, booking=booking, there=there, back=back, times=times, proves=facts["proves"])
        if booking and (at in _order(booking) or at == "working")
        else (),
        finding=finding,
        cancellable=at == "agreed" and case.state is CaseState.BOOKED,
    )


def _promise(speech: Speech, at: str, booking: Booking | None, back: Drive | None) -> str:
    """What the owner was promised and is not yet kept; silent once it is."""
    if booking is None:
        return ""
    if back and (at == "ready" or (at == "on_the_way_back" and speech.is_today(back.leg.starts_at))):
        return speech.say("promise-back", window=speech.window(back.leg.starts_at, back.leg.ends_at))
    if at in ("agreed", "on_the_way", "collected", "at_workshop", "at_car", "working") and booking.ready_by:
        return speech.say("promise-ready", time=speech.when(booking.ready_by))
    return ""


def _steps(
    speech: Speech,
    at: str,
    booking: Booking,
    there: Drive | None,
    back: Drive | None,
    times: Mapping[str, datetime],
    *,
    proves: str | None,
) -> tuple[Step, ...]:
    """Those that have happened, the one at which it stands, and those that will: a drive that was called off is none of
    them.
    """
    order = _order(booking)
    here = order.index("at_workshop" if at == "working" else at)
    planned = {"on_the_way": there, "on_the_way_back": back}
    found = []
    for n, key in enumerate(order):
        state = "done" if n < here or at == "all_clear" else "current" if n == here else "todo"
        made = _DRIVEN.get(key)
        if made and (
            key not in times
            if state == "done"
            else state == "todo" and (there if made is LegKind.COLLECT else back) is None
        ):
            continue
        time, notes = "", []
        drive = planned.get(key)
        if state != "todo":
            time = speech.when(times[key]) if key in times else ""
        elif drive and speech.is_today(drive.leg.starts_at):
            time = speech.span(drive.leg.starts_at, drive.leg.ends_at)
        elif drive:
            notes.append(speech.window(drive.leg.starts_at, drive.leg.ends_at))
        elif key == "ready" and booking.ready_by:
            time = speech.say("by", time=speech.when(booking.ready_by))
        if key == "agreed":
            notes.append(speech.window(booking.starts_at, booking.ends_at))
        elif drive and (name := first_name(drive.driver)):
            notes.append(speech.say("with-driver", driver=name))
        found.append(
            Step(
                key,
                speech.say(f"step-{key}", proves=proves, kind=booking.kind.value),
                state=state,
                time=time,
                note=", ".join(notes),
            )
        )
    return tuple(found)
