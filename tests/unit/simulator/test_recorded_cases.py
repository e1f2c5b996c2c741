"""Small recordings after public reports of people who do this job: each says one thing that must come out
(tests/cases/vehicle).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.errors import BadInput
from schemas.telemetry import Diagnostics
from simulator.overheard import Decoded
from simulator.playing import Played, decoded

CASES = Path(__file__).resolve().parents[2] / "cases" / "vehicle"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SPEED, RPM, COOLANT, LAMP, COUNT = 1, 10, 11, 33, 34


def played(name: str) -> tuple[list[Decoded], Played]:
    what = Played(name, "WTTPH0000NM000017")
    return decoded(CASES / name, None, NOW, what, lambda frames: None), what


def lists(words: list[Decoded]) -> list[Diagnostics]:
    return [one.diagnostics for one in words if one.diagnostics is not None]


def values(words: list[Decoded], signal: int) -> list[float]:
    return [one.values[signal] for one in words if signal in one.values]


def codes(words: list[Decoded]) -> list[list[str]]:
    return [[code.code for code in one.codes] for one in lists(words)]


def test_the_list_of_two_units_is_their_union_and_is_said_once() -> None:
    result, _ = played("a_two_ecus_mode03.log")
    assert codes(result) == [["P0301"]]


def test_values_are_heard_from_the_engine_and_a_lamp_is_on_while_any_unit_says_so() -> None:
    result, _ = played("b_two_ecus_pid.log")
    assert values(result, RPM) == [3000.0] and values(result, COOLANT) == [86.0]
    assert set(values(result, LAMP)) == {1.0} and set(values(result, COUNT)) == {1.0}


def test_obd_on_29_bits_is_read() -> None:
    result, _ = played("c_29bit_obd.log")
    assert values(result, COOLANT) == [83.0] and codes(result) == [["P0301"]]


def test_all_pids_of_one_answer_are_read() -> None:
    result, what = played("d_multi_pid.log")
    assert [one.values for one in result] == [{COOLANT: 83.0, RPM: 1726.0, SPEED: 50.0}]
    assert what.ignored == {"request": 2, "part_of_a_longer_answer": 1}


def test_a_broadcast_and_a_transfer_of_one_sender_are_kept_apart() -> None:
    result, _ = played("e_bam_with_p2p.log")
    assert codes(result) == [["100/3", "980/4"]]


@pytest.mark.parametrize(
    ("name", "code"), [("f_dm1_stop_lamp.log", "100/1"), ("f2_dm1_stop_lamp_unknown_spn.log", "3364/7")]
)
def test_a_lamp_other_than_mil_reaches_the_contract(name: str, code: str) -> None:
    """The files are named after the stop lamp; bits 3 and 4 of the first byte (0x04) are the amber warning lamp
    (J1939-73).
    """
    result, _ = played(name)
    (one,) = lists(result)
    assert [c.code for c in one.codes] == [code]
    assert (one.mil, one.stop, one.warning, one.protect, one.flash) == (False, False, True, False, {})


@pytest.mark.parametrize(
    ("lamps", "on", "flash"),
    [
        ("10FF", {"stop"}, {}),
        ("5044", {"mil", "stop"}, {"mil": "fast", "stop": "slow"}),
        ("0101", {"protect"}, {"protect": "fast"}),
        ("FFFF", set(), {}),
        ("AAFF", set(), {}),
    ],
)
def test_every_lamp_and_its_flash_is_told(lamps: str, on: set[str], flash: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "dm1.log"
    log.write_text(
        f"(1700000000.000000) can0 18FECA00#{lamps}00000000FFFF\n(1700000001.000000) can0 18FECA00#00FF00000000FFFF\n"
    )
    first, *rest = lists(decoded(log, None, NOW, Played("", ""), lambda frames: None)) or [None]
    if not on:
        assert first is None and not rest
        return
    assert first is not None
    assert {
        name for name in ("mil", "stop", "warning", "protect") if getattr(first, name)
    } == on and first.flash == flash
    assert len(rest) == 1 and not rest[0].stop, "a change of lamps alone is a message"


def test_a_code_of_an_older_conversion_method_is_counted_and_not_guessed() -> None:
    result, what = played("g_dm1_cm1.log")
    assert codes(result) == [[]] and what.ignored == {"code_of_an_older_conversion_method": 1}
    assert lists(result)[0].stop, "its lamps are as plain as ever"


def test_empty_frames_are_counted() -> None:
    result, what = played("h_dlc0.log")
    assert what.ignored == {"empty_frame": 2} and len(result) == 1


@pytest.mark.parametrize(("name", "frames"), [("i_truncated_tail.log", 3), ("ab_power_cut.log.gz", 2_480)])
def test_what_is_whole_of_a_torn_recording_is_played(name: str, frames: int) -> None:
    result, what = played(name)
    assert what.frames == frames and len(result) == frames
    assert len(what.notes) <= 3 and any("torn" in note or "middle" in note for note in what.notes)


@pytest.mark.parametrize("name", ["j_candump_screen.log", "w_savvycan_gvret.csv"])
def test_what_other_tools_write_is_read(name: str) -> None:
    result, _ = played(name)
    assert values(result, COOLANT) == [83.0, 84.0] and result[1].ts - result[0].ts == pytest.approx(1.0)


def test_gvret_keeps_its_absolute_times() -> None:
    result, _ = played("w_savvycan_gvret.csv")
    assert result[0].ts == pytest.approx(1_769_872_318.258841)


def test_frames_before_the_clock_was_set_are_moved_and_the_others_are_not() -> None:
    result, what = played("k_clock_jump.log")
    times = [one.ts for one in result]
    assert times[2:] == [1_700_000_000.0, 1_700_000_001.0]
    assert times[:2] == [1_699_999_998.0, 1_699_999_999.0] and len(what.notes) == 1


def test_can_fd_is_read_and_error_frames_are_not() -> None:
    result, what = played("l_fd_and_error.log")
    assert values(result, COOLANT)[1:] == [83.0, 83.0] and values(result, RPM) == [1726.0]
    assert what.ignored["error_or_remote_frame"] == 2


def test_a_unit_that_answers_on_an_unusual_id_is_understood() -> None:
    result, what = played("m_renault_uds.log")
    assert codes(result) == [["B130B-16"]] and lists(result)[0].codes[0].status == "confirmed"
    assert what.ignored == {"request": 1}


def test_the_year_2000_is_no_time() -> None:
    result, _ = played("q_rtc2000.log")
    assert result[-1].ts == NOW.timestamp() and result[-1].ts - result[0].ts == 3600.0


def test_a_lamp_stays_on_while_the_engine_says_so() -> None:
    result, _ = played("s_dm1_two_senders_lamp.log")
    assert [one.mil for one in lists(result)] == [True, True]
    assert codes(result)[-1] == ["100/1", "2277/5"]


def test_a_tyre_of_the_standard_group_is_read_by_its_place() -> None:
    result, _ = played("u_tire_pgn.log")
    seen = {signal: value for one in result for signal, value in one.values.items()}
    assert seen == {70: 800.0, 90: 784.0}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("o_mode03_multi_p0000.log", [["P0171"]]),
        ("p_response_pending.log", [["P0301"]]),
        ("x_multi_dtc_clear_partial.log", [["P0301"], []]),
        ("y_pending_only_then_permanent.log", [["P0301"], ["P0301"]]),
    ],
)
def test_lists_that_held_before_still_hold(name: str, expected: list[list[str]]) -> None:
    assert codes(played(name)[0]) == expected


def test_a_small_step_back_of_the_bus_clock_is_kept() -> None:
    result, _ = played("z_bus_timestamp_jump.log")
    assert [round(one.ts - 1_700_000_000, 6) for one in result] == [0.404524, 6.621593, 0.409544]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("  can0  7E8   [8]  03 41 05 7B AA AA AA AA\n", "without times"),
        ("time;id;data\n1;7E8;0341057B\n", "time;id;data"),
        ("hello\n", "hello"),
    ],
)
def test_an_unknown_format_is_named_with_the_way_to_record_a_right_one(text: str, seen: str, tmp_path: Path) -> None:
    (tmp_path / "drive.log").write_text(text)
    with pytest.raises(BadInput, match="candump -l") as refused:
        decoded(tmp_path / "drive.log", None, NOW, Played("", ""), lambda frames: None)
    assert seen in str(refused.value)
