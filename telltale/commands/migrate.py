"""`telltale migrate`: bring a database to this version."""

from __future__ import annotations

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def migrate() -> None:
    """Apply what is missing of store/migrations to DATABASE_URL, and give the services' roles their passwords.

    Safe to repeat, and safe when several start at once. The account in DATABASE_URL must own the database and may
    create roles; the services derive their own sign-ins from TELLTALE_SECRET.
    """
    from store.migrate import migrate as bring_up

    settings = cli.start("migrate")
    cli.run(bring_up(settings.database, settings.key, previous=settings.secret_previous.get_secret_value()))
    cli.say("The database is up to date.")
