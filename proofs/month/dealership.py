"""The dealership of the month: its people, its cars, the phone that every text ends at, and the clock that all of them
share.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from asyncpg import Record
from asyncpg.prepared_stmt import PreparedStatement

from actions.context import House
from proofs.handing_over import Memory
from providers.provider import Lookup, Receipt
from rules.service.wording import Wording
from schemas.account import Dealer, Role
from schemas.message import Message
from schemas.operation import Skill
from store import accounts, consents, fleet, owners
from store.migrate import role_url
from store.pool import Connection, Pool, open_pool, transaction
from telltale import data
from workers.context import Context

BEGIN = datetime(
    2027, 3, 8, 5, tzinfo=UTC
)  #: a Monday; Berlin's clocks change on the 28th, and Easter closes the 26th and 29th
DAYS = 31
CARS = 400
CREW = ((Role.MANAGER, 1), (Role.ADVISOR, 3), (Role.DRIVER, 4), (Role.TECHNICIAN, 4))
PLACES = (("bay", 4), ("loaner", 3), ("tow_truck", 1), ("van", 1))
NUMBER = "+4940000000"
#: How many visits of a kind a day takes, and how many of them only the desk gives.
LIMITS = "pickup 7, desk 2; waiting 1; drop_off 2, desk 1; shuttle 1; loaner 2"


class Clock:
    """Business time and machine time at once: nothing moves it but the proof."""

    def __init__(self) -> None:
        self.at = BEGIN

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Phones:
    """Every phone of every owner and colleague: keeps what came, and when."""

    clock: Clock
    came: list[tuple[datetime, Message]] = field(default_factory=list)
    sender: str = NUMBER
    missed: None = None

    async def send(self, message: Message, sender: str) -> Receipt:
        self.came.append((self.clock(), message))
        return Receipt(f"phone-{len(self.came)}")

    async def lookup(self, message: Message, taken: Collection[str] = ()) -> Receipt | Lookup:
        return Lookup.NEVER_CAME

    async def close(self) -> None: ...


@dataclass
class Dealership:
    """Everything that the month needs; `house` acts as the desk, `context` as the workers."""

    house: House
    context: Context
    admin: Pool
    watcher: Connection  #: asks nothing but the truths, whose plans it keeps
    dealer: Dealer
    clock: Clock
    phones: Phones
    luck: random.Random
    staff: dict[Role, list[int]]
    owners: list[int] = field(default_factory=list)
    cars: list[int] = field(default_factory=list)
    granted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[str, str]] = field(default_factory=list)
    read: int = 0  #: how many of the texts that came have been looked at
    asked: dict[str, PreparedStatement[Record]] = field(default_factory=dict)  #: the truths, planned
    known: set[str] = field(default_factory=set)  #: what was said once is not said after each following step again

    async def close(self) -> None:
        self.asked.clear()
        await self.admin.release(self.watcher)
        for pool in (self.admin, self.house.pool, self.house.owner_pool, self.context.pool):
            await pool.close()


async def open_dealership(url: str, secret: str, seed: int) -> Dealership:
    """On a migrated database whose owner's address is `url`; every month has a dealer of its own."""
    clock, luck = Clock(), random.Random(seed)
    admin = await open_pool(url, name="month-admin", size=2)
    desk, owner_page, workers, office = [
        await open_pool(role_url(url, secret, f"telltale_{role}"), name=f"month-{role}", size=3)
        for role in ("desk", "owner_page", "worker", "office")
    ]
    async with transaction(office) as connection:
        dealer = await accounts.create_dealer(
            connection,
            name=f"Month {seed}",
            zone="Europe/Berlin",
            country="DE",
            phone="+49401234567",
            address="Hafenstraße 1, Hamburg",
            opening_hours="Mo-Fr 07:30-18:30; Sa 09:00-13:00; PH off",
            language="en",
            now=BEGIN,
        )
        await accounts.set_sender(connection, f"{NUMBER}{seed}", dealer.id, "phone")
        dealer = await accounts.update_dealer(
            connection, dealer.id, {"day_limits": LIMITS, "parts_shelf": "12 V battery; Tyre; Valve; Coolant"}
        )
        staff = await _hire(connection, dealer.id, seed)
    await office.close()
    wording, phones = Wording(data.texts()), Phones(clock, sender=f"{NUMBER}{seed}")
    house = House(
        desk,
        owner_page,
        clock=clock,
        wording=wording,
        base_url="http://month.example",
        secret=secret,
        profiles=data.profiles(),
        photos=Memory(),
        machine=clock,
    )
    context = Context(
        workers,
        clock,
        wording=wording,
        channels={"phone": phones, "sms": phones, "email": phones},
        desk_url="http://month.example",
        machine=clock,
        luck=luck.random,
        house_key=house.key_holder,
    )
    place = Dealership(
        house,
        context,
        admin=admin,
        watcher=await admin.acquire(),
        dealer=dealer,
        clock=clock,
        phones=phones,
        luck=luck,
        staff=staff,
    )
    async with transaction(desk, dealer.id) as connection:
        for n in range(CARS):
            await _customer(connection, place, seed, n)
    return place


async def _hire(connection: Connection, dealer_id: int, seed: int) -> dict[Role, list[int]]:
    staff: dict[Role, list[int]] = {}
    for role, count in CREW:
        for n in range(count):
            person = await accounts.add_staff(
                connection,
                dealer_id,
                name=f"{role.value.title()} {n}",
                email=f"{role.value}{n}@month{seed}.example",
                phone=f"+4940{seed:03}9{len(staff)}{n}",
                role=role,
                language="en",
                password_hash="x",
                now=BEGIN,
            )
            staff.setdefault(role, []).append(person.id)
            if role is Role.TECHNICIAN:  # the first know everything, the last only some of it
                known = [skill.value for skill in Skill][: None if n < 2 else 2]
                await accounts.plan_technician(connection, person, known, BEGIN)
    for kind, count in PLACES:
        for n in range(count):
            await accounts.add_resource(connection, dealer_id, kind, f"{kind.replace('_', ' ').title()} {n + 1}")
    return staff


async def _customer(connection: Connection, place: Dealership, seed: int, n: int) -> None:
    """Owners as they are: some have two cars, some no address or number, some said no, some live elsewhere and sleep
    late.
    """
    luck, dealer_id = place.luck, place.dealer.id
    if place.owners and luck.random() < 0.12:
        owner_id = luck.choice(place.owners)
    else:
        values = {
            "name": f"Owner {n}",
            "phone": None if luck.random() < 0.03 else f"+49151{seed:03}{n:05}",
            "email": f"owner{n}@month{seed}.example",
            "channel": "email" if luck.random() < 0.2 else "phone",
            "language": luck.choice(("en", "en", "de", "es")),
            "zone": luck.choice(("Europe/Berlin",) * 8 + ("America/New_York", "Asia/Tokyo")),
            "address": None if luck.random() < 0.05 else f"Straße {n}, Hamburg",
            "quiet_from": time(luck.choice((20, 21, 22))),
            "quiet_to": time(luck.choice((7, 8, 9))),
        }
        owner = await owners.create(connection, dealer_id, values, BEGIN)
        owner_id = owner.id
        place.owners.append(owner_id)
        given = {purpose: luck.random() > 0.06 for purpose in consents.OWNERS_PURPOSES}
        await consents.give(connection, dealer_id, owner_id, given, now=BEGIN, source="list", wording="yes")
    car = await fleet.add(
        connection,
        dealer_id,
        vin=_vin(seed, n),
        profile=luck.choice(("petrol_hatch", "electric_car")),
        title=f"Car {n}",
        plate=f"HH-M {n}",
        actor="month",
        now=BEGIN,
    )
    await fleet.give(connection, dealer_id, car.id, owner_id, actor="month", now=BEGIN)
    place.cars.append(car.id)


def _vin(seed: int, n: int) -> str:
    return f"WVWZZZ1KZ{seed % 1000:03}{n:05}"
