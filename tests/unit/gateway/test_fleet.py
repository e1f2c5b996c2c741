"""What a checkpoint knows: the rows of its own transaction, and none of those that come after it."""

from __future__ import annotations

from types import SimpleNamespace

from gateway.car import Car
from gateway.fleet import Fleet
from gateway.frontier import Arrival, Frontier
from schemas.vehicle import bucket_of
from store.vehicles import Identity

VIN = "TTB1H00LDP0000089"


def test_a_checkpoint_does_not_learn_of_rows_that_come_while_it_is_being_written():
    fleet = Fleet(SimpleNamespace(dump=lambda memory: b"", versions={}))  # type: ignore[arg-type]
    car = Car(Identity(id=1, vin=VIN, dealer_id=1, profile="petrol_hatch", secret_hash=None, revoked_at=None), bucket_of(VIN))
    car.frontier.arrive(1, 1, 1, 0.0)
    car.frontier.arrive(1, 4, 1, 0.0)  # 2 and 3 are missing
    kept = fleet.checkpoint(car, 0.0, 20_000)[7]
    car.frontier.arrive(1, 2, 1, 0.1)  # the next batch, which a killed gateway never writes
    car.frontier.arrive(1, 3, 1, 0.1)
    again = Frontier.load(kept, 1.0)
    assert again.arrive(1, 2, 1, 1.1) is not Arrival.DUPLICATE
    assert again.arrive(1, 3, 1, 1.1) is not Arrival.DUPLICATE
