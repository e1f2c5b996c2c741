"""No drive of ours goes on without the record that its dealer insists on."""

from __future__ import annotations

from rules.service.handover import wanted
from schemas.errors import IllegalMove
from schemas.pickup import Leg, LegEvent, LegKind
from store import accounts, handovers
from store.pool import Connection


async def recorded(connection: Connection, leg: Leg, event: LegEvent) -> None:
    """IllegalMove when this step needs a handover record and there is none."""
    if leg.kind is LegKind.VISIT:
        return  # the car stays with its owner
    dealer = await accounts.dealer(connection, leg.dealer_id)
    kind = wanted(dealer.handover_record, event)
    if kind is not None and await handovers.find(connection, leg.dealer_id, leg.booking_id, kind) is None:
        raise IllegalMove(leg.kind.value, "without its handover record", event.value, ("record",))
