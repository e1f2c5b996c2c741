"""`telltale play`: a recorded drive through the telematics unit."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def play(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="candump (.log, .log.gz), BLF, ASC, MF4.")],
    vin: Annotated[str, typer.Option(help="The car whose drive it is; enrolled on the way when it is new.")],
    at: Annotated[
        datetime | None, typer.Option(help="Start of a log with relative times; default: so that it ends now.")
    ] = None,
    profile: Annotated[str, typer.Option(help="Vehicle model of a car that is not known yet.")] = "petrol_hatch",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Play a recorded CAN log through the telematics unit's decoders (OBD-II, UDS, J1939) to a running gateway.

    Works on the running demo of this home, or on DATABASE_URL and MQTT_URL. Says how many frames became messages and
    why the others did not. Absolute times are kept.
    """
    from telltale import wiring

    settings = cli.start("play", join=True)
    cli.answer(cli.run(wiring.play(settings, file, vin=vin.strip().upper(), at=at, profile=profile)), as_json)
