"""`telltale dealer-api`: the desk."""

from __future__ import annotations

from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def dealer_api(
    host: Annotated[str | None, typer.Option(help="Address to listen on (TELLTALE_DESK_HOST).")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on (TELLTALE_DESK_PORT); 0 takes a free one.")
    ] = None,
) -> None:
    """Serve the dealer's desk, the driver's and the owner's pages, and the API at /api/v1.

    Needs DATABASE_URL. It is stateless: start several behind one address.
    """
    from telltale import wiring

    settings = cli.start("dealer-api", desk_host=host, desk_port=port)
    cli.run(wiring.dealer_api(settings))
