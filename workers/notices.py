"""Notices to the dealer's own people, through the same outbox and channels as everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actions import links, outbox, recipients
from schemas.account import Dealer, Role, Staff
from schemas.alert import Alert
from schemas.case import Case
from schemas.message import Draft, MessageKind, Purpose
from store import accounts, fleet
from store.pool import Connection
from workers.context import Context


async def tell(
    context: Context,
    connection: Connection,
    case: Case,
    kind: MessageKind,
    people: Sequence[Staff],
    occasion: str,
    *,
    alert: Alert | None = None,
    asserts: Sequence[dict[str, Any]] = (),
    **facts: Any,
) -> int:
    """Tell these people about a case, each once per `occasion`; returns how many can be reached."""
    car = await fleet.get(connection, case.dealer_id, case.vehicle_id)
    known = {
        "vehicle": car.title,
        "plate": car.plate or "",
        "severity": case.severity.value,
        "rule": alert.rule if alert else None,
        "component": alert.component if alert else "",
        "link": links.case(context.desk_url, case.id),
        **facts,
    }
    return await to_each(
        context,
        connection,
        people,
        case.dealer_id,
        kind,
        f"{case.id}-{occasion}",
        case_id=case.id,
        asserts=asserts,
        **known,
    )


async def to_each(
    context: Context,
    connection: Connection,
    people: Sequence[Staff],
    dealer_id: int,
    kind: MessageKind,
    occasion: str,
    /,
    *,
    case_id: int | None,
    asserts: Sequence[dict[str, Any]] = (),
    **facts: Any,
) -> int:
    """The same words to each of them, once per `occasion`, in their own language; returns how many can be reached."""
    told = 0
    for person in people:
        to = recipients.staff(person, context.staff_channels)
        if to is None:
            continue
        draft = Draft(
            dealer_id=dealer_id,
            to=to,
            kind=kind,
            purpose=Purpose.STAFF,
            author="worker",
            case_id=case_id,
            asserts=asserts,
            reference=f"{kind.value}-{occasion}-{person.id}",
        )
        await outbox.queue(connection, context.wording, draft, context.clock(), **facts)
        told += 1
    return told


async def responsible(connection: Connection, case: Case) -> list[Staff]:
    """Whoever has taken the case and works here; where nobody has, all who take cases."""
    people = await advisors(connection, await accounts.dealer(connection, case.dealer_id))
    mine = [] if case.assignee_id is None else [await accounts.staff(connection, case.dealer_id, case.assignee_id)]
    return [person for person in mine if person.disabled_at is None] or people


async def advisors(connection: Connection, dealer: Dealer) -> list[Staff]:
    """Who takes cases; where there are no advisors, the managers."""
    found = await accounts.staff_of(connection, dealer.id, Role.ADVISOR)
    return found or await managers(connection, dealer)


async def managers(connection: Connection, dealer: Dealer) -> list[Staff]:
    """Who is told when nobody acts."""
    return await accounts.staff_of(connection, dealer.id, Role.MANAGER)
