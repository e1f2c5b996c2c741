"""Words to an owner, put into the outbox in the transaction of the act that they tell of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from actions import outbox, recipients
from actions.context import Acting, House
from rules.service.driving import forbids
from rules.service.permission import LONGEST_BUDGET, Intended, Never, Permission, may_send
from rules.service.wording import Text
from schemas.alert import Alert, AlertState
from schemas.case import Case
from schemas.message import Draft, MessageKind, OwnerRecipient, Purpose
from schemas.verdict import Severity
from store import accounts, alerts, consents, fleet, messages, owners, threads
from store.pool import Connection

#: What an offer is about is service, unless the owner should not drive on; the rest is about their visit.
_SERVICE = frozenset({MessageKind.OFFER, MessageKind.OFFER_EXPIRED, MessageKind.DECLINED})


async def tell_owner(
    acting: Acting,
    connection: Connection,
    case: Case,
    kind: MessageKind,
    /,
    *,
    asserts: Sequence[dict[str, Any]] = (),
    due_at: datetime | None = None,
    **facts: Any,
) -> int | None:
    """Queue a text about this case, not to leave before `due_at`; None when nobody can be told."""
    about = await _about(acting.house, connection, case, facts)
    if about is None:
        return None
    to, known = about
    purpose = purpose_of(kind, case.severity)
    draft = Draft(
        dealer_id=case.dealer_id,
        to=to,
        kind=kind,
        purpose=purpose,
        author=acting.actor,
        case_id=case.id,
        asserts=asserts,
        due_at=due_at,
    )
    return await outbox.queue(connection, acting.house.wording, draft, acting.now(), **known)


async def compose(
    house: House, connection: Connection, case: Case, kind: MessageKind, /, **facts: Any
) -> tuple[OwnerRecipient, Text] | None:
    """The text as it would be sent now, and to whom: the desk shows it before anything is decided."""
    about = await _about(house, connection, case, facts)
    if about is None:
        return None
    to, known = about
    text: Text = house.wording.text(to.language, kind, **known)
    return to, text


async def _about(
    house: House, connection: Connection, case: Case, facts: Mapping[str, Any]
) -> tuple[OwnerRecipient, dict[str, Any]] | None:
    """Whom a text about this case reaches, and all that it may speak of."""
    if case.owner_id is None:
        return None
    owner = await owners.get(connection, case.dealer_id, case.owner_id)
    to = recipients.owner(owner)
    if to is None:
        return None
    dealer = await accounts.dealer(connection, case.dealer_id)
    car = await fleet.get(connection, case.dealer_id, case.vehicle_id)
    about = topmost(await alerts.of_case(connection, case.dealer_id, case.id))
    return to, {
        "dealer": dealer.name,
        "phone": dealer.phone,
        "vehicle": car.title,
        "plate": car.plate or "",
        "which": await fleet.which(connection, car),
        "owner": owner.name,
        "zone": dealer.zone,
        "channel": to.channel,
        "reader_zone": owner.zone,
        "now": house.now(),
        "severity": case.severity.value,
        "rule": about.rule if about else None,
        "component": about.component if about else "",
        **facts,
    }


def topmost(found: Sequence[Alert]) -> Alert | None:
    """The alert that a short text names: one for which the car must not be driven, then the most urgent that still
    stands.
    """
    standing = [alert for alert in found if alert.state is AlertState.ACTIVE] or list(found)
    return max(
        standing, key=lambda alert: (forbids(alert.rule, alert.severity), alert.severity.rank, alert.id), default=None
    )


def purpose_of(kind: MessageKind, severity: Severity) -> Purpose:
    """Which consent a text of this kind needs."""
    if kind in _SERVICE:
        return Purpose.SAFETY if kind is MessageKind.OFFER and severity is Severity.NOW else Purpose.SERVICE
    return Purpose.STATUS


async def permission_for(acting: Acting, connection: Connection, case: Case, kind: MessageKind) -> Permission:
    """Whether a text of this kind about this case could leave now: what the sender will decide, asked beforehand."""
    assert case.owner_id is not None
    owner, now = await owners.get(connection, case.dealer_id, case.owner_id), acting.now()
    if recipients.owner(owner) is None:
        return Never(recipients.why_not(owner))
    return may_send(
        Intended(kind, purpose_of(kind, case.severity), now),
        owner,
        await consents.of_owner(connection, case.dealer_id, owner.id),
        now,
        severity=case.severity,
        lately=await messages.lately(
            connection, case.dealer_id, owner_id=owner.id, kind=kind, since=now - LONGEST_BUDGET
        ),
        wrote_at=await threads.wrote_at(connection, case.dealer_id, owner.id),
    )
