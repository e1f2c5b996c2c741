"""The link of each mail that ends them all. Looking changes nothing; one press, or a mail program's own one (RFC 8058),
is a STOP of the mailbox to which the mail went, settled like one that came by text.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from actions import ending
from actions.context import Acting, House
from dealer_api.app_keys import house
from dealer_api.owner.formatting import Speech
from dealer_api.owner.links import Ended, forgiving, lapse_of, speech_of
from dealer_api.owner.pages import draw
from rules.service import letters
from schemas.account import Dealer
from schemas.errors import NotFound
from schemas.message import Message
from store import accounts, messages, owners


@dataclass(frozen=True, slots=True)
class _Opened:
    """What the link of a mail opens."""

    house: House  #: with the owner page's rights
    message: Message
    dealer: Dealer
    speech: Speech
    lapse: int | None

    @property
    def acting(self) -> Acting:
        return self.house.acting(self.message.dealer_id, "owner")


@forgiving
async def show(request: web.Request) -> web.StreamResponse:
    """How it stands, and the one button that changes it."""
    return await _page(request, await _open(request))


@forgiving
async def end(request: web.Request) -> web.StreamResponse:
    """No more mails. Answered with the page itself: a mail program follows no redirect."""
    opened = await _open(request)
    words = opened.speech.say("stop-lead", dealer=opened.dealer.name)
    await ending.end(opened.acting, opened.message, words)
    return await _page(request, opened)


@forgiving
async def begin(request: web.Request) -> web.StreamResponse:
    """They have changed their mind."""
    opened = await _open(request)
    await ending.begin(opened.acting, opened.message, opened.speech.say("start"))
    return await _page(request, opened)


async def _open(request: web.Request) -> _Opened:
    """NotFound for what we never made, Ended for a mail to somebody who has been erased since."""
    home = house(request).as_owner()
    async with home.at(None) as connection:
        found = letters.ends(await home.key_holder.key(connection), request.match_info["token"])
        lapse = await lapse_of(connection)
    if found is None:
        raise NotFound("link")
    dealer_id, message_id = found
    async with home.at(dealer_id) as connection:
        message = await messages.get(connection, dealer_id, message_id)
        if message is None or message.owner_id is None:
            raise NotFound("link")
        owner = await owners.get(connection, dealer_id, message.owner_id)
        dealer = await accounts.dealer(connection, dealer_id)
    if owner.erased_at is not None or "@" not in message.to_address:
        raise Ended
    speech = speech_of(request, home, language=owner.language, zone=dealer.zone, now=home.now())
    return _Opened(home, message=message, dealer=dealer, speech=speech, lapse=lapse)


async def _page(request: web.Request, opened: _Opened) -> web.Response:
    async with opened.house.at(opened.message.dealer_id) as connection:
        stopped = await ending.stopped(connection, opened.message)
    return draw(
        "ending.html",
        opened.speech,
        dealer=opened.dealer,
        here=f"/u/{request.match_info['token']}",
        lapse=opened.lapse,
        address=opened.message.to_address,
        stopped=stopped,
    )
