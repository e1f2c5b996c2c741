"""Sending, exactly once where the provider lets us: claim, hand over under the message's reference, mark.

A text is claimed in one transaction and handed over in a second one. Each reads again whether it is still true
and still allowed. The second holds the owner's row while the provider is called, so that no text leaves after
a STOP has been committed. A worker that dies in between leaves a claim; after a grace the provider is asked for
the reference, and only what never came is sent again.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from actions import links, outbox, stopping, unreached
from monitoring import tracing
from providers.provider import Blocked, Busy, Lookup, Receipt
from providers.register import ALIASES, known
from rules.service import letters, permission, retry, rewording
from rules.service.permission import Never, Permission, TooLate, Wait
from schemas.consent import Owner
from schemas.errors import DeliveryFailed, Misconfigured, NotFound
from schemas.message import MESSAGE, Message, MessageEvent, MessageKind, MessageState, Purpose
from schemas.verdict import Severity
from store import accounts, cases, consents, history, messages, owners, threads
from store.pool import Connection, transaction
from workers import metrics
from workers.context import Context

log = structlog.get_logger()

#: Of these it is better to have told twice than never, where a provider cannot be asked.
MAY_REPEAT = frozenset({Purpose.SAFETY, Purpose.STAFF, Purpose.STATUS})
#: Ends after which nobody has got it, and it would still be of use.
_SURELY_NOT = frozenset({"refused", "tried too often", "no channel"})


async def one(context: Context) -> bool:
    """Take the next due text as far as it goes. False when none is due."""
    async with transaction(context.pool) as connection:
        now, machine = context.clock(), context.machine()
        message = await messages.due(connection, now, machine)
        if message is None:
            return False
        if not await settled(context, connection, message, now):
            message = await _worded(context, connection, message, now)
            await messages.claim(connection, message.id, machine)
            claimed = True
        else:
            claimed = False
    if claimed:
        await hand_over(context, message, machine)
    return True


async def _worded(context: Context, connection: Connection, message: Message, now: datetime) -> Message:
    """In the words of this minute, before it is claimed: a provider that is asked for it later is asked for these."""
    body = outbox.reworded(context.wording, message, now)
    if body == message.body:
        return message
    await messages.reword(connection, message.id, body)
    return message.model_copy(update={"body": body})


async def reconcile(context: Context) -> bool:
    """Take over one claim whose worker is gone: ask the provider first. False when there is none."""
    machine = context.machine()
    async with transaction(context.pool) as connection:
        found = await messages.stuck(connection, machine - context.grace)
        if found is None:
            return False
        message, claimed_at = found
        if not await messages.reclaim(connection, message.id, claimed_at, machine):
            return True
        taken = await messages.receipts_of_the_same(connection, message)
    answer = await context.channels[message.channel].lookup(message, taken)
    log.info("claim taken over", message=message.id, provider=str(answer))
    metrics.TAKEN_OVER.labels(known(message.channel), "has it" if isinstance(answer, Receipt) else answer.value).inc()
    if isinstance(answer, Receipt):
        async with transaction(context.pool) as connection:
            await messages.sent(
                connection, message, claimed_at=machine, now=context.clock(), provider_id=answer.provider_id
            )
    elif answer is Lookup.NEVER_CAME or message.purpose in MAY_REPEAT:
        if answer is Lookup.CANNOT_TELL:
            await _note(
                context,
                message,
                "sent again: the provider cannot tell whether it went out, and twice is better than never",
            )
        await hand_over(context, message, machine)
    else:
        async with transaction(context.pool) as connection:
            await _end(
                connection,
                message,
                event=MessageEvent.FAILED,
                why="unknown",
                reason="nobody can tell whether it went out; it is not sent twice",
                now=context.clock(),
            )
    return True


async def hand_over(context: Context, message: Message, claimed_at: datetime) -> None:
    """Give a claimed text to its channel and mark what came of it. An unclear end leaves the claim for `reconcile`."""
    with tracing.span(
        "message.hand_over",
        parent=message.facts.get(tracing.FIELD),
        kind="consumer",
        message=message.id,
        text=message.kind.value,
        case=message.case_id,
        dealer=message.dealer_id,
        attempt=message.attempts + 1,
    ):
        await _hand_over(context, message, claimed_at)


async def _hand_over(context: Context, message: Message, claimed_at: datetime) -> None:
    try:
        async with transaction(context.pool) as connection:
            now = context.clock()
            if message.owner_id is not None:
                await consents.hold(connection, message.dealer_id, message.owner_id)
            if await settled(context, connection, message, now, claimed=True):
                return
            sender = await _sender(context, connection, message)
            receipt = await _send(context, await _dressed(context, connection, message), sender)
            if not await messages.sent(
                connection, message, claimed_at=claimed_at, now=context.clock(), provider_id=receipt.provider_id
            ):
                log.warning("the claim was taken over while it was handed over", message=message.id)
        metrics.SENT.labels(known(message.channel)).inc()
    except DeliveryFailed as error:
        await _failed(context, message, error)
    except Unclear as error:  # the provider may have it: ask before sending again
        metrics.RETRIES.labels(known(message.channel), "unclear").inc()
        log.warning("unclear whether it went out", message=message.id, error=repr(error.__cause__))


async def _dressed(context: Context, connection: Connection, message: Message) -> Message:
    """A mail to an owner brings the link that ends them, and a name that an answer or a bounce brings back."""
    if ALIASES.get(message.channel, message.channel) != "email" or message.owner_id is None or not context.house_key:
        return message
    try:
        key = await context.house_key.key(connection)
    except Misconfigured:  # while the secret is being changed: no reason to keep a warning back
        return message
    end, foot = "", ""
    if context.desk_url:
        end = links.end_of_mails(context.desk_url, letters.end_token(key, message.dealer_id, message.id))
        again = message.kind is MessageKind.STOPPED
        foot = context.wording.say(message.language, "mail-start" if again else "mail-end", link=end)
    return letters.dressed(
        message, letters.Letter(letters.name(key, message.dealer_id, message.id), end=end, foot=foot)
    )


class Unclear(Exception):
    """The provider may or may not have it."""


async def _send(context: Context, message: Message, sender: str) -> Receipt:
    """The channel's own errors stay apart from those of our database, in whose transaction this runs."""
    try:
        async with asyncio.timeout(context.send_s):
            way = known(message.channel)
            with (
                metrics.PROVIDER_SECONDS.labels(way).time(),
                tracing.span("message.sent", kind="client", message=message.id, channel=way),
            ):
                return await context.channels[message.channel].send(message, sender)
    except DeliveryFailed:
        raise
    except Exception as error:
        raise Unclear from error


async def decide(
    context: Context, connection: Connection, message: Message, now: datetime
) -> tuple[str | None, Permission]:
    """Is it still true, and may it go now?"""
    false = await context.untrue(connection, message, now) or _gone(message, now)
    if message.owner_id is None:
        return false, context.permitted(message, None, {}, now)
    owner = await _owner(connection, message)
    agreed = await consents.of_owner(connection, message.dealer_id, message.owner_id)
    lately = await messages.lately(
        connection,
        message.dealer_id,
        owner_id=message.owner_id,
        kind=message.kind,
        since=now - permission.LONGEST_BUDGET,
    )
    wrote = await threads.wrote_at(connection, message.dealer_id, message.owner_id)
    severity: Severity | None = None
    if message.case_id is not None:
        severity = (await cases.get(connection, message.dealer_id, message.case_id)).severity
    return false, context.permitted(message, owner, agreed, now, severity=severity, lately=lately, wrote_at=wrote)


def _gone(message: Message, now: datetime) -> str | None:
    """Why it speaks of a time as lying ahead that has passed."""
    words = message.facts.get("words")
    return None if words is None else rewording.gone(rewording.given(words, now), now)


async def settled(
    context: Context, connection: Connection, message: Message, now: datetime, *, claimed: bool = False
) -> bool:
    """Whether the text does not go now: cancelled with its reason, or put back until it may."""
    false, answer = await decide(context, connection, message, now)
    state = MessageState.CLAIMED if claimed else MessageState.QUEUED
    if message.channel not in context.channels:
        await _end(
            connection,
            message,
            event=MessageEvent.FAILED,
            why="no channel",
            reason=f"there is no channel called {message.channel}",
            now=now,
        )
    elif false is not None:
        await _end(
            connection,
            message,
            event=MessageEvent.CANCELLED,
            why="no longer true",
            reason=f"no longer true: {false}",
            now=now,
        )
    elif isinstance(answer, Never):
        await _end(
            connection,
            message,
            event=MessageEvent.CANCELLED,
            why="not allowed",
            reason=f"not allowed: {answer.reason}",
            now=now,
        )
    elif isinstance(answer, TooLate):
        await _end(
            connection, message, event=MessageEvent.FAILED, why="too late", reason=f"too late: {answer.reason}", now=now
        )
    elif isinstance(answer, Wait):
        MESSAGE.next(state, MessageEvent.PUT_BACK)
        await messages.put_back(connection, message, due_at=max(answer.until, now), retry_at=None, reason=answer.reason)
    else:
        return False
    return True


async def _end(
    connection: Connection, message: Message, event: MessageEvent, why: str, reason: str, now: datetime
) -> None:
    """`why` is one of a few words, to be counted; `reason` is shown to people."""
    state = MESSAGE.next(MessageState.CLAIMED, event)
    (metrics.FAILED if state is MessageState.FAILED else metrics.CANCELLED).labels(known(message.channel), why).inc()
    await messages.end(connection, message, state, reason)
    await history.write(
        connection,
        message.dealer_id,
        "message",
        message.id,
        old=message.state.value,
        new=state.value,
        reason=reason,
        actor="worker",
        now=now,
    )
    unwarned = message.kind is MessageKind.SAFETY and why == "not allowed"  # still true, and the owner does not know it
    if state is MessageState.FAILED or unwarned:
        surely = state is MessageState.FAILED and why in _SURELY_NOT
        await unreached.follow(connection, message, now, surely=surely)  # another way, or somebody must ring


async def _failed(context: Context, message: Message, error: DeliveryFailed) -> None:
    """The provider did not take it: for good, or try again later with jitter."""
    attempt = message.attempts + 1
    async with transaction(context.pool) as connection:
        if isinstance(error, Blocked) and message.owner_id is not None:  # a STOP that only the provider heard
            await stopping.stop(
                connection,
                context.house_key,
                message.dealer_id,
                [message.to_address],
                wording=error.reason,
                source="blocked at the provider",
                now=context.clock(),
            )
        if error.permanent or retry.exhausted(attempt):
            why = "blocked" if isinstance(error, Blocked) else "refused" if error.permanent else "tried too often"
            await _end(
                connection, message, event=MessageEvent.FAILED, why=why, reason=error.reason, now=context.clock()
            )
        else:
            metrics.RETRIES.labels(known(message.channel), "busy" if isinstance(error, Busy) else "refused").inc()
            asked = error.retry_after_s if isinstance(error, Busy) else 0.0
            wait = timedelta(seconds=retry.delay(attempt, context.luck(), at_least=asked))
            await messages.put_back(
                connection,
                message,
                due_at=message.due_at,
                retry_at=context.machine() + wait,
                reason=f"{error.reason}; tried {attempt} times",
            )


async def _note(context: Context, message: Message, reason: str) -> None:
    async with transaction(context.pool) as connection:
        await history.write(
            connection,
            message.dealer_id,
            "message",
            message.id,
            old="claimed",
            new="claimed",
            reason=reason,
            actor="worker",
            now=context.clock(),
        )


async def _owner(connection: Connection, message: Message) -> Owner | None:
    assert message.owner_id is not None
    try:
        return await owners.get(connection, message.dealer_id, message.owner_id)
    except NotFound:
        return None


async def _sender(context: Context, connection: Connection, message: Message) -> str:
    """The number or mailbox that the dealer's owners answer to on this channel.

    A landline is none: it cannot be texted.
    """
    names = [
        message.channel,
        *(alias for alias, channel in ALIASES.items() if channel == message.channel),
        ALIASES.get(message.channel, ""),
    ]
    for name in filter(None, names):
        found = await accounts.sender_of(connection, message.dealer_id, name)
        if found is not None:
            return found
    return context.channels[message.channel].sender or (await accounts.dealer(connection, message.dealer_id)).phone
