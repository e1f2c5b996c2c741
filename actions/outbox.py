"""The one door into the outbox: a draft gets its words, in the language of whoever will read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rules.service import rewording
from schemas.message import Draft, Message
from store import messages
from store.pool import Connection


async def queue(connection: Connection, wording: Any, draft: Draft, now: datetime, /, **facts: Any) -> int:
    """Word it from `facts` and queue it at `now` (business time); it goes out if the transaction of its cause is kept.
    Returns the message's id.

    `wording` is a rules.service.wording.Wording. Where the words depend on the moment, a text keeps what it is about:
    whoever sends it words it anew (`reworded`).
    """
    facts = {"channel": draft.to.channel, **facts}
    body = wording.text(draft.to.language, draft.kind, **facts).body
    words = rewording.kept(facts)
    return await messages.queue(connection, draft, body=body, now=now, words=words)


async def again(connection: Connection, wording: Any, message: Message, draft: Draft, now: datetime) -> int:
    """Queue what this text says once more, to somewhere else: in the words of that channel, where they depend on it."""
    words = message.facts.get("words")
    there = None if words is None else {**words, "channel": draft.to.channel}
    body = reworded(wording, message.model_copy(update={"facts": {"words": there}}), now)
    return await messages.queue(connection, draft, body=body, now=now, words=there)


def reworded(wording: Any, message: Message, now: datetime) -> str:
    """What it says now; as it stands where its words do not depend on the moment."""
    words = message.facts.get("words")
    if words is None:
        return message.body
    body: str = wording.text(message.language, message.kind, **rewording.given(words, now)).body
    return body
