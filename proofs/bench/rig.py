"""The bench's workshop: a database of its own, a fleet in it, and child processes that say when they are ready."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from schemas.errors import Unavailable
from store.migrate import migrate, role_url

SECRET = "bench-only-secret"


@dataclass
class Child:
    """A process of the bench; its standard output is a short conversation."""

    process: asyncio.subprocess.Process

    @classmethod
    async def start(cls, module: str, *arguments: object) -> Child:
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                *map(str, arguments),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        )

    async def line(self, timeout: float = 120.0) -> str:
        """Its next line."""
        assert self.process.stdout is not None
        output = await asyncio.wait_for(self.process.stdout.readline(), timeout)
        if not output:
            raise Unavailable("a part of the bench", f"it ended with status {await self.process.wait()}")
        return output.decode().strip()

    async def announced(self, word: str, timeout: float = 120.0) -> None:
        """Wait until it says this."""
        while await self.line(timeout) != word:
            pass

    async def facts(self, timeout: float = 300.0) -> dict[str, Any]:
        """Wait for its JSON line."""
        while True:
            output = await self.line(timeout)
            if output.startswith("{"):
                found: dict[str, Any] = json.loads(output)
                return found

    def tell(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(word.encode() + b"\n")

    async def end(self, *, wait: bool = True) -> dict[str, Any]:
        """SIGTERM, and what it says about itself."""
        self.process.send_signal(signal.SIGTERM)
        facts = await self.facts(60)
        if wait:
            await self.process.wait()
        return facts

    def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()


async def prepare(url: str, vins: Sequence[str], secrets: dict[str, bytes] | None = None) -> str:
    """A migrated database with this fleet; the gateway's address of it."""
    await migrate(url, SECRET)
    connection = await asyncpg.connect(url)
    now = datetime.now(UTC)
    try:
        # A new fleet on an old server: what no real house may take away goes, too, so its guards look away here.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("TRUNCATE dealers CASCADE")
        await connection.execute("SET session_replication_role = DEFAULT")
        dealer = await connection.fetchval(
            "INSERT INTO dealers (name, zone, country, phone, address, opening_hours, language, created_at) "
            "VALUES ('Bench', 'UTC', 'DE', '+49300000000', 'Street 1', '24/7', 'en', $1) RETURNING id",
            now,
        )
        rows = [(vin, dealer, now, "petrol_hatch", "a car", (secrets or {}).get(vin), now) for vin in vins]
        await connection.copy_records_to_table(
            "vehicles",
            records=rows,
            columns=["vin", "dealer_id", "dealer_since", "profile", "title", "secret_hash", "enrolled_at"],
        )
    finally:
        await connection.close()
    return role_url(url, SECRET, "telltale_gateway")


async def clear(url: str) -> None:
    """Forget what an earlier run stored; the fleet stays."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "TRUNCATE readings, quarantine, checkpoints, alert_steps, alerts, wakeups, gaps, latest, tallies"
        )
        await connection.execute("DROP TABLE IF EXISTS raw_payloads, naive_samples")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def stored(url: str, table: str = "readings") -> int:
    """How many rows there are."""
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))
    finally:
        await connection.close()
