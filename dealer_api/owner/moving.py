"""Another time for an agreed visit, chosen by its owner.

Looking at the free times changes nothing; only the press does.
"""

from __future__ import annotations

from aiohttp import web

from actions import bookings, moving
from dealer_api.bodies import when
from dealer_api.owner.links import forgiving, form_of, open_link
from dealer_api.owner.pages import draw, see_other
from dealer_api.owner.visits import OPENS, journey_for, notice_of
from schemas.errors import BadInput, Overtaken

_SHOWN = 8  #: as many as a phone shows without a search


@forgiving
async def show(request: web.Request) -> web.StreamResponse:
    """What is free, of the same kind and with a loaner if the visit has one."""
    link = await open_link(request, *OPENS)
    booking = link.visit.booking
    if booking is None or not journey_for(link).cancellable:
        return see_other(link.here)
    free = await bookings.free_windows(
        link.house,
        link.secret.dealer_id,
        booking.kind,
        count=_SHOWN + 1,
        loaner=booking.loaner_id is not None,
        online=True,
        case_id=booking.case_id,
        but=booking,
    )
    windows = [option.window for option in free if option.window.starts_at != booking.starts_at][:_SHOWN]
    return draw(
        "move.html", link.speech, **{**link.shown, **notice_of(request, link)}, booking=booking, windows=windows
    )


@forgiving
async def move(request: web.Request) -> web.StreamResponse:
    """That time instead. One that was taken a moment ago leads back to what is free now."""
    link, form = await open_link(request, *OPENS), await form_of(request)
    booking = link.visit.booking
    if booking is None or str(booking.id) != form.get("booking") or not journey_for(link).cancellable:
        raise Overtaken("booking")
    was, starts_at = when(form["was"], "was") if form.get("was") else None, when(form.get("starts_at", ""), "starts_at")
    try:
        await moving.move_to(link.acting, booking.id, starts_at, was=was)
    except (Overtaken, BadInput) as error:
        if isinstance(error, Overtaken) and error.noun != "window":
            raise
        return see_other(f"{link.here}/move?note=overtaken")
    return see_other(f"{link.here}?note=moved")
