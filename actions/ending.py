"""The link of a mail: STOP and START of the mailbox to which it went, as if they had come by text from there."""

from __future__ import annotations

from actions import outbox, stopping
from actions.context import Acting
from schemas.message import Draft, Message, MessageKind, OwnerRecipient, Purpose
from store import accounts, consents, owners, stops
from store.pool import Connection

_STARTED = "START by the link of a mail"


async def stopped(connection: Connection, message: Message) -> bool:
    """Whether whoever is reached there gets nothing any more."""
    here = await owners.at(connection, message.dealer_id, stops.plain([message.to_address]))
    return bool(here) and all(owner.stopped_at is not None for owner in here)


async def end(acting: Acting, message: Message, wording: str) -> None:
    """No more texts to whoever is reached there, at once, and one confirmation. To say it again changes nothing."""
    async with acting.transaction() as connection:
        newly = await stopping.stop(
            connection,
            acting.house.key_holder,
            message.dealer_id,
            [message.to_address],
            wording=wording,
            source=consents.STOP_BY_LINK,
            now=acting.now(),
        )
        if newly:
            them = next((owner for owner in newly if owner.id == message.owner_id), newly[0])
            await _confirm(acting, connection, message, owner_id=them.id, language=them.language)


async def begin(acting: Acting, message: Message, wording: str) -> None:
    """They are written to again, as they had agreed before."""
    async with acting.transaction() as connection:
        await stopping.start(
            connection,
            acting.house.key_holder,
            message.dealer_id,
            [message.to_address],
            wording=wording,
            source=_STARTED,
            now=acting.now(),
        )


async def _confirm(acting: Acting, connection: Connection, message: Message, owner_id: int, language: str) -> None:
    dealer = await accounts.dealer(connection, message.dealer_id)
    draft = Draft(
        dealer_id=message.dealer_id,
        to=OwnerRecipient(owner_id, message.channel, message.to_address, language),
        kind=MessageKind.STOPPED,
        purpose=Purpose.STATUS,
        author="system",
    )
    await outbox.queue(connection, acting.house.wording, draft, acting.now(), dealer=dealer.name)
