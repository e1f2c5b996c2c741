"""Nothing is skipped in silence: ./test installs what it lacks or names it, and tells at its end what was skipped and
why.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import pytest

def test_runs(): ...

@pytest.mark.skipif(True, reason="no anvil on this machine")
def test_of_the_anvil(): ...

@pytest.mark.parametrize("n", [1, 2])
def test_of_the_moon(n): pytest.skip("it is day")
"""


def suite(folder: Path, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A suite of its own, with nothing but what tells of skipped tests."""
    (folder / "test_smithy.py").write_text(tests)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.skipped",
        "--rootdir",
        str(folder),
        "-c",
        "/dev/null",
        *options,
        str(folder),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("options", "status"),
    [(["--all"], 1), (["-p", "xdist.plugin", "-n", "2"], 0), (["-p", "xdist.plugin", "-n", "2", "--all"], 1)],
)
def test_what_was_skipped_is_told_with_the_reason(tmp_path: Path, options: list[str], status: int) -> None:
    done = suite(tmp_path, TESTS, *options)
    assert done.returncode == status, done.stdout
    assert "3 skipped" in done.stdout and done.stdout.index("2  it is day\n") < done.stdout.index(
        "1  no anvil on this machine\n"
    ), done.stdout


def test_nothing_is_told_where_nothing_was_skipped(tmp_path: Path) -> None:
    done = suite(tmp_path, "def test_runs(): ...", "--all")
    assert done.returncode == 0 and "skipped" not in done.stdout


def needs(tmp_path: Path, line: str, account: str, **programs: str) -> str:
    """What `need` says on a machine with these programs (name: what the script does) and this account's number."""
    for name, script in {"id": f"echo {account}", **programs}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    script = f'set -eu; step() {{ echo "$1"; }}; . "{ROOT}/deploy/packages.sh"; PATH="{tmp_path}"; {line}'
    return subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=True, timeout=10, cwd=tmp_path
    ).stdout


def test_an_ordinary_user_is_told_what_is_missing_and_what_is_skipped(tmp_path: Path) -> None:
    result = needs(tmp_path, 'need smithy "the tests of the anvil" anvil hammer', "1000", **{"apt-get": "echo never"})
    assert (
        result
        == "not on this machine: smithy; the tests of the anvil are skipped (on Debian: apt-get install smithy)\n"
    )


@pytest.mark.parametrize("account", ["0", "1000"])
def test_nothing_is_done_where_one_of_the_programs_is_there(tmp_path: Path, account: str) -> None:
    assert (
        needs(
            tmp_path,
            'need smithy "the tests of the anvil" anvil hammer',
            account,
            hammer="",
            **{"apt-get": "echo never"},
        )
        == ""
    )
