"""`telltale vehicle enrol|revoke|recall`: who may speak for a car, and which campaigns are open for it."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False, no_args_is_help=True)
Vin = Annotated[str, typer.Argument(metavar="VIN", help="17 characters, digits and letters without I, O and Q.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.callback()
def vehicle() -> None:
    """Cars."""


@app.command()
def enrol(
    vin: Vin,
    profile: Annotated[
        str | None,
        typer.Option(help="Vehicle model, a file of schemas/profiles; needed for a car that is not known yet."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="As people say it; default: the model's title.")] = None,
    plate: Annotated[str | None, typer.Option(help="Its number plate.")] = None,
    dealer: Annotated[
        int | None, typer.Option(help="Id of the dealer who looks after it; needed when there are several.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make credentials for a car's telematics unit and print them once, with the topics that are its own.

    Takes effect at once, without a restart. Enrolling again makes a new secret and ends the old one.
    """
    from schemas.errors import BadInput
    from schemas.vehicle import bucket_of, is_vin, topic
    from store import fleet
    from telltale import command_context, data, enrolment

    name = vin.strip().upper()
    if not is_vin(name):
        raise BadInput("VIN", f"{name} is no VIN: 17 characters, digits and letters without I, O and Q")
    if profile is not None and profile not in data.profiles():
        raise BadInput("--profile", f"{profile} is not a model we know: {', '.join(data.profiles())}")

    async def make(work: command_context.Office) -> dict[str, object]:
        if profile is not None:
            at = await work.dealer(dealer)
            words = title or data.profiles()[profile].title
            if await fleet.by_vin(work.connection, at.id, name) is None:
                await fleet.add(
                    work.connection,
                    at.id,
                    vin=name,
                    profile=profile,
                    title=words,
                    plate=plate,
                    actor="system",
                    now=work.now,
                )
        secret = secrets.token_hex(32)
        await enrolment.enrol(work.connection, name, secret, work.now)
        return {
            "vin": name,
            "bucket": f"{bucket_of(name):02d}",
            "username": name,
            "password": secret,
            "client_id": name,
            **({"broker": work.settings.cars_url} if work.settings.cars_url else {}),
            "topics": {
                "publish": [topic(name, way) for way in ("up/telemetry", "up/diagnostics", "up/status")],
                "subscribe": [topic(name, way) for way in ("down/acks", "down/asks", "down/alerts")],
            },
        }

    cli.answer(cli.run(command_context.at(cli.start("vehicle", join=True), make)), as_json)


@app.command()
def revoke(vin: Vin, as_json: Json = False) -> None:
    """Take a car's credentials away; a connected car is cut off within seconds."""
    from store import vehicles
    from telltale import command_context

    async def end(work: command_context.Office) -> dict[str, object]:
        await vehicles.revoke(work.connection, vin.strip().upper(), work.now)
        return {"vin": vin.strip().upper(), "revoked": True}

    cli.answer(cli.run(command_context.at(cli.start("vehicle", join=True), end)), as_json)


@app.command()
def recall(
    campaign: Annotated[str, typer.Argument(help="The manufacturer's name of the campaign, as the workshop knows it.")],
    vins: Annotated[list[str], typer.Argument(metavar="VIN...", help="The cars that belong to it.")],
    done: Annotated[bool, typer.Option(help="The work is done on these cars.")] = False,
    as_json: Json = False,
) -> None:
    """Open a recall for cars, or close it: within a minute it is an alert of advice, or ends."""
    from store import recalls
    from telltale import command_context

    wanted = [vin.strip().upper() for vin in vins]

    async def tell(work: command_context.Office) -> dict[str, object]:
        known = await (recalls.finish if done else recalls.announce)(work.connection, campaign, wanted)
        return {"campaign": campaign, "done": done, "vins": known, "unknown": sorted(set(wanted) - set(known))}

    cli.answer(cli.run(command_context.at(cli.start("vehicle", join=True), tell)), as_json)
