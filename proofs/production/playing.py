"""The guiding story, played in production's house and watched from outside: HTTP by nginx, MQTT, the provider of
texts.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from proofs import wire
from proofs.outside import Ear, Staff
from proofs.production import people
from proofs.production.house import House
from proofs.production.sms import SmsPhone
from proofs.story import PATIENCE_S, STEPS, Scene, Step, play, workshop_repairs
from telltale.demo_data import CAST

SPEED = 600.0  #: business seconds in a second
_FAULT = frozenset({"tyre_leak", "tyre_low"})


async def rehearse(home: Path, *, broker: str, tell: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """The whole of it: the house is made, the story played, everything taken down.

    The facts, with what the logs say.
    """
    began = time.monotonic()
    async with House(home, broker=broker) as house, contextlib.AsyncExitStack() as parts:
        tell(f"{time.monotonic() - began:6.1f} s  database, broker and provider stand")
        scene = await set_scene(house, parts)
        opened = time.monotonic() - began
        tell(f"{opened:6.1f} s  the house stands at {house.url}")
        facts = await play(scene, _mended(STEPS, house), tell)
        served, logs, users = house.nginx.served(), house.log_texts(), house.users()
        texts = [text.reference for text in house.provider.texts if not text.inbound]
    return {
        **facts,
        "opened": round(opened, 1),
        "seconds": round(time.monotonic() - began, 1),
        "served": served,
        "users": sorted(users),
        "tracebacks": [name for name, log in logs.items() if "Traceback" in log],
        "canaries": leaks(logs),
        "texts": len(texts),
        "texts_twice": [reference for reference, times in Counter(texts).items() if times > 1],
        "refused": house.provider.refused,
    }


async def set_scene(house: House, parts: contextlib.AsyncExitStack) -> Scene:
    """A dealer with two cars, one of which will fall ill; everybody signed up, everything running."""
    ill = next(one for one in CAST.owners if one.scenario == "slow_tyre_leak")
    healthy = next(one for one in CAST.owners if one.scenario == "healthy_confounders")
    household = await people.furnish(house, [ill, healthy])
    await house.lapse(CAST.zone, CAST.country, SPEED)
    await house.open()
    anybody = await parts.enter_async_context(house.session(PATIENCE_S))
    await people.settle_in(house, household, anybody)
    staff = {
        role: Staff(house.url, await parts.enter_async_context(house.session(PATIENCE_S)))
        for role in household.passwords
    }
    for role in ("manager", "advisor"):
        await people.patiently(lambda: staff[role].sign_in(*household.passwords[role]))  # noqa: B023
    await people.patiently(
        lambda: staff["manager"].patch("/dealer", notice_minutes=240, offer_hold_minutes=1440)
    )  # ten minutes pass in a second
    await people.enrol(house, household, staff["advisor"], [ill.vin, healthy.vin])
    await house.simulate(
        [
            {
                "vin": one.vin,
                "secret": household.secrets[one.vin],
                "profile": one.profile,
                "scenario": one.scenario,
                "seed": 1000 + n,
            }
            for n, one in enumerate((ill, healthy))
        ]
    )
    ear = Ear(house.mqtt_url("witness" if house.kind == "mosquitto" else "gateway"), house.authority.trusted)
    parts.callback(ear.close)
    return Scene(
        base=house.url,
        ear=ear,
        advisor=staff["advisor"],
        driver=staff["driver"],
        technician=staff["technician"],
        owner=SmsPhone(house.provider, house.url, anybody, ill.phone),
        staff_phones={
            role: SmsPhone(house.provider, house.url, anybody, number) for role, number in household.phones.items()
        },
        passwords=household.passwords,
        vin=ill.vin,
        healthy_vin=healthy.vin,
        rules=_FAULT,
        dealer_number=household.dealer_number,
    )


def _mended(steps: tuple[Step, ...], house: House) -> tuple[Step, ...]:
    """The workshop's word is one thing, the mended car another: here a mechanic does it right after the word."""

    async def mechanic_mends(scene: Scene) -> str:
        """The simulated car is really healed."""
        where = urlsplit(house.mqtt_url("workshop"))
        await wire.say(
            where.hostname or "",
            where.port or 0,
            user=where.username or "",
            password=where.password or "",
            topic=f"workshop/{scene.vin}",
            payload=b'{"component": "front_left"}',
            tls=house.trust() if where.scheme == "mqtts" else None,
        )
        return "front left tyre"

    at = steps.index(workshop_repairs) + 1
    return (*steps[:at], mechanic_mends, *steps[at:])


def leaks(logs: dict[str, str]) -> list[str]:
    """Where a log line names a person: names, numbers, addresses of everybody in the story, their passwords, links'
    secrets.
    """
    owners, staff = CAST.owners, CAST.people
    canaries = {fact for one in owners for fact in (one.name, one.phone, one.address)} | {people.PASSWORD}
    canaries |= {fact for one in staff for fact in (one.name, one.phone, one.email)}
    return [f"{canary} in {name}" for name, log in logs.items() for canary in sorted(canaries) if canary in log]
