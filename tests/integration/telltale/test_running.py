"""The supervisor: ready in order, back after kill -9, gone together, and nothing survives its own death."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from schemas.errors import Misconfigured
from telltale.embedded.process import alive
from telltale.running import Service, Supervisor

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the telltale package: the supervisor only needs something that says when it is ready."""
    monkeypatch.setattr("telltale.running.ROOT", f"{tmp_path}:{ROOT}")

    def write(name: str, body: str) -> None:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(body))

    write(
        "steady",
        """
        import os, time
        from telltale.readiness import teller
        from telltale.settings import Settings
        teller(Settings.read())(pid=os.getpid())
        time.sleep(600)
    """,
    )
    write(
        "stubborn",
        """
        import os, signal, time
        from telltale.readiness import teller
        from telltale.settings import Settings
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        teller(Settings.read())(pid=os.getpid())
        time.sleep(600)
    """,
    )
    write(
        "broken",
        """
        import sys
        sys.exit("telltale: TELLTALE_X: is wrong")
    """,
    )
    return tmp_path


async def test_a_killed_service_is_back_and_ready_with_a_new_process(module: Path) -> None:
    told: list[str] = []
    supervisor = Supervisor(module / "home", told.append)
    try:
        service = await supervisor.start(Service("ear", (), {}, module="steady"))
        first = service.facts["pid"]
        supervisor.kill("ear")
        while service.starts < 2:
            await asyncio.sleep(0.01)
        await service.ready.wait()
        assert service.facts["pid"] != first
        assert "killed by SIGKILL" in told[0]
    finally:
        await supervisor.stop()
    assert not alive(service.facts["pid"])


async def test_who_ignores_the_polite_signal_is_killed(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telltale.running.STOP_SECONDS", 0.3)
    supervisor = Supervisor(module / "home")
    service = await supervisor.start(Service("mule", (), {}, module="stubborn"))
    await supervisor.stop()
    assert not alive(service.facts["pid"])


async def test_a_service_that_cannot_start_fails_the_start_with_its_own_last_words(module: Path) -> None:
    supervisor = Supervisor(module / "home")
    with pytest.raises(Misconfigured, match="TELLTALE_X: is wrong"):
        await supervisor.start(Service("lame", (), {}, module="broken"))
    await supervisor.stop()


async def test_services_do_not_survive_a_supervisor_that_was_killed(module: Path) -> None:
    script = """
        import asyncio, pathlib, sys
        import telltale.running as running
        running.ROOT = sys.argv[2]
        async def main():
            supervisor = running.Supervisor(pathlib.Path(sys.argv[1]))
            service = await supervisor.start(running.Service("ear", (), {}, module="steady"))
            print(service.facts["pid"], flush=True)
            await asyncio.sleep(600)
        asyncio.run(main())
    """
    holder = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(module / "home"), f"{module}:{ROOT}"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{module}:{ROOT}"},
    )
    assert holder.stdout is not None
    child = int(holder.stdout.readline())
    holder.stdout.close()
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    patience = time.monotonic() + 30
    while alive(child) and time.monotonic() < patience:
        await asyncio.sleep(0.02)
    assert not alive(child)
