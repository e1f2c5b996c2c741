"""`telltale story`: the house in a home of its own, the story played in it, and everything gone afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from typing import Any

import aiohttp

from proofs.outside import Ear, Phone, Staff
from proofs.story import PATIENCE_S, STEPS, Scene, play, tell, with_kill
from schemas.errors import Misconfigured
from telltale import demo_data
from telltale.demo import Demo, erase
from telltale.settings import Settings

#: What each scenario's fault is called by the rules; the seed says which car's story is told.
FAULTS: dict[str, frozenset[str]] = {
    "slow_tyre_leak": frozenset({"tyre_leak", "tyre_low"}),
    "dying_battery": frozenset({"battery_12v"}),
    "worn_brake_pads": frozenset({"brake_pads"}),
    "failing_thermostat": frozenset({"thermostat_open"}),
}


async def main(settings: Settings, *, seed: int, kill: str | None) -> dict[str, Any]:
    """Play it; the home is kept when the story broke, for its logs."""
    if kill not in (None, "gateway"):
        raise Misconfigured("--kill", f"{kill} is not a part of the story; known is gateway")
    began = time.monotonic()
    home = settings.home / f"story-{os.getpid()}"
    alone = settings.model_copy(
        update={"home": home, "desk_port": 0, "demo_sign_ins": True, "public_url": "", "secret": None}
    )
    async with Demo(alone, tell=tell, seed=seed) as demo:
        opened = time.monotonic() - began
        tell(f"{opened:6.1f} s  the house stands at {demo.url}")
        async with contextlib.AsyncExitStack() as parts:
            scene = await set_scene(demo, seed, parts)
            facts = await play(scene, with_kill(STEPS) if kill else STEPS, tell)
    if facts["ok"]:
        erase(home)
        shutil.rmtree(home, ignore_errors=True)
    else:
        tell(f"the logs are in {home / 'logs'}")
    first = next((step for step in facts["steps"] if not step["ok"]), None)
    return {
        **facts,
        "seconds": round(time.monotonic() - began, 1),
        "seed": seed,
        "kill": kill,
        "failed": first and first["name"],
    }


async def set_scene(demo: Demo, seed: int, parts: contextlib.AsyncExitStack) -> Scene:
    """Who plays: the owner whose car has the seed's fault, and one person of every role."""
    scenario = list(FAULTS)[(seed - 1) % len(FAULTS)]
    owner = next(one for one in demo.cast.owners if one.scenario == scenario)
    healthy = next(one for one in demo.cast.owners if one.scenario == "healthy_confounders")
    people = {person.role.value: person for person in reversed(demo.cast.people)}

    async def session() -> aiohttp.ClientSession:
        jar = aiohttp.CookieJar(unsafe=True)  # the desk listens on an address, not on a name
        return await parts.enter_async_context(
            aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=PATIENCE_S))
        )

    staff = {role: Staff(demo.url, await session()) for role in ("advisor", "driver", "technician")}
    anybody = await session()
    ear = Ear(demo.mqtt_url)
    parts.callback(ear.close)
    return Scene(
        base=demo.url,
        ear=ear,
        advisor=staff["advisor"],
        driver=staff["driver"],
        technician=staff["technician"],
        owner=Phone(demo.url, anybody, owner.phone),
        staff_phones={role: Phone(demo.url, anybody, person.phone) for role, person in people.items()},
        passwords={role: (person.email, demo_data.PASSWORD) for role, person in people.items()},
        vin=owner.vin,
        healthy_vin=healthy.vin,
        rules=FAULTS[scenario],
        dealer_number=demo.cast.phone,
        kill=demo.kill,
    )
