"""`telltale broker`: the embedded MQTT broker as a service of its own."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from telltale import cli
from telltale.embedded.broker import EmbeddedBroker

app = typer.Typer(add_completion=False)


@app.command()
def broker(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Port of MQTT; default: 8883 with TLS, else 1883.", show_default=False)
    ] = None,
    without_tls: Annotated[
        bool,
        typer.Option(
            "--without-tls", help="Listen beyond this machine though everybody on the way can read the cars' passwords."
        ),
    ] = False,
    auth_port: Annotated[int, typer.Option(help="Port on which the gateway answers who may sign in.")] = 4222,
) -> None:
    """Run the broker that the demo brings along (MQTT 3.1.1, sessions on disk below TELLTALE_HOME) until it is stopped.

    Its users' passwords follow from TELLTALE_SECRET: a gateway that knows the secret needs only the addresses,
    MQTT_URL=mqtt://HOST:1883 and TELLTALE_AUTH_URL=nats://HOST:4222. Cars sign in with what `vehicle enrol` gave them.
    With TELLTALE_BROKER_CERT and _KEY both ports speak TLS: MQTT_URL=mqtts://HOST:8883,
    TELLTALE_AUTH_URL=tls://HOST:4222, and for a private authority TELLTALE_MQTT_CA. `telltale certificates make` makes
    all of them.
    """
    from monitoring import stuck
    from schemas.errors import Misconfigured
    from telltale.embedded.broker_health import BrokerHealth
    from telltale.embedded.credentials import broker_secrets
    from telltale.readiness import pinger, teller
    from telltale.settings import LOOPBACK
    from telltale.wiring import health_address

    settings = cli.start("broker")
    tls = settings.broker_tls
    if tls is None and host not in LOOPBACK and not without_tls:
        raise Misconfigured(
            "TELLTALE_BROKER_CERT",
            f"is not set, so passwords would be readable on the way to {host}: set it and TELLTALE_BROKER_KEY "
            "(`telltale certificates make` makes both), or say --without-tls",
        )

    async def serve() -> None:
        home = settings.home / "broker"
        broker = EmbeddedBroker(
            home,
            host=host,
            port=port or (8883 if tls else 1883),
            auth_port=auth_port,
            secrets=broker_secrets(settings.key),
            tls=tls,
        )
        async with broker as running:
            health = BrokerHealth(running)
            async with health.page().open(health_address(settings, "broker")) as page:
                teller(settings)(port=running.port, health=page)
                async with stuck.watched(pinger(settings)):
                    await _until_it_ends(running)
                await health.close()
        cli.say(f"telltale: the broker ended by itself (see {running.log})")

    cli.run(serve())
    raise typer.Exit(1)


async def _until_it_ends(running: EmbeddedBroker) -> None:
    """For a renewed certificate it starts again; the sessions are on disk."""
    while running.pid is not None:
        await asyncio.sleep(0.2)
        if running.renewed:
            cli.say("telltale: the certificate was renewed, the broker starts again")
            await running.stop()
            await running.start()
