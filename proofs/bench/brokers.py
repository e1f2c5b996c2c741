"""The broker of the whole pipeline: mosquitto where it is installed, else the embedded one; the bench says which."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.ops.auth_callout import AuthCallout
from schemas.credentials import secret_hash
from schemas.errors import Unavailable
from telltale.embedded.broker import EmbeddedBroker
from telltale.embedded.process import die_with_parent, free_port

_MOSQUITTO = """
listener {port} 127.0.0.1
user root
allow_anonymous true
persistence true
persistence_location {home}/
max_inflight_messages 4000
max_queued_messages 0
max_queued_bytes 0
log_dest none
"""


@dataclass(frozen=True)
class Running:
    """A broker that takes the fleet's credentials."""

    name: str
    mqtt_url: str
    port: int
    user: str
    password: str


def mosquitto() -> str | None:
    """Where mosquitto is (Debian keeps it out of the users' path)."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


@asynccontextmanager
async def broker(home: Path, secrets: Mapping[str, str], *, embedded_only: bool = False) -> AsyncIterator[Running]:
    """Started for the bench, on the loopback, with an empty store."""
    found = None if embedded_only else mosquitto()
    if found is None:
        async with EmbeddedBroker(home) as embedded:
            keeper = AuthCallout(
                embedded.auth_url, embedded.auth_seed, {vin: secret_hash(secret) for vin, secret in secrets.items()}
            )
            await keeper.start()
            password = embedded.mqtt_url.partition("//gateway:")[2].partition("@")[0]
            try:
                yield Running(
                    "nats-server (embedded)", embedded.mqtt_url, port=embedded.port, user="gateway", password=password
                )
            finally:
                await keeper.stop()
        return
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = home / "mosquitto.conf"
    config.write_text(_MOSQUITTO.format(port=port, home=home))
    process = await asyncio.create_subprocess_exec(
        found, "-c", str(config), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent()
    )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.05)
        else:
            raise Unavailable("mosquitto", "it did not start")
        asked = await asyncio.create_subprocess_exec(found, "-h", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        version = (await asked.communicate())[0].decode().partition("\n")[0].replace(" version", "")
        yield Running(version, f"mqtt://gateway:-@127.0.0.1:{port}", port=port, user="gateway", password="-")
    finally:
        process.terminate()
        await process.wait()
