"""A service says that it is ready to whoever started it: a supervisor on a pipe, or systemd at its socket."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from schemas.errors import Misconfigured
from telltale.readiness import notify, pinger, teller
from telltale.settings import Settings


def test_a_supervisor_reads_one_line_of_facts() -> None:
    read, write = os.pipe()
    teller(Settings.read(ready_fd=write))(url="http://127.0.0.1:1")
    with os.fdopen(read) as pipe:
        assert json.loads(pipe.read()) == {"url": "http://127.0.0.1:1"}


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_ready_and_then_that_the_loop_turns(tmp_path: Path, abstract: bool) -> None:
    where = f"@telltale-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + where[1:] if abstract else where)
        settings = Settings.read(notify_socket=where, watchdog_usec=30_000_000)
        teller(settings)()
        pinger(settings)()
        assert [systemd.recv(64), systemd.recv(64)] == [b"READY=1", b"WATCHDOG=1"]


def test_without_systemd_nothing_is_said_and_a_socket_that_is_gone_is_no_error(tmp_path: Path) -> None:
    settings = Settings.read()
    teller(settings)()
    pinger(settings)()
    notify(str(tmp_path / "gone"), "READY=1")


def test_what_systemd_sets_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    settings = Settings.read()
    assert (settings.notify_socket, settings.watchdog_usec) == ("/run/systemd/notify", 30_000_000)
    monkeypatch.setenv("TELLTALE_HEALTH_PORT", "99999")
    with pytest.raises(Misconfigured, match="TELLTALE_HEALTH_PORT"):
        Settings.read()
