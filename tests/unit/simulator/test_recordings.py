"""The four recorded drives beside the checkout, frame by frame: what becomes a reading, and why the rest does not."""

from __future__ import annotations

import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

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
    import can

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
