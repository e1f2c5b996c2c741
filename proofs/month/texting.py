"""What owners text in the month, and who is reached at a number that is not theirs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from actions import owners
from dealer_api.inbound.handle_reply import handle
from proofs.month.dealership import Dealership
from proofs.month.picking import a_row, somebody
from schemas.account import Role
from schemas.errors import NotFound
from schemas.thread import Reply


async def text_from(place: Dealership, owner: int, body: str) -> None:
    row = await a_row(place, "owners WHERE dealer_id = $1 AND id = $2", place.dealer.id, owner)
    if row["phone"] is None:
        raise NotFound("number")
    name = f"in-{place.dealer.id}-{place.luck.random()}"
    await handle(
        place.house,
        Reply(
            channel="phone",
            provider_id=name,
            from_address=row["phone"],
            to_address=place.phones.sender,
            body=body,
            received_at=place.clock(),
        ),
    )


async def owner_says_sold(place: Dealership) -> None:
    """Half of the time somebody whose car something is going on with."""
    owner = place.luck.choice(place.owners)
    if place.luck.random() < 0.5:
        about = "cases WHERE dealer_id = $1 AND owner_id IS NOT NULL AND state IN ('open', 'contacted', 'booked')"
        owner = (await a_row(place, about, place.dealer.id))["owner_id"]
    await text_from(
        place, owner, place.luck.choice(("SOLD", "I sold the car", "Ich habe das Auto verkauft", "ya lo vendí"))
    )


async def somebody_says_wrong_number(place: Dealership) -> None:
    """Now and then with a STOP, and the management system's list of the night has the number all the same."""
    owner = await a_row(place, "owners WHERE dealer_id = $1 AND phone IS NOT NULL", place.dealer.id)
    wrong = ("WRONG", "wrong number", "falsche Nummer", "número equivocado", "Wrong number, stop texting me")
    await text_from(place, owner["id"], place.luck.choice(wrong))
    car = await a_row(place, "vehicles WHERE dealer_id = $1 AND owner_id = $2", place.dealer.id, owner["id"])
    text = (
        f"name,phone,vin,profile,title\n{owner['name']},{owner['phone']},{car['vin']},{car['profile']},{car['title']}\n"
    )
    await owners.import_list(await somebody(place, Role.MANAGER), text)


ACTS: dict[Callable[[Dealership], Awaitable[Any]], float] = {owner_says_sold: 0.7, somebody_says_wrong_number: 1}
