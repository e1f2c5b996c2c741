"""A foreign broker is tried out: whom it lets in, and whether the gateway may do its work; each refusal is one line
that names it.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import structlog

from gateway.mqtt.address import BrokerAddress, Tls
from gateway.ops import self_check
from proofs import wire
from proofs.bench.brokers import mosquitto
from schemas.errors import Misconfigured
from telltale.settings import Settings
from tests.authority import Authority
from tests.integration.gateway.conftest import ROOM
from tests.integration.gateway.test_tls import ACCESS
from tests.integration.gateway.world import World

pytestmark = pytest.mark.skipif(
    mosquitto() is None, reason="mosquitto is not installed on this machine (Debian: apt install mosquitto)"
)
Closed = Callable[..., Awaitable[int]]
VERSIONS = pytest.mark.parametrize("version", [4, 5])


@pytest.fixture
def closed(mosquittos: Closed, home: Path) -> Closed:
    """Start a mosquitto that knows the gateway by its password, and what it may do; its port."""

    async def start(access: str = ACCESS, *, anonymous: bool = False) -> int:
        (home / "access").write_text(access)
        (home / "passwords").write_text("gateway:good\n")
        (home / "passwords").chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-U", str(home / "passwords")], check=True, capture_output=True)
        return await mosquittos(
            f"allow_anonymous {str(anonymous).lower()}",
            f"password_file {home}/passwords",
            f"acl_file {home}/access",
            f"persistence_location {home}/",
            *ROOM,
        )

    return start


def at(port: int, version: int, *, password: str = "good") -> BrokerAddress:
    return BrokerAddress.from_url(f"mqtt://gateway:{password}@127.0.0.1:{port}", version)


@VERSIONS
async def test_a_closed_broker_that_allows_what_the_reference_says_is_taken(closed, version):
    await self_check.check_broker(at(await closed(), version), None)


@VERSIONS
async def test_a_broker_that_lets_nobodies_speak_is_refused_unless_that_is_known(mosquittos, version):
    port = await mosquittos("allow_anonymous true", *ROOM[1:])
    with pytest.raises(Misconfigured, match="TELLTALE_OPEN_BROKER.*nobody was let in"):
        await self_check.check_broker(at(port, version), None)
    await self_check.check_broker(at(port, version), None, open_broker=True)


@VERSIONS
async def test_names_without_passwords_bind_nobody(mosquittos, home, version):
    """An access list by user name, and no password asked: whoever says that he is a car is that car."""
    (home / "access").write_text(ACCESS)
    port = await mosquittos("allow_anonymous true", f"acl_file {home}/access", *ROOM[1:])
    with pytest.raises(Misconfigured, match="TELLTALE_OPEN_BROKER.*a made-up car was let in"):
        await self_check.check_broker(at(port, version), None)


async def test_strangers_who_are_let_in_and_may_say_nothing_are_no_reason(closed):
    await self_check.check_broker(at(await closed(anonymous=True), 4), None)


def test_the_words_that_permit_an_open_broker_are_the_settings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TELLTALE_OPEN_BROKER", self_check.OPEN_BROKER)
    assert Settings.read().open_broker == self_check.OPEN_BROKER
    monkeypatch.setenv("TELLTALE_OPEN_BROKER", "yes")
    with pytest.raises(Misconfigured, match="TELLTALE_OPEN_BROKER"):
        Settings.read()


@VERSIONS
@pytest.mark.parametrize("topic", ["vehicles/check/+/up/x", "vehicles/+/gateway/up/pulse", "vehicles/+/+/up/+"])
async def test_what_the_access_list_forbids_the_gateway_is_named_in_one_line(closed, version, topic):
    access = "".join(
        line + "\n" for line in ACCESS.splitlines() if not line.endswith(topic) and "%u" not in line
    )  # no car is called gateway
    port = await closed(access)
    with pytest.raises(
        Misconfigured, match=r"MQTT_URL: the broker does not let the gateway (read|write) vehicles/\S+"
    ) as caught:
        await self_check.check_broker(at(port, version), None, bucket=7)
    result = str(caught.value)
    assert (
        "\n" not in result
        and ("vehicles/check/gateway-check-" if "check" in topic else "vehicles/07/gateway/up/pulse") in result
    )


async def test_with_mqtt_5_a_forbidden_answer_to_the_cars_is_named_too(closed):
    port = await closed("".join(line + "\n" for line in ACCESS.splitlines() if "acks" not in line))
    with pytest.raises(Misconfigured, match=r"write vehicles/07/gateway-check-\S+/down/acks: .*Not authorized"):
        await self_check.check_broker(at(port, 5), None, bucket=7)


@VERSIONS
async def test_a_gateway_that_is_not_let_in_ends_with_one_line_and_floods_no_log(world: World, closed, caplog, version):
    port = await closed()
    with (
        structlog.testing.capture_logs() as lines,
        pytest.raises(Misconfigured, match="MQTT_URL: the broker does not let the gateway in") as caught,
    ):
        await world.start(
            mqtt_url=f"mqtt://gateway:wrong@127.0.0.1:{port}", auth_url="", auth_seed="", mqtt_version=version
        )
    assert "\n" not in str(caught.value)
    assert len(lines) + len(caplog.records) <= 5


@pytest.mark.parametrize("answers", [1, 2])
async def test_a_broker_that_hangs_up_in_the_middle_ends_with_one_line_and_floods_no_log(world: World, caplog, answers):
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (wire.connack(), wire.suback(1))[:answers]:
            await reader.read(1000)
            writer.write(answer)
        await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    at_what = r"vehicles/check/gateway-check-\S+/up/x: it closed the connection at " + (
        "SUBSCRIBE" if answers == 1 else "PUBLISH"
    )
    with structlog.testing.capture_logs() as lines, pytest.raises(Misconfigured, match=at_what):
        await world.start(mqtt_url=f"mqtt://gateway:good@127.0.0.1:{port}", auth_url="", auth_seed="")
    server.close()
    assert len(lines) + len(caplog.records) <= 5


async def test_a_certificate_that_is_not_believed_is_named(mosquittos, home, tmp_path: Path):
    authority = Authority(home / "tls")
    certificate, key = authority.issue("server", common_name="localhost")
    port = await mosquittos(
        f"cafile {authority.trusted}", f"certfile {certificate}", f"keyfile {key}", "allow_anonymous true", *ROOM[1:]
    )
    url = f"mqtts://gateway:-@127.0.0.1:{port}"
    with pytest.raises(Misconfigured, match="TELLTALE_MQTT_CA: the certificate of 127.0.0.1 is not believed: .*self"):
        await self_check.check_broker(
            BrokerAddress.from_url(url, 4, Tls(Authority(tmp_path).trusted)), None, open_broker=True
        )
    await self_check.check_broker(BrokerAddress.from_url(url, 4, Tls(authority.trusted)), None, open_broker=True)
