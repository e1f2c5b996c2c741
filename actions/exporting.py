"""Everything that is held about one owner, handed to them when they ask.

That it was handed out is a line of history.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from actions.context import Acting
from store import accounts, exporting, history, owners

FORMAT = "telltale-owner/1"


class OwnerExport(BaseModel):
    """All of it. What each part holds stands in docs/reference/export.md; times are ISO 8601 with their zone."""

    model_config = ConfigDict(frozen=True)

    format: str = Field(default=FORMAT, examples=[FORMAT])
    dealer: str
    owner_id: int
    made_at: datetime
    parts: dict[str, list[dict[str, JsonValue]]]


async def whole(acting: Acting, owner_id: int, how: str) -> OwnerExport:
    """Read in one transaction; `how` it leaves the house is told in history."""
    async with acting.transaction() as connection:
        owner = await owners.get(connection, acting.dealer_id, owner_id)
        dealer = await accounts.dealer(connection, acting.dealer_id)
        parts: dict[str, list[dict[str, Any]]] = await exporting.parts(
            connection,
            acting.dealer_id,
            owner_id,
            exporting.pattern(owner.name, owner.phone, owner.email, owner.address),
        )
        await history.write(
            connection,
            acting.dealer_id,
            "owner",
            owner_id,
            old=None,
            new="exported",
            reason=f"everything that is held, as {how}",
            actor=acting.actor,
            now=acting.now(),
        )
    return OwnerExport(dealer=dealer.name, owner_id=owner_id, made_at=acting.now(), parts=parts)


async def readings(acting: Acting, owner_id: int) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """(VIN, messages), car by car and a day at a time, so that a slow reader holds no transaction open."""
    async with acting.transaction() as connection:
        await owners.get(connection, acting.dealer_id, owner_id)
        periods, days = (
            await exporting.periods(connection, acting.dealer_id, owner_id),
            await exporting.days_there(connection),
        )
        await history.write(
            connection,
            acting.dealer_id,
            "owner",
            owner_id,
            old=None,
            new="exported",
            reason="readings of their cars, as CSV",
            actor=acting.actor,
            now=acting.now(),
        )
    yield "", ()  # it is theirs to read: from here on nothing is refused
    for vehicle_id, vin, since, until in periods:
        for day in days:
            async with acting.transaction() as connection:
                rows = await exporting.readings(
                    connection, acting.dealer_id, vehicle_id=vehicle_id, day=day, since=since, until=until
                )
            if rows:
                yield vin, rows
