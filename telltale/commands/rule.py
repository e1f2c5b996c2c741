"""`telltale rule`: shadow, live, off."""

from __future__ import annotations

from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False, no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.callback()
def rule() -> None:
    """Stages of a rule: shadow is recorded and told to nobody, live speaks, off is not judged."""


@app.command("list")
def show(as_json: Json = False) -> None:
    """Every rule of the catalogue with its stage and the reason."""
    from rules.catalogue import BY_NAME
    from store import stages
    from telltale import command_context

    async def read(work: command_context.Office) -> dict[str, object]:
        moved = await stages.stages(work.connection)
        return {
            name: {
                "stage": moved[name].stage if name in moved else one.stage,
                "reason": moved[name].reason if name in moved else "",
            }
            for name, one in BY_NAME.items()
        }

    cli.answer(cli.run(command_context.at(cli.start("rule", join=True), read)), as_json)


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help="Name of the rule.")],
    to: Annotated[str, typer.Argument(metavar="shadow|live|off", help="Where it stands from now on.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    as_json: Json = False,
) -> None:
    """Move a rule to a stage. Running gateways hear of it at once."""
    from rules.catalogue import BY_NAME
    from schemas.errors import BadInput
    from store import stages
    from telltale import command_context

    if name not in BY_NAME:
        raise BadInput("NAME", f"there is no rule {name}: {', '.join(BY_NAME)}")
    if to not in stages.STAGES:
        raise BadInput("STAGE", f"{to} is none of {', '.join(stages.STAGES)}")

    async def move(work: command_context.Office) -> dict[str, object]:
        await stages.move(work.connection, name, to, reason=reason, actor="system", now=work.now)
        return {"rule": name, "stage": to, "reason": reason}

    cli.answer(cli.run(command_context.at(cli.start("rule", join=True), move)), as_json)
