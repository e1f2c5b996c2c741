"""Which cars and owners a search means, at the desk and in the API alike."""

from __future__ import annotations

from dealer_api import permissions as may
from dealer_api.app_keys import Call
from rules.service.finding import asked
from store import finding
from store.pool import Connection


async def ids_of(caller: Call, connection: Connection, text: str, noun: str) -> list[int] | None:
    """Which cars (`noun` "vehicle") or owners a list's own search means; None: it was asked for nothing."""
    question = asked(text, caller.dealer.country)
    if question is None:
        return [] if text else None
    words = await finding.folded(connection, question.words, question.wholes)
    search = finding.vehicles if noun == "vehicle" else finding.owners
    return await search(connection, caller.dealer_id, words, nouns_of(caller))


def nouns_of(caller: Call) -> tuple[str, ...]:
    """By which words owners are found. Who may not read how they are reached does not find them by that either; staff
    see their names beside the cars, a program without that scope sees neither.
    """
    if caller.may(may.READ_OWNERS):
        return ("owner", "reach")
    return ("owner",) if caller.staff else ()
