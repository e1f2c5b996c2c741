"""`telltale key`: keys for programs that use the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from telltale import cli

app = typer.Typer(add_completion=False, no_args_is_help=True)
_Dealer = Annotated[int | None, typer.Option(help="Id of the dealer; needed when there are several.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.callback()
def key() -> None:
    """API keys."""


@app.command()
def create(
    label: Annotated[str, typer.Argument(help="What the key is for; it is shown at the desk.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "What it may do, as in cases:read or owners:write; once for each. `read` is all reading (the "
                "default), `all` everything."
            )
        ),
    ] = None,
    expires: Annotated[
        str, typer.Option(help="How long it works: days as in 90d, a date as in 2027-01-31, or never.")
    ] = "365d",
    dealer: _Dealer = None,
    as_json: _Json = False,
) -> None:
    """Make an API key, printed once. Programs send it as `Authorization: Bearer KEY` to /api/v1."""
    from actions import accounts
    from telltale import command_context

    async def make(work: command_context.Office) -> dict[str, object]:
        at = await work.dealer(dealer)
        ends = _end(expires, work.now)
        made = await accounts.create_key(work.house.acting(at.id, "command"), label, scope or ["read"], ends)
        return {
            "key": made,
            "label": label,
            "scopes": list(_chosen(scope)),
            "expires_at": ends.isoformat() if ends else None,
        }

    facts = cli.run(command_context.at(cli.start("key", join=True), make))
    cli.answer(facts, as_json, [str(facts["key"])])


@app.command("list")
def list_keys(dealer: _Dealer = None, as_json: _Json = False) -> None:
    """The keys that still open something, with what they may do and when they were last used (to the hour)."""
    from schemas.scope import BEFORE_SCOPES
    from store import secrets
    from telltale import command_context

    async def look(work: command_context.Office) -> list[dict[str, Any]]:
        found = await secrets.labels(work.connection, (await work.dealer(dealer)).id, "api_key")
        return [
            {
                "label": one.label,
                "scopes": list(BEFORE_SCOPES if one.scopes is None else one.scopes),
                "created_at": one.created_at.isoformat(),
                "expires_at": one.expires_at.isoformat() if one.expires_at else None,
                "last_used_at": one.last_used_at.isoformat() if one.last_used_at else None,
            }
            for one in found
        ]

    keys = cli.run(command_context.at(cli.start("key", join=True), look))
    lines = [
        f"{one['label']}: {' '.join(one['scopes'])}, ends {one['expires_at'] or 'never'}, last used "
        f"{one['last_used_at'] or 'never'}"
        for one in keys
    ]
    cli.answer({"keys": keys}, as_json, lines or ["no key opens anything"])


@app.command()
def revoke(
    label: Annotated[str, typer.Argument(help="The key's name, as the desk shows it.")],
    dealer: _Dealer = None,
    as_json: _Json = False,
) -> None:
    """The key opens nothing from now on."""
    from actions import accounts
    from telltale import command_context

    async def end(work: command_context.Office) -> dict[str, object]:
        await accounts.revoke_key(work.house.acting((await work.dealer(dealer)).id, "command"), label)
        return {"revoked": label}

    cli.answer(cli.run(command_context.at(cli.start("key", join=True), end)), as_json)


def _chosen(scope: list[str] | None) -> tuple[str, ...]:
    from schemas.scope import chosen

    return chosen(scope or ["read"])


def _end(text: str, now: datetime) -> datetime | None:
    from schemas.errors import BadInput

    if text == "never":
        return None
    if text.endswith("d") and text[:-1].isdigit() and 1 <= int(text[:-1]) <= 3650:
        return now + timedelta(days=int(text[:-1]))
    try:
        return datetime.fromisoformat(text).replace(tzinfo=now.tzinfo) if len(text) == 10 else _aware(text)
    except ValueError:
        raise BadInput("--expires", f"{text} is neither days (90d), nor a date (2027-01-31), nor never") from None


def _aware(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("needs its zone")
    return found
