"""The one door into the outbox: a draft gets its words, in the language of whoever will read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schemas.message import Draft
from store import messages
from store.pool import Connection


async def queue(connection: Connection, wording: Any, draft: Draft, now: datetime, /, **facts: Any) -> int:
    """Word it from `facts` and queue it at `now` (business time); it goes out if the transaction of its cause is kept.
    Returns the message's id.

    `wording` is a rules.service.wording.Wording.
    """
    return await messages.queue(connection, draft, wording.text(draft.to.language, draft.kind, **facts).body, now)
