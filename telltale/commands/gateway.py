"""`telltale gateway`: the ear."""

from __future__ import annotations

from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def gateway(
    share: Annotated[
        str | None,
        typer.Option(
            metavar="K/N",
            help=(
                "Which share of the fleet to carry, K counted from 0; auto/N: by the number at the end of the host's "
                "name."
            ),
        ),
    ] = None,
) -> None:
    """Hear the cars: MQTT in, judged readings and alert steps out, acknowledged only after they are committed.

    Needs MQTT_URL and DATABASE_URL. To divide the fleet over N gateways, start them with --share 0/N, 1/N and so on;
    to grow, start more with a larger N: buckets move with their sessions, nothing is lost or doubled on the way.
    """
    from telltale import wiring

    settings = cli.start("gateway", share=share)
    cli.run(wiring.gateway(settings))
