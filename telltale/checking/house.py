"""All checks of a house, in the order in which a new house comes to them.

What rests on something that is away is not asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from telltale.checking import broker, database, machine, public, texts
from telltale.checking.finding import Finding, find
from telltale.settings import Settings


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what is looked at, what it needs, and what to do when it breaks in a way that nobody foresaw."""

    name: str
    look: Callable[[Settings], Awaitable[str]]
    todo: str
    needs: Sequence[str] = ()


CHECKS = (
    Check("database", database.server, "look at DATABASE_URL; does the server run, and does it let this machine in?"),
    Check(
        "roles", database.roles, "run telltale migrate with the TELLTALE_SECRET that the services have", ("database",)
    ),
    Check("migrations", database.migrations, "run telltale migrate", ("database", "roles")),
    Check("clock", database.clock, "let this machine and the database follow a time server", ("database", "roles")),
    Check("time zones", database.zones, "bring the package tzdata up to date", ("database", "roles")),
    Check(
        "broker",
        broker.durable,
        "look at MQTT_URL, TELLTALE_MQTT_VERSION and TELLTALE_MQTT_CA (docs/howto/own-broker.md)",
    ),
    Check("closed broker", broker.closed, "look at MQTT_URL and TELLTALE_CARS_URL", ("broker",)),
    Check("a car that speaks", broker.car, "look at the gateway's log", ("database", "roles", "migrations", "broker")),
    Check(
        "texts",
        texts.sms,
        "look at TELLTALE_TWILIO_ACCOUNT, _TOKEN and _API: the provider does not answer",
        ("database", "roles", "migrations"),
    ),
    Check("mail", texts.mail, "look at TELLTALE_SMTP_URL"),
    Check("public address", public.reachable, "look at TELLTALE_PUBLIC_URL"),
    Check(
        "proxy", public.passed_on, "deploy/nginx.conf is an example of what the proxy must pass on", ("public address",)
    ),
    Check(
        "time at the public address", public.time_told, "let both machines follow a time server", ("public address",)
    ),
    Check("secret", machine.secret, "set TELLTALE_SECRET"),
    Check("files", machine.files, "make files with secrets readable for their owner alone"),
    Check("disk", machine.disk, "make room"),
)


async def check_house(settings: Settings, tell: Callable[[Finding], None] = lambda finding: None) -> list[Finding]:
    """Everything; `tell` hears each finding as it comes, in this order."""
    found: dict[str, asyncio.Task[Finding]] = {}

    async def one(check: Check) -> Finding:
        for name in check.needs:
            if not (await found[name]).ok:
                return Finding(
                    check.name, False, f"not looked at: it needs what the line {name!r} says", f"first see to {name!r}"
                )
        return await find(check.name, check.look(settings), check.todo)

    for check in CHECKS:
        found[check.name] = asyncio.create_task(one(check), name=check.name)
    answer = []
    for task in found.values():
        answer.append(await task)
        tell(answer[-1])
    return answer
