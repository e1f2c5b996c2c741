"""`telltale erasures`: who was erased, kept beside the backups; and erasing them again after an older backup was restored."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from telltale import cli

if TYPE_CHECKING:
    from store.erasing import Tombstone
    from telltale.command_context import Office

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def erasures() -> None:
    """People who have been erased: numbers and times, no names."""


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output: keep it on another machine, after each erasure or each night.")] = False,
) -> None:
    """Say who was erased and when. A backup that is older than an erasure knows nothing of it: this list does."""
    from telltale import command_context

    async def look(at: Office) -> list[dict[str, Any]]:
        from store import erasing

        return [{name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(one).items()} for one in await erasing.tombstones(at.connection)]

    found = cli.run(command_context.at(cli.start("erasures", join=True), look))
    cli.answer({"erasures": found}, as_json, [f"dealer {one['dealer_id']}: owner {one['owner_id']}, {one['erased_at']}" for one in found] or ["nobody was erased"])


@app.command()
def apply(
    source: Annotated[Path, typer.Option("--from", exists=True, dir_okay=False, metavar="FILE", help="What `telltale erasures list --json` printed, the newest there is.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """After an older backup was restored, and before the services start: erase again whoever of the list is there as before.

    Only the very row that was erased is: somebody who was given the same number later is left alone. Doing it twice changes nothing.
    """
    from telltale import command_context

    stones = _read(source)

    async def work(at: Office) -> dict[str, int]:
        return await _apply(at, stones)

    counts = cli.run(command_context.at(cli.start("erasures", join=True), work))
    cli.answer(counts, as_json, [f"{counts['erased']} of {counts['listed']} were there again and are erased"])


async def _apply(at: Office, stones: list[Tombstone]) -> dict[str, int]:
    from actions import erasing as acts
    from store import consents, erasing, owners

    key, done = await at.house_key(), 0
    for stone in stones:
        if await erasing.is_back(at.connection, stone):
            await consents.claim(at.connection, stone.dealer_id, stone.owner_id)
            await acts.carry_out(at.house, at.connection, await owners.get(at.connection, stone.dealer_id, stone.owner_id), "command", key)
            done += 1
    return {"listed": len(stones), "erased": done}


def _read(path: Path) -> list[Tombstone]:
    from schemas.errors import BadInput
    from store.erasing import Tombstone

    try:
        return [
            Tombstone(int(one["dealer_id"]), int(one["owner_id"]), datetime.fromisoformat(one["created_at"]), datetime.fromisoformat(one["erased_at"]))
            for one in json.loads(path.read_text())["erasures"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput("--from", f"{path} is not what `telltale erasures list --json` prints ({type(error).__name__})") from None
