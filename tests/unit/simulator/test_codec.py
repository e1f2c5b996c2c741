"""Frames and signals: what a DBC says goes out and comes back."""

from __future__ import annotations

import pytest

from schemas.signal import BY_ID, BY_PATH
from simulator.codec import codec
from telltale.data import profiles

MODELS = sorted(profiles())
UNIT_MADE = {"Vehicle.LowVoltageBattery.RestingVoltage", "Vehicle.LowVoltageBattery.CrankingVoltageMin"}

#: The stand-in's battery raises no alarm of its own: real ones answer with it or say it over a feed.
ANSWERED = {"Vehicle.Powertrain.TractionBattery.AlarmLevel"}


@pytest.mark.parametrize("model", MODELS)
def test_a_models_bus_carries_exactly_what_is_fitted(model: str) -> None:
    profile = profiles()[model]
    carried = {BY_ID[place.signal].path for places in codec(profile.dbc).places.values() for place in places}
    assert carried == set(profile.fitted) - UNIT_MADE - ANSWERED


@pytest.mark.parametrize("model", MODELS)
def test_every_signal_survives_encoding_and_decoding_at_both_ends_of_its_range(model: str) -> None:
    buses = codec(profiles()[model].dbc)
    for frame_id, places in buses.places.items():
        for pick in (lambda p: p.low, lambda p: p.high, lambda p: p.low + (p.high - p.low) / 3):
            values = {place.signal: pick(place) for place in places}
            assert buses.decode(buses.encode(frame_id, values)) == buses.quantised(values)


@pytest.mark.parametrize("model", MODELS)
def test_no_two_signals_share_a_bit(model: str) -> None:
    for message in codec(profiles()[model].dbc).messages.values():
        bits = [bit for signal in message.signals for bit in range(signal.start, signal.start + signal.length)]
        assert len(bits) == len(set(bits)), message.name


def test_a_value_is_rounded_to_what_the_bus_can_say() -> None:
    pressure = BY_PATH["Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure"].id
    assert codec(("body.dbc",)).quantised({pressure: 233.6}) == {pressure: 234.0}
    assert codec(("truck.dbc",)).quantised({pressure: 833.0}) == {pressure: 832.0}  # 4 kPa a bit


def test_what_a_truck_does_not_know_is_not_available_and_no_value() -> None:
    buses = codec(("truck.dbc",))
    coolant = BY_PATH["Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"].id
    (frame_id,) = buses.frame_ids([coolant])
    frame = buses.encode(frame_id, {})
    assert frame.data[0] == 0xFF
    assert buses.decode(frame) == {}


def test_an_unknown_or_short_frame_has_no_values() -> None:
    buses = codec(("body.dbc",))
    frame = buses.encode(0x130, {5: 12.5})
    frame.arbitration_id = 0x7FF
    assert buses.decode(frame) == {}
    frame.arbitration_id, frame.data = 0x130, b"\x01"
    assert buses.decode(frame) == {}
