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
    since: Annotated[
        Path | None,
        typer.Option(
            "--erasures",
            exists=True,
            dir_okay=False,
            metavar="FILE",
            help=(
                "Who was erased, as `telltale erasures list --json` printed it; without it erasures.json beside the "
                "backup."
            ),
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Tables brought in at once. With one it is all or nothing.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Bring a backup into the database of DATABASE_URL, which must be empty and is made if it is not there.

    First the roles, then rows, sequences, rights and policies; what arrived is counted against the manifest; then the
    database is brought to this version and the services' passwords are given, as `telltale migrate` does; and whoever
    was erased since is erased again. Start the services afterwards.
    """
    from store.backup import restore as bring_back
    from telltale import command_context, erasures, photos
    from telltale.embedded import binaries

    settings, kept = cli.start("restore"), since or source.resolve().parent / erasures.FILE
    stones = erasures.read(kept) if kept.exists() else None
    made = cli.run(bring_back(settings.database, settings.key, source, binaries.clients, jobs=jobs))
    pictures = photos.bring_back(source, settings.home)
    rows = sum(made.rows.values())
    lines = [f"{rows:,} rows of {len(made.rows)} tables are back, as of {made.made_at}. The database is up to date."]
    facts = {
        "restored": str(source),
        "made_at": made.made_at,
        "tables": len(made.rows),
        "rows": rows,
        "others": made.others,
        "erased_again": None,
        "photos": pictures,
    }
    if pictures:
        lines.append(f"{pictures:,} photos are back, in {settings.home / 'photos'}.")
    if stones is None:
        lines.append(
            f"There is no {kept}: whoever was erased after {made.made_at} is there again until `telltale erasures "
            "apply` erases them."
        )
    else:
        facts["erased_again"] = cli.run(command_context.at(settings, lambda at: erasures.erase_again(at, stones)))[
            "erased"
        ]
        lines.append(f"{facts['erased_again']} of {len(stones)} who were erased were there again and are erased.")
    if made.others:
        lines.append(
            f"These roles were granted something and exist again without a password: {', '.join(made.others)}."
        )
    if not made.readings:
        lines.append("The backup was made without readings: cars have no readings from before.")
    cli.answer(facts, as_json, lines)
