"""`telltale audit`: whether history still says what it said when it was sealed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from telltale import cli

if TYPE_CHECKING:
    from telltale.command_context import Office

app = typer.Typer(add_completion=False, no_args_is_help=True)
_MOST_FAULTS = 100  #: of each dealer are listed; all are counted


@app.callback()
def audit() -> None:
    """The sealed history of what people and programs did."""


@app.command()
def verify(
    dealer: Annotated[
        int | None, typer.Option(help="Only this dealer's history; 0 is the house itself (stages of rules).")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="What an earlier run printed with --json, kept elsewhere: the chain must still lead through it.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Walk each dealer's chain from its first row and name every row that was changed, removed or put in between since
    it was sealed.

    Exit status 0 if and only if all of it holds. Keep the answer of --json on another machine and give it back with
    --against: who has database and secret could write a whole chain anew, and only somebody who remembers it can tell.
    """
    from telltale import command_context

    settings = cli.start("audit", join=True)
    known = _known(against)

    async def look(at: Office) -> list[dict[str, Any]]:
        return await _verify(at, dealer, known)

    found = cli.run(command_context.at(settings, look, snapshot=True))
    faults = sum(one["faults"] for one in found)
    lines = [line for one in found for line in _lines(one)]
    cli.answer(
        {"ok": not faults, "faults": faults, "dealers": found},
        as_json,
        [*lines, "all of it holds" if not faults else f"{faults} faults"],
    )
    raise typer.Exit(1 if faults else 0)


@app.command()
def resume(
    dealer: Annotated[int, typer.Option(help="Whose chain.")],
    reason: Annotated[
        str, typer.Option(help="What was found and by whom it was looked at; it is written into history.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Go on sealing after the end of a chain was cut off or written anew.

    What is missing stays missing; this is written into history.
    """
    from telltale import command_context

    async def go_on(at: Office) -> dict[str, Any]:
        return await _resume(at, dealer, reason)

    cli.answer(cli.run(command_context.at(cli.start("audit", join=True), go_on)), as_json)


async def _verify(at: Office, only: int | None, known: dict[int, dict[int, bytes]]) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from store import audit, clock
    from workers.sealing import verify as walk

    key, machine = await at.house_key(), (await clock.witness(at.connection)).machine
    found = []
    for dealer in sorted({*await audit.dealers(at.connection), *known}) if only is None else [only]:
        chain, waiting, faults = await walk(at.connection, key, dealer, machine, known=known.get(dealer, {}))
        found.append(
            {
                "dealer": dealer,
                "sealed": chain.position,
                "waiting": waiting,
                "head": chain.hash.hex(),
                "faults": len(faults),
                "found": [asdict(fault) for fault in faults[:_MOST_FAULTS]],
            }
        )
    return found


async def _resume(at: Office, dealer_id: int, reason: str) -> dict[str, Any]:
    from rules.service.audit_chain import START, head
    from schemas.errors import BadInput
    from store import audit, history

    if not reason.strip():
        raise BadInput("--reason", "say what was found")
    end = (await audit.ends(at.connection, [dealer_id])).get(dealer_id)
    position, hash_ = (end.position, end.hash) if end is not None else (0, START)
    stood = (await audit.heads(at.connection, [dealer_id])).get(dealer_id)
    await audit.put_head(at.connection, head(await at.house_key(), dealer_id, position, hash_))
    why = f"the chain ended at {position}, its head spoke of {stood.position if stood else 'nothing'}: {reason.strip()}"
    await history.write(
        at.connection,
        dealer_id,
        "dealer",
        dealer_id,
        old=None,
        new="audit resumed",
        reason=why,
        actor="command",
        now=at.now,
    )
    return {"dealer": dealer_id, "position": position}


def _known(path: Path | None) -> dict[int, dict[int, bytes]]:
    from schemas.errors import BadInput

    if path is None:
        return {}
    try:
        return {
            int(one["dealer"]): {int(one["sealed"]): bytes.fromhex(one["head"])}
            for one in json.loads(path.read_text())["dealers"]
            if one["sealed"]
        }
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            "--against", f"{path} is not what `telltale audit verify --json` prints ({type(error).__name__})"
        ) from None


def _lines(one: dict[str, Any]) -> list[str]:
    whose = f"dealer {one['dealer']}" if one["dealer"] else "the house"
    words = (
        f"{whose}: {one['sealed']:,} rows sealed, {one['waiting']:,} wait for their seal, {one['faults']} faults, head "
        f"{one['head'][:16]}…"
    )
    return [
        words,
        *(
            f"  {fault['what']}: row {fault['history_id'] or '–'} at place {fault['position'] or '–'}: "
            f"{fault['detail']}"
            for fault in one["found"]
        ),
    ]
