"""`telltale staff`: a dealer's people.

The first are invited here, later ones at the desk; and here when nobody can get in there any more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas.account import Role
from telltale import cli

if TYPE_CHECKING:
    from schemas.account import Dealer, Staff
    from telltale.command_context import Office

app = typer.Typer(add_completion=False, no_args_is_help=True)
_Email = Annotated[str, typer.Argument(help="The address that they sign in with.")]
_Dealer = Annotated[int | None, typer.Option(help="Id of the dealer; needed when there are several.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.callback()
def staff() -> None:
    """A dealer's people."""


@app.command()
def invite(
    email: _Email,
    name: Annotated[str, typer.Option(help="As colleagues and customers call them.")],
    role: Annotated[Role, typer.Option(help="What they may do; a manager may do what an advisor may.")],
    phone: Annotated[str | None, typer.Option(help="Where alerts reach them when they are not looking, +49…")] = None,
    language: Annotated[str | None, typer.Option(help="en, de or es; default: the dealer's.")] = None,
    dealer: _Dealer = None,
    as_json: _Json = False,
) -> None:
    """Invite a person and print the link with which they choose their password. It works once, for seven days.

    Who was invited before, or does not work there any more, is asked back in: with a new link, and the old one ended.
    """
    from actions import people
    from telltale import command_context

    async def add(work: command_context.Office) -> dict[str, object]:
        at = await work.dealer(dealer)
        person, link = await people.invite(
            work.house.acting(at.id, "command"), name=name, email=email, role=role, phone=phone, language=language
        )
        return {"staff": person.id, "dealer": at.id, "link": link}

    facts = cli.run(command_context.at(cli.start("staff", join=True), add))
    cli.answer(facts, as_json)


@app.command("list")
def list_staff(dealer: _Dealer = None, as_json: _Json = False) -> None:
    """Everybody of a dealer, with their role and whether they can sign in."""
    from store.views import people
    from telltale import command_context

    async def look(work: command_context.Office) -> list[dict[str, Any]]:
        return await people.staff(work.connection, (await work.dealer(dealer)).id)

    found = cli.run(command_context.at(cli.start("staff", join=True), look))
    lines = [f"{one['email']}: {one['name']}, {one['role']}, {_standing(one)}" for one in found]
    cli.answer({"staff": found}, as_json, lines or ["nobody yet"])


@app.command()
def role(
    email: _Email,
    role: Annotated[Role, typer.Argument(help="What they do from now on.")],
    dealer: _Dealer = None,
    as_json: _Json = False,
) -> None:
    """Give somebody another role. The last manager who can sign in stays one."""
    from actions import people

    async def act(work: Office, at: Dealer, person: Staff) -> Staff:
        return await people.change_role(work.house.acting(at.id, "command"), person.id, role)

    _with_person(email, dealer, as_json, act)


@app.command()
def disable(email: _Email, dealer: _Dealer = None, as_json: _Json = False) -> None:
    """They no longer work there: sessions end, their cases and drives wait for somebody else.

    Not for the last manager who can sign in.
    """
    from actions import people

    async def act(work: Office, at: Dealer, person: Staff) -> Staff:
        return await people.disable(work.house.acting(at.id, "command"), person.id)

    _with_person(email, dealer, as_json, act)


@app.command()
def enable(email: _Email, dealer: _Dealer = None, as_json: _Json = False) -> None:
    """They work there again."""
    from actions import people

    async def act(work: Office, at: Dealer, person: Staff) -> Staff:
        return await people.enable(work.house.acting(at.id, "command"), person.id)

    _with_person(email, dealer, as_json, act)


@app.command("new-password")
def new_password(email: _Email, dealer: _Dealer = None, as_json: _Json = False) -> None:
    """Print a link with which they choose a new password.

    It works once, for a day; their sessions end when they use it.
    """
    from actions import password

    links: list[str] = []

    async def act(work: Office, at: Dealer, person: Staff) -> Staff:
        found, link = await password.reset_link(work.house.acting(at.id, "command"), person.id)
        links.append(link)
        return found

    _with_person(email, dealer, as_json=as_json, act=act, more=lambda: {"link": links[0]})


@app.command("forget-second-factor")
def forget_second_factor(email: _Email, dealer: _Dealer = None, as_json: _Json = False) -> None:
    """They lost their phone and their recovery codes: from now on their password is enough, until they set up another
    one.
    """
    from actions import second_factor

    async def act(work: Office, at: Dealer, person: Staff) -> Staff:
        return await second_factor.forget(work.house.acting(at.id, "command"), person.id)

    _with_person(email, dealer, as_json, act)


def _with_person(
    email: str,
    dealer: int | None,
    as_json: bool,
    act: Callable[[Office, Dealer, Staff], Awaitable[Staff]],
    more: Callable[[], dict[str, Any]] = dict,
) -> None:
    from schemas.errors import NotFound
    from store import accounts
    from telltale import command_context

    async def work_on(work: command_context.Office) -> dict[str, Any]:
        at = await work.dealer(dealer)
        person = await accounts.staff_by_email(work.connection, at.id, email)
        if person is None:
            raise NotFound(f"person at {at.name}: {email}")
        person = await act(work, at, person)
        return {
            "staff": person.id,
            "email": person.email,
            "role": person.role.value,
            "disabled_at": person.disabled_at,
            **more(),
        }

    cli.answer(cli.run(command_context.at(cli.start("staff", join=True), work_on)), as_json)


def _standing(one: dict[str, Any]) -> str:
    return "left" if one["disabled_at"] else "can sign in" if one["joined"] else "invited"
