"""From alerts to work: a case is opened, joined or reopened, and the people who must know are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from actions import reviving
from monitoring import tracing
from rules.service import safety as decided
from rules.service.casework import (
    CameBack,
    JoinsCase,
    OpensCase,
    case_for,
    severity_of,
    worse_than_dismissed,
)
from schemas.account import Dealer
from schemas.alert import Alert, AlertState, AlertStep
from schemas.case import Case, CaseEvent, CaseState
from schemas.errors import NotFound
from schemas.message import MessageKind, asserts
from schemas.verdict import Severity
from store import accounts, alerts, cases, fleet, jobs
from store.jobs import Job
from store.pool import Connection
from workers import notices, safety, undrivable
from workers.context import Context

ACTOR = "car"
_TOLD = (Severity.SOON, Severity.NOW)  #: advice waits in the queue until somebody looks
_STANDING = ("open", "contacted", "booked", "in_workshop")


async def alert_moved(context: Context, connection: Connection, job: Job) -> None:
    """An alert became active, more or less severe, resolved or withdrawn."""
    alert = await alerts.one(connection, job.dealer_id, job.subject_id)
    if alert.shadow:
        return
    if alert.state is AlertState.ACTIVE:
        late = bool(job.payload.get("late"))
        # one word was said for all of them (workers/promoted_rules.py)
        one_of_many = bool(job.payload.get("after_trial")) and alert.severity is not Severity.NOW
        await _active(
            context, connection, alert, late=late or one_of_many, steps=await alerts.steps_of(connection, alert)
        )
        await safety.stepped(
            context, connection, await alerts.one(connection, job.dealer_id, job.subject_id), late=late
        )
        await safety.eased(context, connection, await alerts.one(connection, job.dealer_id, job.subject_id))
        about = (await alerts.one(connection, job.dealer_id, job.subject_id)).case_id
        if about is not None:
            await undrivable.look(context, connection, job.dealer_id, about)
    elif alert.case_id is not None:
        await _over(context, connection, alert)
        await safety.ended(context, connection, alert)


async def _active(
    context: Context, connection: Connection, alert: Alert, *, late: bool, steps: Sequence[AlertStep]
) -> None:
    now, dealer = context.clock(), await accounts.dealer(connection, alert.dealer_id)
    open_case = await cases.open_of(connection, alert.dealer_id, alert.vehicle_id, lock=True)
    if alert.case_id is not None:
        if open_case is not None and open_case.id == alert.case_id:
            await _weigh(context, connection, dealer=dealer, case=open_case, alert=alert, late=late)
            if not late and decided.confirmed(steps):  # it came as history and nobody was told
                await _notify(
                    context,
                    connection,
                    dealer=dealer,
                    case=await cases.get(connection, alert.dealer_id, open_case.id),
                    alert=alert,
                )
        elif worse_than_dismissed(
            await cases.get(connection, alert.dealer_id, alert.case_id), steps, alert.received_at
        ):
            await _again(context, connection, dealer=dealer, alert=alert, open_case=open_case, now=now, late=late)
        return  # else the very episode that a repaired case was about: its proof, or a new episode, will tell
    repaired = await cases.newest_repaired(connection, alert.dealer_id, alert.vehicle_id)
    about = open_case if open_case is not None and open_case.state is CaseState.VERIFYING else repaired
    faults = await cases.faults_of(connection, alert.dealer_id, about.id) if about is not None else []
    belongs = case_for(alert, open_case, repaired=repaired, repaired_faults=faults, now=now)
    match belongs:
        case OpensCase():
            await _open(context, connection, dealer=dealer, alert=alert, belongs=belongs, now=now, late=late)
        case JoinsCase():
            await alerts.attach(connection, alert.dealer_id, alert.id, belongs.case_id)
            assert open_case is not None
            await _weigh(context, connection, dealer=dealer, case=open_case, alert=alert, late=late)
        case CameBack():
            await _comeback(context, connection, dealer=dealer, alert=alert, belongs=belongs, now=now)


async def _open(
    context: Context,
    connection: Connection,
    dealer: Dealer,
    alert: Alert,
    belongs: OpensCase,
    now: datetime,
    *,
    late: bool,
) -> None:
    car = await fleet.get(connection, alert.dealer_id, alert.vehicle_id)
    with tracing.span(
        "case.opened", alert=alert.id, vehicle=alert.vehicle_id, dealer=dealer.id, severity=belongs.severity.value
    ) as note:
        case = await cases.create(
            connection,
            alert.dealer_id,
            alert.vehicle_id,
            severity=belongs.severity,
            title=_title(context, dealer, alert),
            origin="alert",
            owner_id=car.owner_id,
            reason=belongs.because,
            actor=ACTOR,
            now=now,
        )
        note("case", case.id)
        await alerts.attach(connection, alert.dealer_id, alert.id, case.id)
        if not late:
            await _notify(context, connection, dealer=dealer, case=case, alert=alert)


async def _weigh(
    context: Context, connection: Connection, dealer: Dealer, case: Case, alert: Alert, *, late: bool
) -> None:
    """The case is as urgent as its most urgent alert; people hear of it when it gets worse, not when it gets better."""
    severity = severity_of(await alerts.of_case(connection, case.dealer_id, case.id), case.severity)
    if severity is case.severity:
        if alert.case_id is None:
            await cases.change(
                connection, case, what="joined", reason=f"also: {alert.because}", actor=ACTOR, now=context.clock()
            )
        return
    worse = severity.rank > case.severity.rank
    columns = {"severity": severity.value} | ({"title": _title(context, dealer, alert)} if worse else {})
    changed = await cases.change(
        connection,
        case,
        what=f"severity {severity.value}",
        reason=alert.because,
        actor=ACTOR,
        now=context.clock(),
        **columns,
    )
    if worse and not late:
        await _notify(context, connection, dealer=dealer, case=changed, alert=alert)


async def _again(
    context: Context,
    connection: Connection,
    dealer: Dealer,
    alert: Alert,
    open_case: Case | None,
    now: datetime,
    *,
    late: bool,
) -> None:
    """Its case was dismissed, and it has got worse than it was then: the case is opened again, or the car's open
    one takes it in.
    """
    assert alert.case_id is not None
    if open_case is not None:
        await alerts.attach(connection, alert.dealer_id, alert.id, open_case.id)
        await _weigh(context, connection, dealer=dealer, case=open_case, alert=alert, late=late)
        return
    case = await cases.get(connection, alert.dealer_id, alert.case_id, lock=True)
    car = await fleet.get(connection, alert.dealer_id, alert.vehicle_id)  # it may have been sold meanwhile
    case = await cases.move(
        connection,
        case,
        CaseEvent.REOPENED,
        reason=f"worse than when it was dismissed: {alert.because}",
        actor=ACTOR,
        now=now,
        owner_id=car.owner_id,
        severity=alert.severity.value,
        title=_title(context, dealer, alert),
        **(await reviving.whose(connection, case) | {"acknowledged_at": None, "escalated_at": None}),
    )
    if not late:
        await _notify(context, connection, dealer=dealer, case=case, alert=alert, occasion=f"again{alert.step}")


async def _comeback(
    context: Context, connection: Connection, dealer: Dealer, alert: Alert, belongs: CameBack, now: datetime
) -> None:
    """The dealer is told first; the owner hears nothing until a person acts, unless the car must not be driven on."""
    case = await cases.get(connection, alert.dealer_id, belongs.case_id, lock=True)
    car = await fleet.get(connection, alert.dealer_id, alert.vehicle_id)  # it may have been sold since the repair
    case = await cases.move(
        connection,
        case,
        CaseEvent.CAME_BACK,
        reason=belongs.because,
        actor=ACTOR,
        now=now,
        comebacks=case.comebacks + (1 if belongs.same else 0),
        severity=belongs.severity.value,
        title=_title(context, dealer, alert),
        proof=None,
        owner_id=car.owner_id,
        **(await reviving.whose(connection, case) | {"acknowledged_at": None, "escalated_at": None}),
    )
    await alerts.attach(connection, alert.dealer_id, alert.id, case.id)
    people = {
        person.id: person
        for person in (*await notices.advisors(connection, dealer), *await notices.managers(connection, dealer))
    }
    kind = MessageKind.STAFF_COMEBACK if belongs.same else MessageKind.STAFF_ALERT
    await notices.tell(
        context,
        connection,
        case=case,
        kind=kind,
        people=list(people.values()),
        occasion=f"alert{alert.id}",
        alert=alert,
    )
    await reviving.watch(connection, dealer, case, now)


async def _notify(
    context: Context, connection: Connection, dealer: Dealer, case: Case, alert: Alert, occasion: str = ""
) -> None:
    """`soon` and `now` reach people who are not looking; whoever has taken the case is told alone."""
    if case.severity not in _TOLD:
        return
    people = await notices.advisors(connection, dealer)
    mine = [person for person in people if person.id == case.assignee_id]
    occasion = f"alert{alert.id}-{case.severity.value}{occasion}"
    standing = asserts("case", case.id, *_STANDING)
    await notices.tell(
        context,
        connection,
        case=case,
        kind=MessageKind.STAFF_ALERT,
        people=mine or people,
        occasion=occasion,
        alert=alert,
        asserts=[standing],
    )
    if case.acknowledged_at is None:
        await reviving.watch(connection, dealer, case, context.clock())


async def unacknowledged(context: Context, connection: Connection, job: Job) -> None:
    """The limit is over: if nobody took it, the managers hear of it, once."""
    case = await _case(connection, job)
    if (
        case is None
        or case.state is not CaseState.OPEN
        or case.acknowledged_at is not None
        or case.escalated_at is not None
    ):
        return
    if case.comebacks != job.payload.get("comebacks", 0):
        return  # it came back meanwhile and has a limit of its own
    dealer = await accounts.dealer(connection, case.dealer_id)
    minutes = int(job.payload.get("minutes", 0))
    people = await notices.managers(connection, dealer) or await notices.advisors(connection, dealer)
    found = await alerts.of_case(connection, case.dealer_id, case.id)
    worst = max(found, key=lambda alert: (alert.severity.rank, alert.id), default=None)
    told = await notices.tell(
        context,
        connection,
        case=case,
        kind=MessageKind.STAFF_ESCALATION,
        people=people,
        occasion=f"{case.comebacks}-{case.severity.value}",
        alert=worst,
        minutes=minutes,
        asserts=[asserts("case", case.id, CaseState.OPEN)],
    )
    reason = (
        f"nobody took it within {minutes} minutes: {told} told"
        if told
        else f"nobody took it within {minutes} minutes, and there is nobody to tell"
    )
    await cases.change(
        connection,
        case,
        what="escalated",
        reason=reason,
        actor="worker",
        now=context.clock(),
        escalated_at=context.clock(),
    )


async def _over(context: Context, connection: Connection, alert: Alert) -> None:
    """Resolved or withdrawn.

    A case whose readings were all rejected has no reason to be; a repaired one may be proved now.
    """
    assert alert.case_id is not None
    case = await cases.get(connection, alert.dealer_id, alert.case_id, lock=True)
    if case.state is CaseState.VERIFYING:
        await jobs.put(connection, case.dealer_id, "proof", case.id, due_at=context.clock())
        return
    if case.state in (CaseState.DONE, CaseState.DISMISSED):
        return
    found = await alerts.of_case(connection, case.dealer_id, case.id)
    if case.origin == "alert" and case.state is CaseState.OPEN and all(a.state is AlertState.WITHDRAWN for a in found):
        await cases.move(
            connection,
            case,
            CaseEvent.DISMISSED,
            reason=alert.because,
            actor="worker",
            now=context.clock(),
        )
        return
    severity = severity_of(found, case.severity)
    columns = {} if severity is case.severity else {"severity": severity.value}
    await cases.change(
        connection,
        case,
        what=f"alert {alert.state.value}",
        reason=alert.because,
        actor=ACTOR,
        now=context.clock(),
        **columns,
    )


async def _case(connection: Connection, job: Job) -> Case | None:
    try:
        return await cases.get(connection, job.dealer_id, job.subject_id, lock=True)
    except NotFound:
        return None


def _title(context: Context, dealer: Dealer, alert: Alert) -> str:
    title = context.wording.what(dealer.language, alert.rule, alert.component, alert.severity.value)
    return title[:1].upper() + title[1:]
