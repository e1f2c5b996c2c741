"""`telltale demo`: everything on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the home's data and begin anew.")] = False,
    port: Annotated[int | None, typer.Option(help="Port of the desk (TELLTALE_DESK_PORT); 0 takes a free one.")] = None,
    lapse: Annotated[float | None, typer.Option(help="Business seconds per machine second (TELLTALE_LAPSE).")] = None,
) -> None:
    """Start everything with simulated cars in time-lapse, and print where the desk and the demo phone are.

    State lives in TELLTALE_HOME; the next start goes on with it. An embedded PostgreSQL and an embedded MQTT broker are
    started unless DATABASE_URL and MQTT_URL name others. Ctrl-C stops all of it.
    """
    from telltale import demo as whole

    settings = cli.start("demo", desk_port=port, lapse=lapse, demo_sign_ins=True)
    cli.run(whole.main(settings, fresh=fresh))
