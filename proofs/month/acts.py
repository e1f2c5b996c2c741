"""What people, cars and lists do in the month: each act picks its subject at random and may be refused, but never
fails.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from actions import absences, bookings, cases, estimates, legs, messages, moving, offers, owners, people, vehicles
from actions.context import Acting
from proofs.month import handing, texting
from proofs.month.dealership import Dealership
from proofs.month.picking import a_booking, a_case, a_leg, a_row, somebody, the_manager
from proofs.month.texting import text_from
from rules.service.pickup import TEXTS
from schemas.account import Role
from schemas.alert import AlertState, AlertStep
from schemas.booking import BookingKind
from schemas.message import Purpose
from schemas.pickup import LEGS, LegEvent, LegKind, LegState
from schemas.verdict import Severity
from store import alerts
from store.alerts import Moved
from store.pool import transaction

Act = Callable[[Dealership], Awaitable[Any]]
_EPISODE = """
SELECT coalesce(max(episode), 0) AS newest, coalesce(bool_or(state IN ('pending', 'active')), false) AS open FROM alerts
WHERE dealer_id = $1 AND vehicle_id = $2 AND rule = $3 AND component = $4
"""
_STANDS = """legs l WHERE l.dealer_id = $1 AND l.kind = 'collect' AND l.state IN ('planned', 'on_the_way') AND EXISTS (
    SELECT 1 FROM bookings b JOIN alerts a ON a.dealer_id = b.dealer_id AND a.vehicle_id = b.vehicle_id
    WHERE b.dealer_id = $1 AND b.id = l.booking_id AND b.kind <> 'tow' AND a.state = 'active' AND a.severity = 'now'
      AND a.rule <> 'battery_12v')"""
_FAULTS = (("tyre_low", "front_left"), ("battery_12v", ""), ("coolant_low", ""), ("oil_life", ""))  #: (rule, component)


# What cars say


async def car_reports_a_fault(place: Dealership) -> None:
    car, (rule, component) = place.luck.choice(place.cars), place.luck.choice(_FAULTS)
    severity = place.luck.choice((Severity.ADVICE, Severity.SOON, Severity.SOON, Severity.NOW))
    async with place.admin.acquire() as connection:
        before = await connection.fetchrow(_EPISODE, place.dealer.id, car, rule, component)
    if not before["open"]:
        await _step(
            place,
            car,
            rule=rule,
            component=component,
            episode=before["newest"] + 1,
            step=1,
            state=AlertState.ACTIVE,
            severity=severity,
        )


async def car_gets_worse(place: Dealership) -> None:
    alert = await _alert(place)
    await _step(
        place,
        alert["vehicle_id"],
        rule=alert["rule"],
        component=alert["component"],
        episode=alert["episode"],
        step=alert["step"] + 1,
        state=AlertState.ACTIVE,
        severity=Severity.NOW,
    )


async def car_gets_worse_before_its_visit(place: Dealership) -> None:
    visit = await a_row(place, "bookings WHERE dealer_id = $1 AND state = 'agreed' AND kind <> 'tow'", place.dealer.id)
    alert = await a_row(
        place,
        "alerts WHERE dealer_id = $1 AND vehicle_id = $2 AND state = 'active'",
        place.dealer.id,
        visit["vehicle_id"],
    )
    await _step(
        place,
        alert["vehicle_id"],
        rule=alert["rule"],
        component=alert["component"],
        episode=alert["episode"],
        step=alert["step"] + 1,
        state=AlertState.ACTIVE,
        severity=Severity.NOW,
    )


async def car_is_well_again(place: Dealership) -> None:
    alert = await _alert(place)
    await _step(
        place,
        alert["vehicle_id"],
        rule=alert["rule"],
        component=alert["component"],
        episode=alert["episode"],
        step=alert["step"] + 1,
        state=AlertState.RESOLVED,
        severity=Severity(alert["severity"]),
    )


async def _alert(place: Dealership) -> Any:
    return await a_row(place, "alerts WHERE dealer_id = $1 AND state = 'active'", place.dealer.id)


async def _step(
    place: Dealership,
    car: int,
    rule: str,
    component: str,
    episode: int,
    step: int,
    state: AlertState,
    severity: Severity,
) -> None:
    now = place.clock()
    moved = AlertStep(
        rule=rule,
        rule_version=1,
        component=component,
        episode=episode,
        step=step,
        state=state,
        severity=severity,
        because="it shows",
        ts=now.timestamp(),
        place=step,
    )
    async with transaction(place.context.pool) as connection:
        await alerts.move(connection, [Moved(place.dealer.id, car, now.timestamp(), moved)], now)


# What advisors do


async def advisor_takes(place: Dealership) -> None:
    await cases.acknowledge(await somebody(place, Role.ADVISOR, Role.MANAGER), await a_case(place, "open"))


async def advisor_hands_on(place: Dealership) -> None:
    to = place.luck.choice(place.staff[Role.ADVISOR])
    await cases.assign(
        await somebody(place, Role.ADVISOR), await a_case(place, "open", "contacted", "booked", "in_workshop"), to
    )


async def advisor_offers(place: Dealership) -> None:
    kind = place.luck.choice((None, None, BookingKind.PICKUP, BookingKind.DROP_OFF, BookingKind.WAITING))
    await offers.make(await somebody(place, Role.ADVISOR), await a_case(place, "open", "open", "contacted"), kind)


async def advisor_withdraws(place: Dealership) -> None:
    await offers.withdraw(await somebody(place, Role.ADVISOR), await _offer(place))


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
    await offers.accept(await somebody(place, Role.ADVISOR), await _offer(place), place.luck.choice((1, 2)))


async def advisor_promises(place: Dealership) -> None:
    at = place.clock() + timedelta(minutes=place.luck.randrange(30, 2000))
    await bookings.promise(
        await somebody(place, Role.ADVISOR), await a_booking(place, "agreed", "arrived", "working"), at
    )


async def advisor_sends_a_tow_truck(place: Dealership) -> None:
    booking = await a_row(
        place, "bookings WHERE dealer_id = $1 AND state = 'agreed' AND kind <> 'tow'", place.dealer.id
    )
    await moving.move_to(await somebody(place, Role.ADVISOR), booking["id"], booking["starts_at"], kind=BookingKind.TOW)


async def advisor_moves_a_visit(place: Dealership) -> None:
    await _move(place, await somebody(place, Role.ADVISOR))


async def owner_moves_by_link(place: Dealership) -> None:
    await _move(place, place.house.as_owner().acting(place.dealer.id, "owner"))


async def _move(place: Dealership, acting: Acting) -> None:
    booking = await a_row(place, "bookings WHERE dealer_id = $1 AND state = 'agreed'", place.dealer.id)
    windows = await bookings.free_windows(
        place.house, place.dealer.id, BookingKind(booking["kind"]), loaner=booking["loaner_id"] is not None
    )
    if windows:
        await moving.move_to(acting, booking["id"], place.luck.choice(windows).window.starts_at)


async def advisor_moves_a_return(place: Dealership) -> None:
    booking = await a_row(place, "bookings WHERE dealer_id = $1 AND state = 'ready'", place.dealer.id)
    await moving.move_to(
        await somebody(place, Role.ADVISOR), booking["id"], place.clock() + timedelta(hours=place.luck.randrange(1, 9))
    )


async def advisor_writes(place: Dealership) -> None:
    await messages.send_waiting(await somebody(place, Role.ADVISOR), await a_booking(place, "arrived", "working"))


async def advisor_gives_a_drive_away(place: Dealership) -> None:
    leg = await a_leg(place)
    await legs.assign(await somebody(place, Role.ADVISOR), leg["id"], place.luck.choice(place.staff[Role.DRIVER]))


async def _offer(place: Dealership) -> int:
    found: int = (await a_row(place, "offers WHERE dealer_id = $1 AND state = 'open'", place.dealer.id))["id"]
    return found


# What owners do


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
    await offers.decline(place.house.as_owner().acting(place.dealer.id, "owner"), await _offer(place))


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


async def car_is_sold(place: Dealership) -> None:
    """To anybody, or to nobody we know; half of the time a car about which something is going on."""
    car = place.luck.choice(place.cars)
    if place.luck.random() < 0.5:
        car = (
            await a_row(place, "cases WHERE dealer_id = $1 AND state NOT IN ('done', 'dismissed')", place.dealer.id)
        )["vehicle_id"]
    to = None if place.luck.random() < 0.2 else place.luck.choice(place.owners)
    await vehicles.update(await somebody(place, Role.ADVISOR), car, {"owner_id": to})


async def car_is_sold_before_its_visit(place: Dealership) -> None:
    visit = await a_row(place, "bookings WHERE dealer_id = $1 AND state = 'agreed'", place.dealer.id)
    to = place.luck.choice(place.owners)
    await vehicles.update(await somebody(place, Role.ADVISOR), visit["vehicle_id"], {"owner_id": to})


async def car_is_sold_by_list(place: Dealership) -> None:
    """The management system's list of the night: the car stands in another owner's line."""
    owner = await a_row(place, "owners WHERE dealer_id = $1 AND phone IS NOT NULL", place.dealer.id)
    car = await a_row(place, "vehicles WHERE dealer_id = $1", place.dealer.id)
    text = (
        f"name,phone,vin,profile,title\n{owner['name']},{owner['phone']},{car['vin']},{car['profile']},{car['title']}\n"
    )
    await owners.import_list(await somebody(place, Role.MANAGER), text)


# What happens on the road and in the workshop


async def driver_takes_the_next_step(place: Dealership) -> None:
    leg = await a_leg(place)
    kind, state = LegKind(leg["kind"]), LegState(leg["state"])
    events = [event for event in LEGS[kind].allowed(state) if event in TEXTS]
    await legs.move(await _driver_of(place, leg), leg["id"], place.luck.choice(events))


async def driver_stands_before_a_car_that_must_not_be_driven(place: Dealership) -> None:
    """It got worse after its collection was agreed, and the driver does as on any day."""
    leg = await a_row(place, _STANDS, place.dealer.id)
    driver = await _driver_of(place, leg)
    if leg["state"] == LegState.PLANNED:
        await legs.move(driver, leg["id"], LegEvent.ON_THE_WAY)
    await legs.move(driver, leg["id"], LegEvent.COLLECTED)


async def driver_turns_back(place: Dealership) -> None:
    leg = await a_leg(place)
    await legs.move(await _driver_of(place, leg), leg["id"], LegEvent.CANCELLED)


async def _driver_of(place: Dealership, leg: Any) -> Acting:
    """Mostly whose drive it is."""
    if leg["driver_id"] and place.luck.random() < 0.9:
        return place.house.acting(place.dealer.id, f"staff:{leg['driver_id']}")
    return await somebody(place, Role.DRIVER)


async def car_arrives(place: Dealership) -> None:
    await bookings.arrive(await somebody(place, Role.ADVISOR, Role.TECHNICIAN), await a_booking(place, "agreed"))


async def technician_begins(place: Dealership) -> None:
    await bookings.start(await somebody(place, Role.TECHNICIAN), await a_booking(place, "arrived"))


async def technician_finds_more(place: Dealership) -> None:
    await estimates.add(
        await somebody(place, Role.TECHNICIAN), await a_booking(place, "arrived", "working"), "Front pads", 18_900
    )


async def technician_is_done(place: Dealership) -> None:
    await bookings.finish(
        await somebody(place, Role.TECHNICIAN), await a_booking(place, "working", "arrived"), "valve replaced"
    )


async def owner_has_the_car_again(place: Dealership) -> None:
    await bookings.hand_over(await somebody(place, Role.ADVISOR), await a_booking(place, "ready"))


# Who works here


async def somebody_leaves(place: Dealership) -> None:
    role = place.luck.choice((Role.ADVISOR, Role.DRIVER))
    await people.disable(the_manager(place), place.luck.choice(place.staff[role]))


async def somebody_is_away(place: Dealership) -> None:
    """For some hours, beginning within the next two days."""
    person = place.luck.choice(place.staff[place.luck.choice((Role.DRIVER, Role.DRIVER, Role.TECHNICIAN))])
    starts = place.clock() + timedelta(hours=place.luck.randrange(0, 48))
    ends = starts + timedelta(hours=place.luck.randrange(2, 30))
    await absences.add(the_manager(place), person, starts_at=starts, ends_at=ends, reason="ill")


async def somebody_is_there_after_all(place: Dealership) -> None:
    gone = await a_row(place, "absences WHERE dealer_id = $1 AND ended_at IS NULL", place.dealer.id)
    await absences.take_back(the_manager(place), gone["id"])


async def somebody_is_back(place: Dealership) -> None:
    person = await a_row(place, "staff WHERE dealer_id = $1 AND disabled_at IS NOT NULL", place.dealer.id)
    await people.enable(the_manager(place), person["id"])


#: How often each is tried, relative to the others.
ACTS: dict[Act, float] = {
    car_reports_a_fault: 10,
    car_gets_worse: 2,
    car_gets_worse_before_its_visit: 3,
    car_is_well_again: 2,
    advisor_takes: 10,
    advisor_hands_on: 2,
    advisor_offers: 14,
    advisor_withdraws: 1,
    advisor_books: 5,
    advisor_cancels: 2,
    advisor_dismisses: 2,
    advisor_reopens: 1,
    customer_rings: 2,
    customer_says_yes_by_telephone: 2,
    advisor_promises: 3,
    advisor_moves_a_visit: 2,
    advisor_sends_a_tow_truck: 1,
    advisor_moves_a_return: 2,
    owner_moves_by_link: 1,
    advisor_writes: 1,
    advisor_gives_a_drive_away: 3,
    owner_answers: 16,
    owner_says_stop: 1,
    owner_declines_by_link: 1,
    owner_cancels_by_link: 1,
    owner_moves_house: 1,
    owner_changes_their_mind: 1,
    car_is_sold: 2.5,
    car_is_sold_before_its_visit: 1.5,
    car_is_sold_by_list: 1,
    driver_takes_the_next_step: 16,
    driver_turns_back: 1,
    car_arrives: 6,
    technician_begins: 7,
    technician_finds_more: 1,
    technician_is_done: 7,
    owner_has_the_car_again: 5,
    driver_stands_before_a_car_that_must_not_be_driven: 3,
    somebody_is_away: 0.5,
    somebody_is_there_after_all: 0.2,
    somebody_leaves: 0.4,
    somebody_is_back: 0.6,
    **handing.ACTS,
    **texting.ACTS,
}
