"""Words to an owner, put into the outbox in the transaction of the act that they tell of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from actions.context import House
from rules.service.wording import Text
from schemas.alert import Alert, AlertState
from schemas.case import Case
from schemas.consent import Owner
from schemas.message import MessageKind, Purpose
from schemas.verdict import Severity
from store import accounts, alerts, fleet, messages, owners
from store.pool import Connection

#: What an offer is about is service, unless the owner should not drive on; the rest is about their visit.
_SERVICE = frozenset({MessageKind.OFFER, MessageKind.OFFER_EXPIRED, MessageKind.DECLINED})


async def tell_owner(
    house: House, connection: Connection, case: Case, kind: MessageKind, /, *, actor: str, asserts: Sequence[dict[str, Any]] = (),
    due_at: datetime | None = None, reference: str | None = None, **facts: Any,
) -> int | None:  # fmt: skip
    """Queue a text about this case; None when there is nobody to tell, or no way to reach them."""
    found = await compose(house, connection, case, kind, **facts)
    if found is None:
        return None
    to, text = found
    return await messages.queue(
        connection, dealer_id=case.dealer_id, kind=kind, purpose=purpose_of(kind, case.severity), to=to, body=text.body, asserts=asserts, author=actor,
        now=house.now(), due_at=due_at, case_id=case.id, reference=reference,
    )  # fmt: skip


async def compose(house: House, connection: Connection, case: Case, kind: MessageKind, /, **facts: Any) -> tuple[messages.OwnerTo, Text] | None:
    """The text as it would be sent now, and to whom: the desk shows it before anything is decided."""
    if case.owner_id is None:
        return None
    owner = await owners.get(connection, case.dealer_id, case.owner_id)
    to = receiver(owner)
    if to is None:
        return None
    dealer = await accounts.dealer(connection, case.dealer_id)
    car = await fleet.get(connection, case.dealer_id, case.vehicle_id)
    about = topmost(await alerts.of_case(connection, case.dealer_id, case.id))
    known = {
        "dealer": dealer.name, "phone": dealer.phone, "vehicle": car.title, "plate": car.plate or "", "owner": owner.name, "zone": owner.zone,
        "now": house.now(), "severity": case.severity.value, "rule": about.rule if about else None, "component": about.component if about else "",
        **facts,
    }  # fmt: skip
    text: Text = house.wording.text(owner.language, kind, **known)
    return to, text


def receiver(owner: Owner) -> messages.OwnerTo | None:
    """How this owner is reached on the channel they chose."""
    address = owner.email if owner.channel == "email" else owner.phone
    return messages.OwnerTo(owner.id, owner.channel, address, owner.language) if address else None


def topmost(found: Sequence[Alert]) -> Alert | None:
    """The alert that a short text names: the most urgent that still stands."""
    standing = [alert for alert in found if alert.state is AlertState.ACTIVE] or list(found)
    return max(standing, key=lambda alert: (alert.severity.rank, alert.id), default=None)


def purpose_of(kind: MessageKind, severity: Severity) -> Purpose:
    """Which consent a text of this kind needs."""
    if kind in _SERVICE:
        return Purpose.SAFETY if kind is MessageKind.OFFER and severity is Severity.NOW else Purpose.SERVICE
    return Purpose.STATUS
