"""Many stand-in cars in one process, stepped by the business clock; each has its own CAN bus and its own MQTT
connection.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import can

from schemas.errors import Unavailable
from schemas.profile import Profile
from schemas.telemetry import Diagnostics
from simulator import j1939
from simulator.car import Car, Heard
from simulator.codec import codec
from simulator.diagnostics import Answerer, Link, dm1_frames, read_car, read_electric, read_truck
from simulator.ecu import Ecus
from simulator.faults import DataFaults
from simulator.sampling import IGNITION, ON, Sampler
from simulator.scenario import Scenario
from simulator.spool import Spool, SpoolFile
from simulator.telematics import Sender, Unit


@dataclass(frozen=True)
class Member:
    """One car of the fleet, as it was enrolled."""

    vin: str
    secret: str
    profile: Profile
    scenario: Scenario
    seed: int


class StandIn:
    """One car: physics, control units, bus, telematics unit, sender."""

    def __init__(
        self,
        member: Member,
        host: str,
        port: int,
        file: SpoolFile,
        since: float,
        zone: str,
        *,
        period_s: float = 30.0,
        spread_s: float = 0.5,
        budget: int | None = None,
        user: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.member = member
        spool = Spool(file, member.vin)
        kept = spool.remembered()
        life = member.scenario.life(member.profile, since, zone, region=member.seed, stretch_s=period_s)
        self.car = Car(member.profile, life, member.seed, since, json.loads(kept) if kept else None)
        self._codec = codec(member.profile.dbc)
        self._ecu_bus = can.Bus(interface="virtual", channel=f"{member.vin}/{spool.boot}", preserve_timestamps=True)
        self._unit_bus = can.Bus(interface="virtual", channel=f"{member.vin}/{spool.boot}", preserve_timestamps=True)
        self.ecus = Ecus(self._ecu_bus, self._codec)
        self._link = Link(self._unit_bus, self._ecu_bus, Answerer(member.vin, self.car.codes, lambda: self.ecus.values))
        self._broadcasts = j1939.Listener()
        self._faults = DataFaults(member.scenario.data, member.seed) if member.scenario.data else None
        self.unit = Unit(spool, Sampler(period_s), budget=budget, faults=self._faults)
        self.sender = Sender(
            member.vin,
            member.secret,
            host,
            port,
            spool,
            current=self.unit.current,
            seed=member.seed,
            spread_s=spread_s,
            order=self._faults.order if self._faults else list,
            facts=self.unit.budget,
            user=user,
            tls=tls,
        )
        self.unit.wake = self.sender.wake
        self._life: Iterator[Heard] = self.car.hear()
        self._next = next(self._life)
        self._driving = False

    @property
    def due(self) -> float:
        """When its bus says something next."""
        return self._next.ts

    def step(self) -> None:
        """Put the next look on the bus; the unit hears it."""
        heard = self._next
        values = heard.values if self._faults is None else self._spoilt(self._faults, heard)
        self.ecus.show(values, heard.ts)
        self.unit.hear(heard.ts, self._listen())
        if heard.poll:
            self.unit.codes(heard.ts, self._codes(heard.ts))
            self.remember()
        self._next = next(self._life)

    def heal(self, component: str) -> list[str]:
        """The workshop mends it."""
        mended = self.car.heal(component) or self.car.heal("all")
        self.remember()
        return mended

    def remember(self) -> None:
        """Keep the car's condition for the next start."""
        self.unit.spool.remember(json.dumps(self.car.dump()))

    def close(self) -> None:
        """Let go of the bus."""
        self._ecu_bus.shutdown()
        self._unit_bus.shutdown()

    def _spoilt(self, faults: DataFaults, heard: Heard) -> Mapping[int, float]:
        ignition = heard.values.get(IGNITION)
        if ignition == ON and not self._driving:
            faults.begin_trip(self.car)
        self._driving = ignition == ON
        self.ecus.spoilt = faults.unavailable(self._codec.frame_ids(heard.values))
        return faults.on_bus(heard.values)

    def _codes(self, ts: float) -> Diagnostics:
        """Ask the control units, or hear what a truck broadcasts."""
        drive = self.member.profile.drive
        if drive != "truck":
            while self._ecu_bus.recv(0.0) is not None:  # what the unit said earlier is no request
                pass
            return (read_electric if drive == "electric" else read_car)(self._link.ask, ts)
        self.ecus.send(dm1_frames(self.car.codes), ts)
        while (frame := self._unit_bus.recv(0.0)) is not None:
            whole = self._broadcasts.hear(frame.arbitration_id, bytes(frame.data))
            if isinstance(whole, tuple) and whole[0] == j1939.DM1:
                return read_truck(whole[1], ts)
        raise Unavailable("the truck's engine", "it broadcast no DM1")

    def _listen(self) -> dict[int, float]:
        values: dict[int, float] = {}
        while (frame := self._unit_bus.recv(0.0)) is not None:
            values |= self._codec.decode(frame)
        return values
