"""Who works here and who drives: made by the commands and the documented API, as on the first day of a real dealer."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp

from proofs.outside import Staff
from proofs.production import account
from proofs.production.house import House
from telltale.demo_data import CAST, Cast, Owner

Answer = TypeVar("Answer")
PASSWORD = "rehearsed and ready"
_COLUMNS = (
    "name",
    "phone",
    "language",
    "address",
    "zone",
    "vin",
    "title",
    "plate",
    "profile",
    "consent_safety",
    "consent_service",
    "consent_status",
    "consent_survey",
    "consent_at",
    "consent_source",
    "consent_wording",
)


@dataclass
class Household:
    """The dealer with its people, who have chosen a password, and its cars, which have one."""

    dealer: int
    dealer_number: str
    passwords: dict[str, tuple[str, str]]  # role -> e-mail, password
    phones: dict[str, str]  # role -> number
    secrets: dict[str, str]  # VIN -> MQTT password
    key: str  #: of a program
    links: dict[str, str]  # role -> invitation


async def furnish(
    house: House, customers: Sequence[Owner], *, cast: Cast = CAST, hours: str | None = None
) -> Household:
    """The dealer, one person of each role, these customers with their consent. The house need not be open yet."""
    await house.command(
        "dealer",
        "create",
        cast.dealer,
        "--zone",
        cast.zone,
        "--country",
        cast.country,
        "--phone",
        cast.phone,
        "--address",
        cast.address,
        "--hours",
        hours or cast.opening_hours,
        "--bays",
        str(cast.bays),
        "--loaners",
        str(cast.loaners),
        "--language",
        cast.language,
        "--sender",
        house.provider.number,
    )
    people = {person.role.value: person for person in reversed(cast.people)}
    file = house.home / "owners.csv"
    file.write_text(listed(customers, cast.zone))
    account.give(file)
    invited, made, _ = await asyncio.gather(
        asyncio.gather(
            *(
                house.command("staff", "invite", one.email, "--name", one.name, "--role", role, "--phone", one.phone)
                for role, one in people.items()
            )
        ),
        house.command("key", "create", "rehearsal", "--scope", "all"),
        house.command("owners", "import", str(file)),
    )
    return Household(
        dealer=invited[0]["dealer"],
        dealer_number=house.provider.number,
        passwords={role: (one.email, PASSWORD) for role, one in people.items()},
        phones={role: one.phone for role, one in people.items()},
        secrets={},
        key=made["key"],
        links={role: invitation["link"] for role, invitation in zip(people, invited, strict=True)},
    )


async def patiently(call: Callable[[], Awaitable[Answer]], within_s: float = 120.0) -> Answer:
    """Again when a busy machine answers 503, as every client of ours should."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            return await call()
        except (aiohttp.ClientError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)


def listed(customers: Sequence[Owner], zone: str) -> str:
    """The list as a dealer would export it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS)
    writer.writeheader()
    for one in customers:
        writer.writerow(
            {
                "name": one.name,
                "phone": one.phone,
                "language": one.language,
                "address": one.address,
                "zone": zone,
                "vin": one.vin,
                "title": one.title,
                "plate": one.plate,
                "profile": one.profile,
                "consent_safety": "yes",
                "consent_service": "yes",
                "consent_status": "yes",
                "consent_survey": "yes",
                "consent_at": "2026-01-10T09:00+01:00",
                "consent_source": "order form",
                "consent_wording": "Text me about my car.",
            }
        )
    return text.getvalue()


async def settle_in(house: House, household: Household, http: aiohttp.ClientSession) -> None:
    """Behind their invitations everybody chooses a password: through nginx, as a browser sends it."""

    async def choose(link: str) -> None:
        form = {"password": PASSWORD, "again": PASSWORD}
        headers = {"Sec-Fetch-Site": "same-origin", "Origin": house.url}
        async with http.get(link) as page:
            if page.status == 410:  # done, and the answer was not heard
                return
            page.raise_for_status()
        async with http.post(link, data=form, headers=headers, allow_redirects=False) as answer:
            if answer.status not in (200, 303):
                raise aiohttp.ClientConnectionError(
                    f"the invitation answered {answer.status}: {(await answer.text())[:300]}"
                )

    await asyncio.gather(*(patiently(lambda link=link: choose(link)) for link in household.links.values()))  # type: ignore[misc]


async def enrol(house: House, household: Household, staff: Staff, vins: Sequence[str]) -> None:
    """Credentials for these cars, by the API; the broker is told by broker-config, within seconds."""
    for vin in vins:
        car: dict[str, Any] = (await patiently(lambda: staff.get("/vehicles", vin=vin)))["items"][0]  # noqa: B023
        answer = await patiently(lambda: staff.post(f"/vehicles/{car['id']}/enrol"))  # noqa: B023
        household.secrets[vin] = answer["password"]
