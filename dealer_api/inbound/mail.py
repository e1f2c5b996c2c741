"""Mail that comes in, each signed over every byte by whoever brings it: answers, machines, and mails that came back.

A mail in somebody's name is soon written. Who answers a mail of ours brings back its Message-ID, which only its reader
knows (`rules.service.letters`): what they say is acted on, as if it came from the mailbox to which we wrote. Of any
other mail a STOP is believed, and a person reads the rest. A mail that says that one of ours came back, and does not
bring its name, is nothing.
"""

from __future__ import annotations

import contextlib

from aiohttp import web

from actions import unreached
from actions.context import House
from dealer_api.app_keys import HOUSE
from dealer_api.inbound.handle_reply import LONGEST_BODY, handle
from providers.smtp.signature import believed
from rules.service import incoming_mail, letters
from rules.service.incoming_mail import Mail
from schemas.errors import NotAllowed, NotFound
from schemas.message import Message
from schemas.thread import Reply
from store import accounts, messages, owners, stops, threads

SECRET: web.AppKey[str] = web.AppKey("mail_secret", str)
MEDIA = "message/rfc822"
CHANNEL = "email"


async def received(request: web.Request) -> web.StreamResponse:
    """One mail. It counts once, by its own Message-ID, however often it is brought."""
    if request.content_type != MEDIA:
        raise NotAllowed("this door is for signed mails")
    raw, home = await request.read(), request.app[HOUSE]
    if not believed(request.app.get(SECRET, ""), raw, request.headers, home.machine()):
        raise NotAllowed("the signature is wrong")
    mail = incoming_mail.read(raw)
    async with home.at(None) as connection:
        ours = letters.named(await home.key_holder.key(connection), mail.about)
    about = None
    if ours is not None:
        async with home.at(ours[0]) as connection:
            about = await messages.get(connection, *ours)
    if mail.came_back is not None and about is not None:
        async with home.at(about.dealer_id) as connection:
            await unreached.lost(connection, about.reference, mail.came_back, home.now(), actor="mail")
    elif not (mail.by_machine and about is None):
        with contextlib.suppress(NotFound):  # nobody's mailbox: to repeat it would not help
            await _hear(home, mail, about, name=mail.name or request.headers["webhook-id"])
    return web.Response(status=204)


async def _hear(home: House, mail: Mail, about: Message | None, name: str) -> None:
    dealer_id, place = (about.dealer_id, about.to_address) if about is not None else await _dealer(home, mail)
    reply = Reply(
        channel=CHANNEL,
        provider_id=name[:300],
        from_address=mail.sender,
        to_address=place,
        body=mail.words[:LONGEST_BODY],
        received_at=home.now(),
    )
    if about is None:
        await handle(home, reply, dealer_id=dealer_id, proven=False)
        return
    async with home.at(dealer_id) as connection:
        known = await owners.at(connection, dealer_id, stops.plain([mail.sender]))
    if about.owner_id is None:  # a notice to a colleague, who does not answer as an owner does
        return
    if about.owner_id not in {owner.id for owner in known}:  # from another mailbox of theirs
        reply = reply.model_copy(update={"from_address": about.to_address.lower()})
    reply = reply.model_copy(update={"to_address": next(iter(mail.places), "") or about.to_address})
    if mail.by_machine:
        await _keep(home, dealer_id, reply, about.owner_id)
    else:
        await handle(home, reply, dealer_id=dealer_id)


async def _keep(home: House, dealer_id: int, reply: Reply, owner_id: int) -> None:
    """Shown in the conversation, and an answer to nothing."""
    async with home.at(dealer_id) as connection:
        await threads.keep(
            connection, dealer_id, reply, owner_id=owner_id, understood="auto", for_a_person=False, by_machine=True
        )


async def _dealer(home: House, mail: Mail) -> tuple[int, str]:
    """Whose mailbox it went to; NotFound when it is nobody's."""
    async with home.at(None) as connection:
        for place in mail.places:
            for spelled in dict.fromkeys((place, place.lower())):
                found = await accounts.dealer_at(connection, spelled)
                if found is not None:
                    return found, place
    raise NotFound("mailbox")
