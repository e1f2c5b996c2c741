"""`telltale check`: is this house fit for its first day, and every day after?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from telltale import cli
from telltale.checking import Finding

app = typer.Typer(add_completion=False)
Json = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output: ok, checks (name, ok, seen, todo).")
]


@app.callback(invoke_without_command=True)
def check(context: typer.Context, as_json: Json = False) -> None:
    """Look at database, roles, broker, a car that speaks, texts, the public address, clocks, secrets and disk; one line
    each, with what to do.

    Asks the running house with the services' own settings; a car of its own speaks and is taken away again, no text is
    sent. The exit status is 1 unless all is well.
    """
    if context.invoked_subcommand is not None:
        return
    from telltale.checking import check_house

    settings = cli.start("check", join=True)
    _answer(cli.run(check_house(settings, (lambda finding: None) if as_json else _show)), as_json)


@app.command()
def texts(
    to: Annotated[
        str, typer.Option(metavar="NUMBER", help="A phone in your hand, +49…, that gets the text and answers it.")
    ],
    within: Annotated[float, typer.Option(min=1, help="Seconds to wait for the answer.")] = 180.0,
    as_json: Json = False,
) -> None:
    """Send a text through the provider and wait until its answer comes in at our own door: proves both ways.

    Costs one SMS.
    """
    from telltale.checking.finding import find_all
    from telltale.checking.texts import out_and_back

    settings = cli.start("check", join=True)
    if not as_json:
        cli.say(f"a text goes to {to}: answer it with what it says")
    found = cli.run(
        find_all("a text out", out_and_back(settings, to, within), "look at TELLTALE_TWILIO_ACCOUNT, _TOKEN and _API")
    )
    if not as_json:
        for finding in found:
            _show(finding)
    _answer(found, as_json)


def _show(finding: Finding) -> None:
    typer.echo(
        f"{'ok  ' if finding.ok else 'FAIL'}  {finding.name}: {finding.seen}"
        + (f"\n      -> {finding.todo}" if finding.todo else "")
    )


def _answer(found: list[Finding], as_json: bool) -> None:
    good = all(finding.ok for finding in found)
    wrong = sum(not finding.ok for finding in found)
    cli.answer(
        {"ok": good, "checks": [asdict(finding) for finding in found]},
        as_json,
        ["all is well" if good else f"{wrong} of {len(found)} want something done"],
    )
    raise typer.Exit(0 if good else 1)
