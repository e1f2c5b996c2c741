"""How an owner wants to be reached: language, channel, quiet hours; and the end of all texts."""

from __future__ import annotations

from aiohttp import web

from actions import stopping
from dealer_api.app_keys import house
from dealer_api.bodies import wall_time
from dealer_api.owner.formatting import LANGUAGES
from dealer_api.owner.links import Link, forgiving, form_of, open_link
from dealer_api.owner.pages import draw, see_other
from dealer_api.owner.visits import notice_of
from schemas.consent import Owner
from schemas.errors import BadInput
from store import consents, owners

_OPENS = ("offer", "journey")


@forgiving
async def show(request: web.Request) -> web.StreamResponse:
    link = await open_link(request, *_OPENS)
    return draw(
        "preferences.html",
        link.speech,
        **link.shown,
        **notice_of(request, link),
        channels=_channels(link.visit.owner, house(request).usual_channel),
    )


def _channels(owner: Owner, usual: str) -> tuple[str, ...]:
    """The ways that are open: the number's own channel, and mail when there is a mailbox."""
    texting = owner.channel if owner.channel != "email" else usual
    return tuple(name for name, address in ((texting, owner.phone), ("email", owner.email)) if address)


@forgiving
async def save(request: web.Request) -> web.StreamResponse:
    """Language, channel and quiet hours, all at once."""
    link, form = await open_link(request, *_OPENS), await form_of(request)
    language, owner = str(form.get("language", "")), link.visit.owner
    channel = str(form.get("channel", owner.channel))
    if language not in LANGUAGES:
        raise BadInput("language", f"is one of {', '.join(LANGUAGES)}")
    if channel not in _channels(owner, house(request).usual_channel):
        raise BadInput("channel", "is not open to this owner")
    changes = {
        "language": language,
        "channel": channel,
        "quiet_from": wall_time(form.get("quiet_from", ""), "quiet_from"),
        "quiet_to": wall_time(form.get("quiet_to", ""), "quiet_to"),
    }
    async with link.house.at(link.secret.dealer_id) as connection:
        await owners.update(connection, link.secret.dealer_id, owner.id, changes)
    return see_other(f"{link.here}/preferences?note=saved")


@forgiving
async def stop(request: web.Request) -> web.StreamResponse:
    """No more texts, from this moment on."""
    link = await open_link(request, *_OPENS)
    words = link.speech.say("stop-lead", dealer=link.dealer.name)
    async with link.house.at(link.secret.dealer_id) as connection:
        await stopping.stop_owner(
            connection,
            link.house.key_holder,
            link.visit.owner,
            wording=words,
            source=consents.STOP_ON_PAGE,
            now=link.speech.now,
        )
    return _done(link, "stopped")


@forgiving
async def start(request: web.Request) -> web.StreamResponse:
    """What was agreed before the stop counts again."""
    link = await open_link(request, *_OPENS)
    async with link.house.at(link.secret.dealer_id) as connection:
        await stopping.start_owner(
            connection,
            link.house.key_holder,
            link.visit.owner,
            wording=link.speech.say("start"),
            source="owner's page",
            now=link.speech.now,
        )
    return _done(link, "started")


def _done(link: Link, note: str) -> web.Response:
    return see_other(f"{link.here}/preferences?note={note}")
