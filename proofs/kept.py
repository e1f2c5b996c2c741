"""A gateway of the fault experiments: a process with proxies of its own to database and broker, started again when it
dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from proofs.proxy import Proxy
from telltale.embedded.broker import EmbeddedBroker


class KeptGateway:
    """One `--share K/N`. `kill` is kill -9, after which it comes back; `leave` is for good."""

    def __init__(self, home: Path, share: str, *, sabotage: str, database: str, broker: EmbeddedBroker) -> None:
        self.share, self.starts, self.kills = share, 0, 0
        self._home, self._sabotage, self._role, self._broker = home, sabotage, database, broker
        self.ready = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> KeptGateway:
        """Its proxies, and the process, which may not be ready yet."""
        where = urlsplit(self._role)
        self.database_proxy = await Proxy("127.0.0.1", where.port or 5432).start()
        self.broker_proxy = await Proxy("127.0.0.1", self._broker.port).start()
        self._database = self._role.replace(f":{where.port}", f":{self.database_proxy.port}")
        self._mqtt = self._broker.mqtt_url.replace(f":{self._broker.port}", f":{self.broker_proxy.port}")
        self._keeper = asyncio.create_task(self._keep())
        return self

    async def _keep(self) -> None:
        with (self._home / f"gateway-{self.share.replace('/', '-of-')}.log").open("ab") as log:
            while True:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "proofs.gateway_under",
                    self._sabotage,
                    self._database,
                    self._mqtt,
                    self._broker.auth_url,
                    self._broker.auth_seed,
                    str(self._broker.log),
                    self.share,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                )
                self.starts += 1
                log.write(f"{datetime.now(UTC):%H:%M:%S.%f} started as {self._process.pid}\n".encode())
                log.flush()
                assert self._process.stdout is not None
                if b"ready" in await self._process.stdout.readline():
                    self.ready.set()
                status = await self._process.wait()
                self.ready.clear()
                log.write(f"{datetime.now(UTC):%H:%M:%S.%f} ended with {status}\n".encode())
                log.flush()
                await asyncio.sleep(0.2)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            self.kills += 1

    async def leave(self, how: signal.Signals = signal.SIGKILL) -> None:
        """It ends and does not come back."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(how)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), 10)
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()
        self.ready.clear()
        await self.database_proxy.stop()
        await self.broker_proxy.stop()
