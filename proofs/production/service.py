"""One of our services as production runs it: a process of its own, started again when it ends, its log kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from proofs.production import account
from schemas.errors import Misconfigured, Unavailable
from telltale.data import ROOT

AGAIN_S, LONGEST_S = 0.3, 3.0  #: pauses between restarts, as a service manager would make them
MISCONFIGURED = 2
_READY = b'"event": "ready"'


class Service:
    """`telltale <arguments>` of the version in `code`, with exactly this environment; `sabotage` takes one guard out of
    it (proofs.sabotage).
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        logs: Path,
        sabotage: str | None = None,
        code: Path = ROOT,
    ) -> None:
        self.name, self.arguments, self.environment = name, list(arguments), dict(environment)
        self.code = code
        self.log = logs / f"{name}.log"
        self.starts = self.kills = 0
        self.ready = asyncio.Event()
        self.failed: Exception | None = None
        self._module = ["-m", "telltale"] if sabotage is None else ["-m", "proofs.sabotage", sabotage]
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None

    async def start(self, within_s: float = 120.0) -> None:
        """Until it says that it is ready; Misconfigured or Unavailable with its last words when it does not."""
        self.begin()
        await self.is_ready(within_s)

    def begin(self) -> None:
        """Start it, and again whenever it ends, without waiting until it is ready."""
        self.failed = None
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def is_ready(self, within_s: float = 120.0) -> None:
        """Wait for its word."""
        deadline = time.monotonic() + within_s
        while not self.ready.is_set():
            if self.failed is not None:
                raise self.failed
            if time.monotonic() > deadline:
                raise Unavailable(self.name, f"it was not ready within {within_s:.0f} s: {self.last_words()}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ready.wait(), 0.1)

    async def stop(self, how: signal.Signals = signal.SIGTERM, within_s: float = 60.0) -> None:
        """For good."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        await asyncio.to_thread(account.end, self._process, how, within_s)
        self.ready.clear()

    async def restart(self, changes: Mapping[str, str] | None = None) -> None:
        """As a rolling restart does it: SIGTERM, the end, the start, ready."""
        await self.stop()
        self.environment |= changes or {}
        await self.start()

    def kill(self) -> None:
        """kill -9; it comes back."""
        if self._process is not None and self._process.poll() is None:
            self.ready.clear()
            self.kills += 1
            self._process.kill()

    async def _keep(self) -> None:
        pause = AGAIN_S
        while True:
            began = time.monotonic()
            self.log.touch()
            account.give(self.log)
            offset = self.log.stat().st_size
            command = [account.PYTHON, "-P", *self._module, *self.arguments]
            self._process = account.spawn(
                command, log=self.log, environment={"PYTHONPATH": str(self.code), **self.environment}
            )
            self.starts += 1
            watcher = asyncio.create_task(self._watch(offset))
            try:
                while (status := self._process.poll()) is None:
                    await asyncio.sleep(0.05)
            finally:
                watcher.cancel()
            self.ready.clear()
            if status == MISCONFIGURED:
                self.failed = Misconfigured(self.name, self.last_words())
                return
            if time.monotonic() - began > 10.0:
                pause = AGAIN_S
            await asyncio.sleep(pause)
            pause = min(LONGEST_S, pause * 2)

    async def _watch(self, offset: int) -> None:
        with self.log.open("rb") as log:
            log.seek(offset)
            rest = b""
            while True:
                rest += log.read()
                if _READY in rest:
                    self.ready.set()
                    return
                rest = rest[-1000:]
                await asyncio.sleep(0.05)

    def last_words(self) -> str:
        """The last line of its log."""
        with contextlib.suppress(OSError, IndexError):
            return self.log.read_text(errors="replace").strip().splitlines()[-1][-500:].removeprefix("telltale: ")
        return "it said nothing"

    def events(self, name: str) -> list[dict[str, object]]:
        """What it logged under this name."""
        found = []
        for line in self.log.read_text(errors="replace").splitlines():
            if f'"{name}"' in line and line.startswith("{"):
                event: dict[str, object] = json.loads(line)
                if event.get("event") == name:
                    found.append(event)
        return found
