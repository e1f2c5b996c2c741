"""A case that comes to life again: it is not the task of somebody who left meanwhile, and it is watched until it is
taken.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from rules.service.casework import acknowledge_by
from schemas.account import Dealer
from schemas.case import Case
from schemas.moment import minutes_between
from store import accounts, jobs
from store.pool import Connection


async def whose(connection: Connection, case: Case) -> dict[str, Any]:
    """The columns in which a case that ended becomes nobody's, where whoever had it works here no more; else none."""
    if case.assignee_id is None:
        return {}
    person = await accounts.staff(connection, case.dealer_id, case.assignee_id)
    return {} if person.disabled_at is None else {"assignee_id": None, "acknowledged_at": None, "escalated_at": None}


async def watch(connection: Connection, dealer: Dealer, case: Case, now: datetime) -> None:
    """From now on somebody has as long to take it as if it had just come; then the managers hear of it."""
    limit = acknowledge_by(case, dealer)
    if limit is None:
        return
    minutes = minutes_between(case.opened_at, limit)
    await jobs.put(
        connection,
        dealer.id,
        "case_unacknowledged",
        case.id,
        due_at=now + timedelta(minutes=minutes),
        minutes=minutes,
        comebacks=case.comebacks,
    )
