"""The first days of a house: putting a step aside, and trying whether a text leaves."""

from __future__ import annotations

from datetime import timedelta

from actions import outbox, recipients
from actions.context import Acting, House
from schemas.errors import BadInput, Overtaken
from schemas.message import Draft, MessageKind, Purpose
from schemas.step import Step
from store import accounts, first_steps, history

AGAIN_AFTER = timedelta(minutes=1)  #: machine time; a text costs money


def ways_out(house: House) -> tuple[str, ...]:
    """The channels on which something leaves: texts first. The demo's phone counts in a demo only."""
    texts = (house.usual_channel,) if house.demo or house.usual_channel != "phone" else ()
    return (*texts, *(("email",) if house.mails and "email" not in texts else ()))


async def put_aside(acting: Acting, step: str, *, aside: bool) -> None:
    """This house does not need the step (it has no drivers, say), or does after all."""
    if step not in list(Step):
        raise BadInput("step", "is one of the list")
    now = acting.now()
    async with acting.transaction() as connection:
        await first_steps.put_aside(connection, acting.dealer_id, step, aside=aside, actor=acting.actor, now=now)
        await history.write(
            connection,
            acting.dealer_id,
            "dealer",
            acting.dealer_id,
            old=None,
            new="first step put aside" if aside else "first step taken up",
            reason=step,
            actor=acting.actor,
            now=now,
        )


async def test_text(acting: Acting, staff_id: int) -> str:
    """A text to whoever presses, by the way on which notices go; where it went."""
    house, now = acting.house, acting.now()
    async with acting.transaction() as connection:
        person = await accounts.staff(connection, acting.dealer_id, staff_id)
        ways = ways_out(house)
        if not ways:
            raise BadInput("text", "nothing leaves this house: whoever runs the server sets up who sends texts")
        to = recipients.staff(person, ways)
        if to is None:
            raise BadInput("phone", "no number of yours is known that takes texts: write it down on your own page")
        before = await first_steps.last_tried(connection, acting.dealer_id, Step.TEXT)
        if before is not None and timedelta(0) <= now - before < AGAIN_AFTER:
            raise Overtaken("text", "one is on its way; give it a minute")
        dealer = await accounts.dealer(connection, acting.dealer_id)
        draft = Draft(
            dealer_id=acting.dealer_id,
            to=to,
            kind=MessageKind.STAFF_TEST,
            purpose=Purpose.STAFF,
            author=acting.actor,
        )
        message_id = await outbox.queue(
            connection, house.wording, draft, now, dealer=dealer.name, link=f"{house.base_url}/first-run"
        )
        await first_steps.tried(
            connection, acting.dealer_id, Step.TEXT, message_id=message_id, actor=acting.actor, now=now
        )
        return to.address
