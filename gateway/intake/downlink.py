"""Towards the cars: application acks, asks for what is missing, and what the driver's screen may show."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Final

from pydantic_core import to_json

from gateway.fleet.car import Car
from gateway.fleet.fleet import Fleet
from gateway.intake.batch import Batch
from gateway.mqtt.broker import Broker
from gateway.mqtt.packets import publish_packet
from schemas.alert import AlertState
from schemas.reading import boot_of
from schemas.telemetry import Ask
from schemas.vehicle import topic

ACK_EVERY_S: Final = 1.0  #: per car
TICK_S: Final = 0.1
ACKS_A_TICK: Final = 50  #: at least; and one for every ten messages: an ack costs the broker as much as a message
_TOLD: Final = (AlertState.ACTIVE, AlertState.RESOLVED, AlertState.WITHDRAWN)


class Downlink:
    """QoS 0, coalesced. What gets lost is said again with the car's next message."""

    def __init__(self, broker: Broker, fleet: Fleet) -> None:
        self.broker, self.fleet = broker, fleet
        self.owed: dict[Car, tuple[int, int]] = {}  #: car -> boot, upto: committed and not yet told
        self.owed_before: dict[tuple[Car, int], int] = {}  #: the same of boots that are not the newest: few
        self._messages = 0

    def committed(self, batch: Batch) -> None:
        """The batch is on disk: its cars may forget, be asked, and show."""
        self._messages += batch.messages
        self.owed.update(batch.acks)
        for car, boot, upto in batch.old_acks:
            self.owed_before[(car, boot)] = upto
        for car, boot, first, last in batch.asks:
            self._send(
                car,
                "down/asks",
                Ask(boot=boot_of(boot), first=first, last=last).model_dump_json(by_alias=True).encode(),
            )
        for moved in batch.moved:
            step = moved.step
            if not step.shadow and step.state in _TOLD:
                told = {
                    "rule": step.rule,
                    "component": step.component,
                    "state": step.state.value,
                    "severity": step.severity.value,
                    "because": step.because,
                }
                if (car_told := self.fleet.by_id.get(moved.vehicle_id)) is not None:
                    self._send(car_told, "down/alerts", to_json(told))

    async def run(self) -> None:
        """For ever: acks, at most one a second and car."""
        while True:
            await asyncio.sleep(TICK_S)
            budget, self._messages = max(ACKS_A_TICK, self._messages // 10), 0
            self._acks(time.monotonic(), budget)

    def _acks(self, now: float, budget: int) -> None:
        blobs: dict[int, list[bytes]] = {}
        while self.owed_before and budget > 0:
            (car, boot), upto = self.owed_before.popitem()
            self._ack(blobs, car, boot, upto)
            budget -= 1
        for car in list(self.owed):
            if budget <= 0:
                break
            if now - car.acked_at >= ACK_EVERY_S and self._ack(blobs, car, *self.owed[car]):
                del self.owed[car]
                car.acked_at = now
                budget -= 1
        self._out(blobs)

    def _out(self, blobs: dict[int, list[bytes]]) -> None:
        for bucket, packets in blobs.items():
            self.broker.sessions[bucket].send(b"".join(packets))

    def _ack(self, blobs: dict[int, list[bytes]], car: Car, boot: int, upto: int) -> bool:
        session = self.broker.sessions.get(car.bucket)
        if session is None or not session.subscribed.is_set():
            return False
        payload = b'{"boot":%d,"upto":%d}' % (boot_of(boot), upto)  # schemas.telemetry.Ack, in a fifth of its time
        blobs.setdefault(car.bucket, []).append(
            publish_packet(topic(car.vin, "down/acks"), payload, self.broker.address.version)
        )
        return True

    def _send(self, car: Car, way: str, payload: bytes) -> None:
        session = self.broker.sessions.get(car.bucket)
        if session is not None:
            session.send(publish_packet(topic(car.vin, way), payload, self.broker.address.version))

    def last_word(self, buckets: Iterable[int]) -> None:
        """All acks that are owed, now: this gateway leaves, and the next one owes a silent car nothing."""
        blobs: dict[int, list[bytes]] = {}
        leaving = set(buckets)
        owed = [(car, boot, upto) for (car, boot), upto in self.owed_before.items()] + [
            (car, *ack) for car, ack in self.owed.items()
        ]
        for car, boot, upto in owed:
            if car.bucket in leaving:
                self._ack(blobs, car, boot, upto)
        self._out(blobs)

    def part(self, car: Car) -> None:
        """There is nothing more to tell this car."""
        self.owed.pop(car, None)
        self.owed_before = {key: upto for key, upto in self.owed_before.items() if key[0] is not car}

    def forget(self, bucket: int) -> None:
        """Another gateway speaks to these cars now."""
        self.owed = {car: ack for car, ack in self.owed.items() if car.bucket != bucket}
        self.owed_before = {key: upto for key, upto in self.owed_before.items() if key[0].bucket != bucket}
