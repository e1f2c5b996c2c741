"""A text that failed for good: it goes the owner's other way where there is one, and else somebody rings, once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from actions import outbox, recipients
from rules.service.permission import refused
from schemas.consent import Owner
from schemas.message import Draft, Message, MessageKind, MessageState, OwnerRecipient
from store import consents, history, jobs, messages
from store.pool import Connection

#: At the end of a reference: it went the other way already, and goes no third.
OTHER_WAY = "-other"
#: Nobody needs to ring because of these: a question, and a goodbye that the provider has said already.
UNHEARD_IS_FINE = frozenset({MessageKind.FEEDBACK, MessageKind.FEEDBACK_THANKS, MessageKind.STOPPED, MessageKind.HELP})
#: Said to whoever wrote from there, and to nobody elsewhere.
_ONLY_THERE = UNHEARD_IS_FINE | {MessageKind.STARTED, MessageKind.WRONG, MessageKind.PASSED_ON}


async def follow(connection: Connection, message: Message, now: datetime, *, surely: bool) -> None:
    """A worker takes it from here (`workers.replying.tell_unreached`). `surely`: they have not got it."""
    if message.owner_id is not None and message.kind not in UNHEARD_IS_FINE:
        await jobs.put(connection, message.dealer_id, "unreached", message.id, due_at=now, surely=surely)


async def lost(connection: Connection, reference: str, reason: str, now: datetime, *, actor: str) -> bool:
    """It had left, and could not be delivered. False when it is final already, or none of ours."""
    message = await messages.lost(connection, reference, reason)
    if message is None:
        return False
    await history.write(
        connection,
        message.dealer_id,
        "message",
        message.id,
        old=MessageState.SENT.value,
        new=message.state.value,
        reason=reason,
        actor=actor,
        now=now,
    )
    await follow(connection, message, now, surely=True)
    return True


async def other_way(
    connection: Connection, wording: Any, message: Message, owner: Owner, channels: tuple[str, ...], now: datetime
) -> bool:
    """Say the same once more where else they are reached, in the words of that channel, and what it states is read
    again before it leaves. False where there is no other way, or it went there already: then somebody rings.
    """
    if message.kind in _ONLY_THERE or message.reference.endswith(OTHER_WAY) or owner.erased_at is not None:
        return False
    if refused(message.purpose, owner, await consents.of_owner(connection, message.dealer_id, owner.id)) is not None:
        return False
    way = next((one for one in recipients.ways(owner, channels) if _is_other(one, message)), None)
    if way is None:
        return False
    draft = Draft(
        dealer_id=message.dealer_id,
        to=way,
        kind=message.kind,
        purpose=message.purpose,
        author="worker",
        case_id=message.case_id,
        asserts=message.facts.get("asserts", ()),
        reference=f"{message.reference}{OTHER_WAY}",
    )
    await outbox.again(connection, wording, message=message, draft=draft, now=now)
    said = "by mail" if way.channel == "email" else "as a text"
    await messages.explain(connection, message, f"{message.reason or 'it did not arrive'}; it goes {said} instead")
    return True


def _is_other(way: OwnerRecipient, message: Message) -> bool:
    return way.channel != message.channel and way.address.lower() != message.to_address.lower()
