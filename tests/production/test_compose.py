"""docker-compose.yml without Docker: its services as processes of an ordinary user, with exactly its commands and its
environment.

Only what a container would have for itself is replaced: host names by this machine's, ports by free ones,
/var/lib/telltale by a folder. Each service is asked whether it is healthy by its own health check.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml

from proofs.bench.brokers import mosquitto
from proofs.production import account
from telltale.embedded.postgres import EmbeddedPostgres
from telltale.embedded.process import free_port

ROOT = Path(__file__).resolve().parents[2]
VIN = "WVWZZZ1KZAW000123"
PASSWORD = "p@ss/w:rd#?%&+ ü"
EMBEDDED: dict[str, str] = {}
MOSQUITTO = {
    "COMPOSE_PROFILES": "mosquitto",
    "MQTT_URL": "mqtts://mosquitto:8884",
    "TELLTALE_MQTT_VERSION": "5",
    "TELLTALE_AUTH_URL": "",
}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def interpolated(text: str, given: dict[str, str]) -> str:
    """`${NAME}`, `${NAME:-default}`, `${NAME-default}` and `${NAME:?word}` as Compose reads them."""

    def one(found: re.Match[str]) -> str:
        name, how, word = found.groups()
        value = given.get(name)
        if how and how.endswith("?"):
            assert value, f"{name}: {word}"
        if value is None or (value == "" and how and how.startswith(":")):
            return word if how and how.endswith("-") else ""
        return value

    return re.sub(r"\$\{([A-Z_]+)(?:(:?[-?])([^}]*))?\}", one, text)


@dataclass
class Composed:
    """What `docker compose up` would have started."""

    home: Path
    given: dict[str, str]
    ports: dict[str, int]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    services: dict[str, Any] = field(default_factory=dict)

    def read(self) -> None:
        whole = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
        profiles = {*self.given["COMPOSE_PROFILES"].split(",")}
        self.services = {
            name: one
            for name, one in whole["services"].items()
            if not one.get("profiles") or profiles & set(one["profiles"])
        }

    def here(self, value: str) -> str:
        """The same on this machine."""
        result = interpolated(str(value), self.given).replace("/var/lib/telltale", str(self.home))
        result = re.sub(r"(?<=//|.@)(database|broker|mosquitto):", "localhost:", result)
        return (
            re.sub(r"\b(" + "|".join(self.ports) + r")\b", lambda found: str(self.ports[found[0]]), result)
            if "PASSWORD" not in value
            else result
        )

    def environment(self, name: str) -> dict[str, str]:
        """The service's own, and the image's."""
        image = dict(
            re.findall(r"(\w+)=(\S+)", re.search(r"^ENV (.+)$", (ROOT / "deploy" / "Dockerfile").read_text(), re.M)[1])
        )  # type: ignore[index]
        health = (
            {"TELLTALE_HEALTH_PORT": self.here(found[0])}
            if (found := re.findall(r"127\.0\.0\.1:(98\d\d)", str(self.services[name].get("healthcheck"))))
            else {}
        )
        result = {key: self.here(value) for key, value in self.services[name].get("environment", {}).items()}
        return {**{key: self.here(value) for key, value in image.items()}, "PYTHONPATH": str(ROOT), **result, **health}

    def command(self, name: str) -> list[str]:
        words = [self.here(word) for word in self.services[name]["command"]]
        if self.services[name]["image"].startswith("eclipse-mosquitto"):
            return [mosquitto() or "mosquitto", *words[1:]]
        return [sys.executable, "-P", "-m", "telltale", *words]

    async def up(self) -> None:
        """In the order of depends_on; whoever is to end is waited for."""
        done = {"database"}
        while waiting := [name for name in self.services if name not in done]:
            ready = [
                name
                for name in waiting
                if {on for on in self.services[name].get("depends_on", ()) if on in self.services} <= done
            ]
            assert ready, f"{waiting} wait for each other"
            for name in ready:
                self.running[name] = account.spawn(
                    self.command(name), log=self.log(name), environment=self.environment(name)
                )
                if self.services[name].get("restart") == "no":
                    status = await asyncio.to_thread(self.running.pop(name).wait, 120)
                    assert status == 0, f"{name}: {self.log(name).read_text()[-2000:]}"
                done.add(name)

    async def healthy(self, name: str) -> None:
        """Ask as Docker would, until the answer is yes."""
        check = self.services[name]["healthcheck"]["test"]
        words = [sys.executable, *(self.here(word) for word in check[2:])]
        async with asyncio.timeout(120):
            while (await asyncio.to_thread(subprocess.run, words, capture_output=True, check=False)).returncode:
                assert self.running[name].poll() is None, f"{name} ended: {self.log(name).read_text()[-2000:]}"
                await asyncio.sleep(0.2)

    def log(self, name: str) -> Path:
        path = self.home / "logs" / f"{name}.log"
        path.touch()
        account.give(path)
        return path

    async def run(self, service: str, *words: str) -> dict[str, Any]:
        """docker compose run SERVICE WORDS"""
        result = await asyncio.to_thread(
            account.run,
            [sys.executable, "-P", "-m", "telltale", *words, "--json"],
            environment=self.environment(service),
            timeout_s=120,
        )
        found: dict[str, Any] = json.loads(result)
        return found

    async def down(self) -> None:
        for process in reversed(self.running.values()):
            await asyncio.to_thread(account.end, process, signal.SIGTERM)


@asynccontextmanager
async def composed(home: Path, changes: dict[str, str]) -> AsyncIterator[Composed]:
    """Everything up, on a PostgreSQL whose owner has a password that no address could hold as it is."""
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.M))
    for folder in ("home", "certificates", "authority", "mosquitto", "logs"):
        (home / folder).mkdir(mode=0o711)
        account.give(home / folder)
    async with EmbeddedPostgres(home / "postgres") as postgres:
        admin = await asyncpg.connect(postgres.url)
        await admin.execute(f"ALTER ROLE telltale PASSWORD '{PASSWORD}'")
        await admin.close()
        numbers = [*{"8883", "8884", "4222", "8080", "9801", "9802", "9803", "9804"}]
        made = Composed(
            home,
            {**example, "DATABASE_PASSWORD": PASSWORD, "TELLTALE_SECRET": os.urandom(32).hex(), **changes},
            {"5432": postgres.port, **{number: free_port() for number in numbers}},
        )
        made.read()
        try:
            await made.up()
            yield made
        finally:
            await made.down()


@pytest.mark.parametrize("changes", [EMBEDDED, MOSQUITTO], ids=["embedded", "mosquitto"])
async def test_every_service_starts_and_a_car_is_heard(changes: dict[str, str], home: Path) -> None:
    if changes and mosquitto() is None:
        pytest.skip("mosquitto is not installed on this machine (Debian: apt-get install mosquitto)")
    async with composed(home, changes) as house:
        expected = {
            "gateway",
            "workers",
            "dealer-api",
            *(["mosquitto", "mosquitto-accounts"] if changes else ["broker"]),
        }
        assert set(house.running) == expected
        for name in expected & {name for name, one in house.services.items() if "healthcheck" in one}:
            await house.healthy(name)
        assert 0 not in {Path(f"/proc/{process.pid}").stat().st_uid for process in house.running.values()}, (
            "nothing runs as root"
        )
        await house.run(
            "workers",
            "dealer",
            "create",
            "Nord",
            "--zone",
            "Europe/Berlin",
            "--country",
            "DE",
            "--phone",
            "+494066969100",
            "--address",
            "Hafenstraße 1",
        )
        card = await house.run("workers", "vehicle", "enrol", VIN, "--profile", "petrol_hatch")
        arguments = [
            "localhost",
            str(house.ports["8883"]),
            VIN,
            card["password"],
            card["bucket"],
            str(home / "authority" / "ca.crt"),
        ]
        result = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, str(ROOT / "docs/howto/sample_client.py"), *arguments],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert "stored for good" in result.stdout, result.stderr
        assert all(process.poll() is None for process in house.running.values())


def test_variables_are_read_as_compose_reads_them() -> None:
    given = {"A": "a", "EMPTY": ""}
    assert interpolated("${A} ${A:-x} ${EMPTY:-x} ${EMPTY-x}. ${NONE-x} ${NONE:-x} ${NONE}.", given) == "a a x . x x ."
    with pytest.raises(AssertionError, match="EMPTY"):
        interpolated("${EMPTY:?set it}", given)
