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
    """Back the database of DATABASE_URL up while it runs, as of one moment, and with it the photos of the home.

    The account in DATABASE_URL reads as telltale_backup, which `telltale migrate` makes: it sees past row security and
    writes nothing. The folder appears under its name only when it is whole, with a manifest that says what is in it. It
    holds everything: keep it as you keep the database. Photos in a bucket (TELLTALE_PHOTOS_URL) are the bucket's to
    keep. Beside the folder, erasures.json says who was erased until now, for whoever restores an older one.
    """
    from store.backup import back_up, erased
    from telltale import erasures, photos
    from telltale.embedded import binaries

    settings, now = cli.start("backup", join=True), datetime.now(UTC)
    while (
        folder := to / f"telltale-{now:%Y%m%dT%H%M%SZ}"
    ).exists():  # a name lasts a second, and two may be asked for within one
        time.sleep(0.1)
        now = datetime.now(UTC)
    pictures: list[int] = [] if settings.photos_url else [0]

    def with_photos(half: Path) -> None:
        if pictures:
            pictures[0] = photos.back_up(settings.home, half)

    made = cli.run(
        back_up(settings.database, folder, binaries.clients, made_at=now, readings=readings, beside=with_photos)
    )
    erasures.keep(to, cli.run(erased(settings.database)))
    rows = sum(made.rows.values())
    facts = {
        "backup": str(folder),
        "tables": len(made.rows),
        "rows": rows,
        "bytes": made.bytes,
        "readings": made.readings,
        "photos": pictures[0] if pictures else None,
    }
    lines = [f"{folder}: {rows:,} rows of {len(made.rows)} tables, {made.bytes / 1e6:,.1f} MB"]
    lines.append(f"{pictures[0]:,} photos" if pictures else "The photos lie in a bucket, and are not in it.")
    cli.answer(facts, as_json, lines)
