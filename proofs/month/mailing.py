"""Mail in the month: owners answer it, end it in one press, and some of it comes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from actions import ending, unreached
from dealer_api.inbound.handle_reply import handle
from proofs.month.dealership import Dealership
from proofs.month.picking import a_row
from schemas.errors import NotFound
from schemas.message import Message
from schemas.thread import Reply
from store import messages

_SENT = "messages WHERE dealer_id = $1 AND owner_id IS NOT NULL AND channel = 'email' AND state = 'sent'"


async def owner_answers_by_mail(place: Dealership) -> None:
    """Below what they quote, or above it; somebody who was asked by mail, where anybody was."""
    about = await _a_mail(place, f"{_SENT} AND kind IN ('offer', 'feedback')")
    name = f"<in-{place.luck.random()}@month.example>"
    await handle(
        place.house,
        Reply(
            channel="email",
            provider_id=name,
            from_address=about.to_address,
            to_address="desk@month.example",
            body=place.luck.choice(("1", "1", "2", "0", "When is it ready?")),
            received_at=place.clock(),
        ),
        dealer_id=place.dealer.id,
    )


async def owner_ends_mails_by_link(place: Dealership) -> None:
    """Now and then they take it back, and sometimes a mail program presses twice."""
    about, acting = await _a_mail(place, _SENT), place.house.as_owner().acting(place.dealer.id, "owner")
    for _ in range(place.luck.choice((1, 1, 2))):
        await ending.end(acting, about, "no more mails")
    if place.luck.random() < 0.5:
        await ending.begin(acting, about, "mails again")


async def mail_comes_back(place: Dealership) -> None:
    """Hours after it left, or twice."""
    about = await _a_mail(place, _SENT)
    for _ in range(place.luck.choice((1, 1, 2))):
        async with place.house.at(place.dealer.id) as connection:
            why = "the mail came back: there is no such mailbox (5.1.1)"
            await unreached.lost(connection, about.reference, why, place.clock(), actor="mail")


async def _a_mail(place: Dealership, what: str) -> Message:
    row = await a_row(place, what, place.dealer.id)
    async with place.house.at(place.dealer.id) as connection:
        found = await messages.get(connection, place.dealer.id, row["id"])
    if found is None:
        raise NotFound("message")
    return found


ACTS: dict[Callable[[Dealership], Awaitable[Any]], float] = {
    owner_answers_by_mail: 2,
    owner_ends_mails_by_link: 0.5,
    mail_comes_back: 3,
}
#: The texts about which somebody was asked to ring their reader.
ASKED_TO_RING = """SELECT split_part(reference, '-', 2)::bigint FROM messages
            WHERE dealer_id = $1 AND kind = 'staff_unreached'"""
TRUTHS: Mapping[str, str] = {
    "who ended all mails in one press is written to": """
        SELECT m.id FROM consents c JOIN messages m ON m.dealer_id = c.dealer_id AND m.owner_id = c.owner_id
          AND m.sent_at > c.at AND m.kind NOT IN ('stopped', 'help')
        WHERE c.dealer_id = $1 AND c.source = 'STOP by the link of a mail' AND NOT EXISTS (SELECT 1 FROM consents s
          WHERE s.dealer_id = $1 AND s.owner_id = c.owner_id AND s.given AND s.id > c.id AND s.at <= m.sent_at)""",
    "who ended all mails has not one confirmation": """
        SELECT c.owner_id FROM consents c WHERE c.dealer_id = $1 AND c.source = 'STOP by the link of a mail'
          AND c.purpose = 'safety' GROUP BY c.owner_id HAVING count(*) <> (SELECT count(*) FROM messages m
            WHERE m.dealer_id = $1 AND m.owner_id = c.owner_id AND m.kind = 'stopped' AND m.channel = 'email')""",
    "the same text went the other way twice": """
        SELECT m.id FROM messages m WHERE m.dealer_id = $1 AND m.reference LIKE '%-other-other'""",
}
#: Once the workers have done what is due.
SETTLED: Mapping[str, str] = {
    "a mail came back, it went no other way, and nobody was told to ring": f"""
        SELECT m.id FROM messages m WHERE m.dealer_id = $1 AND m.state = 'failed' AND m.owner_id IS NOT NULL
          AND m.reason LIKE 'the mail came back%' AND m.kind NOT IN ('feedback', 'feedback_thanks', 'stopped', 'help')
        AND NOT EXISTS (SELECT 1 FROM messages n WHERE n.dealer_id = $1 AND n.reference = m.reference || '-other')
        AND m.id <> ALL (ARRAY({ASKED_TO_RING}))
        AND EXISTS (SELECT 1 FROM staff s WHERE s.dealer_id = $1 AND s.role IN ('advisor', 'manager')
          AND s.disabled_at IS NULL)""",
}
