"""What happens to a booking at the desk: the car arrives, is worked on, is finished and handed over; a promise, a true
word.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

from aiohttp import web

from actions import bookings as acts
from actions import messages
from dealer_api.app_keys import call
from dealer_api.desk.page import back, form, go, id_of, refused, wall_clock
from schemas.errors import BadInput, TelltaleError
from schemas.moment import from_local, local
from store import bookings


async def arrive(request: web.Request) -> web.Response:
    caller = call(request)
    return await _moved(request, lambda n: acts.arrive(caller, n), "The car is in the workshop, and its owner knows.")


async def start(request: web.Request) -> web.Response:
    caller = call(request)
    return await _moved(request, lambda n: acts.start(caller, n), "Work has begun.")


async def finish(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    return await _moved(
        request, lambda n: acts.finish(caller, n, fields.get("finding", "")), "Finished. Now the car has to prove it."
    )


async def hand_over(request: web.Request) -> web.Response:
    caller = call(request)
    return await _moved(request, lambda n: acts.hand_over(caller, n), "The owner has the car back.")


async def cancel(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    return await _moved(
        request, lambda n: acts.cancel(caller, n, fields.get("reason", "")), "Cancelled. Driver and bay are free again."
    )


async def promise(request: web.Request) -> web.Response:
    """A time of day: today's, or tomorrow's when that has passed; or a day and a time as one."""
    caller, fields = call(request), await form(request)

    async def promised(booking_id: int) -> None:
        if moment := fields.get("moment"):
            await acts.promise(caller, booking_id, wall_clock(moment, "moment", caller.dealer.zone))
            return
        clock = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(:[0-5][0-9])?", fields.get("time", ""))
        if clock is None:
            raise BadInput("time", "is a time of day such as 14:30")
        here = local(caller.house.now(), caller.dealer.zone)
        wall = here.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        wall = wall if wall > here else wall + timedelta(days=1)
        await acts.promise(caller, booking_id, from_local(wall.date(), wall.time(), caller.dealer.zone, fold=0))

    return await _moved(request, promised, "Promised.")


async def send_word(request: web.Request) -> web.Response:
    """The second of two clicks: a true text to somebody who waits."""
    caller, fields = call(request), await form(request)
    try:
        await messages.send_waiting(caller, id_of(request), fields.get("template", ""))
    except TelltaleError as error:
        return refused(error, "/waiting")
    return go("/waiting", "The text is on its way.")


async def _moved(request: web.Request, act: Callable[[int], Awaitable[object]], note: str) -> web.Response:
    caller, booking_id, fields = call(request), id_of(request), await form(request)
    async with caller.house.at(caller.dealer_id) as connection:
        case_id = (await bookings.get(connection, caller.dealer_id, booking_id)).case_id
    to = back(fields.get("back"), f"/cases/{case_id}")
    try:
        await act(booking_id)
    except TelltaleError as error:
        return refused(error, to)
    return go(to, note)
