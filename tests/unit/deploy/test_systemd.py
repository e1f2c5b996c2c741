"""The systemd units start real commands with real settings, wait for their word, and give them no rights that they do
not need.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.deploy.verbs import settings, unknown_options

ROOT = Path(__file__).resolve().parents[3]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
ONCE = ("telltale-migrate.service", "telltale-backup.service")
SERVICES = [unit for unit in UNITS if unit.name not in ONCE]

analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="no systemd-analyze on this machine (on Debian: apt-get install systemd)",
)


def values(unit: Path, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit.read_text(), re.M)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_a_real_command_with_real_options(unit: Path) -> None:
    [command] = values(unit, "ExecStart")
    program, *words = command.split()
    assert program == "/opt/telltale/.venv/bin/python" and words[:3] == ["-P", "-m", "telltale"]
    assert unknown_options(words[3:]) == set()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_sets_what_is_a_setting(unit: Path) -> None:
    named = {word.partition("=")[0] for line in values(unit, "Environment") for word in line.split()}
    assert named - settings() <= {"PYTHONPATH", "PYTHONUNBUFFERED", "GATEWAYS"}


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_is_waited_for_watched_bounded_and_started_again(unit: Path) -> None:
    assert values(unit, "Type") == ["notify"]
    assert values(unit, "Restart") == ["always"] and values(unit, "StartLimitIntervalSec") == ["0"]
    assert int(values(unit, "WatchdogSec")[0]) >= 30  # longer than the longest honest pause
    assert values(unit, "MemoryMax")


def test_the_example_of_settings_names_settings_and_is_for_its_owner() -> None:
    example = ROOT / "deploy" / "systemd" / "telltale.env.example"
    named = re.findall(r"^([A-Z_]+)=", example.read_text(), re.M)
    assert set(named) - settings() == {"GATEWAYS"}
    assert {"DATABASE_URL", "MQTT_URL", "TELLTALE_SECRET", "TELLTALE_PUBLIC_URL"} <= set(named)


def test_only_the_migration_knows_the_owner_of_the_database() -> None:
    for unit in UNITS:
        read = values(unit, "EnvironmentFile")
        assert read == [
            "/etc/telltale/telltale.env",
            *(["/etc/telltale/owner.env"] if "migrate" in unit.name else []),
        ], "the last one counts"
    folder = ROOT / "deploy" / "systemd"
    assert re.findall(r"^DATABASE_URL=.*@", (folder / "telltale.env.example").read_text(), re.M) == []
    assert set(re.findall(r"^([A-Z_]+)=", (folder / "owner.env.example").read_text(), re.M)) == {
        "DATABASE_URL",
        "DATABASE_PASSWORD",
    }


@pytest.fixture
def copies(tmp_path: Path) -> list[Path]:
    """With a Python that is there, for systemd wants to see the program."""
    for unit in (*UNITS, *UNITS[0].parent.glob("*.timer")):
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/telltale/.venv/bin/python", sys.executable))
    return sorted(tmp_path.glob("*.service"))


@analyze
def test_systemd_understands_every_line(copies: list[Path]) -> None:
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, copies)], capture_output=True, text=True
    )
    ours = [line for line in result.stderr.splitlines() if "telltale" in line]
    assert (result.returncode, ours) == (0, [])


@analyze
def test_systemd_finds_little_that_they_could_do_to_the_machine(copies: list[Path]) -> None:
    for unit in copies:  # the scale goes from 0 to 10; 2 is "OK", what a service of nobody in particular has is 9.6
        result = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)],
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stdout[-400:] + result.stderr
