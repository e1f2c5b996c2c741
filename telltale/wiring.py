"""The composition root: each service gets its values and its parts here, and knows nothing of settings or files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from schemas.errors import Misconfigured
from store.migrate import role_url
from store.pool import connect
from telltale import clock, data, ready
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
