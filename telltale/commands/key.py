"""`telltale key create`: a key for programs that use the API."""

from __future__ import annotations

from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def key() -> None:
    """API keys."""


@app.command()
def create(
    label: Annotated[str, typer.Argument(help="What the key is for; it is shown at the desk.")],
    dealer: Annotated[int | None, typer.Option(help="Id of the dealer; needed when there are several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Make an API key, printed once. Programs send it as `Authorization: Bearer KEY` to /api/v1."""
    from store import secrets
    from telltale import office

    async def make(work: office.Office) -> str:
        return await secrets.make(work.connection, (await work.dealer(dealer)).id, "api_key", now=work.now, label=label)

    made = cli.run(office.at(cli.start("key", join=True), make))
    cli.answer({"key": made, "label": label}, as_json, [made])
