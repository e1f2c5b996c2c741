"""After the repair: the car proves it, the owner gets the all-clear, and is asked once how it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from actions import links, outbox, recipients
from rules.engine import repair_verification
from rules.engine.repair_verification import Disproved, Proved
from rules.service import healing
from rules.service.casework import ASK_AFTER
from schemas.alert import Alert
from schemas.case import Case, CaseEvent, CaseState
from schemas.correction import ReadAs, in_force, reread
from schemas.errors import NotFound
from schemas.message import Draft, MessageKind, Purpose, asserts
from schemas.moment import from_epoch
from schemas.reading import Mark, Reading
from store import (
    accounts,
    alerts,
    cases,
    corrections,
    feedback,
    fleet,
    history,
    jobs,
    owners,
    readings,
    secrets,
    sweeps,
)
from store.jobs import Job
from store.pool import Connection
from store.views import vehicles_page
from workers.context import Context

_NOT_WHILE_UPSET = timedelta(hours=6)  #: an unread text may be a complaint: a person reads it before we ask anything
_MOST_ASKS = 8
_OPEN_FOR = timedelta(days=30)  #: a question that nobody answered by then is not asked any more
NOT_HEALED = "not healed yet"
_PAGE = 2000
_FAR = timedelta(days=400)  #: a wrong clock may date a row ahead


async def prove(context: Context, connection: Connection, job: Job) -> None:
    """Look at what the car has said since the repair."""
    try:
        case = await cases.get(connection, job.dealer_id, job.subject_id, lock=True)
    except NotFound:
        return
    await check(context, connection, case)


async def check(context: Context, connection: Connection, case: Case) -> repair_verification.Answer | None:
    """Close the case if its own proof is there. None when there is nothing to verify."""
    if case.state is not CaseState.VERIFYING or case.repaired_at is None:
        return None
    since = await _since_repair(context, connection, case)
    answer = repair_verification.check(case.proof or [], since)
    if isinstance(answer, Disproved):
        await _say_once(context, connection, case, answer.because)
    if not isinstance(answer, Proved):
        return answer
    now = context.clock()
    done = await cases.move(
        connection,
        case,
        CaseEvent.PROVED,
        reason=answer.because,
        actor="car",
        now=now,
        healing=await _healing(connection, case, since),
    )
    await _all_clear(context, connection, done)
    await jobs.put(connection, case.dealer_id, "feedback", case.id, due_at=now + ASK_AFTER)
    return answer


async def ask(context: Context, connection: Connection, job: Job) -> timedelta | None:
    """The one question. Returns how long to wait when now is not the time."""
    try:
        case = await cases.get(connection, job.dealer_id, job.subject_id, lock=True)
    except NotFound:
        return None
    if case.state is not CaseState.DONE or case.comebacks or case.owner_id is None:
        return None  # a comeback is a complaint that the car made: we do not ask how it was
    if await sweeps.has_unread(connection, case.dealer_id, case.owner_id):
        return _NOT_WHILE_UPSET if job.attempts < _MOST_ASKS else None
    now = context.clock()
    if await feedback.ask(connection, case.dealer_id, case_id=case.id, owner_id=case.owner_id, now=now):
        await _tell(
            context,
            connection,
            case=case,
            kind=MessageKind.FEEDBACK,
            purpose=Purpose.SURVEY,
            link=await _question(context, connection, case),
        )
    return None


async def _question(context: Context, connection: Connection, case: Case) -> str | None:
    """The page with the question, for those who would rather tap than type; None when owners cannot reach us by
    link.
    """
    if not context.desk_url:
        return None
    token = await secrets.make(
        connection,
        case.dealer_id,
        "feedback",
        now=context.clock(),
        expires_at=context.clock() + _OPEN_FOR,
        owner_id=case.owner_id,
        vehicle_id=case.vehicle_id,
        subject_id=case.id,
    )
    return links.secret(context.desk_url, "feedback", token)


async def _say_once(context: Context, connection: Connection, case: Case, because: str) -> None:
    """The readings speak against the repair; whether it is a comeback, the rule with its hold decides."""
    told = await history.of(connection, case.dealer_id, "case", case.id)
    if told and told[-1].new == NOT_HEALED:
        return
    await history.write(
        connection,
        case.dealer_id,
        "case",
        case.id,
        old=case.state.value,
        new=NOT_HEALED,
        reason=because,
        actor="car",
        now=context.clock(),
    )


async def _all_clear(context: Context, connection: Connection, case: Case) -> None:
    found = await alerts.of_case(connection, case.dealer_id, case.id)
    worst = max(found, key=lambda alert: (alert.severity.rank, alert.id), default=None)
    await _tell(context, connection, case=case, kind=MessageKind.ALL_CLEAR, purpose=Purpose.STATUS, alert=worst)


async def _tell(
    context: Context,
    connection: Connection,
    case: Case,
    kind: MessageKind,
    purpose: Purpose,
    alert: Alert | None = None,
    **facts: str | None,
) -> None:
    """A text to the owner of the case; nobody to tell is no error."""
    if case.owner_id is None:
        return
    owner = await owners.get(connection, case.dealer_id, case.owner_id)
    to = recipients.owner(owner)
    if to is None:
        return
    dealer = await accounts.dealer(connection, case.dealer_id)
    car = await fleet.get(connection, case.dealer_id, case.vehicle_id)
    draft = Draft(
        dealer_id=case.dealer_id,
        to=to,
        kind=kind,
        purpose=purpose,
        author="worker",
        case_id=case.id,
        asserts=[asserts("case", case.id, CaseState.DONE)],
        reference=f"{kind.value}-{case.id}-{case.comebacks}",
    )
    await outbox.queue(
        connection,
        context.wording,
        draft,
        context.clock(),
        dealer=dealer.name,
        which=await fleet.which(connection, car),
        vehicle=car.title,
        rule=alert.rule if alert else None,
        component=alert.component if alert else "",
        severity=case.severity.value,
        **facts,
    )


async def _since_repair(context: Context, connection: Connection, case: Case) -> list[Reading]:
    assert case.repaired_at is not None
    rows: list[Reading] = []
    after = None
    while True:
        page = await readings.page(
            connection,
            case.dealer_id,
            vehicle_id=case.vehicle_id,
            since=case.repaired_at,
            until=context.clock() + _FAR,
            after=after,
            limit=_PAGE,
        )
        rows += [row for row in page if not row.mark & (Mark.TAKEN_BACK | Mark.TAKES_BACK | Mark.REREAD)]
        if len(page) < _PAGE:
            break
        last = page[-1]
        after = (from_epoch(last.ts), last.boot, last.seq)
    units = await corrections.of_vehicle(connection, case.dealer_id, case.vehicle_id)
    return [_read(row, in_force(units, from_epoch(row.received_at))) for row in rows] if units else rows


async def _healing(connection: Connection, case: Case, since: list[Reading]) -> dict[str, Any] | None:
    """The picture of it: what was measured before the repair, and what has proved it."""
    demand = healing.wanted(case.proof or [])
    if demand is None or case.repaired_at is None:
        return None
    signal = demand["signals"][0]
    before = await vehicles_page.values(
        connection,
        case.dealer_id,
        vehicle_id=case.vehicle_id,
        signal_id=signal,
        since=case.repaired_at - healing.BEFORE,
        until=case.repaired_at,
    )
    units = await corrections.of_vehicle(connection, case.dealer_id, case.vehicle_id)
    unit = in_force(units, case.repaired_at).get(signal)
    after = [(row.ts, value) for row in since for number, value in zip(row.ids, row.values) if number == signal]
    found = healing.picture(demand, [(ts, unit.read(v)) for ts, v in before] if unit else before, after)
    return None if found is None else found.model_dump(mode="json", exclude_none=True)


def _read(row: Reading, read_as: ReadAs) -> Reading:
    """As the rules have read it."""
    return replace(row, values=reread(row.ids, row.values, read_as)) if read_as else row
