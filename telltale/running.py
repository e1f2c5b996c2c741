"""The supervisor: services as child processes, ready in order, started again when one dies, stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from schemas.errors import Misconfigured, Unavailable
from telltale.data import ROOT
from telltale.embedded.process import die_with_parent
from telltale.settings import child_environment

READY_SECONDS = 60.0
STOP_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0  # between restarts; doubled each time
STEADY_SECONDS = 30.0  # who lived this long starts again with the first pause
MISCONFIGURED, TRY_AGAIN = 2, 75  # exit statuses: trying again would not help, or would

log = structlog.get_logger()


@dataclass
class Service:
    """One child: `telltale <arguments>` with these settings on top of ours; `module` replaces telltale (proofs do)."""

    name: str
    arguments: Sequence[str]
    settings: Mapping[str, str]
    module: str = "telltale"
    facts: dict[str, Any] = field(default_factory=dict)  # what it said when it was ready
    starts: int = 0
    process: subprocess.Popen[bytes] | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.poll() is None else None


class Supervisor:
    """Owns the children. What they log goes to `<home>/logs/<name>.log`."""

    def __init__(self, home: Path, tell: Callable[[str], None] = lambda line: None) -> None:
        self.home = home
        self._tell = tell
        self._keepers: list[asyncio.Task[None]] = []
        self.services: dict[str, Service] = {}
        self._stopping = False
        self.failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    async def start(self, service: Service) -> Service:
        """Start it and wait until it says that it is ready."""
        self.services[service.name] = service
        keeper = asyncio.create_task(self._keep(service), name=f"keep {service.name}")
        self._keepers.append(keeper)
        waiter = asyncio.ensure_future(service.ready.wait())
        done, _ = await asyncio.wait({keeper, waiter}, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        if keeper in done:
            keeper.result()
        if not done:
            raise Unavailable(
                service.name, f"it was not ready within {READY_SECONDS:.0f} s: {self._last_words(service)}"
            )
        return service

    async def stop(self) -> None:
        """All of them, the last started first; whoever does not go is killed."""
        self._stopping = True
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        running = [service for service in reversed(self.services.values()) if service.process is not None]
        for service in running:
            _signal(service, signal.SIGTERM)
        deadline = asyncio.get_running_loop().time() + STOP_SECONDS
        for service in running:
            assert service.process is not None
            left = max(0.05, deadline - asyncio.get_running_loop().time())
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(service.process.wait, left)
            _signal(service, signal.SIGKILL)  # also what it may have started itself
            await asyncio.to_thread(service.process.wait)

    def kill(self, name: str) -> None:
        """kill -9, for the story and the proofs."""
        _signal(self.services[name], signal.SIGKILL)

    async def _keep(self, service: Service) -> None:
        pause = FIRST_PAUSE
        while not self._stopping:
            began = asyncio.get_running_loop().time()
            status = await self._run_once(service)
            # it never was ready and will not be
            if status == MISCONFIGURED or (not service.facts and status != TRY_AGAIN):
                error = Misconfigured(service.name, self._last_words(service))
                if service.facts and not self.failed.done():
                    self.failed.set_result(error)
                raise error
            service.ready.clear()
            if asyncio.get_running_loop().time() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE
            why = f": {self._last_words(service)}" if status > 0 else ""
            self._tell(f"{service.name} ended ({_in_words(status)}), starting it again in {pause:.1f} s{why}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _run_once(self, service: Service) -> int:
        """From start to end; its line on the pipe makes it ready, its end is noticed at once."""
        read, write = os.pipe()
        service.starts += 1
        process = self._spawn(service, write)
        os.close(write)
        listener = asyncio.create_task(self._hear(service, read))
        try:
            return await _ended(process)
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    def _spawn(self, service: Service, descriptor: int) -> subprocess.Popen[bytes]:
        logs = self.home / "logs"
        logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        environment = child_environment({**service.settings, "ready_fd": str(descriptor)})
        environment["PYTHONPATH"] = str(ROOT)
        with (logs / f"{service.name}.log").open("ab" if service.starts > 1 else "wb") as log_file:
            service.process = subprocess.Popen(
                [sys.executable, "-P", "-m", service.module, *service.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log_file,
                stderr=log_file,
                env=environment,
                pass_fds=(descriptor,),
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops them in order
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
        return service.process

    async def _hear(self, service: Service, descriptor: int) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
        )
        try:
            line = await reader.readline()
            if line:
                service.facts = {"ready": True, **json.loads(line)}
                service.ready.set()
        finally:
            transport.close()

    def _last_words(self, service: Service) -> str:
        with contextlib.suppress(OSError):
            lines = (self.home / "logs" / f"{service.name}.log").read_text(errors="replace").strip().splitlines()
            if lines:
                return lines[-1][-400:].removeprefix("telltale: ")
        return "it said nothing"


async def _ended(process: subprocess.Popen[bytes]) -> int:
    """The exit status, without a thread per child: the kernel tells us through a pidfd."""
    if not hasattr(os, "pidfd_open"):  # macOS
        while process.poll() is None:
            await asyncio.sleep(0.05)
        return process.wait()
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    descriptor = os.pidfd_open(process.pid)
    loop.add_reader(descriptor, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return process.wait()


def _signal(service: Service, number: int) -> None:
    if service.process is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(service.process.pid, number)


def _in_words(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
