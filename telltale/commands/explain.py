"""`telltale explain`: why an alert was raised, folded anew."""

from __future__ import annotations

from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def explain(
    alert: Annotated[int, typer.Argument(metavar="ALERT", help="Id of the alert, as the desk and the API show it.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Judge again what the alert rests on (the car's stored readings; for silence and recalls what the sweeper knew)
    and compare: exit status 0 if the same verdict comes out, byte for byte, 1 if another does, 3 if the readings are
    not kept any more."""
    from telltale import wiring

    settings = cli.start("explain", join=True)
    facts = cli.run(wiring.explain(settings, alert))
    cli.answer(facts, as_json)
    raise typer.Exit({True: 0, False: 1, None: 3}[facts["same_verdict"]])
