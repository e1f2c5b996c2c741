"""A case that can go on only later rests until then: it leaves the lists of what is to do, and whatever changes it
brings it back before.
"""

from __future__ import annotations

from datetime import datetime

from actions.cases import staff_id
from actions.context import Acting
from schemas.case import Case, CaseState
from schemas.errors import BadInput, IllegalMove
from schemas.moment import local
from schemas.verdict import Severity
from store import accounts, cases


async def rest(acting: Acting, case_id: int, until: datetime | None) -> Case:
    """Until then, or (None) no longer. Whoever lets it rest takes it, if nobody has."""
    async with acting.transaction() as connection:
        case = await cases.get(connection, acting.dealer_id, case_id, lock=True)
        now = acting.now()
        if case.state in (CaseState.DONE, CaseState.DISMISSED):
            raise IllegalMove("case", case.state, "rest", ())
        if until is None:
            return await cases.change(
                connection, case, what="awake", reason="", actor=acting.actor, now=now, snoozed_until=None
            )
        if until <= now:
            raise BadInput("until", "is past already")
        if case.severity is Severity.NOW:
            raise BadInput("until", "a car that must not wait cannot rest")
        dealer = await accounts.dealer(connection, acting.dealer_id)
        return await cases.change(
            connection,
            case,
            what="rests",
            reason=f"until {local(until, dealer.zone):%Y-%m-%d %H:%M}",
            actor=acting.actor,
            now=now,
            snoozed_at=now,
            snoozed_until=until,
            acknowledged_at=case.acknowledged_at or now,
            assignee_id=case.assignee_id or staff_id(acting.actor),
        )
