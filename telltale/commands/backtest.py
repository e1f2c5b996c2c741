"""`telltale backtest`: try rules on stored readings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def backtest(
    rules: Annotated[list[str], typer.Argument(metavar="RULE...", help="Names of rules, on any stage.")],
    since: Annotated[datetime, typer.Option(help="From this time on (UTC when it names no zone).")],
    dealer: Annotated[int | None, typer.Option(help="Only this dealer's cars.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Run the very same engine over stored readings: would have fired, flapped, hit, false, and the load on the
    workshop.
    """
    from telltale import wiring

    settings = cli.start("backtest", join=True)
    cli.answer(cli.run(wiring.backtest(settings, rules, since, dealer)), as_json)
