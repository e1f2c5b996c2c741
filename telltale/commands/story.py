"""`telltale story`: the whole story, watched from outside."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def story(
    seed: Annotated[int, typer.Option(help="Of the simulated cars; the same seed plays the same drives.")] = 1,
    kill: Annotated[
        str | None, typer.Option(metavar="SERVICE", help="kill -9 this service once in the middle: gateway.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Play the story in a home of its own: a fault develops, the dealer is alerted, the car is collected, repaired, and
    proves it.

    Every step is observed from outside (MQTT, the API as staff, the phone as owner). Exit status 1 and the name of the
    first step that did not happen in its time, otherwise 0.
    """
    settings = cli.start("story")
    facts = cli.run(importlib.import_module("proofs.playing").main(settings, seed=seed, kill=kill))
    cli.answer(
        facts,
        as_json,
        [] if as_json else [f"{'the story holds' if facts['ok'] else 'the story broke'} after {facts['seconds']} s"],
    )
    raise typer.Exit(0 if facts["ok"] else 1)
