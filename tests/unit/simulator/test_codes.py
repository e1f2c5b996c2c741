"""Trouble codes over driving cycles, and how they are read: services 01, 02, 03, 07, 0A, UDS 0x19, DM1."""

from __future__ import annotations

import can
import pytest

from schemas.errors import Unavailable
from simulator import obd2
from simulator.codes import CodeMemory
from simulator.diagnostics import Answerer, Link, dm1_frames, read_car, read_electric, read_without_bus

VIN = "WTTPH0000NM000017"
FRAME = {10: 1_800.0, 1: 62.0, 11: 71.0, 30: 2.0, 31: 14.0}


def _cycle(memory: CodeMemory, failing: bool = True, cylinder: int = 1) -> None:
    memory.begin()
    for n in range(10):
        memory.test("misfire", failing, 60.0, n * 60.0, FRAME, cylinder)


def _end(memory: CodeMemory) -> None:
    memory.end(warmed_up=True, long_enough=True)


@pytest.fixture
def buses():
    pair = [can.Bus(interface="virtual", channel="codes") for _ in range(2)]
    yield pair
    for bus in pair:
        bus.shutdown()


def _asker(memory: CodeMemory, buses: list[can.BusABC]):
    return Link(buses[0], buses[1], Answerer(VIN, memory, lambda: FRAME)).ask


def test_the_first_cycle_makes_a_code_pending_the_second_confirms_it_with_the_lamp() -> None:
    memory = CodeMemory()
    _cycle(memory)
    assert (memory.listed("pending"), memory.listed("confirmed"), memory.lamp) == (["P0301"], [], False)
    _end(memory)
    _cycle(memory)
    assert (memory.listed("confirmed"), memory.listed("permanent"), memory.lamp) == (["P0301"], ["P0301"], True)


def test_a_good_cycle_in_between_forgets_what_was_only_pending() -> None:
    memory = CodeMemory()
    _cycle(memory)
    _end(memory)
    _cycle(memory, failing=False)
    _end(memory)
    assert memory.stored == {}


def test_three_good_cycles_put_the_lamp_out_and_forty_warm_ups_erase_the_code() -> None:
    memory = CodeMemory()
    for _ in range(2):
        _cycle(memory)
        _end(memory)
    for n in range(40):
        assert memory.lamp == (n < 3)
        assert memory.listed("confirmed") == ["P0301"]
        _cycle(memory, failing=False)
        _end(memory)
    assert memory.stored == {}


def test_a_cleared_permanent_code_stays_until_its_test_has_passed() -> None:
    memory = CodeMemory()
    for _ in range(2):
        _cycle(memory)
        _end(memory)
    memory.clear()
    assert (memory.listed("confirmed"), memory.listed("permanent"), memory.lamp) == ([], ["P0301"], False)
    _cycle(memory, failing=False)
    _end(memory)
    assert memory.stored == {}


def test_a_short_failure_stores_nothing() -> None:
    memory = CodeMemory()
    memory.begin()
    memory.test("misfire", True, 60.0, 0.0, FRAME, 3)
    assert memory.stored == {}


def test_the_memory_survives_a_restart() -> None:
    memory, again = CodeMemory(), CodeMemory()
    _cycle(memory, cylinder=4)
    again.load(memory.dump())
    assert again.stored == memory.stored
    assert again.listed("pending") == ["P0304"]


def test_the_unit_reads_pending_confirmed_permanent_lamp_and_freeze_frame_over_iso_tp(buses: list[can.BusABC]) -> None:
    memory = CodeMemory()
    _cycle(memory)
    ask = _asker(memory, buses)
    first = read_car(ask, 0.0)
    assert [(c.code, c.status) for c in first.codes] == [("P0301", "pending")] and not first.mil and first.freeze_frame is None
    _end(memory)
    _cycle(memory)
    second = read_car(ask, 0.0)
    assert [(c.code, c.status) for c in second.codes] == [("P0301", "confirmed")] and second.mil
    assert second.freeze_frame is not None
    assert second.freeze_frame.code == "P0301"
    assert second.freeze_frame.signals["Vehicle.Powertrain.CombustionEngine.Speed"] == 1_800.0
    assert second == read_without_bus("petrol", memory, 0.0)


def test_many_codes_need_several_frames_and_arrive(buses: list[can.BusABC]) -> None:
    memory = CodeMemory()
    for cylinder in range(1, 9):
        for _ in range(2):
            _cycle(memory, cylinder=cylinder)
    ask = _asker(memory, buses)
    assert [c.code for c in read_car(ask, 0.0).codes] == [f"P030{n}" for n in range(1, 9)]


def test_uds_gives_codes_status_and_vin(buses: list[can.BusABC]) -> None:
    memory = CodeMemory()
    for _ in range(2):
        memory.begin()
        memory.test("insulation", True, 300.0, 0.0, {})
    ask = _asker(memory, buses)
    read = read_electric(ask, 0.0)
    assert [(c.system, c.code, c.status) for c in read.codes] == [("uds", "P0AA6-00", "confirmed")] and read.mil
    assert read == read_without_bus("electric", memory, 0.0)
    assert ask(bytes.fromhex("22f190")) == bytes.fromhex("62f190") + VIN.encode()
    assert ask(bytes.fromhex("1901ff"))[:2] == b"\x59\x01"
    assert ask(bytes.fromhex("14ffffff")) == b"\x54"
    assert read_electric(ask, 0.0).codes == []


def test_a_control_unit_says_no_to_what_it_does_not_know(buses: list[can.BusABC]) -> None:
    ask = _asker(CodeMemory(), buses)
    assert ask(b"\x31\x01") == b"\x7f\x31\x11"
    assert ask(b"\x01\xfe") == b"\x7f\x01\x31"
    assert ask(b"\x19\x42\xff") == b"\x7f\x19\x12"
    assert ask(b"\x03") == b"\x43\x00"
    assert ask(b"\x04") == b"\x44"
    assert obd2.values_of(ask(b"\x01\x0c")) == {10: 1_800.0}
    assert ask(b"\x09\x02")[3:] == VIN.encode()


def test_a_silent_control_unit_is_unavailable(buses: list[can.BusABC]) -> None:
    link = Link(buses[0], buses[1], Answerer(VIN, CodeMemory(), lambda: FRAME))
    link.ecu.process = lambda *a, **k: None
    with pytest.raises(Unavailable):
        link.ask(b"\x03")


def test_a_truck_has_no_pending_codes_and_broadcasts_them_in_a_dm1() -> None:
    memory = CodeMemory(truck=True)
    memory.begin()
    for name in ("voltage", "soot", "overheating"):
        memory.test(name, True, 400.0, 0.0, {})
    read = read_without_bus("truck", memory, 0.0)
    assert [(c.code, c.status) for c in read.codes] == [
        ("110/0", "active"),
        ("168/1", "active"),
        ("3719/0", "active"),
    ] and read.mil
    assert len(dm1_frames(memory)) == 1 + 2  # announced, then two packets
    memory.clear()
    assert len(dm1_frames(memory)) == 1
