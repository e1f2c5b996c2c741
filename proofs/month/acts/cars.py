"""What cars say in the month."""

from __future__ import annotations

from typing import Any

from proofs.month.dealership import Dealership
from proofs.month.picking import a_row
from schemas.alert import AlertState, AlertStep
from schemas.verdict import Severity
from store import alerts
from store.alerts import Moved
from store.pool import transaction

_EPISODE = """
SELECT coalesce(max(episode), 0) AS newest, coalesce(bool_or(state IN ('pending', 'active')), false) AS open FROM alerts
WHERE dealer_id = $1 AND vehicle_id = $2 AND rule = $3 AND component = $4
"""
_FAULTS = (("tyre_low", "front_left"), ("battery_12v", ""), ("coolant_low", ""), ("oil_life", ""))  #: (rule, component)


async def car_reports_a_fault(place: Dealership) -> None:
    car, (rule, component) = place.luck.choice(place.cars), place.luck.choice(_FAULTS)
    severity = place.luck.choice((Severity.ADVICE, Severity.SOON, Severity.SOON, Severity.NOW))
    async with place.admin.acquire() as connection:
        before = await connection.fetchrow(_EPISODE, place.dealer.id, car, rule, component)
    if not before["open"]:
        await _step(
            place,
            car,
            rule=rule,
            component=component,
            episode=before["newest"] + 1,
            step=1,
            state=AlertState.ACTIVE,
            severity=severity,
        )


async def _worse(place: Dealership, alert: Any) -> None:
    await _step(
        place,
        alert["vehicle_id"],
        rule=alert["rule"],
        component=alert["component"],
        episode=alert["episode"],
        step=alert["step"] + 1,
        state=AlertState.ACTIVE,
        severity=Severity.NOW,
    )


async def car_gets_worse(place: Dealership) -> None:
    alert = await _alert(place)
    await _worse(place, alert)


async def car_gets_worse_before_its_visit(place: Dealership) -> None:
    visit = await a_row(place, "bookings WHERE dealer_id = $1 AND state = 'agreed' AND kind <> 'tow'", place.dealer.id)
    alert = await a_row(
        place,
        "alerts WHERE dealer_id = $1 AND vehicle_id = $2 AND state = 'active'",
        place.dealer.id,
        visit["vehicle_id"],
    )
    await _worse(place, alert)


async def car_is_well_again(place: Dealership) -> None:
    alert = await _alert(place)
    await _step(
        place,
        alert["vehicle_id"],
        rule=alert["rule"],
        component=alert["component"],
        episode=alert["episode"],
        step=alert["step"] + 1,
        state=AlertState.RESOLVED,
        severity=Severity(alert["severity"]),
    )


async def _alert(place: Dealership) -> Any:
    return await a_row(place, "alerts WHERE dealer_id = $1 AND state = 'active'", place.dealer.id)


async def _step(
    place: Dealership,
    car: int,
    rule: str,
    component: str,
    episode: int,
    step: int,
    state: AlertState,
    severity: Severity,
) -> None:
    now = place.clock()
    moved = AlertStep(
        rule=rule,
        rule_version=1,
        component=component,
        episode=episode,
        step=step,
        state=state,
        severity=severity,
        because="it shows",
        ts=now.timestamp(),
        place=step,
    )
    async with transaction(place.context.pool) as connection:
        await alerts.move(connection, [Moved(place.dealer.id, car, now.timestamp(), moved)], now)
