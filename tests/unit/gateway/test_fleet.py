"""What a checkpoint knows: the rows of its own transaction, and none of those that come after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

from gateway.fleet.car import Car
from gateway.fleet.fleet import Fleet
from gateway.fleet.sequence import Arrival, MessageSequence
from schemas.vehicle import bucket_of, topic
from store.vehicles import Identity

VIN = "TTB1H00LDP0000089"


def who(**changes: object) -> Identity:
    return replace(
        Identity(id=1, vin=VIN, dealer_id=1, profile="petrol_hatch", secret_hash=b"x" * 32, revoked_at=None), **changes
    )


def test_a_revoked_car_does_not_speak_and_does_again_when_it_is_enrolled_again():
    fleet = Fleet(SimpleNamespace(dump=lambda memory: b"", versions={}))  # type: ignore[arg-type]
    fleet.meet([who()])
    name = topic(VIN, "up/telemetry").encode()
    assert fleet.route(name).speaks is fleet.by_vin[VIN]
    assert fleet.meet([who(revoked_at=datetime(2026, 11, 21, tzinfo=UTC))]) == [(VIN, 1)]
    assert fleet.route(name).speaks is None and fleet.route(name).car.revoked and VIN not in fleet.known
    assert fleet.meet([who()]) == []
    assert fleet.route(name).speaks is fleet.by_vin[VIN] and VIN in fleet.known


def test_a_car_that_was_removed_is_an_unknown_one():
    fleet = Fleet(SimpleNamespace(dump=lambda memory: b"", versions={}))  # type: ignore[arg-type]
    fleet.meet([who()])
    name = topic(VIN, "up/telemetry").encode()
    assert fleet.route(name).car is not None
    assert fleet.part(1) is not None and fleet.part(1) is None
    assert fleet.route(name).car is None and VIN not in fleet.known and not fleet.by_id


def test_topics_that_are_made_up_are_not_remembered():
    fleet = Fleet(SimpleNamespace(dump=lambda memory: b"", versions={}))  # type: ignore[arg-type]
    fleet.meet([who()])
    for n in range(1_000):
        fleet.route(topic(VIN, f"up/{n}").encode())
    assert fleet.routes == {}


def test_a_checkpoint_does_not_learn_of_rows_that_come_while_it_is_being_written():
    fleet = Fleet(SimpleNamespace(dump=lambda memory: b"", versions={}))  # type: ignore[arg-type]
    car = Car(
        Identity(id=1, vin=VIN, dealer_id=1, profile="petrol_hatch", secret_hash=None, revoked_at=None), bucket_of(VIN)
    )
    car.sequence.arrive(1, 1, 1, 0.0)
    car.sequence.arrive(1, 4, 1, 0.0)  # 2 and 3 are missing
    kept = fleet.checkpoint(car, 0.0, 20_000, 0.0)[7]
    car.sequence.arrive(1, 2, 1, 0.1)  # the next batch, which a killed gateway never writes
    car.sequence.arrive(1, 3, 1, 0.1)
    again = MessageSequence.load(kept, 1.0)
    assert again.arrive(1, 2, 1, 1.1) is not Arrival.DUPLICATE
    assert again.arrive(1, 3, 1, 1.1) is not Arrival.DUPLICATE
