"""What people do with a case: take it, hand it on, dismiss it, open one when a customer rings."""

from __future__ import annotations

from actions import reviving
from actions.calling_off import call_off, withdraw_open_offer
from actions.context import Acting
from actions.texts import tell_owner
from rules.service.casework import ASK_AFTER, HEALED, contradicted
from schemas.booking import BookingState
from schemas.case import CASE, Case, CaseEvent, CaseState, Confirmation
from schemas.errors import BadInput, Overtaken
from schemas.message import MessageKind, asserts
from schemas.verdict import Severity
from store import accounts, alerts, bookings, cases, fleet, jobs


def staff_id(actor: str) -> int | None:
    """The person behind an actor; a key or an owner is none."""
    kind, _, number = actor.partition(":")
    return int(number) if kind == "staff" and number.isdigit() else None


async def acknowledge(acting: Acting, case_id: int) -> Case:
    """Somebody takes it: from now on it is theirs, and nobody is called any more.

    Taking one's own again changes nothing.
    """
    async with acting.transaction() as connection:
        case = await cases.get(connection, acting.dealer_id, case_id, lock=True)
        own_id = staff_id(acting.actor)
        if case.acknowledged_at is not None and case.assignee_id is not None and own_id is not None:
            if case.assignee_id == own_id:
                return case
            other = await accounts.staff(connection, acting.dealer_id, case.assignee_id)
            raise Overtaken("case", f"{other.name} has taken it")
        now = acting.now()
        return await cases.change(
            connection,
            case,
            what="acknowledged",
            reason="taken",
            actor=acting.actor,
            now=now,
            acknowledged_at=case.acknowledged_at or now,
            assignee_id=own_id or case.assignee_id,
        )


async def assign(acting: Acting, case_id: int, to: int) -> Case:
    """Hand it to a colleague."""
    async with acting.transaction() as connection:
        case = await cases.get(connection, acting.dealer_id, case_id, lock=True)
        person = await accounts.staff(connection, acting.dealer_id, to)
        if person.disabled_at is not None:
            raise BadInput("staff_id", f"{person.name} does not work here any more")
        now = acting.now()
        return await cases.change(
            connection,
            case,
            what="assigned",
            reason=f"to {person.name}",
            actor=acting.actor,
            now=now,
            assignee_id=to,
            acknowledged_at=case.acknowledged_at or now,
        )


async def dismiss(acting: Acting, case_id: int, reason: str, *, tell: bool = True) -> Case:
    """Close it without work, with a reason.

    An open offer is withdrawn and an agreed visit called off with it, and its owner told.
    """
    if not reason.strip():
        raise BadInput("reason", "say why: whoever looks at this car next will want to know")
    async with acting.transaction() as connection:
        case = await cases.get(connection, acting.dealer_id, case_id, lock=True)
        CASE.next(case.state, CaseEvent.DISMISSED)
        await withdraw_open_offer(acting, connection, case, f"the case was dismissed: {reason}")
        booking = await bookings.live_of(connection, acting.dealer_id, case_id)
        if booking is not None and booking.state is BookingState.AGREED:
            await call_off(acting, connection, case=case, booking=booking, reason=reason, tell=tell)
            case = await cases.get(connection, acting.dealer_id, case_id, lock=True)
        dismissed = await cases.move(
            connection, case, CaseEvent.DISMISSED, reason=reason, actor=acting.actor, now=acting.now()
        )
        return dismissed


async def confirm(acting: Acting, case_id: int, how: Confirmation, note: str = "") -> Case:
    """A person says that the repair holds, and how it is known: for a car that cannot show it.

    What the car itself said since then goes before it.
    """
    async with acting.transaction() as connection:
        case = await cases.get(connection, acting.dealer_id, case_id, lock=True)
        CASE.next(case.state, CaseEvent.CONFIRMED)
        car = await fleet.get(connection, acting.dealer_id, case.vehicle_id)
        against = contradicted(case, await alerts.of_case(connection, acting.dealer_id, case_id), car.last_heard_at)
        if against is not None:
            raise Overtaken("case", against)
        now = acting.now()
        reason = f"{HEALED[how]}: {note.strip()}" if note.strip() else HEALED[how]
        done = await cases.move(
            connection, case, CaseEvent.CONFIRMED, reason=reason, actor=acting.actor, now=now, confirmed=how.value
        )
        if how is not Confirmation.OWNER:  # who told us need not be told
            await tell_owner(
                acting,
                connection,
                done,
                MessageKind.ALL_CLEAR,
                asserts=[asserts("case", case_id, CaseState.DONE)],
                how=how.value,
            )
        await jobs.put(connection, acting.dealer_id, "feedback", case_id, due_at=now + ASK_AFTER)
        return done


async def reopen(acting: Acting, case_id: int, reason: str) -> Case:
    """It was dismissed too early."""
    async with acting.transaction() as connection:
        case = await cases.get(connection, acting.dealer_id, case_id, lock=True)
        car = await fleet.get(connection, acting.dealer_id, case.vehicle_id)  # it may have been sold meanwhile
        whose = await reviving.whose(connection, case)  # or have been the task of somebody who left
        opened = await cases.move(
            connection,
            case,
            CaseEvent.REOPENED,
            reason=reason or "reopened",
            actor=acting.actor,
            now=acting.now(),
            owner_id=car.owner_id,
            **whose,
        )
        if opened.acknowledged_at is None:
            dealer = await accounts.dealer(connection, acting.dealer_id)
            await reviving.watch(connection, dealer, opened, acting.now())
        return opened


async def open_by_hand(
    acting: Acting, vehicle_id: int, note: str, severity: Severity = Severity.SOON, title: str = ""
) -> Case:
    """A customer rang: a case without an alert, taken at once by who answered the telephone."""
    async with acting.transaction() as connection:
        car = await fleet.get(connection, acting.dealer_id, vehicle_id)
        now = acting.now()
        case = await cases.create(
            connection,
            acting.dealer_id,
            vehicle_id,
            severity=severity,
            title=title or _first_line(note),
            origin="call",
            owner_id=car.owner_id,
            note=note,
            reason="opened by hand",
            actor=acting.actor,
            now=now,
        )
        return await cases.change(
            connection,
            case,
            what="acknowledged",
            reason="opened by hand",
            actor=acting.actor,
            now=now,
            acknowledged_at=now,
            assignee_id=staff_id(acting.actor),
        )


def _first_line(note: str) -> str:
    line = (note.strip().splitlines() or [""])[0]
    return (line[:77] + "…" if len(line) > 80 else line) or "Customer rang"
