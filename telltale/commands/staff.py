"""`telltale staff invite`: the first people of a dealer; later ones are invited at the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from schemas.account import Role
from telltale import cli

app = typer.Typer(add_completion=False, no_args_is_help=True)
INVITATION = timedelta(days=7)


@app.callback()
def staff() -> None:
    """A dealer's people."""


@app.command()
def invite(
    email: Annotated[str, typer.Argument(help="The address they will sign in with.")],
    name: Annotated[str, typer.Option(help="As colleagues and customers call them.")],
    role: Annotated[Role, typer.Option(help="What they may do; a manager may do what an advisor may.")],
    phone: Annotated[str | None, typer.Option(help="Where alerts reach them when they are not looking, +49…")] = None,
    language: Annotated[str | None, typer.Option(help="en, de or es; default: the dealer's.")] = None,
    dealer: Annotated[int | None, typer.Option(help="Id of the dealer; needed when there are several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Add a person and print the link with which they choose their password. It works once, for seven days."""
    from store import accounts, secrets
    from telltale import office

    async def add(work: office.Office) -> dict[str, object]:
        at = await work.dealer(dealer)
        person = await accounts.add_staff(
            work.connection, at.id, name=name, email=email, phone=phone, role=role, language=language or at.language,
            password_hash=None, now=work.now,
        )  # fmt: skip
        token = await secrets.make(
            work.connection, at.id, "invitation", now=work.now, expires_at=work.now + INVITATION, staff_id=person.id, label=person.email
        )
        base = work.settings.public_url.rstrip("/") or "http://localhost:8080"
        return {"staff": person.id, "dealer": at.id, "link": f"{base}/invitation/{token}"}

    facts = cli.run(office.at(cli.start("staff", join=True), add))
    cli.answer(facts, as_json)
