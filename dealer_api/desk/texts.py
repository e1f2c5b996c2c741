"""Words that a person at the desk writes, and what they would cost as SMS."""

from __future__ import annotations

from aiohttp import web
from markupsafe import Markup

from actions import messages as acts
from dealer_api.app_keys import call
from dealer_api.bodies import row_number
from dealer_api.desk.page import back, form, go, id_of, refused
from rules.service import sms
from schemas.errors import TelltaleError


async def send(request: web.Request) -> web.Response:
    caller, fields = call(request), await form(request)
    owner_id = id_of(request)
    to = back(fields.get("back"), f"/owners/{owner_id}")
    case_id = row_number(fields.get("case", ""))
    try:
        await acts.send_free(
            caller,
            fields.get("body", ""),
            case_id=case_id,
            owner_id=owner_id if case_id is None else None,
        )
    except TelltaleError as error:
        return refused(error, to)
    return go(f"{to}#talk", "The text is on its way.")


async def mark_read(request: web.Request) -> web.Response:
    caller, owner_id = call(request), id_of(request)
    to = back((await form(request)).get("back"), f"/owners/{owner_id}")
    try:
        await acts.mark_read(caller, owner_id)
    except TelltaleError as error:
        return refused(error, to)
    return go(f"{to}#talk", "Marked as read.")


async def measure(request: web.Request) -> web.Response:
    """How many SMS parts a text takes while it is being written."""
    body = (await form(request)).get("body", "")
    if not body:
        return web.Response(text="", content_type="text/html")
    text = sms.measure(sms.typography(body))
    odd = sorted({letter for letter in text.body if sms.measure(letter).encoding == "ucs2"})[:6]
    why = Markup("; {} needs the dearer alphabet").format(" ".join(odd)) if odd else ""
    words = Markup("{} characters, {} SMS {}{}").format(
        len(text.body), text.parts, "part" if text.parts == 1 else "parts", why
    )
    return web.Response(text=str(words), content_type="text/html")
