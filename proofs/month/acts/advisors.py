"""What advisors do in the month."""

from __future__ import annotations

from datetime import timedelta

from actions import bookings, cases, legs, messages, offers
from proofs.month.dealership import Dealership
from proofs.month.picking import a_booking, a_case, a_leg, an_offer, somebody
from schemas.account import Role
from schemas.booking import BookingKind


async def advisor_takes(place: Dealership) -> None:
    await cases.acknowledge(await somebody(place, Role.ADVISOR, Role.MANAGER), await a_case(place, "open"))


async def advisor_hands_on(place: Dealership) -> None:
    to = place.luck.choice(place.staff[Role.ADVISOR])
    await cases.assign(
        await somebody(place, Role.ADVISOR), await a_case(place, "open", "contacted", "booked", "in_workshop"), to
    )


async def advisor_offers(place: Dealership) -> None:
    kind = place.luck.choice((None, None, *BookingKind))
    await offers.make(await somebody(place, Role.ADVISOR), await a_case(place, "open", "open", "contacted"), kind)


async def advisor_withdraws(place: Dealership) -> None:
    await offers.withdraw(await somebody(place, Role.ADVISOR), await an_offer(place))


async def advisor_books(place: Dealership) -> None:
    kind, case = place.luck.choice(tuple(BookingKind)), await a_case(place, "open", "contacted")
    windows = await bookings.free_windows(
        place.house, place.dealer.id, kind, loaner=(loaner := place.luck.random() < 0.3)
    )
    if windows:
        chosen = place.luck.choice(windows).window.starts_at
        await bookings.book(await somebody(place, Role.ADVISOR), case, kind, chosen, loaner=loaner)


async def advisor_cancels(place: Dealership) -> None:
    booking = await a_booking(place, "agreed", "agreed", "arrived", "working", soon=False)
    await bookings.cancel(await somebody(place, Role.ADVISOR), booking, "the part is not here")


async def advisor_dismisses(place: Dealership) -> None:
    case = await a_case(place, "open", "contacted", "booked", "in_workshop", "verifying")
    await cases.dismiss(await somebody(place, Role.ADVISOR), case, "nothing to do")


async def advisor_reopens(place: Dealership) -> None:
    await cases.reopen(await somebody(place, Role.ADVISOR), await a_case(place, "dismissed"), "too early")


async def customer_rings(place: Dealership) -> None:
    await cases.open_by_hand(await somebody(place, Role.ADVISOR), place.luck.choice(place.cars), "it squeaks")


async def customer_says_yes_by_telephone(place: Dealership) -> None:
    await offers.accept(await somebody(place, Role.ADVISOR), await an_offer(place), place.luck.choice((1, 2)))


async def advisor_promises(place: Dealership) -> None:
    at = place.clock() + timedelta(minutes=place.luck.randrange(30, 2000))
    await bookings.promise(
        await somebody(place, Role.ADVISOR), await a_booking(place, "agreed", "arrived", "working"), at
    )


async def advisor_writes(place: Dealership) -> None:
    await messages.send_waiting(await somebody(place, Role.ADVISOR), await a_booking(place, "arrived", "working"))


async def advisor_gives_a_drive_away(place: Dealership) -> None:
    leg = await a_leg(place)
    await legs.assign(await somebody(place, Role.ADVISOR), leg["id"], place.luck.choice(place.staff[Role.DRIVER]))


async def owner_has_the_car_again(place: Dealership) -> None:
    await bookings.hand_over(await somebody(place, Role.ADVISOR), await a_booking(place, "ready"))


async def car_arrives(place: Dealership) -> None:
    await bookings.arrive(await somebody(place, Role.ADVISOR, Role.TECHNICIAN), await a_booking(place, "agreed"))
