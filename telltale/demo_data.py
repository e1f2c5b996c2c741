"""The people and cars of the demo: a dealer in Hamburg, somebody for every role, and owners who speak three
languages.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher

from schemas.account import Role
from schemas.message import Purpose
from store import accounts, consents, fleet, owners
from store.pool import Connection, Pool
from telltale.enrolment import enrol

PASSWORD = "telltale-demo"
_WORDING = (
    "You may text me about faults of my car, my visits to the workshop, and how it went. STOP ends it at any time."
)
_PURPOSES = (Purpose.SAFETY, Purpose.SERVICE, Purpose.STATUS, Purpose.SURVEY)


@dataclass(frozen=True)
class Person:
    """Somebody of the dealer."""

    role: Role
    name: str
    email: str
    phone: str


@dataclass(frozen=True)
class Owner:
    """Somebody with a car, and what will happen to it."""

    name: str
    phone: str
    language: str
    address: str
    vin: str
    title: str
    plate: str
    profile: str
    scenario: str


@dataclass(frozen=True)
class Car:
    """What the simulator must know of a car."""

    vin: str
    secret: str
    profile: str
    scenario: str
    seed: int


@dataclass(frozen=True)
class Cast:
    """Everybody. The numbers are those that German authorities keep free for films."""

    dealer: str = "Nordlicht Motors"
    zone: str = "Europe/Berlin"
    country: str = "DE"
    language: str = "en"
    phone: str = "+494066969100"
    address: str = "Speicherkai 4, 20457 Hamburg"
    opening_hours: str = "Mo-Fr 07:30-18:30; Sa 09:00-14:00; PH off"
    bays: int = 3
    loaners: int = 2
    people: tuple[Person, ...] = (
        Person(Role.ADVISOR, "Anna Petersen", "advisor@nordlicht.example", "+4917604069001"),
        Person(Role.DRIVER, "Mila Brandt", "driver@nordlicht.example", "+4917604069002"),
        Person(Role.DRIVER, "Tarik Aydin", "driver2@nordlicht.example", "+4917604069003"),
        Person(Role.TECHNICIAN, "Lena Vogt", "technician@nordlicht.example", "+4917604069004"),
        Person(Role.MANAGER, "Ruth Sommer", "manager@nordlicht.example", "+4917604069005"),
    )
    owners: tuple[Owner, ...] = (
        Owner(
            "Emma Clarke",
            "+4917604069010",
            "en",
            "Lange Reihe 12, 20099 Hamburg",
            "WTTPH0000NM000017",
            "Alba 1.2",
            "HH-EC 417",
            "petrol_hatch",
            "slow_tyre_leak",
        ),
        Owner(
            "Jonas Weber",
            "+4917604069011",
            "de",
            "Osterstraße 88, 20259 Hamburg",
            "WTTPH0000NM000025",
            "Alba 1.2",
            "HH-JW 88",
            "petrol_hatch",
            "dying_battery",
        ),
        Owner(
            "Lucía Fernández",
            "+4917604069012",
            "es",
            "Eppendorfer Weg 5, 20259 Hamburg",
            "WTTDV0000NM000033",
            "Lastra Van",
            "HH-LF 33",
            "diesel_van",
            "worn_brake_pads",
        ),
        Owner(
            "Stadtbäckerei Lüders",
            "+4917604069013",
            "de",
            "Fischmarkt 20, 22767 Hamburg",
            "WTTDV0000NM000041",
            "Lastra Van",
            "HH-SL 41",
            "diesel_van",
            "failing_thermostat",
        ),
        Owner(
            "Oliver Grant",
            "+4917604069014",
            "en",
            "Sierichstraße 60, 22301 Hamburg",
            "WTTPH0000NM000058",
            "Alba 1.2",
            "HH-OG 58",
            "petrol_hatch",
            "healthy_confounders",
        ),
        Owner(
            "Marta Ruiz",
            "+4917604069015",
            "es",
            "Mundsburger Damm 3, 22087 Hamburg",
            "WTTEC0000NM000066",
            "Volta E",
            "HH-MR 66E",
            "electric_car",
            "healthy",
        ),
        Owner(
            "Heike Jansen",
            "+4917604069016",
            "de",
            "Elbchaussee 210, 22605 Hamburg",
            "WTTPH0000NM000074",
            "Alba 1.2",
            "HH-HJ 74",
            "petrol_hatch",
            "misfire",
        ),
        Owner(
            "Spedition Krüger",
            "+4917604069017",
            "de",
            "Veddeler Damm 14, 20457 Hamburg",
            "WTTTR0000NM000082",
            "Titan 18 t",
            "HH-SK 82",
            "truck",
            "healthy",
        ),
    )


CAST = Cast()


async def prepare(pool: Pool, cast: Cast, key: str, clock: Callable[[], datetime], seed: int) -> list[Car]:
    """Everybody is there, made on the first start and found on the next; and the cars' secrets for the simulator."""
    async with pool.acquire() as connection, connection.transaction():
        if not await accounts.dealers(connection):
            await _make(connection, cast, key, clock(), await asyncio.to_thread(PasswordHasher().hash, PASSWORD))
        for dealer in await accounts.dealers(connection):  # also one that an earlier version made
            if (dealer.name, dealer.phone) == (cast.dealer, cast.phone):
                await accounts.mark_demo(connection, dealer.id)
    return [
        Car(o.vin, secret_of(key, o.vin), o.profile, o.scenario, seed * 1000 + n) for n, o in enumerate(cast.owners)
    ]


def secret_of(key: str, vin: str) -> str:
    """A demo car's MQTT secret follows from the home's, so that the next start knows it; real ones are random."""
    return hmac.new(key.encode(), f"car:{vin}".encode(), hashlib.sha256).hexdigest()


async def _make(connection: Connection, cast: Cast, key: str, now: datetime, password_hash: str) -> None:
    dealer = await accounts.create_dealer(
        connection,
        name=cast.dealer,
        zone=cast.zone,
        country=cast.country,
        phone=cast.phone,
        address=cast.address,
        opening_hours=cast.opening_hours,
        language=cast.language,
        now=now,
    )
    # Ten minutes pass each second: windows a few hours ahead and a long hold leave a person the time to answer.
    await accounts.update_dealer(connection, dealer.id, {"notice_minutes": 240, "offer_hold_minutes": 1440})
    await accounts.set_sender(connection, cast.phone, dealer.id, "phone")
    for person in cast.people:
        await accounts.add_staff(
            connection,
            dealer.id,
            name=person.name,
            email=person.email,
            phone=person.phone,
            role=person.role,
            language=cast.language,
            password_hash=password_hash,
            now=now,
        )
    for kind, count in (("bay", cast.bays), ("loaner", cast.loaners)):
        for number in range(1, count + 1):
            await accounts.add_resource(connection, dealer.id, kind, f"{kind.capitalize()} {number}")
    for one in cast.owners:
        values = {
            "name": one.name,
            "phone": one.phone,
            "channel": "phone",
            "language": one.language,
            "zone": cast.zone,
            "address": one.address,
        }
        owner = await owners.create(connection, dealer.id, values, now)
        await consents.give(
            connection,
            dealer.id,
            owner.id,
            dict.fromkeys(_PURPOSES, True),
            now=now - timedelta(days=90),
            source="order form",
            wording=_WORDING,
        )
        car = await fleet.add(
            connection,
            dealer.id,
            vin=one.vin,
            profile=one.profile,
            title=one.title,
            plate=one.plate,
            actor="system",
            now=now,
        )
        await fleet.give(connection, dealer.id, car.id, owner.id, actor="system", now=now)
        await enrol(connection, one.vin, secret_of(key, one.vin), now)
