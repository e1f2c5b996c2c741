"""What people, cars and lists do in the month, by who does it: each act picks its subject at random and may be
refused, but never fails.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from proofs.month import handing, mailing, nearing, texting
from proofs.month.acts import advisors, cars, crew, drivers, movers, owners, sales, workshop
from proofs.month.dealership import Dealership

Act = Callable[[Dealership], Awaitable[Any]]

#: How often each is tried, relative to the others.
ACTS: dict[Act, float] = {
    cars.car_reports_a_fault: 10,
    cars.car_gets_worse: 2,
    cars.car_gets_worse_before_its_visit: 3,
    cars.car_is_well_again: 2,
    advisors.advisor_takes: 10,
    advisors.advisor_hands_on: 2,
    advisors.advisor_offers: 14,
    advisors.advisor_withdraws: 1,
    advisors.advisor_books: 5,
    advisors.advisor_cancels: 2,
    advisors.advisor_dismisses: 2,
    advisors.advisor_reopens: 1,
    advisors.customer_rings: 2,
    advisors.customer_says_yes_by_telephone: 2,
    advisors.advisor_promises: 3,
    movers.advisor_moves_a_visit: 2,
    movers.advisor_sends_a_tow_truck: 1,
    movers.advisor_moves_a_return: 2,
    movers.owner_moves_by_link: 1,
    advisors.advisor_writes: 1,
    advisors.advisor_gives_a_drive_away: 3,
    owners.owner_answers: 16,
    owners.owner_says_stop: 1,
    owners.owner_declines_by_link: 1,
    owners.owner_cancels_by_link: 1,
    owners.owner_moves_house: 1,
    owners.owner_changes_their_mind: 1,
    sales.car_is_sold: 2.5,
    sales.car_is_sold_before_its_visit: 1.5,
    sales.car_is_sold_by_list: 1,
    drivers.driver_takes_the_next_step: 16,
    drivers.driver_turns_back: 1,
    advisors.car_arrives: 6,
    workshop.technician_begins: 7,
    workshop.technician_finds_more: 5,
    workshop.technician_needs_it_not: 1,
    workshop.owner_answers_about_more: 6,
    workshop.owner_would_rather_talk: 1,
    workshop.technician_is_done: 7,
    workshop.technician_waits_for_a_part: 2,
    workshop.technician_goes_on: 2,
    advisors.owner_has_the_car_again: 5,
    drivers.driver_stands_before_a_car_that_must_not_be_driven: 3,
    crew.somebody_is_away: 0.5,
    crew.technician_is_away_when_work_is_planned: 0.4,
    crew.technician_is_away_when_they_should_come: 1,
    crew.somebody_is_there_after_all: 0.2,
    crew.somebody_leaves: 0.4,
    crew.somebody_is_back: 0.6,
    **handing.ACTS,
    **texting.ACTS,
    **mailing.ACTS,
    **nearing.ACTS,
}
