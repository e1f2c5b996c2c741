"""`telltale import-readings`: months of a fleet from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def import_readings(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV with a header (also .gz), or Parquet.")
    ],
    mapping: Annotated[
        Path,
        typer.Option(
            exists=True, dir_okay=False, help="TOML: which column is which signal, in which unit; time, zone, car."
        ),
    ],
    dealer: Annotated[
        int | None, typer.Option(help="Id of the dealer who looks after these cars; needed when there are several.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Store the history of cars and judge it as it would have been judged live, without telling anybody what has
    passed.

    What still stands at the end comes before the desk, all of it at once; nobody is texted. Ended or killed on the way,
    the same command goes on where it was; the same file again changes nothing. The running house goes on: the cars in
    the file wait at the broker meanwhile. Exit status 0: everything was taken; 1: some cells or lines were refused, as
    the report says; 2: the file or its mapping is not understood, and nothing was stored.
    """
    from telltale import wiring

    settings = cli.start("import", join=True)
    facts = cli.run(wiring.import_readings(settings, file, mapping, dealer))
    cli.answer(facts, as_json, _words(facts))
    raise typer.Exit(1 if facts["refused"] else 0)


def _words(facts: dict[str, Any]) -> list[str]:
    lines = []
    for reason, one in facts["refused"].items():
        where = ", ".join(map(str, one["lines"])) + (" …" if one["times"] > len(one["lines"]) else "")
        lines.append(f"refused: {reason}: {one['times']:,} times, line {where}; the first: {one['example']}")
    if facts["already"]:
        return [*lines, f"{facts['file']} was imported before: nothing was changed"]
    if facts["went_on_at"]:
        lines.append(f"went on after line {facts['went_on_at']:,} of the data")
    lines.append(
        f"{facts['records']:,} lines of {facts['cars']:,} cars: {facts['rows_stored']:,} rows stored, "
        f"{facts['rows_known']:,} known before, {facts['rows_late']:,} late; "
        f"{facts['rows_per_second']:,} rows a second"
    )
    return [*lines, f"{facts['alerts_active']:,} alerts are active at its end and stand at the desk"]
