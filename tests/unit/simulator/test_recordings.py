"""The four recorded drives beside the checkout, frame by frame: what becomes a reading, and why the rest does not."""

from __future__ import annotations

import gzip
import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import can
import pytest

from schemas.errors import BadInput
from simulator.overheard import Decoded
from simulator.playing import Played, decoded

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RPM, SPEED, COOLANT, VOLTS = 10, 1, 11, 32


def _play(path: Path, start: datetime | None = None) -> tuple[list[Decoded], Played]:
    played = Played(path.name, "WTTPH0000NM000017")
    return decoded(path, start, NOW, played, lambda frames: None), played


@pytest.fixture
def drives(recordings: Path) -> Path:
    return recordings / "css_canedge" / "candump"


@pytest.mark.recordings
def test_every_answer_of_the_drive_is_a_reading_but_those_without_a_signal(drives: Path) -> None:
    result, played = _play(drives / "obd2_drive_3BA199E2.log.gz")
    assert played.frames == 63_354
    assert played.ignored == {"no_signal_for_pid_62": 10_463}
    assert len(result) == 63_354 - 10_463
    counts = Counter(signal for one in result for signal in one.values)
    assert (counts[RPM], counts[SPEED], counts[COOLANT], counts[VOLTS]) == (10_488, 10_484, 5_233, 1_745)


@pytest.mark.recordings
def test_readings_keep_the_recordings_spacing_and_end_now(drives: Path) -> None:
    path = drives / "obd2_drive_3BA199E2.log.gz"
    result, played = _play(path)
    with gzip.open(path, "rt") as lines:
        original = [float(line[1 : line.index(")")]) for line in lines if "#04410C" in line]
    ours = [one.ts for one in result if RPM in one.values]
    assert max(abs((a - ours[0]) - (b - original[0])) for a, b in zip(ours, original, strict=True)) < 1e-5
    assert NOW.timestamp() - result[-1].ts < 1.0
    assert played.ends_at == NOW.isoformat()


@pytest.mark.recordings
def test_a_relative_log_starts_where_it_is_told_to(drives: Path) -> None:
    start = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    result, _ = _play(drives / "obd2_car_7512BE4D.log.gz", start)
    assert 0 <= result[0].ts - start.timestamp() < 1.0


@pytest.mark.recordings
def test_requests_and_parts_of_longer_answers_are_counted(drives: Path) -> None:
    result, played = _play(drives / "obd2_car_7512BE4D.log.gz")
    assert played.ignored["request"] == 7_651
    assert played.frames == sum(played.ignored.values()) + played.frames_used
    assert all(one.diagnostics is None for one in result)  # service 03 answered: no codes


@pytest.mark.recordings
def test_the_electric_cars_recording_yields_four_tyre_pressures(drives: Path) -> None:
    result, _ = _play(drives / "ev_uds_tpms_2F6913DB.log.gz")
    pressures = {signal: round(value) for one in result for signal, value in one.values.items() if 70 <= signal <= 73}
    assert pressures == {70: 247, 71: 240, 72: 243, 73: 241}


@pytest.mark.recordings
def test_the_machines_recording_yields_exactly_its_four_active_codes_with_the_lamp(drives: Path) -> None:
    result, played = _play(drives / "j1939_dm1_machine.log.gz")
    lists = [one.diagnostics for one in result if one.diagnostics is not None]
    assert [[code.code for code in one.codes] for one in lists] == [["980/9", "3216/20", "609/9", "609/12"]]
    assert lists[0].mil
    assert {code.status for code in lists[0].codes} == {"active"}
    warmest = max(value for one in result for signal, value in one.values.items() if signal == COOLANT)
    assert warmest < 100  # 214 degrees, if one believed the pattern for "not available"
    assert played.frames == 45_571


@pytest.mark.parametrize("name", ["drive.asc", "drive.blf", "drive.log"])
def test_other_formats_are_read_and_absolute_times_kept(name: str, tmp_path: Path) -> None:
    begin = datetime(2026, 3, 2, 9, 0, tzinfo=UTC).timestamp()
    with can.Logger(str(tmp_path / name)) as log:
        for n in range(5):
            log.on_message_received(
                can.Message(
                    timestamp=begin + n,
                    arbitration_id=0x7E8,
                    is_extended_id=False,
                    data=bytes.fromhex("04410c1af8000000"),
                )
            )
    result, played = _play(tmp_path / name)
    assert played.frames == 5 and [one.values for one in result] == [{RPM: 1726.0}] * 5
    if name != "drive.asc":  # its times are relative to a header without a zone
        assert [round(one.ts - begin, 3) for one in result] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("content", ["", "nothing of the kind\n", "(1.0) can0 7E8#04410C"])
def test_a_file_without_frames_is_bad_input(content: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.log"
    path.write_text(content)
    if content.startswith("(1.0)"):
        assert _play(path)[1].frames == 1
        return
    with pytest.raises(BadInput):
        _play(path)


def test_an_unknown_format_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "drive.txt"
    path.write_text("hello")
    with pytest.raises(BadInput, match=r"drive\.txt"):
        _play(path)
    with pytest.raises(BadInput):
        _play(tmp_path / "missing.log")


def test_mf4_is_read_or_says_which_package_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "drive.mf4"
    path.write_bytes(b"MDF     4.10")
    with pytest.raises(BadInput):
        _play(path)


def _answers(times: Sequence[float]) -> list[can.Message]:
    return [
        can.Message(timestamp=at, arbitration_id=0x7E8, is_extended_id=False, data=bytes.fromhex("04410c1af8000000"))
        for at in times
    ]


def _logged(path: Path, times: Sequence[float]) -> Path:
    path.write_text("".join(f"({at:.6f}) can0 7E8#04410C1AF8000000\n" for at in times))
    return path


@pytest.mark.parametrize("year", [1970, 1980, 2000, 2036])
def test_a_clock_that_was_never_set_is_no_time_whatever_year_it_shows(year: int, tmp_path: Path) -> None:
    begin = datetime(year, 1, 1, 0, 0, 5, tzinfo=UTC).timestamp()
    result, played = _play(_logged(tmp_path / "drive.log", [begin + n for n in range(5)]))
    assert [round(one.ts - result[0].ts, 3) for one in result] == [0, 1, 2, 3, 4]
    assert abs(result[-1].ts - NOW.timestamp()) < 1
    assert played.notes == ["the log's clock was never set: its times are counted from its beginning"]


@pytest.mark.parametrize("year", [1970, 1980, 2000, 2036])
def test_a_clock_that_is_set_on_the_way_moves_only_what_was_before(year: int, tmp_path: Path) -> None:
    wrong = datetime(year, 1, 1, 0, 0, 5, tzinfo=UTC).timestamp()
    right = (NOW - timedelta(days=3)).timestamp()
    result, played = _play(_logged(tmp_path / "drive.log", [wrong, wrong + 1, right, right + 1]))
    assert [round(one.ts - right, 3) for one in result] == [-2, -1, 0, 1]
    assert len(played.notes) == 1 and played.notes[0].startswith("2 frame(s) were logged before or after")


def test_a_clock_that_jumps_between_two_drives_keeps_both(tmp_path: Path) -> None:
    first, second = ((NOW - timedelta(days=days)).timestamp() for days in (30, 3))
    result, played = _play(_logged(tmp_path / "drive.log", [first, first + 1, second, second + 1]))
    assert [one.ts for one in result] == [first, first + 1, second, second + 1] and not played.notes


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_the_date_in_an_asc_header_is_a_time_of_this_machines_zone(
    zone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        path = tmp_path / "drive.asc"
        path.write_text(
            "date Mon Mar 2 09:00:00.000 am 2026\nbase hex  timestamps absolute\ninternal events logged\n"
            "Begin Triggerblock Mon Mar 2 09:00:00.000 am 2026\n"
            "   0.500000 1  7E8             Rx   d 8 04 41 0C 1A F8 00 00 00\n"
            "   1.500000 1  7E8             Rx   d 8 04 41 0C 1A F8 00 00 00\n"
            "End TriggerBlock\n"
        )
        result, played = _play(path)
    finally:
        monkeypatch.undo()
        time.tzset()
    began = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo(zone)).timestamp()
    assert [round(one.ts - began, 3) for one in result] == [0.5, 1.5]
    assert played.notes == ["the date in the ASC header was read in this machine's zone"]


@pytest.mark.parametrize("suffix", ["trc", "csv", "db"])
def test_what_else_the_library_writes_is_read_back(suffix: str, tmp_path: Path) -> None:
    begin = datetime(2026, 3, 2, 9, 0, tzinfo=UTC).timestamp()
    path = tmp_path / f"drive.{suffix}"
    with can.Logger(str(path)) as log:
        for message in _answers([begin + n for n in range(5)]):
            log.on_message_received(message)
    result, played = _play(path)
    assert played.frames == 5 and [one.values for one in result] == [{RPM: 1726.0}] * 5
    assert [round(one.ts - result[0].ts, 3) for one in result] == [0, 1, 2, 3, 4]
    if suffix != "trc":  # which counts from the start that its header names, in this machine's zone
        assert round(result[0].ts - begin, 3) == 0


_SCREEN = "  can0  7E8   [8]  04 41 0C 1A F8 00 00 00"


def test_candumps_screen_with_a_date_is_read_as_utc(tmp_path: Path) -> None:
    path = tmp_path / "drive.txt"
    path.write_text("".join(f" (2026-03-02 09:00:0{n}.250000){_SCREEN}\n" for n in range(5)))
    result, played = _play(path)
    began = datetime(2026, 3, 2, 9, 0, tzinfo=UTC).timestamp()
    assert [round(one.ts - began, 3) for one in result] == [0.25, 1.25, 2.25, 3.25, 4.25]
    assert played.notes == ["candump's screen output was read; its times are taken as they stand"]


def test_candumps_screen_with_differences_is_added_up(tmp_path: Path) -> None:
    """`candump -t d` shows how long each frame came after the one before."""
    path = tmp_path / "drive.txt"
    path.write_text("".join(f" ({apart:010.6f}){_SCREEN}\n" for apart in (0.0, 1.0, 0.5, 2.0, 0.25)))
    result, played = _play(path)
    assert [round(one.ts - result[0].ts, 3) for one in result] == [0, 1, 1.5, 3.5, 3.75]
    assert "its times are differences, which were added up" in played.notes[0]


def test_a_torn_gz_of_a_screen_is_played_as_far_as_it_is_whole(tmp_path: Path) -> None:
    luck = random.Random(4)
    lines = "".join(
        f" (17725{n:05}.{luck.randrange(10**6):06})  can0  7E8   [8]  04 41 0C {luck.randrange(40):02X} F8 00 00 00\n"
        for n in range(4_000)
    )
    whole = gzip.compress(lines.encode())
    (tmp_path / "drive.txt.gz").write_bytes(whole[: len(whole) // 2])
    _, played = _play(tmp_path / "drive.txt.gz")
    assert 500 < played.frames < 4_000
    assert played.notes[-1].startswith("the file ends in the middle") or "damaged after frame" in played.notes[0]
