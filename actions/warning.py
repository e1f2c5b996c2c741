"""What a person does where no text can: they ring the owner of a car that must not be driven on."""

from __future__ import annotations

from actions.cases import staff_id
from actions.context import Acting
from rules.service import safety
from schemas.case import Case
from schemas.errors import BadInput, Overtaken
from store import accounts, alerts, cases, fleet, spoken_warnings

KNOWS = "owner knows"  #: in a case's history


async def rang(acting: Acting, case_id: int) -> Case:
    """The owner was told on the telephone, and knows: no text says the same again, and the desk shows since when.

    Overtaken when nothing forbids to drive on (any more); BadInput when nobody is known whom one could have rung.
    """
    async with acting.transaction() as connection:
        case = await cases.get(connection, acting.dealer_id, case_id, lock=True)
        barred = [
            alert
            for alert in await alerts.of_case(connection, acting.dealer_id, case_id)
            if safety.bars(alert) and not alert.shadow
        ]
        if not barred:
            raise Overtaken("case", "nothing forbids to drive this car on any more")
        owner_id = (await fleet.get(connection, acting.dealer_id, case.vehicle_id)).owner_id
        if owner_id is None:
            raise BadInput("owner", "nobody is known as the owner of this car")
        now, by = acting.now(), staff_id(acting.actor)
        await spoken_warnings.add(
            connection,
            acting.dealer_id,
            case_id=case_id,
            owner_id=owner_id,
            alert_ids=[alert.id for alert in barred],
            staff_id=by,
            now=now,
        )
        who = "a program" if by is None else (await accounts.staff(connection, acting.dealer_id, by)).name
        return await cases.change(
            connection, case, what=KNOWS, reason=f"{who} rang: {barred[-1].because}", actor=acting.actor, now=now
        )
