"""A question to a person: it lands in the conversation as a text would, and nothing is read into it."""

from __future__ import annotations

import secrets as randomness

from aiohttp import web

from dealer_api.owner.links import forgiving, form_of, open_link
from dealer_api.owner.pages import draw, see_other
from rules.service.replies import Meaning
from schemas.errors import BadInput
from schemas.thread import Reply
from store import jobs, threads

_OPENS = ("offer", "journey")
_LONGEST = 600
CHANNEL = "page"


@forgiving
async def show(request: web.Request) -> web.StreamResponse:
    """A box to write to a person. Its key makes a repeated POST one question."""
    link = await open_link(request, *_OPENS)
    return draw("ask.html", link.speech, **link.shown, once=randomness.token_urlsafe(12))


@forgiving
async def ask(request: web.Request) -> web.StreamResponse:
    """Kept once, marked for a person, and the dealer's people are told."""
    link, form = await open_link(request, *_OPENS), await form_of(request)
    words = str(form.get("words", "")).strip()[:_LONGEST]
    if not words:
        raise BadInput("words", "are missing")
    owner, dealer, now = link.visit.owner, link.dealer, link.speech.now
    reply = Reply(
        channel=CHANNEL,
        provider_id=f"{owner.id}-{str(form.get('key', ''))[:40]}",
        from_address=owner.phone or owner.email or "",
        to_address=dealer.phone,
        body=words,
        received_at=now,
    )
    async with link.house.at(dealer.id) as connection:
        kept = await threads.keep(
            connection, dealer.id, reply, owner_id=owner.id, understood=Meaning.OTHER.value, for_a_person=True
        )
        if kept is not None:
            await jobs.put(connection, dealer.id, "reply", kept, due_at=now)
    return see_other(f"{link.here}?note=asked")
