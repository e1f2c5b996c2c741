"""What owners do in the month."""

from __future__ import annotations

from actions import bookings, offers, owners
from proofs.month.dealership import Dealership
from proofs.month.picking import a_booking, a_row, an_offer, somebody
from proofs.month.texting import text_from
from schemas.account import Role
from schemas.message import Purpose


async def owner_answers(place: Dealership) -> None:
    """Mostly somebody who was asked; now and then anybody, and anything."""
    body = place.luck.choice(("1", "1", "1", "2", "2", "0", "maybe later", "5"))
    if place.luck.random() < 0.85:
        row = await a_row(
            place,
            "cases WHERE dealer_id = $1 AND owner_id IS NOT NULL AND state = ANY($2::text[])",
            place.dealer.id,
            ["contacted"],
        )
        owner = row["owner_id"]
    else:
        owner = place.luck.choice(place.owners)
    await text_from(place, owner, body)


async def owner_says_stop(place: Dealership) -> None:
    await text_from(place, place.luck.choice(place.owners), place.luck.choice(("STOP", "START", "HELP")))


async def owner_declines_by_link(place: Dealership) -> None:
    await offers.decline(place.house.as_owner().acting(place.dealer.id, "owner"), await an_offer(place))


async def owner_cancels_by_link(place: Dealership) -> None:
    await bookings.cancel(
        place.house.as_owner().acting(place.dealer.id, "owner"),
        await a_booking(place, "agreed", soon=False),
        "I cannot come",
    )


async def owner_moves_house(place: Dealership) -> None:
    owner, n = place.luck.choice(place.owners), place.luck.randrange(10**7)
    changes = place.luck.choice(({"phone": f"+49160{n:07}"}, {"address": None}, {"address": f"Neue Straße {n}"}))
    await owners.update(await somebody(place, Role.ADVISOR), owner, dict(changes))


async def owner_changes_their_mind(place: Dealership) -> None:
    purpose, yes = place.luck.choice((Purpose.SERVICE, Purpose.STATUS)), place.luck.random() < 0.5
    await owners.consent(
        await somebody(place, Role.ADVISOR),
        place.luck.choice(place.owners),
        {purpose: yes},
        source="telephone",
        wording="said so",
    )
