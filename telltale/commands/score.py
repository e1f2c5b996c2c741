"""`telltale score`: detection against ground truth."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def score(
    vehicles: Annotated[int, typer.Option(help="Cars in the simulated fleet.")] = 100,
    days: Annotated[int, typer.Option(help="Days that they drive.")] = 120,
    seed: Annotated[int, typer.Option(help="Of fleet, faults and weather.")] = 1,
    jobs: Annotated[int, typer.Option(help="Processes to share the work.")] = 1,
    plain: Annotated[bool, typer.Option("--plain", help="Sensors that say what is, and whole feeds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Simulate a mixed fleet with known faults, run the real engine over it, and say what it found, when, and what it
    imagined.
    """
    cli.start("score")
    scoring = importlib.import_module("proofs.score")
    facts = scoring.main(vehicles=vehicles, days=days, seed=seed, jobs=jobs, plain=plain)
    cli.answer(facts, as_json, scoring.lines(facts))
