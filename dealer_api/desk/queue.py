"""The queue of cases, by severity and age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from dealer_api import permissions as may
from dealer_api.app_keys import Call, call
from dealer_api.desk import formatting, inbox, saved_views, warned
from dealer_api.desk.page import day_span, page
from dealer_api.desk.paging import SHOWN, after_place, onward
from dealer_api.desk.warned import Warned
from rules.service.casework import speaks
from rules.service.driving import forbids
from schemas.account import Role
from schemas.booking import BookingKind, BookingState
from schemas.case import CaseState
from schemas.verdict import Severity
from store import accounts
from store.views import queue

FILTERS = (
    ("open", "All open"),
    ("mine", "Mine"),
    ("unowned", "Nobody's"),
    ("waiting", "Waiting for owner"),
    ("today", "Today"),
    ("resting", "Resting"),
    ("done", "Done"),
)


@dataclass(frozen=True, slots=True)
class QueueStep:
    """What the queue itself offers for a case; everything else is decided on the case's own page."""

    label: str
    post: str | None = None
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """One line as it is drawn."""

    case: queue.QueueRow
    because: str  #: of the alert that the title names
    more: int  #: alerts beside it
    late: bool  #: nobody took it within the dealer's limit
    step: QueueStep | None
    primary: bool
    warned: Warned | None  #: of a car that must not be driven on


async def show(request: web.Request) -> web.Response:
    caller = call(request)
    now = caller.house.now()
    which, severity = asked(request)
    day_from, day_to = day_span(caller, now)
    staff_id = caller.staff.id if caller.staff else None
    after = after_place(request)
    async with caller.house.at(caller.dealer_id) as connection:
        rows = await queue.rows(
            connection,
            caller.dealer_id,
            which,
            staff_id=staff_id,
            day_from=day_from,
            day_to=day_to,
            now=now,
            severity=severity or None,
            after=after,
            limit=SHOWN + 1,
        )
        tallies = await queue.counts(
            connection, caller.dealer_id, staff_id=staff_id, day_from=day_from, day_to=day_to, now=now
        )
        views = await saved_views.of(request, connection, "queue")
        advisors = await accounts.staff_of(connection, caller.dealer_id, Role.ADVISOR, Role.MANAGER)
    last = rows[SHOWN - 1] if len(rows) > SHOWN else None
    more = onward("/queue", (last.rank, last.place, last.id), show=which, severity=severity) if last else None
    return await page(
        request,
        "queue.html",
        show=which,
        filters=FILTERS,
        severity=severity,
        rows=[_shown(row, caller, now) for row in rows[:SHOWN]],
        more=more,
        onward=after is not None,
        tallies=tallies,
        colleagues=[(one.id, one.name) for one in advisors],
        rest=inbox.REST,
        here=request.path_qs,
        **views,
    )


def asked(request: web.Request) -> tuple[str, str]:
    """Which cases, and of which severity; what is no filter is none."""
    which, severity = request.query.get("show", "open"), request.query.get("severity", "")
    return which if which in queue.FILTERS else "open", severity if severity in formatting.SEVERITIES else ""


def _shown(row: queue.QueueRow, caller: Call, now: datetime) -> Shown:
    limits = {"now": caller.dealer.acknowledge_minutes_now, "soon": caller.dealer.acknowledge_minutes_soon}
    waited = (now - row.opened_at).total_seconds() / 60
    late = (
        row.acknowledged_at is None
        and row.severity in limits
        and waited > limits[row.severity]
        and row.state not in ("done", "dismissed")
    )
    step = _step(row, caller)
    return Shown(
        row,
        _because(row, caller),
        more=max(0, len(row.alerts) - 1),
        late=late,
        step=step,
        primary=step is not None and row.state == CaseState.OPEN,
        warned=warned.of_row(row, caller.dealer.zone, now),
    )


def _because(row: queue.QueueRow, caller: Call) -> str:
    """The reason that goes with the title, not with another fault of the same car."""
    named = [
        because
        for rule, component, severity, because in row.alerts
        if row.title
        in (
            formatting.sentence(caller.house.wording.what(tag, rule, component, severity))
            for tag in ("en", caller.dealer.language)
        )
    ]
    found = next(iter(named), row.alerts[0][3] if row.alerts else "")
    return formatting.sentence(found)


def _step(row: queue.QueueRow, caller: Call) -> QueueStep | None:
    """The words of the next step; `rules.service.casework` decides the same on the case's page, where the act itself
    is.
    """
    case = f"/cases/{row.id}"
    advises = caller.may(may.WORK_CASES)
    towed = any(forbids(rule, Severity(severity)) for rule, _, severity, _ in row.alerts)
    match row.state:
        case CaseState.OPEN if row.acknowledged_at is None:
            return QueueStep("Take it", post=f"{case}/take") if advises else QueueStep("Look", href=case)
        case CaseState.OPEN:
            return QueueStep(
                ("Offer a tow truck" if towed else "Offer a time") if row.owner_id else "Say who owns it",
                href=f"{case}/offer" if row.owner_id and advises else case,
            )
        case CaseState.CONTACTED:
            return QueueStep("See the offer", href=case)
        case CaseState.BOOKED if towed and row.booking_kind and BookingKind(row.booking_kind).driven:
            return QueueStep("Send a tow truck", href=case)
        case CaseState.BOOKED:
            return QueueStep(
                "Follow the visit"
                if row.booking_kind == BookingKind.MOBILE_REPAIR
                else "Follow the pickup"
                if row.booking_kind in (BookingKind.PICKUP, BookingKind.TOW)
                else "Expect the car",
                href=case,
            )
        case CaseState.IN_WORKSHOP:
            return QueueStep("Finish" if row.booking_state == BookingState.WORKING else "Start the work", href=case)
        case CaseState.VERIFYING:
            proving = "Watch the proof" if speaks(row.last_heard_at, caller.house.now()) else "Say how you know"
            return QueueStep("Bring it back" if row.booking_state == BookingState.READY else proving, href=case)
        case _:
            return None
