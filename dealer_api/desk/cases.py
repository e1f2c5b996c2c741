"""One case: its page, and what people do with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from actions import cases as acts
from actions import handovers as handover_acts
from actions import warning
from actions.driving import stays
from dealer_api import permissions as may
from dealer_api import reader
from dealer_api.app_keys import Call, call
from dealer_api.bodies import row_number
from dealer_api.charts import number, unit_symbol
from dealer_api.desk import case_actions, corrections, extra_work, formatting, warned
from dealer_api.desk.chart_views import Chart, chart
from dealer_api.desk.page import back, form, go, id_of, page, refused, row_of
from dealer_api.desk.paging import SHOWN
from dealer_api.finding import ids_of
from dealer_api.permissions import SAY_KNOWN
from rules.service.casework import HEALED, speaks
from rules.service.claims import window_of
from rules.service.promises import missed
from schemas.account import Role
from schemas.alert import Alert, Evidence
from schemas.booking import Booking, Offer
from schemas.case import CaseState, Confirmation
from schemas.errors import BadInput, TelltaleError
from schemas.history import Change
from schemas.moment import local
from schemas.signal import BY_ID, BY_PATH
from schemas.slot import Slot
from schemas.verdict import Severity
from store import accounts
from store import cases as case_rows
from store.views import casefile, vehicles_page


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """An alert with its chart."""

    row: Alert
    title: str
    because: str
    chart: Chart | None
    freeze: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A line of history in words."""

    what: str
    why: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ShownOffer:
    """An offer with its windows: (digit, from, to)."""

    kind: str
    state: str
    made_at: datetime
    expires_at: datetime
    windows: tuple[tuple[int, datetime, datetime], ...]


async def show(request: web.Request) -> web.Response:
    caller, case_id = call(request), id_of(request)
    now, zone = caller.house.now(), caller.dealer.zone
    async with caller.house.at(caller.dealer_id) as connection:
        file = await casefile.load(connection, caller.dealer_id, case_id)
        advisors = await accounts.staff_of(connection, caller.dealer_id, Role.ADVISOR, Role.MANAGER)
        towed = await stays(connection, file.case)
        units = await corrections.of_car(caller, connection, file.case.vehicle_id)
        extra = await extra_work.of_booking(caller, connection, file.booking) if file.booking else None
        healing = shown_healing(await case_rows.healing_of(connection, caller.dealer_id, case_id), zone, now)
        handed = await handover_acts.of_visit(connection, caller.dealer_id, file.booking.id) if file.booking else ()
    legs = [leg for leg, _ in file.legs]
    speaking = speaks(file.last_heard_at, now)
    step = case_actions.primary(
        file.case,
        file.offer,
        file.booking,
        legs,
        has_owner=file.owner is not None,
        can_prove=speaking,
        stays=towed,
        missed=file.booking is not None and missed(file.booking, caller.dealer, now),
        role=caller.role,
        zone=zone,
        now=now,
    )
    offered = _offer(file.offer, file.slots)
    windows = (
        [(choice, formatting.window(start, end, zone, now)) for choice, start, end in offered.windows]
        if offered
        else []
    )
    return await page(
        request,
        "case.html",
        file=file,
        step=step,
        here=request.path,
        others=case_actions.others(
            file.case, file.offer, booking=file.booking, main=step, windows=windows, role=caller.role
        ),
        reasons=case_actions.asks(
            file.case,
            file.booking,
            role=caller.role,
            people=[(p.id, p.name) for p in advisors],
            promised=promised(file.booking, zone, now),
            can_prove=speaking,
        ),
        path_steps=case_actions.path(file.case.state, confirmed=file.case.confirmed is not None, can_prove=speaking),
        healed=HEALED[file.case.confirmed],
        alerts=[shown_alert(alert, caller, now) for alert in ordered(file.alerts)],
        history=history_of(file.history, file.people),
        offer=offered,
        handed=handed,
        extra=extra,
        units=units,
        corrects=caller.may(may.CORRECT_UNITS),
        writes_records=caller.may(may.WRITE_HANDOVERS),
        warned=warned.of_case(file, zone, now),
        says=caller.may(SAY_KNOWN),
        healing=healing if file.case.state is CaseState.DONE else None,
        proof=_proof(file.case.proof, file.case.repaired_at, zone, now),
        unread=any(one.unread for one in file.talk),
        hands_out=bool(file.alerts) and caller.may(may.HAND_OUT_EVIDENCE),
    )


async def take(request: web.Request) -> web.Response:
    caller, case_id = call(request), id_of(request)
    to = back((await form(request)).get("back"), f"/cases/{case_id}")
    try:
        await acts.acknowledge(caller, case_id)
    except TelltaleError as error:
        return refused(error, to)
    return go(f"/cases/{case_id}", "The case is yours now.")


async def assign(request: web.Request) -> web.Response:
    caller, case_id = call(request), id_of(request)
    to = (await form(request)).get("to", "")
    try:
        await acts.assign(caller, case_id, row_of(to, "colleague", "choose who takes it"))
    except TelltaleError as error:
        return refused(error, f"/cases/{case_id}")
    return go(f"/cases/{case_id}", "Handed over.")


async def dismiss(request: web.Request) -> web.Response:
    caller, case_id = call(request), id_of(request)
    try:
        await acts.dismiss(caller, case_id, (await form(request)).get("reason", ""))
    except TelltaleError as error:
        return refused(error, f"/cases/{case_id}")
    return go("/queue", "Closed without work.")


async def rang(request: web.Request) -> web.Response:
    caller, case_id = call(request), id_of(request)
    to = back((await form(request)).get("back"), f"/cases/{case_id}")
    try:
        await warning.rang(caller, case_id)
    except TelltaleError as error:
        return refused(error, to)
    return go(to, "Noted: the owner knows.")


async def confirm(request: web.Request) -> web.Response:
    caller, case_id = call(request), id_of(request)
    fields = await form(request)
    try:
        if fields.get("how") not in formatting.CONFIRMATIONS:
            raise BadInput("how", "choose how it is known")
        await acts.confirm(caller, case_id, Confirmation(fields["how"]), fields.get("note", "")[:1000])
    except TelltaleError as error:
        return refused(error, f"/cases/{case_id}")
    return go(f"/cases/{case_id}", "Closed. How it is known stands in the history.")


async def reopen(request: web.Request) -> web.Response:
    caller, case_id = call(request), id_of(request)
    try:
        await acts.reopen(caller, case_id, (await form(request)).get("reason", ""))
    except TelltaleError as error:
        return refused(error, f"/cases/{case_id}")
    return go(f"/cases/{case_id}", "The case is open again.")


async def show_new(request: web.Request) -> web.Response:
    return await _new_page(request, {"vehicle": request.query.get("vehicle", ""), "note": "", "severity": ""})


async def create(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    try:
        vehicle_id = row_of(fields.get("vehicle"), "car", "choose which car it is about")
        if not fields.get("note"):
            raise BadInput("note", "write what the owner says")
        if fields.get("severity") not in formatting.SEVERITIES:
            raise BadInput("severity", "choose how urgent it is")
        case = await acts.open_by_hand(caller, vehicle_id, fields["note"], Severity(fields["severity"]))
    except TelltaleError as error:
        shown = {name: fields.get(name, "") for name in ("vehicle", "note", "severity")}
        problem = (
            f"{formatting.plain(error.field).capitalize()}: {error.reason}."
            if isinstance(error, BadInput)
            else str(error)
        )
        return await _new_page(request, shown, problem=problem, status=422)
    return go(f"/cases/{case.id}", "The case is open, and it is yours.")


async def _new_page(
    request: web.Request, fields: Mapping[str, str], problem: str | None = None, status: int = 200
) -> web.Response:
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        looked_for = request.query.get("car", "").strip()[:100]
        ids = await ids_of(caller, connection, looked_for, "vehicle")
        chosen, now = row_number(fields.get("vehicle", "")), caller.house.now()
        cars = await vehicles_page.cars(connection, caller.dealer_id, ids=ids, silent_since=now, limit=SHOWN + 1)
        if chosen is not None and chosen not in [car.id for car in cars[:SHOWN]]:
            cars = [*await vehicles_page.cars(connection, caller.dealer_id, ids=[chosen], silent_since=now), *cars]
    return await page(
        request,
        "case_new.html",
        fields=fields,
        cars=cars,
        most=SHOWN,
        looked_for=looked_for,
        problem=problem,
        status=status,
    )


def promised(booking: Booking | None, zone: str, now: datetime) -> str:
    """A time to start from in a field that asks until when: what was promised, else now."""
    return f"{local(booking.ready_by if booking and booking.ready_by else now, zone):%H:%M}"


_CASE_WORDS = {
    "acknowledged": "Taken",
    "assigned": "Handed on",
    "open": "To do again",
    "escalated": "Manager told",
    "severity": "More urgent",
    "raised": "More urgent",
    "joined": "Another fault",
    "in_workshop": "In the workshop",
    "verifying": "Repaired",
    "done": "The car has proved it",
    "owner knows": "Owner told on the telephone",
}
#: Moves that another line of the same act tells better.
_SAID_ELSEWHERE = frozenset(
    {("case", "contacted"), ("booking", "agreed"), ("leg", "planned"), ("booking", "arrived"), ("booking", "ready")}
)


def history_of(changes: Sequence[Change], people: Mapping[int, str]) -> list[ShownChange]:
    """What happened, each act once."""
    return [history_line(change, people) for change in changes if (change.noun, change.new) not in _SAID_ELSEWHERE]


def history_line(change: Change, people: Mapping[int, str]) -> ShownChange:
    """What happened, why and by whom, in the desk's words."""
    tables: dict[str, Mapping[str, str]] = {
        "case": formatting.STATES,
        "offer": formatting.OFFERS,
        "booking": formatting.BOOKINGS,
        "leg": formatting.LEGS,
    }
    meaning = tables.get(change.noun, {}).get(change.new, formatting.plain(change.new))
    if change.noun == "case" and change.old is None:
        what = "Case opened"
    elif change.noun == "case":
        what = _CASE_WORDS.get(change.new) or formatting.sentence(meaning)
        if change.new == "done" and change.actor != "car":
            what = "A person confirmed it"
    elif change.noun == "offer" and change.old is None:
        what = "Windows offered"
    elif change.noun == "booking":
        what = {
            "working": "Work has begun",
            "completed": "Handed over",
            "paused": "Work waits",
            "goes on": "Work goes on",
            "labour": "Another technician",
            "promised": "Another time promised",
            "moved": "Visit moved",
            "cancelled": "Booking cancelled",
            "recorded_loaner_out": "Loaner handed out",
            "recorded_loaner_in": "Loaner is back",
        }.get(change.new, meaning)
    else:
        what = (
            f"Driver: {meaning.lower()}"
            if change.noun == "leg"
            else f"{formatting.sentence(change.noun)} {meaning.lower()}"
        )
    why = formatting.sentence(change.reason)
    return ShownChange(
        what,
        "" if why.lower() == what.lower() else formatting.plain(why),
        formatting.actor(change.actor, dict(people)),
        change.at,
    )


def ordered(alerts: Sequence[Alert]) -> list[Alert]:
    """What stands first, the most urgent first, then what is over."""
    return sorted(alerts, key=lambda alert: (alert.state != "active", -alert.severity.rank, -alert.id))[:20]


def shown_alert(alert: Alert, caller: Call, now: datetime) -> ShownAlert:
    evidence = Evidence.model_validate({"because": alert.because, **alert.evidence})
    title = caller.house.wording.what("en", alert.rule, alert.component, alert.severity.value)
    frame = tuple(_frozen(path, value) for path, value in (evidence.freeze_frame or {}).items())
    return ShownAlert(
        alert,
        title[:1].upper() + title[1:],
        because=_sentence(alert.because),
        chart=chart(evidence, caller.dealer.zone, now, title=title[:1].upper() + title[1:], key=f"alert-{alert.id}"),
        freeze=frame,
    )


def _frozen(path: str, value: float) -> tuple[str, str]:
    known = BY_PATH.get(path)
    return (
        (known.title.capitalize(), f"{number(value, reader.locale())} {unit_symbol(known.unit)}")
        if known
        else (path, number(value, reader.locale()))
    )


def _sentence(text: str) -> str:
    text = formatting.sentence(text)
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _offer(offer: Offer | None, slots: Sequence[Slot]) -> ShownOffer | None:
    if offer is None:
        return None
    windows = []
    for choice in sorted({slot.choice for slot in slots if slot.choice is not None}):
        window = window_of(
            offer.kind, [(slot.use, slot.starts_at, slot.ends_at) for slot in slots if slot.choice == choice]
        )
        windows.append((choice, window.starts_at, window.ends_at))
    return ShownOffer(
        offer.kind.value, offer.state.value, made_at=offer.made_at, expires_at=offer.expires_at, windows=tuple(windows)
    )


def shown_healing(stored: Any, zone: str, now: datetime) -> Chart | None:
    """What was measured before the repair and after it."""
    if stored is None:
        return None
    evidence = Evidence.model_validate(stored)
    return chart(evidence, zone, now, title=formatting.sentence(evidence.because), key="healing")


def _proof(proof: Any, repaired_at: datetime | None, zone: str, now: datetime) -> list[str]:
    """What the car has to show, one line for each fault that was repaired."""
    items = proof if isinstance(proof, list) else (proof or {}).get("faults", []) if isinstance(proof, dict) else []
    return [line for item in items if isinstance(item, dict) and (line := _proof_line(item))]


def _proof_line(item: Mapping[str, Any]) -> str:
    if item.get("kind") == "codes":
        return f"The code {item.get('component') or 'of this fault'} is gone from the car's own list."
    found = [BY_ID[n] for n in item.get("signals") or () if n in BY_ID]
    what = formatting.sentence(found[0].title if found else formatting.plain(str(item.get("rule", "the fault"))))
    over = " and ".join(
        need
        for need in (
            _many(item.get("cycles"), "drive"),
            f"{number(item['km'], reader.locale())} km" if item.get("km") else "",
        )
        if need
    )
    return f"{what} {_band(item, found[0].unit if found else '')}" + (f", over {over}" if over else "") + "."


def _band(item: Mapping[str, Any], unit: str) -> str:
    """The good band in words: 'between 2.1 and 2.6 bar', 'at least 12.4 V', or yes and no."""
    low, high, symbol = item.get("low"), item.get("high"), unit_symbol(unit)
    if unit == "bool":
        return "is yes" if low is not None else "is no"
    if low is not None and high is not None:
        return f"between {number(low, reader.locale())} and {number(high, reader.locale())} {symbol}".strip()
    if low is not None:
        return f"at least {number(low, reader.locale())} {symbol}".strip()
    return f"at most {number(high, reader.locale())} {symbol}".strip() if high is not None else "as it should be"


def _many(count: Any, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}" if count else ""
