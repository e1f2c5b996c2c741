"""`telltale dealer create`: a real dealer, without demo data."""

from __future__ import annotations

from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def dealer() -> None:
    """Dealers."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="As customers know it; every text begins with it.")],
    zone: Annotated[str, typer.Option(help="IANA time zone, as in Europe/Berlin.")],
    country: Annotated[str, typer.Option(help="Two letters, for phone numbers and public holidays, as in DE.")],
    phone: Annotated[str, typer.Option(help="What a customer rings.")],
    address: Annotated[str, typer.Option(help="Where the workshop is.")],
    hours: Annotated[
        str, typer.Option(help="Opening hours as OpenStreetMap writes them.")
    ] = "Mo-Fr 07:30-18:00; PH off",
    language: Annotated[str, typer.Option(help="en, de or es.")] = "en",
    bays: Annotated[int, typer.Option(min=1, help="How many cars can be worked on at once.")] = 2,
    loaners: Annotated[int, typer.Option(min=0, help="How many cars can be lent.")] = 0,
    sender: Annotated[
        str | None,
        typer.Option(
            help=(
                "The provider's number, or the mailbox, that owners answer to; default: TELLTALE_TWILIO_FROM. A "
                "landline is none."
            )
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Create a dealer with its bays and loaners. Next: `telltale staff invite`, then `telltale owners import`."""
    from opening_hours import OpeningHours

    from rules.service.numbers import e164
    from schemas.errors import BadInput
    from schemas.moment import zone as checked_zone
    from store import accounts
    from telltale import command_context, data

    checked_zone(zone)
    if language not in data.texts():
        raise BadInput("--language", f"we speak {', '.join(data.texts())}")
    try:
        OpeningHours(hours)
    except Exception:  # the library's errors are drawings over six lines, and each means the same
        raise BadInput(
            "--hours", f"{hours!r} cannot be read; an example: Mo-Fr 07:30-18:00; Sa 09:00-13:00; PH off"
        ) from None
    number = e164(phone, country.upper(), ours=True)
    answered = _address(sender, country.upper()) if sender else ""

    async def make(work: command_context.Office) -> dict[str, object]:
        made = await accounts.create_dealer(
            work.connection,
            name=name,
            zone=zone,
            country=country.upper(),
            phone=number,
            address=address,
            opening_hours=hours,
            language=language,
            now=work.now,
        )
        channel = work.settings.usual_channel
        if answered or channel == "phone":
            await accounts.set_sender(work.connection, answered or number, made.id, channel)
        elif channel == "sms" and work.settings.twilio_from.startswith("+"):
            await accounts.set_sender(work.connection, work.settings.twilio_from, made.id, channel)
        for kind, count in (("bay", bays), ("loaner", loaners)):
            for n in range(1, count + 1):
                await accounts.add_resource(work.connection, made.id, kind, f"{kind.capitalize()} {n}")
        return {"dealer": made.id, "name": made.name, "bays": bays, "loaners": loaners}

    cli.answer(cli.run(command_context.at(cli.start("dealer", join=True), make)), as_json)


@app.command()
def sender(
    address: Annotated[str, typer.Argument(help="The provider's number, +49…, or the mailbox that owners answer to.")],
    dealer: Annotated[int | None, typer.Option(help="Id of the dealer; needed when there are several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Let a dealer's texts come from this number, and answers to it reach this dealer.

    What is sent to the earlier one is still heard.
    """
    from store import accounts
    from telltale import command_context

    async def change(work: command_context.Office) -> dict[str, object]:
        at = await work.dealer(dealer)
        channel, aliases = ("email", ()) if "@" in address else ("sms", ("twilio",))
        await accounts.change_sender(
            work.connection, _address(address, at.country), dealer_id=at.id, channel=channel, aliases=aliases
        )
        return {"dealer": at.id, "sender": _address(address, at.country), "channel": channel}

    cli.answer(cli.run(command_context.at(cli.start("dealer", join=True), change)), as_json)


def _address(text: str, country: str) -> str:
    """A mailbox as it is, a number as the whole world dials it."""
    from rules.service.numbers import e164

    return text.strip() if "@" in text else e164(text, country, ours=True)
