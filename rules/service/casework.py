"""What people should do next: which case an alert belongs to, how urgent it is, the queue's order, the one next
step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.service.driving import Stays, forbids, needs_truck
from schemas.account import Dealer
from schemas.alert import Alert, AlertState, AlertStep
from schemas.booking import Booking, BookingKind, BookingState, Offer, OfferState
from schemas.case import Case, CaseState, Confirmation
from schemas.moment import minutes_between
from schemas.pickup import Leg, LegKind, LegState
from schemas.verdict import Severity

ASK_AFTER = timedelta(hours=2)  #: a healed car's owner is asked then how it was
SPEAKS = timedelta(days=7)  #: a car that was not heard for so long proves nothing
COMEBACK = timedelta(days=30)  #: the same fault within this time after a repair is a comeback, not a new case


@dataclass(frozen=True, slots=True)
class OpensCase:
    """The car has no open case: this is a new one."""

    severity: Severity
    because: str


@dataclass(frozen=True, slots=True)
class JoinsCase:
    """The car's open case takes it in; `raised` says whether it became more urgent."""

    case_id: int
    severity: Severity
    raised: bool
    because: str


@dataclass(frozen=True, slots=True)
class CameBack:
    """A repaired case opens again. `same` is false when another fault showed while the repair was being proved."""

    case_id: int
    severity: Severity
    same: bool
    because: str


Belongs = OpensCase | JoinsCase | CameBack


def case_for(
    alert: Alert,
    open_case: Case | None,
    repaired: Case | None,
    repaired_faults: Iterable[tuple[str, str]],
    now: datetime,
) -> Belongs:
    """Where an active alert belongs.

    `open_case` is the car's case that is neither done nor dismissed; `repaired` the newest one that was
    repaired (verifying or done), `repaired_faults` the (rule, component) pairs it was about.
    """
    same = (alert.rule, alert.component) in set(repaired_faults)
    if open_case is not None and open_case.state is CaseState.VERIFYING:
        because = (
            f"{alert.because} (again after the repair)"
            if same
            else f"another fault before the repair was proved: {alert.because}"
        )
        return CameBack(open_case.id, higher(alert.severity, Severity.ADVICE), same, because)
    if open_case is not None:
        severity = higher(open_case.severity, alert.severity)
        return JoinsCase(open_case.id, severity, severity is not open_case.severity, alert.because)
    if (
        repaired is not None
        and same
        and repaired.state is CaseState.DONE
        and repaired.repaired_at is not None
        and now - repaired.repaired_at <= COMEBACK
    ):
        days = (now - repaired.repaired_at).days
        return CameBack(repaired.id, alert.severity, True, f"{alert.because} (again, {days} days after the repair)")
    return OpensCase(alert.severity, alert.because)


def worse_than_dismissed(case: Case, steps: Sequence[AlertStep], heard_at: datetime) -> bool:
    """Whether an alert, whose case a person dismissed, has since then risen to "now", or to where it forbids to drive
    on. What the person saw, they judged.
    `heard_at`: when the newest step reached us."""
    if case.state is not CaseState.DISMISSED or not steps or not _urgent(steps[-1]) or heard_at <= case.changed_at:
        return False
    then = [step for step in steps[:-1] if step.ts <= case.changed_at.timestamp()]
    return not then or not _urgent(then[-1])


def _urgent(step: AlertStep) -> bool:
    return step.state is AlertState.ACTIVE and (step.severity is Severity.NOW or forbids(step.rule, step.severity))


def higher(one: Severity, other: Severity) -> Severity:
    """The more urgent of two."""
    return one if one.rank >= other.rank else other


def severity_of(alerts: Sequence[Alert], otherwise: Severity) -> Severity:
    """A case is as urgent as its most urgent active alert."""
    active = [alert.severity for alert in alerts if alert.state is AlertState.ACTIVE]
    return max(active, key=lambda severity: severity.rank, default=otherwise)


def speaks(last_heard_at: datetime | None, now: datetime) -> bool:
    """Whether a car can be expected to prove its repair itself."""
    return last_heard_at is not None and now - last_heard_at <= SPEAKS


def contradicted(case: Case, alerts: Sequence[Alert], last_heard_at: datetime | None) -> str | None:
    """Why no person's word may close a repaired case: what the car itself has said since then goes before it.

    None when it may.
    """
    heard = last_heard_at is not None and case.repaired_at is not None and last_heard_at > case.repaired_at
    standing = next((alert for alert in alerts if alert.state is AlertState.ACTIVE), None)
    return (
        f"the car has spoken since the repair and still reports: {standing.because}"
        if heard and standing is not None
        else None
    )


def queue_key(case: Case) -> tuple[int, datetime, int]:
    """The queue's order: the most urgent first, then the oldest."""
    return (-case.severity.rank, case.opened_at, case.id)


def acknowledge_by(case: Case, dealer: Dealer) -> datetime | None:
    """Until when somebody must have taken it; advice has no such limit."""
    minutes = {Severity.NOW: dealer.acknowledge_minutes_now, Severity.SOON: dealer.acknowledge_minutes_soon}.get(
        case.severity
    )
    return None if minutes is None else case.opened_at + timedelta(minutes=minutes)


#: How it is known that a car is healed.
HEALED: dict[Confirmation | None, str] = {
    None: "the car has proved that it is healed",
    Confirmation.OWNER: "the owner says that it is healed",
    Confirmation.TEST_DRIVE: "a test drive showed that it is healed",
    Confirmation.TECHNICIAN: "a technician says that it is healed",
}


@dataclass(frozen=True, slots=True)
class Step:
    """The one obvious next step.

    `path` is where to POST it; without one there is nothing to do but wait for `waits_for`.
    """

    #: acknowledge | owner | offer | ring | tow | arrive | start | finish | move | hand_over | confirm | wait | nothing
    act: str
    label: str
    because: str
    path: str | None = None
    event: str | None = None  #: of a leg's move
    waits_for: str | None = None  #: owner | driver | workshop | car


def next_step(
    case: Case,
    offer: Offer | None,
    booking: Booking | None,
    legs: Sequence[Leg],
    *,
    has_owner: bool = True,
    can_prove: bool = True,
    missed: bool = False,
    stays: Stays | None = None,
) -> Step:
    """What somebody at the desk should do now.

    `offer` is the newest one, `booking` the newest that was not cancelled; `can_prove`: the car speaks; `missed`: its
    car was not brought; `stays`: it must not be driven.
    """
    match case.state:
        case CaseState.OPEN:
            if case.acknowledged_at is None:
                return Step(
                    "acknowledge", "Take this case", "nobody owns it yet", f"/api/v1/cases/{case.id}/acknowledge"
                )
            if not has_owner:
                return Step(
                    "owner", "Say who owns this car", "we know nobody to write to", f"/vehicles/{case.vehicle_id}"
                )
            return Step("offer", _OFFER[stays is not None], _why_offer(offer), f"/api/v1/cases/{case.id}/offers")
        case CaseState.CONTACTED:
            if offer is not None and offer.state is OfferState.OPEN:
                return Step(
                    "wait",
                    "Wait for the owner's answer",
                    f"two windows are held until {offer.expires_at:%Y-%m-%d %H:%M} UTC",
                    waits_for="owner",
                )
            return Step("offer", "Offer new windows", _why_offer(offer), f"/api/v1/cases/{case.id}/offers")
        case CaseState.BOOKED | CaseState.IN_WORKSHOP:
            return _visit_step(case, booking, legs=legs, missed=missed, stays=stays)
        case CaseState.VERIFYING:
            if back := _bring_back(booking, legs):
                return back
            if not can_prove:
                return Step(
                    "confirm",
                    "Say how you know that it is healed",
                    "this car does not speak to us, so it cannot show it",
                    f"/api/v1/cases/{case.id}/confirm",
                )
            return Step(
                "wait",
                "Wait for the car's own proof",
                "the workshop is done; the car has not shown yet that it is healed",
                waits_for="car",
            )
        case CaseState.DONE:
            return _bring_back(booking, legs) or Step("nothing", "Nothing to do", HEALED[case.confirmed])
        case CaseState.DISMISSED:
            return Step("nothing", "Nothing to do", "this case was dismissed")


def _visit_step(case: Case, booking: Booking | None, legs: Sequence[Leg], missed: bool, stays: Stays | None) -> Step:
    if booking is None:
        return Step("offer", _OFFER[stays is not None], "there is no booking", f"/api/v1/cases/{case.id}/offers")
    path = f"/api/v1/bookings/{booking.id}"
    if stays is not None and needs_truck(booking, legs, stays):
        return Step("tow", "Send a tow truck", stays.because, f"{path}/move")
    match booking.state:
        case BookingState.AGREED if booking.kind.fetched:
            leg = next((leg for leg in legs if leg.kind is LegKind.COLLECT), None)
            if leg is None or leg.state not in _COLLECT:
                return Step("arrive", "The car is here", "it was collected", f"{path}/arrive")
            label, event = _COLLECT[leg.state]
            return Step(
                "move",
                label,
                because="the owner follows each step",
                path=f"/api/v1/legs/{leg.id}/move",
                event=event,
                waits_for="driver",
            )
        case BookingState.AGREED if booking.kind is BookingKind.MOBILE_REPAIR:
            leg = next((leg for leg in legs if leg.kind is LegKind.VISIT and leg.state in _VISIT), None)
            if leg is None:
                return Step("arrive", "The technician is at the car", "nobody else says so", f"{path}/arrive")
            label, event = _VISIT[leg.state]
            return Step(
                "move",
                label,
                because="the owner follows each step",
                path=f"/api/v1/legs/{leg.id}/move",
                event=event,
                waits_for="workshop",
            )
        case BookingState.AGREED if missed:
            return Step(
                "ring",
                "Ring the owner: the car was not brought",
                "then find another day with them, or cancel the visit",
                waits_for="owner",
            )
        case BookingState.AGREED:
            return Step(
                "arrive",
                "The car is here",
                f"the owner brings it at {booking.wall_start[11:]}",
                f"{path}/arrive",
                waits_for="owner",
            )
        case BookingState.ARRIVED:
            return Step("start", "Start the work", "the car is in the workshop", f"{path}/start", waits_for="workshop")
        case BookingState.WORKING:
            return Step(
                "finish",
                "Finished: say what was found",
                "the car is being worked on",
                f"{path}/finish",
                waits_for="workshop",
            )
        case _:
            return _bring_back(booking, legs) or Step("nothing", "Nothing to do", "the visit is over")


def _bring_back(booking: Booking | None, legs: Sequence[Leg]) -> Step | None:
    if booking is None or booking.state is not BookingState.READY:
        return None
    if booking.kind.fetched:
        leg = next((leg for leg in legs if leg.kind is LegKind.RETURN and leg.state in _RETURN), None)
        if leg is not None:
            label, event = _RETURN[leg.state]
            return Step(
                "move",
                label,
                because="the car is ready",
                path=f"/api/v1/legs/{leg.id}/move",
                event=event,
                waits_for="driver",
            )
    return Step("hand_over", "Hand the car over", "the car is ready", f"/api/v1/bookings/{booking.id}/hand-over")


def _why_offer(offer: Offer | None) -> str:
    if offer is None:
        return "the owner has not been asked yet"
    return {
        OfferState.DECLINED: "the owner said not now; the fault is still there",
        OfferState.EXPIRED: "the owner did not answer in time",
        OfferState.WITHDRAWN: "the last offer was withdrawn",
    }.get(offer.state, "the booking fell through")


_OFFER = ("Offer pickup and delivery", "Offer a tow truck")  #: to a car that may be driven, and to one that must not
_COLLECT = {
    LegState.PLANNED: ("Driver sets out", "on_the_way"),
    LegState.ON_THE_WAY: ("Driver has the car", "collected"),
    LegState.COLLECTED: ("Car is at the workshop", "at_workshop"),
}
_VISIT = {
    LegState.PLANNED: ("Technician sets out", "on_the_way"),
    LegState.ON_THE_WAY: ("Technician is at the car", "at_car"),
}
_RETURN = {
    LegState.PLANNED: ("Driver sets out with the car", "on_the_way_back"),
    LegState.ON_THE_WAY_BACK: ("Car is handed over", "handed_over"),
}


def minutes_since_word(booking: Booking, now: datetime) -> int:
    """How long a waiting customer has not heard from us."""
    return minutes_between(booking.last_word_at or booking.made_at, now)


#: What is true of a visit by itself; the rest is true because a person says so.
_TRUE = {BookingState.ARRIVED: "arrived", BookingState.WORKING: "in_work"}
SAID = ("part", "answer", "longer")


@dataclass(frozen=True, slots=True)
class Word:
    """A sentence for somebody who waits: `template` of the texts, or None and why there is none that is true."""

    template: str | None
    because: str


def waiting_words(booking: Booking) -> tuple[str, ...]:
    """What may be said to the customer of this visit now."""
    true = _TRUE.get(booking.state)
    return () if true is None else (true, *SAID)


def waiting_word(booking: Booking, asked: str) -> Word:
    """The sentence to send; `waiting` picks the one that is true."""
    words = waiting_words(booking)
    if not words:
        return Word(None, f"nobody waits: the visit is {booking.state.value}")
    if asked == "waiting" or asked in words:
        return Word(words[0] if asked == "waiting" else asked, f"the visit is {booking.state.value}")
    return Word(None, f"it would not be true: the visit is {booking.state.value}; true are {', '.join(words)}")
