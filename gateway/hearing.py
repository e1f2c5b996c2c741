"""From deliveries to values, and everything that must be read from the database before a batch can be judged."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import Final

import structlog

from gateway import normalise
from gateway.batch import Batch
from gateway.car import Car
from gateway.chunk import Chunk
from gateway.fleet import DIAGNOSTICS, TELEMETRY, UNKNOWN, Fleet, Route
from gateway.normalise import NO_BOOT, Heard
from gateway.refusals import Refusals
from gateway.shown import Shown
from gateway.straight import Left
from gateway.writer import Writer
from schemas.reading import Refusal
from schemas.vehicle import is_vin
from store import quarantine, readings, vehicles

log = structlog.get_logger()

ASK_AGAIN_S: Final = 5.0  #: an unknown VIN is looked up this often at most

Said = tuple[Car, Heard, bytes, str]  #: one message: its car, what it came to, payload and topic
LetIn = tuple[Car, int, Heard]  # car, quarantine id, what it said


class Hearing:
    """Decodes a batch, meets new cars, warms up cold ones."""

    def __init__(self, fleet: Fleet, writer: Writer, refusals: Refusals, shown: Shown) -> None:
        self.fleet, self.writer, self.refusals, self.shown = fleet, writer, refusals, shown
        self._looked_up: dict[str, float] = {}

    async def hear(self, batch: Batch, chunk: Chunk, left: Iterable[Left], received_at: float) -> list[Said]:
        """These messages of a chunk, from bytes to values; what needs no car's memory is settled here. Afterwards all their cars are warm."""
        heard: list[Said] = []
        kept = set(chunk.retained)
        for n, read in left:
            name, payload, retained = chunk.topics[n], chunk.payloads[n], n in kept
            route = self.fleet.route(name)
            if route.car is None and await self._met(route.source.vin):
                route = self.fleet.route(name)
            car = route.car
            try:
                if car is None or car.revoked or route.kind == UNKNOWN or retained:
                    self._stray(batch, route, payload, received_at, retained)
                elif read is not None:
                    heard.append((car, Heard(read[0], read[1], odometer=read[2]), payload, route.source.topic))
                elif route.kind == TELEMETRY:
                    heard.append((car, normalise.telemetry(payload, route.source, received_at), payload, route.source.topic))
                elif route.kind == DIAGNOSTICS:
                    heard.append((car, normalise.diagnostics(payload, route.source, received_at), payload, route.source.topic))
                else:
                    self._hint(batch, car, payload)
            except Exception as error:  # our bug: this message is put aside, the others go on
                log.exception("decoder_fault", vehicle=route.source.vehicle_id)
                detail = f"it could not be read; that is our fault ({type(error).__name__})"
                self.refusals.refuse(batch, car, normalise.refusal(route.source, payload, received_at, Refusal.NOT_TELEMETRY, detail))
        await self.warm_up(batch, [said[0] for said in heard if not said[0].loaded])
        await self._learn(heard)
        return heard

    async def _met(self, vin: str) -> bool:
        """Whether a car of which we have not heard is new: its first word may be quicker than the bell."""
        now = time.monotonic()
        if not is_vin(vin) or now - self._looked_up.get(vin, -ASK_AGAIN_S) < ASK_AGAIN_S:
            return False
        if len(self._looked_up) > 1000:
            self._looked_up.clear()
        self._looked_up[vin] = now
        self.fleet.meet(await self.writer.read(partial(vehicles.by_vin, vin=vin)))
        return vin in self.fleet.by_vin

    def _stray(self, batch: Batch, route: Route, payload: bytes, received_at: float, retained: bool) -> None:
        if retained:
            reason, detail = Refusal.RETAINED, "retained messages are not events"
        elif route.car is None:
            reason, detail = Refusal.UNKNOWN_VEHICLE, "no dealer looks after a car of this VIN"
        elif route.car.revoked:
            reason, detail = Refusal.REVOKED, "the car's credentials were taken away: enrol it again if it may speak"
        else:
            reason, detail = Refusal.NOT_TELEMETRY, "this topic is not in the contract, or not in the car's bucket"
        self.refusals.refuse(batch, route.car, normalise.refusal(route.source, payload, received_at, reason, detail))

    def _hint(self, batch: Batch, car: Car, payload: bytes) -> None:
        """A word on `status`. A car that is back learns how far we have it."""
        said = normalise.status(payload)
        if said is None:
            return
        self.shown.hint(car, said, batch.now)
        if said.state == "online" and car.loaded and car.frontier.boot >= 0:
            batch.old_acks.append((car, car.frontier.boot, car.frontier.upto(car.frontier.boot)))

    async def warm_up(self, batch: Batch, cars: Iterable[Car]) -> None:
        """Load those that are cold."""
        cold = {car for car in cars if not car.loaded}
        if cold:
            now = time.monotonic()
            closed, _ = await self.writer.read(lambda connection: self.fleet.load(connection, cold, now))
            batch.arrived += closed

    async def _learn(self, heard: list[Said]) -> None:
        """Boots that were forgotten, and keys of devices without counters."""
        strangers, keys = set(), []
        for car, said, _, _ in heard:
            row = said.reading
            boot = row.boot if row is not None else said.boot
            if boot is None or boot == car.frontier.boot:
                continue
            if boot == NO_BOOT and row is not None:
                keys.append((car.id, row.seq))
            elif boot < car.frontier.boot and boot not in car.frontier.tops:
                strangers.add((car, boot))
        if strangers:
            await self.writer.read(lambda connection: self.fleet.learn_boots(connection, strangers))
        if keys:
            for vehicle, key in await self.writer.read(lambda connection: readings.known_keys(connection, keys)):
                self.fleet.by_id[vehicle].remembers(key)

    async def accepted(self, buckets: set[int]) -> list[LetIn]:
        """Refused messages of our cars that a person let in."""
        found: list[LetIn] = []
        waiting: list[quarantine.Accepted] = await self.writer.read(lambda connection: quarantine.accepted(connection))
        for one in waiting:
            car = self.fleet.by_id.get(one.vehicle_id)
            if car is not None and car.bucket in buckets:
                source = normalise.Source(car.vin, car.id, one.topic)
                found.append((car, one.id, normalise.telemetry(one.payload, source, one.received_at.timestamp(), let_in=True)))
        return found
