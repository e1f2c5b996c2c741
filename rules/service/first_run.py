"""How far the first days of a house are: of each step, and how many are left. Pure."""

from __future__ import annotations

from collections.abc import Collection

from schemas.step import Facts, How, Step


def how_far(facts: Facts, aside: Collection[str], *, leaves: bool) -> dict[Step, How]:
    """Each step. `leaves`: texts or mails can leave the house. What is done is done, aside or not."""
    found = {
        Step.HOURS: How.DONE if facts.hours_saved else How.NOT_YET,
        Step.PEOPLE: _people(facts.joined, facts.invited),
        Step.BAYS: How.DONE if facts.bays else How.NOT_YET,
        Step.DRIVER: _people(facts.drivers, facts.drivers_invited),
        Step.OWNERS: How.NOT_YET if not facts.owners else How.DONE if facts.cars else How.NO_CARS,
        Step.CAR: _car(facts),
        Step.TEXT: _text(facts.text_state, leaves),
    }
    return {step: How.ASIDE if step in aside and how is not How.DONE else how for step, how in found.items()}


def left(steps: dict[Step, How]) -> int:
    """How many are neither done nor put aside."""
    return sum(how not in (How.DONE, How.ASIDE) for how in steps.values())


def _people(joined: int, invited: int) -> How:
    return How.DONE if joined else How.INVITED if invited else How.NOT_YET


def _car(facts: Facts) -> How:
    if facts.heard:
        return How.DONE
    if facts.enrolled:
        return How.NOT_HEARD
    return How.NOT_ENROLLED if facts.cars else How.NOT_YET


def _text(state: str | None, leaves: bool) -> How:
    match state:
        case "sent" | "delivered":
            return How.DONE
        case _ if not leaves:
            return How.NO_WAY_OUT
        case None:
            return How.NOT_YET
        case "failed" | "cancelled":
            return How.FAILED
        case _:
            return How.ON_ITS_WAY
