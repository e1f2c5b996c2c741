"""The composition root: each service gets its values and its parts here, and knows nothing of settings or files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from schemas.errors import BadInput, Misconfigured
from schemas.vehicle import is_vin
from store import fleet, vehicles
from store.migrate import role_url
from store.pool import connect
from telltale import cli, clock, data, demo_data, enrolment, neighbour, office, ready
from telltale.settings import Settings

Clock = Callable[[], datetime]


async def business_clock(settings: Settings, role: str) -> Clock:
    """The clock of the database that this service works on."""
    connection = await connect(_as(settings, role), name="clock")
    try:
        return await clock.read(connection)
    finally:
        await asyncio.wait_for(connection.close(), 5)


async def dealer_api(settings: Settings) -> None:
    from dealer_api import running
    from rules.wording import Wording

    business = await business_clock(settings, "desk")
    await running.run(
        desk_url=_as(settings, "desk"),
        owner_url=_as(settings, "owner_page"),
        clock=business,
        wording=Wording(data.texts()),
        secret=settings.key,
        profiles=data.profiles(),
        host=settings.desk_host,
        port=settings.desk_port,
        base_url=settings.public_url,
        demo=settings.demo_sign_ins,
        ready=ready.teller(settings.ready_fd),
    )


def _as(settings: Settings, role: str) -> str:
    return role_url(settings.database, settings.key, f"telltale_{role}")


async def simulator(settings: Settings, cars: Path) -> None:
    from simulator import running
    from simulator.fleet import Member
    from simulator.scenario import scenario_of

    models, scenarios = data.profiles(), data.scenarios()
    try:
        listed = json.loads(cars.read_text())
        members = [
            Member(one["vin"], one["secret"], models[one["profile"]], scenario_of(one["scenario"], scenarios[one["scenario"]]), int(one["seed"]))
            for one in listed
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Misconfigured(str(cars), f"is no list of cars ({type(error).__name__}: {error})") from None
    business = await business_clock(settings, "gateway") if settings.database_url else clock.real
    where, mechanic = urlsplit(settings.mqtt), urlsplit(settings.workshop_url.get_secret_value())
    await running.run(
        mqtt_host=where.hostname or "127.0.0.1",
        mqtt_port=where.port or 1883,
        cars=members,
        clock=business,
        speed=business.speed if isinstance(business, clock.TimeLapse) else 1.0,
        spool_dir=settings.home / "spools",
        workshop=(mechanic.username or "", mechanic.password or "") if mechanic.hostname else None,
        ready=ready.teller(settings.ready_fd),
    )


async def play(settings: Settings, file: Path, *, vin: str, at: datetime | None, profile: str) -> dict[str, Any]:
    """The recorded drive of one car; a car that nobody knows yet is enrolled on the way."""
    from simulator import playing

    if not is_vin(vin):
        raise BadInput("--vin", f"{vin} is no VIN: 17 characters, digits and letters without I, O and Q")
    if any(car["vin"] == vin for car in _driven(settings.home)):
        raise BadInput("--vin", f"{vin} is being driven by the simulator: take the VIN of a car that is not, or a new one")
    secret = demo_data.secret_of(settings.key, vin)
    now = await office.at(settings, lambda work: _let_in(work, vin, secret, profile))
    where = urlsplit(settings.mqtt)
    played = await playing.play(
        file,
        vin=vin,
        secret=secret,
        mqtt_host=where.hostname or "127.0.0.1",
        mqtt_port=where.port or 1883,
        spool_dir=settings.home / "played",
        start=at.replace(tzinfo=at.tzinfo or UTC) if at else None,
        now=now,
        tell=cli.progress("frames"),
    )
    return asdict(played)


async def _let_in(work: office.Office, vin: str, secret: str, profile: str) -> datetime:
    known = {one.vin: one for one in await vehicles.identities(work.connection)}
    if vin not in known:
        if profile not in data.profiles():
            raise BadInput("--profile", f"{profile} is not a model we know: {', '.join(data.profiles())}")
        at, title = await work.dealer(None), data.profiles()[profile].title
        await fleet.add(work.connection, at.id, vin=vin, profile=profile, title=f"{title} (recorded drive)", plate=None, actor="system", now=work.now)
    elif known[vin].secret_hash not in (None, enrolment.hash_of(secret)):
        raise BadInput("--vin", f"{vin} has a secret of its own, which playing would end: take the VIN of a car that is not enrolled, or a new one")
    await enrolment.enrol(work.connection, vin, secret, work.now)
    return work.now


def _driven(home: Path) -> list[dict[str, Any]]:
    """The cars of the demo that runs on this home."""
    if not neighbour.found(home):
        return []
    driven: list[dict[str, Any]] = json.loads((home / "cars.json").read_text())
    return driven
