"""The owner's link: first the offer with its two windows, then the live journey.

Looking changes nothing; only a POST does.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aiohttp import web

from actions import bookings as booking_acts
from actions import estimates as estimate_acts
from actions import handovers as handover_acts
from actions import offers as offer_acts
from dealer_api.app_keys import LIVE
from dealer_api.bodies import row_number
from dealer_api.live import open_stream, send
from dealer_api.owner.alert_summary import healing_of, summary_of
from dealer_api.owner.held_windows import held
from dealer_api.owner.journey import Drive, Journey, journey_of
from dealer_api.owner.links import Ended, Link, forgiving, form_of, open_link
from dealer_api.owner.pages import HEADERS, draw, see_other
from rules.service.casework import speaks
from rules.service.extra_work import ASKED_OF, unanswered
from rules.service.nearing import STANDS, near
from schemas.booking import BookingState, OfferState
from schemas.case import CaseState
from schemas.errors import BadInput, NotFound, Overtaken, Unavailable
from schemas.handover import HandoverKind
from schemas.pickup import LegKind, LegState
from store import cases, positions
from store.views.journey import Visit

#: What an owner may say when no window suits; the text is data, the name is what history keeps.
REASONS = ("not_now", "other_garage", "only_if_unsafe")
NOTES = frozenset(
    {"booked", "moved", "overtaken", "changed", "asked", "saved", "stopped", "started", "no-times", "rung"}
)
_TROUBLE = frozenset({"overtaken", "changed", "no-times"})
#: What the link of a visit may have been made for.
OPENS = ("offer", "journey")
_LATER = timedelta(minutes=1)  #: other windows begin after the last one that was shown


async def _open(request: web.Request) -> Link:
    return await open_link(request, *OPENS)


def notice_of(request: web.Request, link: Link) -> dict[str, Any]:
    """What just happened, said once above the page."""
    note = request.query.get("note", "")
    return {"notice": link.speech.say(note), "trouble": note in _TROUBLE} if note in NOTES else {}


def journey_for(link: Link) -> Journey:
    """The visit's journey in the reader's words; the driver's page shows its headline too."""
    visit = link.visit
    return journey_of(
        link.speech,
        dealer=link.dealer.name,
        dealer_address=link.dealer.address,
        case=visit.case,
        booking=visit.booking,
        drives=tuple(Drive(leg, driver) for leg, driver in visit.legs),
        times=visit.times,
        finding=visit.booking.finding if visit.booking else None,
        proves=speaks(visit.car.last_heard_at, link.speech.now),
    )


def _asks_for_a_window(link: Link) -> bool:
    """Whether the offer is what the owner has to decide now; else the journey says where things stand."""
    visit = link.visit
    if visit.offer is None or visit.case.state not in (CaseState.OPEN, CaseState.CONTACTED):
        return False
    live = visit.booking is not None and visit.booking.state is not BookingState.CANCELLED and not visit.case.comebacks
    answered = visit.offer.state in (OfferState.ACCEPTED, OfferState.WITHDRAWN) and visit.case.state is CaseState.OPEN
    return not live and not answered


@forgiving
async def show(request: web.Request) -> web.StreamResponse:
    """The offer while it waits for an answer, the journey from then on."""
    link = await _open(request)
    facts = {**link.shown, "summary": summary_of(link.speech, link.visit), **notice_of(request, link)}
    if _asks_for_a_window(link):
        return draw(
            "offer.html", link.speech, **facts, offer=link.visit.offer, windows=held(link.visit, link.speech.now)
        )
    end, open_lines = at_the_car(link.visit), unanswered(link.visit.extra_work)
    async with link.house.at(link.secret.dealer_id) as connection:
        kept = (
            await handover_acts.of_visit(connection, link.secret.dealer_id, link.visit.booking.id)
            if link.visit.booking
            else ()
        )
        stored = await cases.healing_of(connection, link.secret.dealer_id, link.visit.case.id)
        where = (
            await positions.of_booking(
                connection, link.secret.dealer_id, link.visit.booking.id, since=link.speech.now - STANDS
            )
            if link.visit.booking
            else None
        )
    return draw(
        "journey.html",
        link.speech,
        **facts,
        journey=journey_for(link),
        booking=link.visit.booking,
        extra_work=link.visit.extra_work,
        asks_extra=bool(open_lines) and link.visit.booking is not None and link.visit.booking.state in ASKED_OF,
        extra_together=sum(line.amount_minor for line in open_lines) if len(open_lines) > 1 else 0,
        handed=kept,
        healing=healing_of(link.speech, stored) if stored and link.visit.case.state is CaseState.DONE else None,
        near=None if where is None else near(*where, now=link.speech.now),
        code=_code(link, end) if end is not None and all(one.record.kind is not end for one in kept) else "",
    )


def at_the_car(visit: Visit) -> HandoverKind | None:
    """At which end a driver of ours is with the owner, or on the way to them."""
    states = {leg.state for leg, _ in visit.legs if leg.kind is not LegKind.VISIT}
    if LegState.ON_THE_WAY_BACK in states:
        return HandoverKind.RETURN
    return HandoverKind.COLLECT if states & {LegState.ON_THE_WAY, LegState.COLLECTED} else None


def _code(link: Link, end: HandoverKind) -> str:
    assert link.visit.booking is not None
    return handover_acts.code(link.house, link.visit.booking.id, end)


@forgiving
async def photo(request: web.Request) -> web.StreamResponse:
    """A picture of a record of this visit."""
    link, number = await _open(request), row_number(request.match_info["photo"])
    if link.visit.booking is None or number is None:
        raise NotFound("photo")
    body = await handover_acts.picture(link.acting, number, link.visit.booking.id)
    return web.Response(
        body=body, content_type="image/jpeg", headers={**HEADERS, "Cache-Control": "private, max-age=600"}
    )


@forgiving
async def live(request: web.Request) -> web.StreamResponse:
    """Tells the open page that it should look again, whenever something of this visit changed."""
    link = await _open(request)
    response = await open_stream(request)
    shown = _subjects(link)
    async for change in request.app[LIVE].changes(link.secret.dealer_id):
        if change is None:
            await response.write(b": still here\n\n")
        elif change["noun"] == "everything" or (change["noun"], change["id"]) in shown:
            await send(response, "changed", "")
            try:
                shown = _subjects(await _open(request))
            except (Ended, NotFound):
                break  # the page looks again and is told so
            except Unavailable:
                continue
    return response


def _subjects(link: Link) -> set[tuple[str, int]]:
    visit = link.visit
    found = {("case", visit.case.id), ("owner", visit.owner.id), ("vehicle", visit.car.id)}
    found |= {("offer", visit.offer.id)} if visit.offer else set()
    found |= {("booking", visit.booking.id)} if visit.booking else set()
    found |= {("position", leg.id) for leg, _ in visit.legs}
    return found | {("leg", leg.id) for leg, _ in visit.legs} | {("alert", alert.id) for alert in visit.alerts}


@forgiving
async def accept(request: web.Request) -> web.StreamResponse:
    """Books the window that was pressed. Pressing twice, or what another phone pressed, is the same booking."""
    link, form = await _open(request), await form_of(request)
    offer, choice = _number(form.get("offer"), "offer"), _number(form.get("choice"), "choice")
    if link.visit.offer is None or link.visit.offer.id != offer:
        raise Overtaken("offer")
    if link.visit.offer.state is OfferState.ACCEPTED:
        return see_other(link.here)
    await offer_acts.accept(link.acting, offer, choice)
    return see_other(f"{link.here}?note=booked")


@forgiving
async def fresh(request: web.Request) -> web.StreamResponse:
    """Two other windows: when the hold has run out, when neither suits, or when the owner changed their mind."""
    link = await _open(request)
    if not _asks_for_a_window(link) or link.visit.offer is None:
        raise Overtaken("offer")
    offer = link.visit.offer
    run_out = offer.state is OfferState.EXPIRED or (
        offer.state is OfferState.OPEN and offer.expires_at <= link.speech.now
    )
    try:
        if run_out:
            await offer_acts.renew(link.acting, offer.id)
        else:
            shown = [window.starts_at for window in held(link.visit, link.speech.now)]
            await offer_acts.make_again(link.acting, offer, since=max(shown) + _LATER if shown else None)
    except Overtaken as error:
        if error.noun != "window":
            raise
        return see_other(f"{link.here}?note=no-times")
    return see_other(link.here)


@forgiving
async def show_decline(request: web.Request) -> web.StreamResponse:
    """Why neither window suits, or other windows."""
    link = await _open(request)
    if not _asks_for_a_window(link):
        return see_other(link.here)
    return draw("decline.html", link.speech, **link.shown, offer=link.visit.offer, reasons=REASONS)


@forgiving
async def decline(request: web.Request) -> web.StreamResponse:
    """No, with a reason."""
    link, form = await _open(request), await form_of(request)
    offer, reason = _number(form.get("offer"), "offer"), str(form.get("reason", ""))
    if reason not in REASONS:
        raise BadInput("reason", f"is one of {', '.join(REASONS)}")
    if link.visit.offer is None or link.visit.offer.id != offer:
        raise Overtaken("offer")
    if link.visit.offer.state is not OfferState.DECLINED:
        await offer_acts.decline(link.acting, offer, reason)
    return see_other(link.here)


@forgiving
async def show_cancel(request: web.Request) -> web.StreamResponse:
    """Asked once more before a booking is given back."""
    link = await _open(request)
    if not journey_for(link).cancellable:
        return see_other(link.here)
    return draw("cancel.html", link.speech, **link.shown, booking=link.visit.booking)


@forgiving
async def cancel(request: web.Request) -> web.StreamResponse:
    """Gives the window back; the desk sees it and may offer another."""
    link, form = await _open(request), await form_of(request)
    booking = link.visit.booking
    if booking is None or booking.id != _number(form.get("booking"), "booking"):
        raise Overtaken("booking")
    if booking.state is not BookingState.CANCELLED:
        if not journey_for(link).cancellable:
            raise Overtaken("booking")
        await booking_acts.cancel(link.acting, booking.id, "the owner cannot make it")
    return see_other(link.here)


@forgiving
async def answer_extra_work(request: web.Request) -> web.StreamResponse:
    """Yes or no to one piece of extra work. The first answer stands; nothing is done without a yes."""
    link, form = await _open(request), await form_of(request)
    line, answer = _number(form.get("line"), "line"), str(form.get("answer", ""))
    if answer not in ("approved", "declined"):
        raise BadInput("answer", "is approved or declined")
    if line not in {one.id for one in link.visit.extra_work}:
        raise Overtaken("line")
    if next(one for one in link.visit.extra_work if one.id == line).answer is None:
        await estimate_acts.answer(link.acting, line, answer == "approved", "on the owner's page")
    return see_other(link.here)


@forgiving
async def ring_about_extra_work(request: web.Request) -> web.StreamResponse:
    """They would rather talk about it: a person rings."""
    link, _ = await _open(request), await form_of(request)
    if link.visit.booking is None:
        raise Overtaken("booking")
    await estimate_acts.ring_me(link.acting, link.visit.booking.id)
    return see_other(f"{link.here}?note=rung")


def _number(value: object, field: str) -> int:
    found = row_number(str(value))
    if found is None:
        raise BadInput(field, "is a number")
    return found
