"""Lateness is an event: before a promise breaks our people hear of it, then its owner; a customer who does not come is
rung.
"""

from __future__ import annotations

from typing import Any

from actions import links, outbox, promises, recipients
from actions.bookings import locked
from rules.service import permission
from rules.service import promises as rules
from rules.service.travel import HANDOVER, set_out_by
from schemas.booking import Booking
from schemas.case import Case, CaseState
from schemas.message import Draft, MessageKind, Purpose, asserts
from schemas.promise import Promise, PromiseEvent, PromiseState
from store import accounts, bookings, consents, owners, pickups
from store import promises as ledger
from store.pool import Connection, transaction
from workers import notices
from workers.context import Context


async def promises_once(context: Context) -> int:
    """Act on every promise that presses, a visit a transaction. Returns how many notices, texts and ends there were."""
    now = context.clock()
    async with transaction(context.pool) as connection:
        visits = await ledger.pressing(connection, now, HANDOVER)
        visits += await ledger.without(connection)
    done = 0
    for dealer_id, booking_id in visits:
        async with transaction(context.pool) as connection:
            done += await _visit(context, connection, dealer_id, booking_id)
    return done


async def _visit(context: Context, connection: Connection, dealer_id: int, booking_id: int) -> int:
    case, _ = await locked(connection, dealer_id, booking_id)
    now, done = context.clock(), 0
    dealer = await accounts.dealer(connection, dealer_id)
    booking, rows, stands = await promises.settle(connection, dealer_id, booking_id, now)
    for row in rows:
        act = (
            rules.due(row, stands[row.what], booking=booking, dealer=dealer, now=now)
            if row.state is PromiseState.OPEN and row.what in stands
            else None
        )
        done += act is not None
        match act:
            case rules.Act.WARN:
                await _warn(
                    context, connection, case=case, booking=booking, row=row, ring=await _out_of_reach(connection, case)
                )
                await ledger.warned(connection, row, now)
            case rules.Act.TELL:
                await _tell(context, connection, case=case, booking=booking, row=row, begun=stands[row.what].begun)
            case rules.Act.BREAK:
                await ledger.end(connection, row, PromiseEvent.BROKEN, now)
            case rules.Act.VOID:
                await ledger.end(connection, row, PromiseEvent.VOID, now)
            case rules.Act.MISSED:
                await _missed(context, connection, case=case, booking=booking, row=row)
                await ledger.end(connection, row, PromiseEvent.BROKEN, now)
                await ledger.warned(connection, row, now)
    return done


async def _tell(
    context: Context, connection: Connection, case: Case, booking: Booking, row: Promise, *, begun: bool
) -> None:
    """One short true text; where none can reach them our people are asked to ring."""
    now = context.clock()
    if await _out_of_reach(connection, case):
        if row.warned_at is None:  # else they were asked to ring ten minutes ago
            await _warn(context, connection, case=case, booking=booking, row=row, ring=True)
            await ledger.warned(connection, row, now)
        await ledger.told(connection, row, None, must_ring=True)
        return
    assert case.owner_id is not None
    owner, dealer = (
        await owners.get(connection, case.dealer_id, case.owner_id),
        await accounts.dealer(connection, case.dealer_id),
    )
    to = recipients.owner(owner)
    assert to is not None
    draft = Draft(
        dealer_id=case.dealer_id,
        to=to,
        kind=MessageKind.LATE,
        purpose=Purpose.STATUS,
        author="worker",
        case_id=case.id,
        asserts=[asserts("promise", row.id, PromiseState.OPEN, PromiseState.BROKEN)],
        reference=f"late-{row.id}",
    )
    await outbox.queue(
        connection,
        context.wording,
        draft,
        now,
        dealer=dealer.name,
        promised=row.what.value,
        due_at=row.due_at,
        zone=booking.zone,
        reader_zone=owner.zone,
        now=now,
        **({"template": "begun"} if begun else {}),
    )
    await bookings.heard(connection, booking, now)
    await ledger.told(connection, row, now, must_ring=False)


async def _warn(
    context: Context, connection: Connection, case: Case, booking: Booking, row: Promise, *, ring: bool
) -> None:
    """Who has the case, else all advisors; and whoever drives, for they can still set out."""
    leg = None if row.leg_id is None else await pickups.get(connection, case.dealer_id, row.leg_id)
    facts = await _facts(context, connection, case=case, booking=booking, row=row) | ({"ring": "yes"} if ring else {})
    if leg is not None and (leaves := set_out_by(leg)) is not None and leaves >= context.clock():
        facts |= {"leaves": leaves}
    asserted, occasion = [asserts("promise", row.id, PromiseState.OPEN)], f"promise-{row.id}"
    await notices.tell(
        context,
        connection,
        case=case,
        kind=MessageKind.STAFF_LATE,
        people=await notices.responsible(connection, case),
        occasion=occasion,
        asserts=asserted,
        **facts,
    )
    driver = (
        None
        if leg is None or leg.driver_id is None
        else await accounts.staff(connection, case.dealer_id, leg.driver_id)
    )
    if driver is not None and driver.disabled_at is None:
        facts |= {"link": links.drives(context.desk_url)}
        await notices.tell(
            context,
            connection,
            case=case,
            kind=MessageKind.STAFF_LATE,
            people=[driver],
            occasion=occasion,
            asserts=asserted,
            **facts,
        )


async def _missed(context: Context, connection: Connection, case: Case, booking: Booking, row: Promise) -> None:
    facts = await _facts(context, connection, case=case, booking=booking, row=row) | {
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
    }
    await notices.tell(
        context,
        connection,
        case=case,
        kind=MessageKind.STAFF_MISSED,
        people=await notices.responsible(connection, case),
        occasion=f"promise-{row.id}",
        asserts=[asserts("case", case.id, CaseState.BOOKED)],
        **facts,
    )


async def _out_of_reach(connection: Connection, case: Case) -> bool:
    """Whether a text about their visit could not go to the owner, now or later."""
    if case.owner_id is None:
        return True
    owner = await owners.get(connection, case.dealer_id, case.owner_id)
    agreed = await consents.of_owner(connection, case.dealer_id, owner.id)
    return recipients.owner(owner) is None or permission.refused(Purpose.STATUS, owner, agreed) is not None


async def _facts(
    context: Context, connection: Connection, case: Case, booking: Booking, row: Promise
) -> dict[str, Any]:
    owner = None if case.owner_id is None else await owners.get(connection, case.dealer_id, case.owner_id)
    return {
        "owner": owner.name if owner else "?",
        "phone": (owner.phone if owner else None) or "",
        "promised": row.what.value,
        "due_at": row.due_at,
        "zone": booking.zone,
        "now": context.clock(),
        "link": links.another_time(context.desk_url, booking.id),
    }
