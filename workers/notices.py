"""Notices to the dealer's own people, through the same outbox and channels as everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actions import links
from schemas.account import Dealer, Role, Staff
from schemas.alert import Alert
from schemas.case import Case
from schemas.message import MessageKind, Purpose
from store import accounts, fleet, messages
from store.messages import StaffTo
from store.pool import Connection
from workers.context import Context


async def tell(
    context: Context, connection: Connection, case: Case, kind: MessageKind, people: Sequence[Staff], occasion: str, *, alert: Alert | None = None,
    asserts: Sequence[dict[str, Any]] = (), **facts: Any,
) -> int:  # fmt: skip
    """Tell these people about a case, each once per `occasion`; returns how many can be reached."""
    car = await fleet.get(connection, case.dealer_id, case.vehicle_id)
    told = 0
    for person in people:
        to = receiver(context, person)
        if to is None:
            continue
        known = {
            "vehicle": car.title, "plate": car.plate or "", "severity": case.severity.value, "rule": alert.rule if alert else None,
            "component": alert.component if alert else "", "link": links.case(context.desk_url, case.id), **facts,
        }  # fmt: skip
        await messages.queue(
            connection, dealer_id=case.dealer_id, kind=kind, purpose=Purpose.STAFF, to=to, body=context.wording.text(person.language, kind, **known).body,
            asserts=asserts, author="worker", now=context.clock(), case_id=case.id, reference=f"{kind.value}-{case.id}-{occasion}-{person.id}",
        )  # fmt: skip
        told += 1
    return told


async def advisors(connection: Connection, dealer: Dealer) -> list[Staff]:
    """Who takes cases; where there are no advisors, the managers."""
    found = await accounts.staff_of(connection, dealer.id, Role.ADVISOR)
    return found or await managers(connection, dealer)


async def managers(connection: Connection, dealer: Dealer) -> list[Staff]:
    """Who is told when nobody acts."""
    return await accounts.staff_of(connection, dealer.id, Role.MANAGER)


def receiver(context: Context, person: Staff) -> StaffTo | None:
    """By telephone where we know the number, else by mail."""
    if context.staff_channel != "email" and person.phone:
        return StaffTo(person.id, context.staff_channel, person.phone, person.language)
    return StaffTo(person.id, "email", person.email, person.language) if person.email else None
