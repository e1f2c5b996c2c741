"""A case's next step and its other moves as links and buttons of the desk.

What may be done is decided in `rules` and the tables; here it gets an address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dealer_api import permissions as may
from dealer_api.desk import formatting
from rules.service.casework import Step, next_step
from rules.service.driving import Stays
from schemas.booking import (
    BOOKING,
    OFFER,
    Booking,
    BookingEvent,
    BookingKind,
    BookingState,
    Offer,
    OfferEvent,
    OfferState,
)
from schemas.case import CASE, Case, CaseEvent, CaseState
from schemas.pickup import Leg

_NEEDS = {
    "acknowledge": may.WORK_CASES,
    "owner": may.WRITE_VEHICLES,
    "offer": may.MAKE_OFFERS,
    "ring": may.BOOK,
    "tow": may.BOOK,
    "arrive": may.WORK_BOOKINGS,
    "start": may.WORK_BOOKINGS,
    "finish": may.WORK_BOOKINGS,
    "confirm": may.CONFIRM_CASES,
    "hand_over": may.WORK_BOOKINGS,
    "move": may.MOVE_LEGS,
}


#: What the button says, and what the page says above it.
_VISIT = {
    "arrive": ("The car is here", "Expect the car"),
    "start": ("Work has begun", "Start the work"),
    "hand_over": ("The owner has it", "Hand the car over"),
}
#: Before a driver's step: what is true now.
_UNDER_WAY = {
    "on_the_way": "The driver has not set out yet",
    "collected": "The driver is on the way to the owner",
    "at_workshop": "The driver is bringing the car",
    "on_the_way_back": "The car is ready to go back",
    "handed_over": "The driver is on the way back",
}


@dataclass(frozen=True, slots=True)
class Button:
    """A move as the page draws it: a form to post, or a link to follow; neither when there is only waiting."""

    label: str
    title: str = ""
    why: str = ""
    post: str | None = None
    href: str | None = None
    form: str = ""  #: a form that asks for something, by name
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ask:
    """A move that needs a word first: a reason, a colleague, a time."""

    id: str
    label: str
    ask: str
    name: str
    button: str
    post: str
    kind: str = "text"
    choices: tuple[tuple[str, str], ...] = ()
    value: str = ""
    danger: bool = False


def primary(
    case: Case,
    offer: Offer | None,
    booking: Booking | None,
    legs: Sequence[Leg],
    *,
    has_owner: bool,
    can_prove: bool = True,
    stays: Stays | None = None,
    missed: bool = False,
    role: str,
    zone: str,
    now: datetime,
) -> Button:
    """The one obvious next step, as a button of this desk."""
    live = None if booking is None or booking.state is BookingState.CANCELLED else booking
    step = next_step(case, offer, live, legs, has_owner=has_owner, can_prove=can_prove, missed=missed, stays=stays)
    title, why = step.label, _sentence(step, offer, booking=live, zone=zone, now=now)
    here = f"/cases/{case.id}"
    needed = _NEEDS.get(step.act)
    if needed is not None and not needed.allows(role):
        return Button(
            step.label,
            title,
            why
            + f" This is for {' or '.join(formatting.ROLES[who].lower() for who in may.ROLES if needed.allows(who))}.",
        )
    match step.act:
        case "acknowledge":
            return Button("Take it", title, why, post=f"{here}/take")
        case "ring" if live is not None:
            return Button("Another time", title, why, href=f"/bookings/{live.id}/time")
        case "tow" if live is not None and live.kind.fetched:
            fields = {
                "window": live.starts_at.isoformat(),
                "was": live.starts_at.isoformat(),
                "kind": BookingKind.TOW.value,
            }
            return Button("Send a tow truck", title, why, post=f"/bookings/{live.id}/move", fields=fields)
        case "tow" if live is not None:
            return Button("When can it come?", title, why, href=f"/bookings/{live.id}/time")
        case "offer":
            return Button(
                step.label,
                "Ask the owner for a time",
                f"{formatting.sentence(stays.because)}. A tow truck fetches it." if stays else why,
                href=f"{here}/offer",
            )
        case "owner":
            return Button("To the vehicle", title, why, href=f"/vehicles/{case.vehicle_id}#owner")
        case "finish" if live is not None:
            return Button("The work is done", "Finish the work", why, post=f"/bookings/{live.id}/finish", form="finish")
        case "confirm":
            return Button("It is healed", title, why, post=f"{here}/confirm", form="confirm")
        case "arrive" | "start" | "hand_over" if live is not None:
            label, title = _VISIT[step.act]
            return Button(label, title, why, post=f"/bookings/{live.id}/{step.act.replace('_', '-')}")
        case "move" if step.path is not None and step.event is not None:
            return Button(
                step.label,
                _UNDER_WAY.get(step.event, title),
                why,
                post=f"/legs/{step.path.split('/')[-2]}/move",
                fields={"event": step.event, "back": here},
            )
        case _:
            return Button("", title, why)


def others(
    case: Case,
    offer: Offer | None,
    booking: Booking | None,
    main: Button,
    windows: Sequence[tuple[int, str]],
    *,
    role: str,
) -> tuple[Button, ...]:
    """What else the tables allow now and takes one click.

    `windows`: each digit of the open offer with its time in words.
    """
    if not may.WORK_CASES.allows(role):
        return ()
    here, found = f"/cases/{case.id}", []
    if offer is not None and OfferEvent.ACCEPTED in OFFER.allowed(offer.state):
        found += [
            Button(f"Owner rang: {words}", post=f"/offers/{offer.id}/accept", fields={"choice": str(n), "back": here})
            for n, words in windows
        ]
        found.append(Button("Owner rang: not now", post=f"/offers/{offer.id}/decline", fields={"back": here}))
    if CaseEvent.OFFERED in CASE.allowed(case.state) and main.href != f"{here}/offer":
        found.append(
            Button("Offer new windows" if case.state is CaseState.CONTACTED else "Offer a time", href=f"{here}/offer")
        )
    if booking is not None:
        allowed = BOOKING.allowed(booking.state)
        if BookingEvent.ARRIVED in allowed and not (main.post or "").endswith("/arrive"):
            found.append(Button("The car is here", post=f"/bookings/{booking.id}/arrive"))
        if (
            booking.state not in (BookingState.COMPLETED, BookingState.CANCELLED)
            and (address := f"/bookings/{booking.id}/time") != main.href
        ):
            found.append(Button("Another time", href=address))
    return tuple(found)


def asks(
    case: Case,
    booking: Booking | None,
    *,
    role: str,
    people: Sequence[tuple[int, str]],
    promised: str,
    can_prove: bool = True,
) -> tuple[Ask, ...]:
    """What else is allowed and needs a word first."""
    here, found = f"/cases/{case.id}", []
    if CaseEvent.CONFIRMED in CASE.allowed(case.state) and can_prove and may.CONFIRM_CASES.allows(role):
        ways = tuple(formatting.CONFIRMATIONS.items())
        found.append(
            Ask(
                "confirm",
                "Close without the car's proof",
                ask="How is it known that it is healed",
                name="how",
                button="It is healed",
                post=f"{here}/confirm",
                choices=ways,
            )
        )
    if not may.WORK_CASES.allows(role):
        return tuple(found)
    if case.state not in (CaseState.DONE, CaseState.DISMISSED):
        rest = tuple((str(id), name) for id, name in people if id != case.assignee_id)
        if rest:
            found.append(
                Ask(
                    "assign",
                    "Hand it to a colleague",
                    ask="Colleague",
                    name="to",
                    button="Hand over",
                    post=f"{here}/assign",
                    choices=rest,
                )
            )
    if booking is not None and BookingEvent.CANCELLED in BOOKING.allowed(booking.state):
        found.append(
            Ask(
                "cancel",
                "Cancel the booking",
                ask="Why",
                name="reason",
                button="Cancel the booking",
                post=f"/bookings/{booking.id}/cancel",
                danger=True,
            )
        )
    if booking is not None and booking.state in (BookingState.ARRIVED, BookingState.WORKING):
        found.append(
            Ask(
                "promise",
                "Promise another time",
                ask="Ready today by",
                name="time",
                button="Promise",
                post=f"/bookings/{booking.id}/promise",
                kind="time",
                value=promised,
            )
        )
    if CaseEvent.DISMISSED in CASE.allowed(case.state):
        found.append(
            Ask(
                "dismiss",
                "Close without work",
                ask="Why nothing needs doing",
                name="reason",
                button="Close the case",
                post=f"{here}/dismiss",
                danger=True,
            )
        )
    if CaseEvent.REOPENED in CASE.allowed(case.state):
        found.append(
            Ask("reopen", "Open it again", ask="Why", name="reason", button="Open again", post=f"{here}/reopen")
        )
    return tuple(found)


PATH = (
    (CaseState.OPEN, "To do"),
    (CaseState.CONTACTED, "Offered"),
    (CaseState.BOOKED, "Booked"),
    (CaseState.IN_WORKSHOP, "In the workshop"),
    (CaseState.VERIFYING, "Car proves it"),
    (CaseState.DONE, "Done"),
)


def path(state: CaseState, *, confirmed: bool = False, can_prove: bool = True) -> list[tuple[str, str, str]]:
    """(name, title, past | here | ahead) of the straight way; nothing for a case that left it."""
    if state is CaseState.DISMISSED:
        return []
    place = [name for name, _ in PATH].index(state)
    looks = [
        "past" if n < place or state is CaseState.DONE else "here" if n == place else "ahead" for n in range(len(PATH))
    ]
    if state is CaseState.DONE:
        looks[-1] = "here"
    waits = state is CaseState.VERIFYING and not can_prove
    proving = "Confirmed" if confirmed else "To be confirmed" if waits else "Car proves it"
    return [
        (name.value, proving if name is CaseState.VERIFYING else title, look)
        for (name, title), look in zip(PATH, looks, strict=True)
    ]


def _sentence(step: Step, offer: Offer | None, booking: Booking | None, zone: str, now: datetime) -> str:
    """The reason as a sentence, with times on the dealer's wall clock."""
    if step.act == "wait" and step.waits_for == "owner" and offer is not None and offer.state is OfferState.OPEN:
        return (
            f"The windows are held until {formatting.when(offer.expires_at, zone, now)}. The answer appears here by "
            "itself."
        )
    if step.act == "arrive" and booking is not None and booking.kind.brought:
        return f"The owner brings it {formatting.window(booking.starts_at, booking.ends_at, zone, now)}."
    if step.act == "move":
        return "The driver says so on the phone page, or you do it here. The owner sees each step."
    sentence = step.because[:1].upper() + step.because[1:]
    return sentence if sentence.endswith((".", "!", "?")) else sentence + "."
