"""How far the first days of a house are, for the page that lists the steps and for the margin of every page."""

from __future__ import annotations

from actions import first_run as acts
from dealer_api import permissions as may
from dealer_api.app_keys import Call
from rules.service.first_run import how_far, left
from schemas.step import How, Step
from store.pool import Connection
from store.views import first_run


async def steps_left(caller: Call, connection: Connection) -> int:
    """For the margin of a manager's pages; nobody else is asked to set up a house, nor is a demo's made-up one."""
    if caller.staff is None or caller.house.demo or not caller.may(may.WRITE_DEALER):
        return 0
    return left(await of(caller, connection))


async def of(caller: Call, connection: Connection) -> dict[Step, How]:
    facts = await first_run.facts(connection, caller.dealer_id, caller.staff.id if caller.staff else 0)
    aside = await first_run.aside(connection, caller.dealer_id)
    return how_far(facts, aside, leaves=bool(acts.ways_out(caller.house)))
