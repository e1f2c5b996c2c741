"""`telltale restore`: a backup, onto an empty server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def restore(
    source: Annotated[Path, typer.Option("--from", metavar="FOLDER", help="The folder that `telltale backup` made.")],
    jobs: Annotated[int, typer.Option(min=1, help="Tables brought in at once. With one it is all or nothing.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Bring a backup into the database of DATABASE_URL, which must be empty and is made if it is not there.

    First the roles, then rows, sequences, rights and policies; what arrived is counted against the manifest; then the database is
    brought to this version and the services' passwords are given, as `telltale migrate` does. Start the services afterwards.
    """
    from store.backup import restore as bring_back
    from telltale.embedded import binaries

    settings = cli.start("restore")
    made = cli.run(bring_back(settings.database, settings.key, source, binaries.clients, jobs=jobs))
    rows = sum(made.rows.values())
    lines = [f"{rows:,} rows of {len(made.rows)} tables are back, as of {made.made_at}. The database is up to date."]
    if made.others:
        lines.append(f"These roles were granted something and exist again without a password: {', '.join(made.others)}.")
    if not made.readings:
        lines.append("The backup was made without readings: cars have no readings from before.")
    cli.answer({"restored": str(source), "made_at": made.made_at, "tables": len(made.rows), "rows": rows, "others": made.others}, as_json, lines)
