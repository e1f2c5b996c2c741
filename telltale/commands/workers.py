"""`telltale workers`: the hands."""

from __future__ import annotations

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def workers() -> None:
    """Act on what is due: open cases from alerts, send texts, remind, escalate, verify repairs, keep partitions.

    Needs DATABASE_URL. Start as many as you like: rows are claimed, never worked on twice.
    """
    from telltale import wiring

    settings = cli.start("workers")
    cli.run(wiring.workers(settings))
