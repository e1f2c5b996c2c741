"""Where a car must not be driven on, its owner hears it by themselves, and hears when it is over; where no text can
leave, a person rings at once.

What was history is told when live readings show the same (`rules.engine.alert_state.stands_now`): the alert's step is
not late then.

Part of the work that an alert's step makes: the text is saved in the transaction in which the alert gets its case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from actions import outbox, recipients
from actions.unreached import OTHER_WAY
from rules.catalogue import about_the_car
from rules.service import driving, safety
from rules.service.opening import open_times
from rules.service.ownership import with_us
from rules.service.permission import refused
from rules.service.safety import CAME, Ring, Tell, Warned
from schemas.account import Dealer
from schemas.alert import Alert, AlertState, AlertStep
from schemas.case import Case
from schemas.consent import Owner
from schemas.message import Draft, Message, MessageKind, OwnerRecipient, Purpose, asserts
from schemas.vehicle import Vehicle
from schemas.verdict import Severity
from store import accounts, alerts, bookings, cases, consents, fleet, messages, owners, pickups, spoken_warnings
from store.jobs import Job
from store.pool import Connection
from store.spoken_warnings import Spoken
from workers import notices
from workers.context import Context

UNAWARE = "the owner does not know yet that it must not be driven on"
_AHEAD = timedelta(days=14)  #: so far we look for the hour at which somebody can be rung


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is decided from."""

    dealer: Dealer
    case: Case
    car: Vehicle
    owner: Owner | None
    ways: Sequence[OwnerRecipient]
    alerts: Sequence[Alert]  #: of the case, oldest first
    texts: Sequence[Message]  #: about danger, to this owner, about this case, oldest first
    standing: Sequence[Message]
    spoken: Sequence[Spoken]  #: said on the telephone, and not taken back since
    with_us: bool


async def stepped(context: Context, connection: Connection, alert: Alert, *, late: bool) -> None:
    """Warn the owner of this alert, if it has to be. Its case is locked."""
    if alert.case_id is None or not safety.bars(alert):
        return
    known, now = await _known(context, connection, alert), context.clock()
    began = safety.began(await alerts.steps_of(connection, alert))
    step = 0 if began is None else began.step
    answer = safety.warn(
        alert,
        about_the_car=about_the_car(alert.rule),
        late=late,
        with_us=known.with_us,
        owned=known.owner is not None,
        refused=await _refused(connection, known),
        standing=_told(context, known, alert, began),
        advice=_advice(context, alert),
        step=step,
        now=now,
    )
    occasion = f"safety-{alert.id}-{step}-{0 if known.owner is None else known.owner.id}"
    if isinstance(answer, Tell):
        stated = _urgent(alert) | {"step": step}
        await _tell(
            context,
            connection,
            known=known,
            kind=MessageKind.SAFETY,
            alert=alert,
            reference=occasion,
            stated=stated,
            opens=opens(known.dealer, now),
        )
    elif isinstance(answer, Ring):
        await _ring(context, connection, known=known, alert=alert, occasion=occasion, because=answer.because)


async def ended(context: Context, connection: Connection, alert: Alert) -> None:
    """An alert is resolved or withdrawn: whoever was warned hears that nothing forbids to drive on, if nothing does.

    Its case is locked.
    """
    await _over(context, connection, alert, "rejected" if alert.state is AlertState.WITHDRAWN else None)


async def eased(context: Context, connection: Connection, alert: Alert) -> None:
    """An alert stands, and no longer forbids to drive on: whoever was warned hears that too, once it has stayed so for
    a while. Its case is locked.
    """
    if alert.case_id is not None and not safety.bars(alert):
        await _over(context, connection, alert, "eased", due_at=context.clock() + safety.EASED_FOR)


async def _over(
    context: Context, connection: Connection, alert: Alert, how: str | None, due_at: datetime | None = None
) -> None:
    assert alert.case_id is not None
    known = await _known(context, connection, alert)
    came = [message.id for message in known.standing if message.state in CAME]
    answer = safety.over(known.alerts, known.case.state, bool(came or known.spoken), known.texts)
    if isinstance(answer, Tell):
        rest = any(one.state is AlertState.ACTIVE and one.id != alert.id for one in known.alerts)
        last = came[-1] if came else f"rang{known.spoken[-1].at.timestamp():.0f}"
        reference = f"safety_over-{last}-{alert.id}-{alert.step}"
        stated = asserts("danger", alert.vehicle_id, "over")
        await _tell(
            context,
            connection,
            known=known,
            kind=MessageKind.SAFETY_OVER,
            alert=alert,
            reference=reference,
            stated=stated,
            due_at=due_at,
            how=how,
            more=int(rest),
        )


async def again(context: Context, connection: Connection, job: Job) -> None:
    """Something else than an alert has changed for an owner (their car is theirs again, or new; a yes, a no, another
    number): look once more.
    """
    for alert_id in await alerts.dangerous(connection, job.dealer_id, job.subject_id):
        alert = await alerts.one(connection, job.dealer_id, alert_id)
        if alert.case_id is not None:
            await cases.get(connection, job.dealer_id, alert.case_id, lock=True)
            await stepped(context, connection, await alerts.one(connection, job.dealer_id, alert_id), late=alert.late)


async def fall_back(context: Context, connection: Connection, message: Message) -> None:
    """A warning cannot be delivered: it goes the owner's other way too, if there is one.

    That a person rings does not depend on it.
    """
    stated = message.facts["asserts"][0]
    alert = await alerts.one(connection, message.dealer_id, stated["id"])
    known = await _known(context, connection, alert)
    others = [way for way in known.ways if way.channel != message.channel]
    if (
        others
        and known.owner is not None
        and known.owner.id == message.owner_id
        and not message.reference.endswith(OTHER_WAY)
    ):
        reference, late = f"{message.reference}{OTHER_WAY}", opens(known.dealer, context.clock())
        await _tell(
            context,
            connection,
            known=replace(known, ways=others),
            kind=message.kind,
            alert=alert,
            reference=reference,
            stated=stated,
            opens=late,
        )


def opens(dealer: Dealer, now: datetime) -> datetime | None:
    """From when on somebody answers the telephone; None while somebody does, or when it cannot be said."""
    first = next(iter(open_times(dealer, now, now + _AHEAD)), None)
    return None if first is None or first.starts_at <= now else first.starts_at


async def _known(context: Context, connection: Connection, alert: Alert) -> _Known:
    assert alert.case_id is not None
    dealer_id = alert.dealer_id
    case = await cases.get(connection, dealer_id, alert.case_id)
    car = await fleet.get(connection, dealer_id, alert.vehicle_id)
    owner = None if car.owner_id is None else await owners.get(connection, dealer_id, car.owner_id)
    texts = [] if owner is None else await messages.warnings(connection, dealer_id, owner.id, case.id)
    over = safety.taken_back(texts)
    spoken = [] if owner is None else await spoken_warnings.of_case(connection, dealer_id, case.id, owner.id)
    booking = await bookings.live_of(connection, dealer_id, case.id)
    legs = [] if booking is None else await pickups.of_booking(connection, dealer_id, booking.id)
    return _Known(
        dealer=await accounts.dealer(connection, dealer_id),
        case=case,
        car=car,
        owner=owner,
        ways=() if owner is None else recipients.ways(owner, context.staff_channels),
        alerts=await alerts.of_case(connection, dealer_id, case.id),
        texts=texts,
        standing=safety.standing(texts),
        spoken=[one for one in spoken if over is None or one.at > over],
        with_us=with_us(booking, legs),
    )


def _told(context: Context, known: _Known, alert: Alert, began: AlertStep | None) -> list[Warned]:
    """What the owner was told, by text or on the telephone, and nothing took back."""
    about = {one.id: one for one in known.alerts}
    found = [
        Warned(
            stated["id"], stated["step"], _advice(context, about[stated["id"]]), message.sent_at or message.queued_at
        )
        for message in known.standing
        if (stated := message.facts["asserts"][0])["id"] in about
    ]
    for one in known.spoken:
        step = (
            began.step if began is not None and began.ts <= one.at.timestamp() else -1
        )  # which step of this alert that was about, if of this one
        found += [Warned(told, step, _advice(context, about[told]), one.at) for told in one.alert_ids if told in about]
    return found


async def _refused(connection: Connection, known: _Known) -> str | None:
    if known.owner is None:
        return None
    never = refused(Purpose.SAFETY, known.owner, await consents.of_owner(connection, known.dealer.id, known.owner.id))
    return never or (None if known.ways else "there is no number or mailbox to write to")


async def _tell(
    context: Context,
    connection: Connection,
    known: _Known,
    kind: MessageKind,
    alert: Alert,
    reference: str,
    stated: dict[str, Any],
    due_at: datetime | None = None,
    **facts: Any,
) -> None:
    if not known.ways or known.owner is None:
        return
    draft = Draft(
        dealer_id=known.dealer.id,
        to=known.ways[0],
        kind=kind,
        purpose=Purpose.SAFETY,
        author="worker",
        case_id=known.case.id,
        asserts=[stated],
        reference=reference,
        due_at=due_at,
    )
    await outbox.queue(
        connection,
        context.wording,
        draft,
        context.clock(),
        dealer=known.dealer.name,
        phone=known.dealer.phone,
        vehicle=known.car.title,
        plate=known.car.plate or "",
        rule=alert.rule,
        component=alert.component,
        severity=alert.severity.value,
        zone=known.dealer.zone,
        reader_zone=known.owner.zone,
        **facts,
    )


async def _ring(
    context: Context, connection: Connection, known: _Known, alert: Alert, occasion: str, because: str
) -> None:
    assert known.owner is not None
    people = await notices.responsible(connection, known.case)
    await notices.tell(
        context,
        connection,
        case=known.case,
        kind=MessageKind.STAFF_RING,
        people=people,
        occasion=occasion,
        alert=alert,
        owner=known.owner.name,
        because=f"{UNAWARE}: {because}",
        phone=known.owner.phone or known.owner.email or "–",
        asserts=[_urgent(alert)],
    )


def _advice(context: Context, alert: Alert) -> str:
    """What a warning of this alert asks of the owner, to be compared."""
    return context.wording.drive("en", alert.rule, Severity.NOW.value, alert.component) + context.wording.do(
        "en", alert.rule
    )


def _urgent(alert: Alert) -> dict[str, Any]:
    """What a warning rests on: the alert stands, and forbids to drive on."""
    return asserts("urgency", alert.id, *driving.severities(alert.rule))
