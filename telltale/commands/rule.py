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
    from store import accounts, stages, trials
    from telltale import command_context

    if name not in BY_NAME:
        raise BadInput("NAME", f"there is no rule {name}: {', '.join(BY_NAME)}")
    if to not in stages.STAGES:
        raise BadInput("STAGE", f"{to} is none of {', '.join(stages.STAGES)}")

    async def move(work: command_context.Office) -> dict[str, object]:
        await stages.move(work.connection, name, to, reason=reason, actor="system", now=work.now)
        moved: dict[str, object] = {"rule": name, "stage": to, "reason": reason}
        if to == "live":  # the workers put them before the desk, as fast as each workshop can take them
            houses = await accounts.dealers(work.connection)
            moved["found on trial, coming to the desk"] = sum(
                [len(await trials.waiting(work.connection, house.id, [name])) for house in houses]
            )
        return moved

    cli.answer(cli.run(command_context.at(cli.start("rule", join=True), move)), as_json)


@app.command()
def finds(
    name: Annotated[str, typer.Argument(help="Name of the rule.")],
    dealer: Annotated[int | None, typer.Option(help="Only of this dealer.")] = None,
    as_json: Json = False,
) -> None:
    """What a rule on trial has found: every car, what became of it, and whether it is before the desk by now."""
    from rules.catalogue import BY_NAME
    from schemas.errors import BadInput
    from store import accounts, stages, trials
    from telltale import command_context

    if name not in BY_NAME:
        raise BadInput("NAME", f"there is no rule {name}: {', '.join(BY_NAME)}")

    async def read(work: command_context.Office) -> dict[str, object]:
        houses = [await work.dealer(dealer)] if dealer is not None else await accounts.dealers(work.connection)
        found = [one for house in houses for one in await trials.finds(work.connection, house.id, name)]
        stage = stages.stage_of(name, BY_NAME[name].stage, await stages.stages(work.connection))
        return {"rule": name, "stage": stage, "found": len(found), "finds": [_told(one) for one in found]}

    def _told(one: trials.Find) -> dict[str, object]:
        times = {
            "since": one.first_at,
            "changed": one.changed_at,
            "repaired": one.repaired_at,
            "before_the_desk": one.spoke_at,
        }
        return {
            "alert": one.id,
            "dealer": one.dealer_id,
            "vehicle": one.vehicle_id,
            "component": one.component,
            "state": one.state,
            "severity": one.severity,
            "because": one.because,
            "case": one.case_id,
            **{k: v.isoformat() if v else None for k, v in times.items()},
        }

    cli.answer(cli.run(command_context.at(cli.start("rule", join=True), read)), as_json)
