"""From deliveries to values, and everything that must be read from the database before a batch can be judged."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import Final

import structlog

from gateway.fleet import units
from gateway.fleet.car import Car
from gateway.fleet.fleet import DIAGNOSTICS, TELEMETRY, UNKNOWN, Fleet, Route
from gateway.fleet.sequence import KEPT_BOOTS
from gateway.intake import normalise
from gateway.intake.batch import Batch
from gateway.intake.correcting import Corrected
from gateway.intake.fast_path import Left
from gateway.intake.latest_values import LatestValues
from gateway.intake.message_keys import Keys
from gateway.intake.normalise import IMPOSSIBLE_DAY, NO_BOOT, Decoded
from gateway.intake.rejections import Rejections
from gateway.intake.writer import Writer
from gateway.mqtt.chunk import Chunk
from gateway.token_bucket import Allowance
from schemas.reading import Mark, Reading, Refusal
from schemas.vehicle import is_vin
from store import corrections, quarantine, readings, stamps, vehicles

log = structlog.get_logger()

OLD_BOOTS, OLD_BOOT_EVERY_S = (
    16,
    5.0,
)  #: of one car that are looked up at once: nobody knows their days, so each costs a look at every day
_SAME_S: Final = 0.001  #: one message's stamp, stored and sent again
ASK_AGAIN_S: Final = 5.0  #: an unknown VIN is looked up this often at most

Received = tuple[Car, Decoded, bytes, str]  #: one message: its car, what it came to, payload and topic
LetIn = tuple[Car, int, Decoded]  # car, quarantine id, what it said


class Decoder:
    """Decodes a batch, meets new cars, warms up cold ones."""

    def __init__(self, fleet: Fleet, writer: Writer, rejections: Rejections, latest_values: LatestValues) -> None:
        self.fleet, self.writer, self.rejections, self.latest_values = fleet, writer, rejections, latest_values
        self.keys = Keys()
        self._old_boots = Allowance(OLD_BOOTS, OLD_BOOT_EVERY_S)
        self._strange = Allowance(OLD_BOOTS, OLD_BOOT_EVERY_S)
        self._others: set[tuple[int, int, int, float]] = set()  #: (car, boot, seq, made) that a stored number is not
        self._looked_up: dict[str, float] = {}
        self.begun: set[Car] = set()  #: cars of which another unit speaks with a message of this batch

    async def hear(self, batch: Batch, chunk: Chunk, left: Iterable[Left], received_at: float) -> list[Received]:
        """These messages of a chunk, from bytes to values; what needs no car's memory is settled here.

        Afterwards all their cars are warm.
        """
        heard: list[Received] = []
        kept = set(chunk.retained)
        left = list(left)
        await self._meet(chunk.topics[n] for n, _ in left)
        for n, read in left:
            name, payload, retained = chunk.topics[n], chunk.payloads[n], n in kept
            route = self.fleet.route(name)
            car = route.car
            try:
                if car is None or car.revoked or route.kind == UNKNOWN or retained:
                    self._stray(batch, route, payload, received_at, retained)
                elif read is not None:
                    heard.append((car, Decoded(read[0], read[1], odometer=read[2]), payload, route.source.topic))
                elif route.kind == TELEMETRY:
                    heard.append(
                        (car, normalise.telemetry(payload, route.source, received_at), payload, route.source.topic)
                    )
                elif route.kind == DIAGNOSTICS:
                    heard.append(
                        (car, normalise.diagnostics(payload, route.source, received_at), payload, route.source.topic)
                    )
                else:
                    self._hint(batch, car, payload)
            except Exception as error:  # our bug: this message is put aside, the others go on
                log.exception("decoder_fault", vehicle=route.source.vehicle_id)
                detail = f"it could not be read; that is our fault ({type(error).__name__})"
                self.rejections.refuse(
                    batch, car, normalise.refusal(route.source, payload, received_at, Refusal.NOT_TELEMETRY, detail)
                )
        await self.warm_up(batch, [message[0] for message in heard if not message[0].loaded])
        return await self._learn(heard)

    async def _meet(self, names: Iterable[bytes]) -> None:
        """Look cars up of which we have not heard: the first word of a new one may be quicker than the bell."""
        now, strangers = time.monotonic(), set()
        for name in names:
            if name in self.fleet.routes:
                continue
            vin = self.fleet.route(name).source.vin
            if (
                vin not in self.fleet.by_vin
                and is_vin(vin)
                and now - self._looked_up.get(vin, -ASK_AGAIN_S) >= ASK_AGAIN_S
            ):
                strangers.add(vin)
        if strangers:
            if len(self._looked_up) > 1000:
                self._looked_up.clear()
            self._looked_up |= dict.fromkeys(strangers, now)
            self.fleet.meet(await self.writer.read(partial(vehicles.by_vins, vins=sorted(strangers))))

    def _stray(self, batch: Batch, route: Route, payload: bytes, received_at: float, retained: bool) -> None:
        if retained:
            reason, detail = Refusal.RETAINED, "retained messages are not events"
        elif route.car is None:
            reason, detail = Refusal.UNKNOWN_VEHICLE, "no dealer looks after a car of this VIN"
        elif route.car.revoked:
            reason, detail = Refusal.REVOKED, "the car's credentials were taken away: enrol it again if it may speak"
        else:
            reason, detail = Refusal.NOT_TELEMETRY, "this topic is not in the contract, or not in the car's bucket"
        self.rejections.refuse(batch, route.car, normalise.refusal(route.source, payload, received_at, reason, detail))

    def _hint(self, batch: Batch, car: Car, payload: bytes) -> None:
        """A word on `status`. A car that is back learns how far we have it."""
        status = normalise.status(payload)
        if status is None:
            return
        self.latest_values.hint(car, status, batch.now)
        if status.state == "online" and car.loaded and car.sequence.boot >= 0 and car.enrolled <= car.sequence.enrolled:
            batch.old_acks.append((car, car.sequence.boot, car.sequence.upto(car.sequence.boot)))

    async def warm_up(self, batch: Batch, cars: Iterable[Car]) -> None:
        """Load those that are cold."""
        cold = {car for car in cars if not car.loaded}
        if cold:
            now = time.monotonic()
            closed, _ = await self.writer.read(lambda connection: self.fleet.load(connection, cold, now))
            batch.arrived += closed

    async def _learn(self, heard: list[Received]) -> list[Received]:
        """Which keys of devices without counters are stored."""
        rows = [
            message.reading
            for _, message, _, _ in heard
            if message.reading is not None and message.reading.boot == NO_BOOT
        ]
        await self._known(
            {(row.vehicle_id, row.seq, day) for row in rows for day in (row.day, IMPOSSIBLE_DAY)}
        )  # on its day, or when that had no leaf
        await self._tell_apart(heard)
        return heard

    async def _tell_apart(self, heard: list[Received]) -> None:
        """Which messages bear a number that is stored of another one: a new unit's, whose clock does not show it.

        Nothing is looked up of what simply comes again: that must not wait for the database.
        """
        self._others.clear()
        asked: dict[tuple[int, int, int], list[tuple[Car, Reading]]] = {}
        for car, message, _, _ in heard:
            row, sequence = message.reading, car.sequence
            if row is None or row.boot == NO_BOOT:
                continue
            if not row.mark & Mark.CLOCK_SUSPECT and car.heard_ts <= row.received_at + units.RESTART_S:
                continue  # its own time tells it
            kept = sequence.base + row.boot
            top = sequence.tops.get(kept)
            forgotten = top is None and kept < sequence.boot
            if forgotten or (top is not None and row.seq <= top and not sequence.missing(kept, row.seq)):
                asked.setdefault((car.id, kept, row.seq), []).append((car, row))
        if not asked:
            return
        on_their_days = {
            (*key, day) for key, rows in asked.items() for _, row in rows for day in (row.day, IMPOSSIBLE_DAY)
        }
        stored = await self.writer.read(partial(stamps.stamps, keys=on_their_days))
        for key, rows in asked.items():
            for car, row in rows:
                made = stored.get(key)
                if made is None or abs(made - _made(row)) > _SAME_S:
                    if not self._strange.take(car.id, time.monotonic()):
                        continue
                    made = await self.writer.read(partial(stamps.stamp, key=key))
                believed = None if row.mark & Mark.CLOCK_SUSPECT else row.ts
                if made is not None and units.is_another(_made(row), believed, made, car.heard_ts):
                    self._others.add((*key, _made(row)))

    async def _known(self, keys: set[tuple[int, int, int]]) -> None:
        if keys:
            self.keys.stored(await self.writer.read(lambda connection: readings.known_keys(connection, keys)))

    async def find_line(self, batch: Batch, one: Received) -> bool:
        """By which boot a message is kept, after all that were before it; what was forgotten of that boot is looked up.

        False: the car jumps between more old boots than we look up, so it keeps what it said, for it gets no ack.
        """
        car, message, payload, name = one
        row = message.reading
        boot_read = message.boot if row is None else row.boot
        if boot_read is None or boot_read == NO_BOOT:
            return True
        boot = self._kept_boot(car, message, payload, boot_read)
        if boot == NO_BOOT and row is not None:
            await self._known({(car.id, row.seq, row.day), (car.id, row.seq, IMPOSSIBLE_DAY)})
        elif boot < car.sequence.boot and boot not in car.sequence.tops:
            if row is not None and not self._old_boots.take(car.id, time.monotonic()):
                source = normalise.Source(car.vin, car.id, name)
                detail = (
                    f"boot {boot_read} is older than the {KEPT_BOOTS} that are at hand, "
                    "and too many such at once: send it again later"
                )
                self.rejections.refuse(
                    batch,
                    car,
                    normalise.refusal(source, payload, row.received_at, Refusal.FLOOD, detail, boot_read, row.seq),
                )
                return False
            await self.writer.read(lambda connection: self.fleet.learn_boots(connection, [(car, boot)]))
        return True

    def _kept_boot(self, car: Car, message: Decoded, payload: bytes, boot: int) -> int:
        """By which boot it is kept: that of its unit.

        A unit that begins anew all the time counts nothing: it is known by what it says.
        """
        row, sequence = message.reading, car.sequence
        seq = message.seq if row is None else row.seq
        sure = row is not None and not row.mark & Mark.CLOCK_SUSPECT
        another = row is not None and (car.id, sequence.base + boot, seq or 0, _made(row)) in self._others
        numbered = units.Numbered(boot, seq or 0, row.ts if row is not None and sure else None, another)
        kept, begins = units.kept_boot(sequence, numbered, car.heard_ts, car.enrolled)
        if row is None:
            message.boot = sequence.base + boot if begins else kept
            return message.boot
        if begins and len(sequence.units) >= units.MOST:
            row.boot, row.seq, row.mark = NO_BOOT, normalise.own_key(payload), row.mark | Mark.NO_COUNTER
            return NO_BOOT
        if begins:
            sequence.begin_unit(
                units.began(car.heard_ts, row.ts, enrolled=car.enrolled > sequence.enrolled), car.enrolled
            )
            self.begun.add(car)
        elif sequence.boot < 0:
            sequence.enrolled = car.enrolled
        row.boot = kept
        return kept

    async def accepted(self, buckets: set[int]) -> list[LetIn]:
        """Refused messages of our cars that a person let in."""
        found: list[LetIn] = []
        waiting: list[quarantine.Accepted] = await self.writer.read(lambda connection: quarantine.accepted(connection))
        for one in waiting:
            car = self.fleet.by_id.get(one.vehicle_id)
            if car is not None and car.bucket in buckets:
                source = normalise.Source(car.vin, car.id, one.topic)
                found.append(
                    (car, one.id, normalise.telemetry(one.payload, source, one.received_at.timestamp(), accepted=True))
                )
        return found

    async def corrected(self, buckets: set[int]) -> list[Corrected]:
        """Units of our cars that a person has accepted or taken back."""
        waiting: list[corrections.Waiting] = await self.writer.read(corrections.waiting)
        cars = ((self.fleet.by_id.get(one.vehicle_id), one) for one in waiting)
        return [(car, one) for car, one in cars if car is not None and car.bucket in buckets]


def _made(row: Reading) -> float:
    """When a message was made, as the car's clock said."""
    return row.ts if row.car_ts is None else row.car_ts
