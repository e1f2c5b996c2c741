"""Who works at the dealership of the month, and who is away."""

from __future__ import annotations

from datetime import timedelta

from actions import absences, people
from proofs.month.dealership import Dealership
from proofs.month.picking import a_row, the_manager
from schemas.account import Role


async def somebody_leaves(place: Dealership) -> None:
    role = place.luck.choice((Role.ADVISOR, Role.DRIVER, Role.DRIVER, Role.TECHNICIAN))
    await people.disable(the_manager(place), place.luck.choice(place.staff[role]))


async def somebody_is_away(place: Dealership) -> None:
    """For some hours, beginning within the next two days."""
    person = place.luck.choice(place.staff[place.luck.choice((Role.DRIVER, Role.DRIVER, Role.TECHNICIAN))])
    starts = place.clock() + timedelta(hours=place.luck.randrange(0, 48))
    ends = starts + timedelta(hours=place.luck.randrange(2, 30))
    await absences.add(the_manager(place), person, starts_at=starts, ends_at=ends, reason="ill")


async def technician_is_away_when_work_is_planned(place: Dealership) -> None:
    """Just then, and somebody else has to do it."""
    planned = await a_row(
        place,
        "(SELECT r.staff_id, lower(s.during) AS since, upper(s.during) AS until FROM slots s JOIN resources r "
        "ON r.dealer_id = s.dealer_id AND r.id = s.resource_id WHERE s.dealer_id = $1 AND s.use = 'labour' "
        "AND s.state = 'booked' AND lower(s.during) > $2) AS planned",
        place.dealer.id,
        place.clock(),
    )
    await absences.add(
        the_manager(place), planned["staff_id"], starts_at=planned["since"], ends_at=planned["until"], reason="ill"
    )


async def technician_is_away_when_they_should_come(place: Dealership) -> None:
    """The way to a car is theirs then, and goes with the work."""
    way = await a_row(
        place,
        "legs WHERE dealer_id = $1 AND kind = 'visit' AND state = 'planned' AND driver_id IS NOT NULL "
        "AND starts_at > $2",
        place.dealer.id,
        place.clock(),
    )
    starts, ends = way["starts_at"] - timedelta(hours=1), way["ends_at"] + timedelta(hours=4)
    await absences.add(the_manager(place), way["driver_id"], starts_at=starts, ends_at=ends, reason="ill")


async def somebody_is_there_after_all(place: Dealership) -> None:
    gone = await a_row(place, "absences WHERE dealer_id = $1 AND ended_at IS NULL", place.dealer.id)
    await absences.take_back(the_manager(place), gone["id"])


async def somebody_is_back(place: Dealership) -> None:
    person = await a_row(place, "staff WHERE dealer_id = $1 AND disabled_at IS NOT NULL", place.dealer.id)
    await people.enable(the_manager(place), person["id"])
