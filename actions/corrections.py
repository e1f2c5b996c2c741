"""A unit that a car says in place of ours: proposed by what it said, accepted with one click, taken back with one."""

from __future__ import annotations

from datetime import timedelta

from actions.context import Acting
from rules.detectors import unit_of
from rules.detectors.unit_of import Decision, Proposal
from schemas.alert import AlertState
from schemas.correction import Correction, CorrectionState, in_force, reread
from schemas.errors import BadInput, Overtaken
from schemas.signal import BY_ID
from schemas.vehicle import Vehicle
from store import alerts, corrections, fleet
from store.pool import Connection

LOOKED_BACK = timedelta(days=30)


async def proposed(acting: Acting, connection: Connection, vehicle_id: int) -> list[Proposal]:
    """What could explain the items that say "sensor or unit implausible" of this car; most often nothing."""
    car = await fleet.get(connection, acting.dealer_id, vehicle_id)
    standing = in_force(await corrections.of_vehicle(connection, acting.dealer_id, vehicle_id), acting.now())
    asked = list(unit_of.asked_after(standing))
    for alert in await alerts.page(connection, acting.dealer_id, vehicle_id=vehicle_id, states=[AlertState.ACTIVE]):
        asked += unit_of.asked_by(alert.rule, alert.component)
    found: list[Proposal] = []
    for signal_id in dict.fromkeys(asked):
        if signal_id in standing or any(signal_id in one.signals for one in found):
            continue
        decision = await decided(acting, connection, car, signal_id)
        if isinstance(decision, Proposal):
            found.append(decision)
    return found


async def decided(acting: Acting, connection: Connection, car: Vehicle, signal_id: int) -> Decision:
    """The unit of one signal by what the car said, with what is corrected already read in our units."""
    now = acting.now()
    histories = await corrections.histories(
        connection,
        acting.dealer_id,
        vehicle_id=car.id,
        signals=unit_of.wanted(signal_id),
        since=now - LOOKED_BACK,
        until=now + timedelta(days=1),
    )
    read_as = in_force(await corrections.of_vehicle(connection, acting.dealer_id, car.id), now)
    read = {i: [(ts, reread((i,), (value,), read_as)[0]) for ts, value in points] for i, points in histories.items()}
    return unit_of.unit_of(signal_id, read, acting.house.profiles[car.profile])


async def accept(acting: Acting, vehicle_id: int, signal_id: int, unit: str) -> Correction:
    """Read that signal, and those that are said in the same unit with it, in our unit from the next message on.

    BadInput names why it is not what is proposed; Overtaken when it is read so already.
    """
    async with acting.transaction() as connection:
        standing = await corrections.locked(connection, acting.dealer_id, vehicle_id)
        if any(one.state is CorrectionState.ACCEPTED and signal_id in one.signals for one in standing):
            raise Overtaken("correction", "this signal is read in another unit already: undo that first")
        if signal_id not in BY_ID:
            raise BadInput("signal", "is not a signal we know")
        car = await fleet.get(connection, acting.dealer_id, vehicle_id)
        decision = await decided(acting, connection, car, signal_id)
        if not isinstance(decision, Proposal):
            raise BadInput("unit", f"no unit is proposed for {BY_ID[signal_id].title}: {decision.value}")
        if decision.unit.name != unit:
            raise BadInput("unit", f"what the car says is explained by {decision.unit.words}")
        return await corrections.add(
            connection,
            acting.dealer_id,
            vehicle_id,
            signals=decision.signals,
            unit=unit,
            because=decision.because,
            actor=acting.actor,
            now=acting.now(),
        )


async def undo(acting: Acting, correction_id: int) -> Correction:
    """What the car says counts as said again, from the next message on."""
    async with acting.transaction() as connection:
        return await corrections.undo(
            connection,
            acting.dealer_id,
            correction_id,
            reason="taken back at the desk",
            actor=acting.actor,
            now=acting.now(),
        )
