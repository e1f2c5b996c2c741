"""`telltale simulator`: the stand-in cars."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def simulator(
    cars: Annotated[
        Path | None,
        typer.Option(help="JSON list of {vin, secret, profile, scenario, seed}; default: cars.json in the home."),
    ] = None,
) -> None:
    """Drive simulated cars: ECUs on a CAN bus, a telematics unit that publishes over MQTT and keeps a spool.

    Needs MQTT_URL; DATABASE_URL is only read for the business clock. The cars must be enrolled
    (`telltale vehicle enrol`), for they sign in with their own secrets.
    """
    from telltale import wiring

    settings = cli.start("simulator")
    cli.run(wiring.simulator(settings, cars or settings.home / "cars.json"))
