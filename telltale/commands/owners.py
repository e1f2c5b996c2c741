"""`telltale owners import`: owners, their cars and their consent from a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def owners() -> None:
    """Owners."""


@app.command("import")
def import_owners(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV with a header, UTF-8, comma or semicolon.")
    ],
    dealer: Annotated[int | None, typer.Option(help="Id of the dealer; needed when there are several.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Read owners, cars and consent, line by line; good lines are kept, each bad one is reported with its cell and the
    reason.

    Columns: name, vin, title, profile (these four are needed), phone, email, language, zone, address, plate,
    consent_safety, consent_service, consent_status, consent_survey (yes, no or empty), consent_at (a day, or a time
    with its zone), consent_source, consent_wording (these three where a consent says yes). Importing the same file
    again changes nothing.
    """
    from telltale import command_context, importing

    table = importing.read_table(file)

    async def take(work: command_context.Office) -> dict[str, object]:
        report = await importing.take(work, await work.dealer(dealer), table)
        if dry_run:
            raise importing.DryRun(report)
        return report.model_dump()

    settings = cli.start("owners", join=True)
    try:
        facts = cli.run(command_context.at(settings, take))
    except importing.DryRun as dry:
        facts = {**dry.report.model_dump(), "dry_run": True}
    refused = facts["refused"]
    assert isinstance(refused, list)
    words = [f"line {one['line']}: {one['field']}: {one['reason']}" for one in refused]
    taken = (
        f"{facts['owners_added']} owners and {facts['vehicles_added']} cars added, {facts['owners_updated']} owners "
        "brought up to date"
    )
    cli.answer(facts, as_json, [*words, f"{facts['lines']} lines: {taken}, {len(refused)} refused"])
    raise typer.Exit(0 if not refused else 1)
