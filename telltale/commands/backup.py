"""`telltale backup`: everything that the database holds, in one folder."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def backup(
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the backup gets a folder of its own.")],
    readings: Annotated[
        bool,
        typer.Option(
            help=(
                "Also the days of readings, by far the most of it; for large fleets a base backup carries them "
                "(docs/howto/operate.md)."
            )
        ),
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Back the database of DATABASE_URL up while it runs, as of one moment.

    The account in DATABASE_URL reads as telltale_backup, which `telltale migrate` makes: it sees past row security and
    writes nothing. The folder appears under its name only when it is whole, with a manifest that says what is in it. It
    holds everything: keep it as you keep the database. Beside it, erasures.json says who was erased until now, for
    whoever restores an older one.
    """
    from store.backup import back_up, erased
    from telltale import erasures
    from telltale.embedded import binaries

    settings, now = cli.start("backup", join=True), datetime.now(UTC)
    while (
        folder := to / f"telltale-{now:%Y%m%dT%H%M%SZ}"
    ).exists():  # a name lasts a second, and two may be asked for within one
        time.sleep(0.1)
        now = datetime.now(UTC)
    made = cli.run(back_up(settings.database, folder, binaries.clients, made_at=now, readings=readings))
    erasures.keep(to, cli.run(erased(settings.database)))
    rows = sum(made.rows.values())
    facts = {
        "backup": str(folder),
        "tables": len(made.rows),
        "rows": rows,
        "bytes": made.bytes,
        "readings": made.readings,
    }
    cli.answer(facts, as_json, [f"{folder}: {rows:,} rows of {len(made.rows)} tables, {made.bytes / 1e6:,.1f} MB"])
