"""The providers' webhooks: incoming texts and delivery reports, each signed.

Without a secret nobody is believed. A signature covers the address as the provider was given it, so it is checked
against our public address, not against what a proxy in between may have called us.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from actions import unreached
from dealer_api.app_keys import HOUSE
from dealer_api.bodies import posted
from dealer_api.inbound.handle_reply import handle
from providers.provider import Fate, Inbound
from schemas.errors import NotAllowed, NotFound
from schemas.thread import Reply
from store import accounts, messages

TRUSTED: web.AppKey[Mapping[str, Inbound]] = web.AppKey("trusted_providers", Mapping)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def texts(name: str, channel: str) -> Handler:
    """The door to which this provider brings what owners wrote.

    Its own id makes a text count once, however often it comes.
    """

    async def received(request: web.Request) -> web.StreamResponse:
        inbound, form = await _signed(request, name)
        house, text = request.app[HOUSE], inbound.text(form)
        reply = Reply(
            channel=channel,
            provider_id=text.provider_id,
            from_address=text.from_address,
            to_address=text.to_address,
            body=text.body,
            received_at=house.now(),
        )
        with contextlib.suppress(NotFound):  # nobody's number: to repeat it would not help
            await handle(house, reply)
        body, media = inbound.answer
        return web.Response(text=body, content_type=media)

    return received


def reports(name: str) -> Handler:
    """The door for what became of a text of ours, by its reference.

    Reports come late and out of order: a final state stays.
    """

    async def reported(request: web.Request) -> web.StreamResponse:
        inbound, form = await _signed(request, name)
        house, reference, report = request.app[HOUSE], request.query.get("reference", ""), inbound.report(form)
        async with house.at(None) as connection:
            dealer_id = await accounts.dealer_at(connection, report.from_address)
        if dealer_id is not None and report.fate is not Fate.ON_ITS_WAY:
            async with house.at(dealer_id) as connection:
                if report.fate is Fate.DELIVERED:
                    await messages.delivered(connection, reference)
                else:
                    await unreached.lost(connection, reference, report.reason, house.now(), actor="provider")
        return web.Response(status=204)

    return reported


async def _signed(request: web.Request, name: str) -> tuple[Inbound, dict[str, str]]:
    inbound = request.app.get(TRUSTED, {}).get(name)
    if inbound is None or request.content_type != inbound.media:
        raise NotAllowed("this door is for signed webhooks")
    form = {field: value for field, value in (await posted(request)).items() if isinstance(value, str)}
    if not inbound.signed(request.app[HOUSE].base_url.rstrip("/") + request.path_qs, form, request.headers):
        raise NotAllowed("the signature is wrong")
    return inbound, form
