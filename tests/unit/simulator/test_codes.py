"""Trouble codes over driving cycles, and how they are read: services 01, 02, 03, 07, 0A, UDS 0x19, DM1."""

from __future__ import annotations

import can
import pytest

from schemas.errors import Unavailable
from simulator import obd2, uds
from simulator.codes import CodeMemory
from simulator.diagnostics import Answerer, Link, dm1_frames, read_car, read_electric, read_without_bus
from simulator.telematics import PATHS

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
    assert (
        [(c.code, c.status) for c in first.codes] == [("P0301", "pending")]
        and not first.mil
        and first.freeze_frame is None
    )
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


PACK = {
    1: 62.34,
    4: -3.0,
    45: 61.5,
    47: 3.512,
    48: 3.702,
    49: 41.0,
    50: 3.698,
    51: 24.0,
    52: 87.0,
    53: 355.1,
    54: -41.5,
}


def _electric(stored: bool = True) -> CodeMemory:
    memory = CodeMemory(drive="electric")
    for _ in range(2 if stored else 0):
        memory.begin()
        memory.test("insulation", True, 300.0, 0.0, PACK)
    return memory


def test_the_electric_car_s_freeze_frame_is_read_by_uds_and_says_what_was_measured(buses: list[can.BusABC]) -> None:
    memory = _electric()
    read = read_electric(_asker(memory, buses), 0.0)
    assert read.freeze_frame is not None and read.freeze_frame.code == "P0AA6-00"
    result = read.freeze_frame.signals
    pack = "Vehicle.Powertrain.TractionBattery"
    assert (
        result[f"{pack}.InsulationResistance"] == 87.0
        and result[f"{pack}.CurrentCurrent"] == -41.5
        and result[f"{pack}.CellVoltage.IdMin"] == 41.0
    )
    assert result["Vehicle.Exterior.AirTemperature"] == -3.0 and len(result) == len(PACK)
    for signal, value in PACK.items():
        assert result[PATHS[signal]] == pytest.approx(value, abs=0.3)
    assert read == read_without_bus("electric", memory, 0.0)


def test_a_pending_code_has_no_freeze_frame_yet_and_a_code_without_a_snapshot_has_none(buses: list[can.BusABC]) -> None:
    memory = CodeMemory(drive="electric")
    memory.begin()
    memory.test("insulation", True, 300.0, 0.0, PACK)
    ask = _asker(memory, buses)
    assert [c.status for c in read_electric(ask, 0.0).codes] == ["pending"] and read_electric(
        ask, 0.0
    ).freeze_frame is None
    memory = _electric()
    memory.stored["P0AA6"].frame.clear()
    read = read_electric(read_by(memory), 0.0)
    assert read.mil and read.freeze_frame is None


def read_by(memory: CodeMemory):
    return Answerer(VIN, memory, dict).answer


def test_all_supported_codes_come_with_their_status_and_help_where_the_unit_cannot_choose(
    buses: list[can.BusABC],
) -> None:
    memory = _electric()
    ask = _asker(memory, buses)
    listed = uds.codes_of(ask(b"\x19\x0a"))
    assert dict(listed)["P0AA6-00"] & uds.CONFIRMED and {code for code, status in listed if status == 0} == {
        "P0562-00",
        "P0A80-00",
    }

    def knows_no_02(request: bytes) -> bytes:
        return b"\x7f\x19\x12" if request[:2] == b"\x19\x02" else ask(request)

    assert read_electric(knows_no_02, 0.0) == read_electric(ask, 0.0)
    with pytest.raises(Unavailable, match="no list of codes"):
        read_electric(lambda request: b"\x7f\x19\x11", 0.0)


def test_a_snapshot_is_refused_in_the_words_of_the_standard(buses: list[can.BusABC]) -> None:
    ask = _asker(_electric(), buses)
    insulation = bytes.fromhex("0aa600")
    assert ask(b"\x19\x04" + insulation + b"\x01") == ask(b"\x19\x04" + insulation + b"\xff")
    assert len(ask(b"\x19\x04" + insulation + b"\xff")) > 8  # several frames
    assert ask(b"\x19\x04" + insulation + b"\x07") == b"\x7f\x19\x31"  # no such record
    assert ask(b"\x19\x04" + bytes.fromhex("030100") + b"\xff") == b"\x7f\x19\x31"  # no such code in this car
    assert ask(b"\x19\x04" + insulation) == b"\x7f\x19\x13"  # too short
    assert ask(b"\x19\x04" + bytes.fromhex("0a8000") + b"\xff") == b"\x59\x04\x0a\x80\x00\x00"  # nothing stored


def test_a_maker_s_own_identifiers_are_shown_without_rather_than_wrong() -> None:
    ask = read_by(_electric())

    def strange(request: bytes) -> bytes:
        answer = ask(request)
        return answer[:8] + b"\xf4\x0c" + answer[10:] if request[:2] == b"\x19\x04" else answer

    read = read_electric(strange, 0.0)
    assert [c.code for c in read.codes] == ["P0AA6-00"] and read.freeze_frame is None


def test_what_a_petrol_car_and_a_truck_can_store_is_what_they_test() -> None:
    assert "P0171" in CodeMemory().supported and "P0AA6" not in CodeMemory().supported
    assert CodeMemory(truck=True, drive="truck").supported == ["100/1", "110/0", "110/18", "168/1", "177/0", "3719/0"]


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
