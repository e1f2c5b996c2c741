"""Texts that our door missed: a provider calls a webhook once, and a STOP must not be lost because a database was
starting.

Now and then the provider is asked what it received for us; what is not stored yet is delivered to our own door,
signed as the provider would, and there it is heard like any other text, once.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from providers.provider import Provider
from store import accounts, sweeps
from store.pool import transaction
from workers.context import Context

log = structlog.get_logger()

_SMS = ("sms", "twilio")  #: what the channel of a number may be called
LOOK_BACK = timedelta(days=2)


async def once(context: Context, sms: Provider) -> int:
    """Deliver what is missing; how many there were. Nothing where the provider cannot be asked."""
    asked = sms.missed
    if asked is None:
        return 0
    async with transaction(context.pool) as connection:
        if sms.sender.startswith("+") and (dealer := await accounts.lend_number(connection, sms.sender, _SMS)):
            log.info("the house's number is this dealer's from now on", dealer=dealer)
        numbers = await sweeps.lines(connection, _SMS)
    missing = 0
    for number in numbers:
        received = await asked.received(number, context.machine() - LOOK_BACK)
        async with transaction(context.pool) as connection:
            known = await sweeps.heard(connection, [asked.name_of(text) for text in received])
        for text in received:
            if asked.name_of(text) not in known:
                await asked.deliver(context.desk_url, text)
                missing += 1
    if missing:
        log.warning("texts that our door had missed", count=missing)
    return missing
