"""`telltale retention`: which days of readings are kept, which are about to go, and a person's word where the clocks
cannot agree.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from telltale import cli

if TYPE_CHECKING:
    from telltale.command_context import Office

app = typer.Typer(add_completion=False)


@app.command()
def retention(
    attach_back: Annotated[
        bool, typer.Option("--attach-back", help="Bring all detached days back, before they are dropped.")
    ] = False,
    today: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="What day it is, where no car speaks any more; counts for a day."),
    ] = None,
    at_once: Annotated[
        int | None, typer.Option(min=1, help="How many days of readings may go in one day; counts for a day.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Show the days of readings. Those past retention are detached by the gateway and dropped a day later.

    A day goes only when every clock says that it is past retention: the gateway's, the database's, and the cars' own.
    After a change of TELLTALE_RETENTION_DAYS many are due at once: --at-once lets them go.
    """
    from telltale import command_context

    settings = cli.start("retention", join=True)
    day = today.date() if today is not None else None

    async def work(at: Office) -> dict[str, Any]:
        return await _look(at, attach_back=attach_back, today=day, at_once=at_once)

    cli.answer(cli.run(command_context.at(settings, work)), as_json)


async def _look(at: Office, *, attach_back: bool, today: date | None, at_once: int | None) -> dict[str, Any]:
    from rules.service.retention import GRACE, Witnesses, date_of, plan
    from schemas.retention import RetentionWord
    from store import clock, days

    told = await clock.witness(at.connection)
    if today is not None or at_once is not None:
        await days.say(at.connection, RetentionWord(today, at_once, told.machine))
    back = [
        day
        for day in (await days.detached(at.connection) if attach_back else ())
        if await days.attach(at.connection, day)
    ]
    attached, detached = await days.attached(at.connection), await days.detached(at.connection)
    newest, word = await days.newest_spoken(at.connection, attached), await days.word(at.connection)
    due = plan(
        attached,
        detached,
        at.settings.retention_days,
        Witnesses(at.now, told.business, newest=newest, machine=told.machine, speed=told.speed, word=word),
    )
    return {
        "days": len(attached),
        "first": date_of(attached[0]) if attached else None,
        "last": date_of(attached[-1]) if attached else None,
        "newest_reading": date_of(newest) if newest is not None else None,
        "business_time": at.now,
        "database_time": told.machine,
        "due": [date_of(day).isoformat() for day in due.detach],
        "detached": {
            date_of(day).isoformat(): f"dropped after {since + GRACE:%Y-%m-%d %H:%M} UTC"
            for day, since in detached.items()
        },
        "attached_back": [date_of(day).isoformat() for day in back],
        "refused": due.refused,
    }
