"""What the unit reports, and when."""

from __future__ import annotations

from simulator.sampling import CRANKING, IGNITION, OFF, ON, RESTING, START, VOLTAGE, Sampler

SPEED, ODOMETER, LAMP = 1, 2, 33


def _started(period_s: float = 30.0) -> Sampler:
    sampler = Sampler(period_s)
    sampler.hear(0.0, {VOLTAGE: 12.5, IGNITION: OFF})
    for n, volts in enumerate((12.0, 10.4, 11.2)):
        assert sampler.hear(10.0 + n / 10, {VOLTAGE: volts, IGNITION: START}) is None
    return sampler


def test_a_start_reports_its_deepest_voltage_once() -> None:
    sampler = _started()
    first = sampler.hear(11.0, {VOLTAGE: 14.1, IGNITION: ON, SPEED: 0.0})
    assert first is not None and first[CRANKING] == 10.4
    later = sampler.hear(50.0, {VOLTAGE: 14.1, IGNITION: ON, SPEED: 30.0})
    assert later is not None and CRANKING not in later


def test_driving_reports_every_period_and_only_what_is_fast_or_has_changed() -> None:
    sampler = _started()
    sampler.hear(11.0, {VOLTAGE: 14.1, IGNITION: ON, SPEED: 0.0, ODOMETER: 5.0})
    assert sampler.hear(30.0, {VOLTAGE: 14.1, IGNITION: ON, SPEED: 20.0, ODOMETER: 5.0}) is None
    assert sampler.hear(41.0, {VOLTAGE: 14.1, IGNITION: ON, SPEED: 20.0, ODOMETER: 5.0}) == {VOLTAGE: 14.1, SPEED: 20.0}
    assert sampler.hear(71.0, {VOLTAGE: 14.1, IGNITION: ON, SPEED: 20.0, ODOMETER: 9.0}) == {
        VOLTAGE: 14.1,
        SPEED: 20.0,
        ODOMETER: 9.0,
    }


def test_a_switch_is_reported_at_once() -> None:
    sampler = _started()
    sampler.hear(11.0, {IGNITION: ON, SPEED: 0.0, LAMP: 0.0})
    result = sampler.hear(12.0, {IGNITION: ON, SPEED: 1.0, LAMP: 1.0})
    assert result is not None and result[LAMP] == 1.0


def test_resting_voltage_needs_three_hours_of_rest() -> None:
    sampler = _started()
    sampler.hear(11.0, {VOLTAGE: 14.1, IGNITION: ON})
    sampler.hear(1_000.0, {VOLTAGE: 14.0, IGNITION: OFF})
    early = sampler.hear(5_000.0, {VOLTAGE: 12.9, IGNITION: OFF})
    rested = sampler.hear(12_000.0, {VOLTAGE: 12.6, IGNITION: OFF})
    assert early is not None and RESTING not in early
    assert rested is not None and rested[RESTING] == 12.6


def test_a_charging_car_does_not_rest() -> None:
    sampler = Sampler()
    result = sampler.hear(0.0, {VOLTAGE: 13.9, IGNITION: OFF, 55: 1.0})
    assert result is not None and RESTING not in result


def test_a_start_that_fails_reports_its_voltage_too() -> None:
    result = _started().hear(20.0, {VOLTAGE: 11.9, IGNITION: OFF})
    assert result is not None and result[CRANKING] == 10.4
