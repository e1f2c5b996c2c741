"""The driver's phone page: the street, the customer, and the next of five steps as one big button."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import partial
from urllib.parse import quote

from aiohttp import web

from actions import legs as leg_acts
from actions import nearing
from actions.context import House
from dealer_api import authentication
from dealer_api import permissions as may
from dealer_api.app_keys import LIVE, call, house
from dealer_api.bodies import row_number
from dealer_api.error_responses import problem_of
from dealer_api.live import open_stream, rightful, send
from dealer_api.owner.formatting import Speech
from dealer_api.owner.journey import Drive as JourneyDrive
from dealer_api.owner.journey import journey_of
from dealer_api.owner.links import Ended, forgiving, form_of, lapse_of, speech_of
from dealer_api.owner.pages import APP_HEADERS, HEADERS, draw, see_other, static
from rules.service.driving import stays
from rules.service.handover import OF_LEG, wanted
from rules.service.pickup import next_event, undo_until
from schemas.account import Dealer, Staff
from schemas.booking import BookingKind
from schemas.errors import BadInput, IllegalMove, NotAllowed, NotFound, Overtaken
from schemas.handover import HandoverKind
from schemas.moment import from_local, local
from schemas.pickup import LEGS, Leg, LegEvent, LegKind, LegState
from schemas.place import place_of
from store import accounts, secrets
from store.pool import Connection
from store.views import drives, journey
from store.views.drives import Drive

#: The five steps in order, over both legs; a technician's way to a car has two.
STEPS = (LegEvent.ON_THE_WAY, LegEvent.COLLECTED, LegEvent.AT_WORKSHOP, LegEvent.ON_THE_WAY_BACK, LegEvent.HANDED_OVER)
VISIT_STEPS = (LegEvent.ON_THE_WAY, LegEvent.AT_CAR)
_MINE = {LegKind.COLLECT: STEPS[:3], LegKind.RETURN: STEPS[3:], LegKind.VISIT: VISIT_STEPS}
_UNDER_WAY = (LegState.ON_THE_WAY, LegState.COLLECTED, LegState.ON_THE_WAY_BACK, LegState.AT_CAR)
_BEFORE = (LegState.PLANNED, LegState.ON_THE_WAY)  #: the car stands with its owner
#: Where a driver stands with the car and its owner: there its record is written.
_AT_THE_CAR = (LegState.ON_THE_WAY, LegState.COLLECTED, LegState.ON_THE_WAY_BACK)
_AHEAD_DAYS = 4  #: a car collected on Friday goes back on Monday
_NOTES = frozenset({"changed", "overtaken"})


@dataclass(frozen=True, slots=True)
class Card:
    """One leg as the page draws it."""

    id: int
    kind: str
    state: str
    address: str
    map: str
    customer: str
    car: str
    phone: str | None
    starts_at: datetime
    ends_at: datetime
    other_day: bool
    over: bool
    what: str  #: for which fault the car must not be driven; empty when it may
    stays: bool  #: and no tow truck was agreed: the driver leaves it where it is
    waits: bool  #: a return whose car the workshop has not finished
    next: str | None
    step: int
    finds: bool  #: what comes next is to say what was found, on the workshop's board
    ticks: tuple[tuple[str, str], ...]  #: event and done, current or todo
    owner_sees: str
    door: tuple[str, ...]  #: whom the driver meets, and what they must know at the door
    minutes: int | None  #: the way there, from the house
    switch: str
    steps: tuple[tuple[str, str], ...]  #: what is still to do: event, and the record that it waits for
    records: tuple[tuple[str, bool], ...]  #: kind of record, whether it is written
    shares: bool  #: the customer may see where the driver is
    absent: bool  #: the driver may say that nobody is there
    undo_ms: int  #: machine time for which the last step can be taken back


@dataclass(frozen=True)
class Road:
    """Who drives, and what they have to drive."""

    house: House
    dealer: Dealer
    staff: Staff | None
    only: int | None  #: a link that was not given to a person opens this leg alone
    here: str
    csrf: str
    drives: tuple[Drive, ...]
    speech: Speech
    lapse: int | None


async def _road(request: web.Request) -> Road:
    """The signed-in driver's day, or the day of whoever this link was given to."""
    home = house(request).alone()
    if "token" in request.match_info:
        token = request.match_info["token"]
        async with home.at(None) as connection:
            secret = await secrets.find(connection, token, "driver")
        if secret is None:
            raise NotFound("link")
        if not secret.opens(home.now()):
            raise Ended
        dealer_id, staff_id, only, here, csrf = secret.dealer_id, secret.staff_id, secret.subject_id, f"/d/{token}", ""
    else:
        caller = call(request)
        dealer_id, staff_id, only, here, csrf = (
            caller.dealer_id,
            caller.staff.id if caller.staff else None,
            None,
            "/driver",
            caller.csrf,
        )
    async with home.at(dealer_id) as connection:
        dealer = await accounts.dealer(connection, dealer_id)
        staff = await accounts.staff(connection, dealer_id, staff_id) if staff_id else None
        if staff and staff.disabled_at is not None:
            raise Ended
        found = await _drives(connection, dealer, staff=staff, only=only, now=home.now())
        lapse = await lapse_of(connection)
    speech = speech_of(
        request, home, language=staff.language if staff else dealer.language, zone=dealer.zone, now=home.now()
    )
    return Road(
        home,
        dealer,
        staff=staff,
        only=None if staff else only,
        here=here,
        csrf=csrf,
        drives=tuple(found),
        speech=speech,
        lapse=lapse,
    )


async def _drives(
    connection: Connection, dealer: Dealer, staff: Staff | None, only: int | None, now: datetime
) -> list[Drive]:
    if staff is None:
        one = await drives.one(connection, dealer.id, only) if only else None
        return [one] if one else []
    today = local(now, dealer.zone).date()
    day = [from_local(today + timedelta(days=n), time(0), dealer.zone) for n in (0, _AHEAD_DAYS)]
    return await drives.of_day(connection, dealer.id, staff.id, *day)


def _chosen(road: Road, wanted: str) -> Drive | None:
    """What to do now: what is under way, what was asked for, or the earliest that can begin."""
    left = [drive for drive in road.drives if not _over(drive)]
    under_way = next((drive for drive in left if drive.leg.state in _UNDER_WAY), None)
    asked = next((drive for drive in left if str(drive.leg.id) == wanted), None)
    ready = next((drive for drive in left if not _waits(drive)), None)
    return asked or under_way or ready or next(iter(left), None)


def _over(drive: Drive) -> bool:
    return LEGS[drive.leg.kind].final(drive.leg.state)


def _waits(drive: Drive) -> bool:
    return drive.leg.kind is LegKind.RETURN and drive.leg.state is LegState.PLANNED and drive.booking_state != "ready"


def _card(road: Road, drive: Drive, owner_sees: str = "") -> Card:
    leg, speech = drive.leg, road.speech
    event, what = next_event(leg), _forbidden(road, drive)
    steps = VISIT_STEPS if leg.kind is LegKind.VISIT else STEPS
    done = steps.index(event) if event else (3 if leg.kind is LegKind.COLLECT else len(steps))
    return Card(
        id=leg.id,
        kind=_kind(drive),
        state=leg.state.value,
        address=leg.address,
        map=f"https://www.openstreetmap.org/search?query={quote(leg.address)}",
        customer=drive.customer or "",
        car=drive.car + (f" · {drive.plate}" if drive.plate and drive.plate not in drive.car else ""),
        phone=drive.phone,
        starts_at=leg.starts_at,
        ends_at=leg.ends_at,
        other_day=local(leg.starts_at, speech.zone).date() != local(speech.now, speech.zone).date(),
        over=_over(drive),
        what=what,
        stays=bool(what) and _kind(drive) != "tow",
        waits=_waits(drive),
        next=event.value if event else None,
        step=done + 1,
        finds=leg.state is LegState.AT_CAR,
        ticks=tuple(
            (step.value, "done" if n < done else "current" if n == done else "todo") for n, step in enumerate(steps)
        ),
        owner_sees=owner_sees,
        switch="" if _over(drive) else f"{road.here}?leg={leg.id}",
        steps=tuple((step.value, _needed(road, drive, step)) for step in _left(leg)),
        records=tuple(
            (kind.value, kind.value in drive.recorded) for kind in ends_of(drive) if leg.state in _AT_THE_CAR
        ),
        door=tuple(words for words in (leg.contact, leg.access_notes) if words),
        minutes=leg.travel_minutes,
        shares=leg.state in (LegState.ON_THE_WAY, LegState.ON_THE_WAY_BACK),
        absent=leg.state is LegState.ON_THE_WAY,
        undo_ms=_undo_ms(road, drive),
    )


def ends_of(drive: Drive) -> tuple[HandoverKind, ...]:
    """The records that belong to this end: of the customer's car, and of our loaner if they have one."""
    if drive.leg.kind is LegKind.VISIT:
        return ()
    loaner = HandoverKind.LOANER_OUT if drive.leg.kind is LegKind.COLLECT else HandoverKind.LOANER_IN
    return (OF_LEG[drive.leg.kind], loaner) if drive.loaner_id is not None else (OF_LEG[drive.leg.kind],)


def _left(leg: Leg) -> list[LegEvent]:
    """The steps of this drive that are not made, in their order."""
    event = next_event(leg)
    mine = _MINE[leg.kind]
    return list(mine[mine.index(event) :]) if event in mine else []


def _needed(road: Road, drive: Drive, step: LegEvent) -> str:
    """The record without which this step is not made; empty when it is there, or none is needed."""
    kind = wanted(road.dealer.handover_record, step)
    return "" if kind is None or kind.value in drive.recorded else kind.value


def _undo_ms(road: Road, drive: Drive) -> int:
    until = undo_until(drive.leg, drive.reached_at) if drive.reached_at else None
    left = (until - road.house.now()).total_seconds() if until else 0.0
    return max(0, int(left * 1000 / (road.lapse or 1)))


def _kind(drive: Drive) -> str:
    return (
        "tow" if drive.booking_kind == BookingKind.TOW and drive.leg.kind is LegKind.COLLECT else drive.leg.kind.value
    )


def _forbidden(road: Road, drive: Drive) -> str:
    """For which fault a car that is to be collected must not be driven, in the driver's language."""
    found = stays(drive.standing) if drive.leg.kind is LegKind.COLLECT and drive.leg.state in _BEFORE else None
    if found is None:
        return ""
    fault = found.fault
    return road.speech.what(fault.rule, fault.component, fault.severity.value) if fault.rule else fault.because


async def _owner_sees(road: Road, drive: Drive) -> str:
    """The headline on the owner's page at this moment, in the driver's language."""
    async with road.house.at(road.dealer.id) as connection:
        visit = await journey.visit(connection, road.dealer.id, drive.case_id)
    if visit is None:
        return ""
    legs = tuple(JourneyDrive(leg, driver) for leg, driver in visit.legs)
    return journey_of(
        road.speech,
        dealer=road.dealer.name,
        dealer_address=road.dealer.address,
        case=visit.case,
        booking=visit.booking,
        drives=legs,
        times=visit.times,
    ).headline


@forgiving
async def show(request: web.Request) -> web.StreamResponse:
    """Today's drives: the one to do now, large; the others below."""
    road = await _road(request)
    chosen = _chosen(road, request.query.get("leg", ""))
    note = request.query.get("note", "")
    return draw(
        "driver.html",
        road.speech,
        headers=APP_HEADERS,
        dealer=road.dealer,
        driver=road.staff.name if road.staff else "",
        here=road.here,
        live=f"{road.here}/live",
        csrf=road.csrf,
        lapse=road.lapse,
        legs=road.drives,
        notice=road.speech.say(note) if note in _NOTES else None,
        trouble=True,
        now_leg=_card(road, chosen, await _owner_sees(road, chosen)) if chosen else None,
        others=[_card(road, drive) for drive in road.drives if drive is not chosen],
    )


@forgiving
async def move(request: web.Request) -> web.StreamResponse:
    """The next step. The same step again, from a phone that heard no answer, is no mistake and changes nothing."""
    road, form = await _road(request), await form_of(request)
    drive = next((drive for drive in road.drives if str(drive.leg.id) == form.get("leg")), None)
    if drive is None:
        raise BadInput("leg", "is not one of your drives")
    try:
        event = LegEvent(str(form.get("event", "")))
    except ValueError:
        raise BadInput("event", f"is one of {', '.join(STEPS)}") from None
    if not _taken(drive, event):
        actor = f"staff:{road.staff.id}" if road.staff else "driver"
        try:
            await leg_acts.move(road.house.acting(road.dealer.id, actor), drive.leg.id, event)
        except (IllegalMove, Overtaken) as error:
            if not wants_json(request):
                raise
            note = road.speech.say("overtaken" if isinstance(error, Overtaken) else "changed")
            return web.json_response({**problem_of(error), "words": note}, status=409, headers=HEADERS)
    return web.json_response({"ok": True}, headers=HEADERS) if wants_json(request) else see_other(road.here)


@forgiving
async def position(request: web.Request) -> web.StreamResponse:
    """Where the driver is on the way to a customer: said by their phone while this page is open, on their own wish."""
    road, form = await _road(request), await form_of(request)
    actor = f"staff:{road.staff.id}" if road.staff else "driver"
    try:
        drive = next((drive for drive in road.drives if str(drive.leg.id) == form.get("leg")), None)
        if drive is None:
            raise BadInput("leg", "is not one of your drives")
        place = place_of(str(form.get("place", "")))
        if place is None:
            raise BadInput("place", "is missing")
        await nearing.share(road.house.acting(road.dealer.id, actor), drive.leg.id, place)
    except (BadInput, IllegalMove, NotAllowed) as error:
        problem = problem_of(error)
        return web.json_response(problem, status=problem["status"], headers=HEADERS)
    return web.json_response({"ok": True}, headers=HEADERS)


def wants_json(request: web.Request) -> bool:
    """Whether the page's own script asks, which keeps what it sent until it is told that it arrived."""
    return "application/json" in request.headers.get("Accept", "")


async def road_to(request: web.Request, leg: str) -> Road:
    """The same, to a record: whoever gives drives to others may write it for the driver."""
    road = await _road(request)
    if "token" in request.match_info or not call(request).may(may.ASSIGN_LEGS):
        return road
    number = row_number(leg)
    async with road.house.at(road.dealer.id) as connection:
        found = await drives.one(connection, road.dealer.id, number) if number is not None else None
    return replace(road, drives=(found,)) if found is not None else road


@forgiving
async def app(request: web.Request) -> web.StreamResponse:
    """What a phone needs to know to keep this page as an app."""
    road = await _road(request)
    name = road.speech.say("driver-title")
    icon = {"src": static("mark.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}
    facts = {
        "name": f"{name} · {road.dealer.name}",
        "short_name": name,
        "start_url": road.here,
        "id": road.here,
        "scope": road.here,
        "display": "standalone",
        "background_color": "#f5f3ee",
        "theme_color": "#0f5a6e",
        "icons": [icon],
    }
    return web.json_response(facts, headers=HEADERS, content_type="application/manifest+json")


def _taken(drive: Drive, event: LegEvent) -> bool:
    """Whether the leg is already at, or past, where this step leads."""
    order = [state.value for state in LEGS[drive.leg.kind].moves if state is not LegState.CANCELLED]
    reached = drive.leg.state.value
    return event.value in order and reached in order and order.index(reached) >= order.index(event.value)


async def _still(request: web.Request) -> bool:
    """A link as it stands now, a session as the desk's streams do."""
    if "token" not in request.match_info:
        return await authentication.still(request)
    try:
        await _road(request)
        return True
    except (Ended, NotFound):
        return False


async def live(request: web.Request) -> web.StreamResponse:
    """Tells the open page to look again when a drive or a visit of this dealer changed.

    It ends with the link, or with the right to look.
    """
    road = await _road(request)
    response = await open_stream(request)
    async for change in rightful(request.app[LIVE].changes(road.dealer.id), partial(_still, request)):
        if change is None:
            await response.write(b": still here\n\n")
        elif change["noun"] in ("everything", "leg", "booking"):
            await send(response, "changed", "")
    return response
