"""Twilio's webhooks: incoming texts and delivery reports, each signed with the account's token.

Without a token nothing is believed. The signature covers the address as Twilio was given it, so it is made
from our public address, not from what a proxy in between may have called us.
"""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Mapping

from aiohttp import web

from dealer_api.app_keys import HOUSE
from dealer_api.bodies import posted
from dealer_api.inbound.handle_reply import hear
from rules.service.signing import signature
from schemas.errors import BadInput, NotAllowed, NotFound
from schemas.thread import Reply
from store import accounts, messages

TOKEN: web.AppKey[str] = web.AppKey("twilio_token", str)
_NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'  # our answers go through the outbox
_LOST = frozenset({"failed", "undelivered"})


async def received(request: web.Request) -> web.StreamResponse:
    """An owner's text. The message's own id makes it count once, however often Twilio repeats it."""
    form = await _signed(request)
    house = request.app[HOUSE]
    said = Reply(
        channel="sms", provider_id=_field(form, "MessageSid"), from_address=_field(form, "From"), to_address=_field(form, "To"),
        body=form.get("Body", ""), received_at=house.now(),
    )  # fmt: skip
    with contextlib.suppress(NotFound):  # nobody's number: to repeat it would not help
        await hear(house, said)
    return web.Response(text=_NOTHING, content_type="text/xml")


async def reported(request: web.Request) -> web.StreamResponse:
    """What became of a text of ours, by its reference. Reports come late and out of order: a final state stays."""
    form = await _signed(request)
    house, reference = request.app[HOUSE], request.query.get("reference", "")
    async with house.at(None) as connection:
        dealer_id = await accounts.dealer_at(connection, _field(form, "From"))
    if dealer_id is not None:
        status = form.get("MessageStatus", "")
        async with house.at(dealer_id) as connection:
            if status == "delivered":
                await messages.delivered(connection, reference)
            elif status in _LOST:
                await messages.lost(connection, reference, f"not delivered (provider error {form.get('ErrorCode', 'unknown')})")
    return web.Response(status=204)


async def _signed(request: web.Request) -> dict[str, str]:
    token = request.app.get(TOKEN, "")
    if not token or request.content_type != "application/x-www-form-urlencoded":
        raise NotAllowed("this door is for signed webhooks")
    form = {name: value for name, value in (await posted(request)).items() if isinstance(value, str)}
    address = request.app[HOUSE].base_url.rstrip("/") + request.path_qs
    if not hmac.compare_digest(signature(token, address, form).encode(), request.headers.get("X-Twilio-Signature", "").encode("utf-8", "replace")):
        raise NotAllowed("the signature is wrong")
    return form


def _field(form: Mapping[str, str], name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise BadInput(name, "is missing")
    return value
