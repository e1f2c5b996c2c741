"""`telltale broker`: the embedded MQTT broker as a service of its own."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def broker(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of MQTT.")] = 1883,
    auth_port: Annotated[int, typer.Option(help="Port on which the gateway answers who may sign in.")] = 4222,
) -> None:
    """Run the broker that the demo brings along (MQTT 3.1.1, sessions on disk below TELLTALE_HOME) until it is stopped.

    Its users' passwords follow from TELLTALE_SECRET: a gateway that knows the secret needs only the addresses,
    MQTT_URL=mqtt://HOST:1883 and TELLTALE_AUTH_URL=nats://HOST:4222. Cars sign in with what `vehicle enrol` gave them.
    """
    from telltale.embedded.broker import EmbeddedBroker
    from telltale.embedded.broker_health import BrokerHealth
    from telltale.embedded.credentials import broker_secrets
    from telltale.ready import teller
    from telltale.wiring import health_address

    settings = cli.start("broker")

    async def serve() -> None:
        home = settings.home / "broker"
        async with EmbeddedBroker(home, host=host, port=port, auth_port=auth_port, secrets=broker_secrets(settings.key)) as running:
            health = BrokerHealth(running)
            async with health.page().open(health_address(settings, "broker")) as page:
                teller(settings)(port=running.port, health=page)
                while running.pid is not None:
                    await asyncio.sleep(0.2)
                await health.close()
        cli.say(f"telltale: the broker ended by itself (see {running.log})")

    cli.run(serve())
    raise typer.Exit(1)
