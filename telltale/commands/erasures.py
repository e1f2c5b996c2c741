"""`telltale erasures`: who was erased, kept beside the backups; and erasing them again after an older backup was
restored.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from telltale import cli

if TYPE_CHECKING:
    from telltale.command_context import Office

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def erasures() -> None:
    """People who have been erased: numbers and times, no names."""


@app.command("list")
def list_(
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON object on standard output: keep it on another machine, after each erasure or each night.",
        ),
    ] = False,
) -> None:
    """Say who was erased and when. A backup that is older than an erasure knows nothing of it: this list does."""
    from telltale import command_context

    async def look(at: Office) -> dict[str, Any]:
        from store import erasing
        from telltale import erasures

        return erasures.listed(await erasing.tombstones(at.connection))

    found = cli.run(command_context.at(cli.start("erasures", join=True), look))
    lines = [f"dealer {one['dealer_id']}: owner {one['owner_id']}, {one['erased_at']}" for one in found["erasures"]]
    cli.answer(found, as_json, lines or ["nobody was erased"])


@app.command()
def apply(
    source: Annotated[
        Path,
        typer.Option(
            "--from",
            exists=True,
            dir_okay=False,
            metavar="FILE",
            help="What `telltale erasures list --json` printed, the newest there is.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """After a way back to an earlier moment, and before the services start: erase again whoever of the list is there as
    before.

    Only the very row that was erased is: somebody who was given the same number later is left alone. Doing it twice
    changes nothing. `telltale restore` does it by itself with the list that lies beside the backup.
    """
    from telltale import command_context, erasures

    stones = erasures.read(source)
    counts = cli.run(command_context.at(cli.start("erasures", join=True), lambda at: erasures.erase_again(at, stones)))
    cli.answer(counts, as_json, [f"{counts['erased']} of {counts['listed']} were there again and are erased"])
