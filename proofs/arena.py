"""Where rivals meet: a dealer with two bays, drivers and technicians, few places a day, and a case for each of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from actions.context import House
from rules.service import capacity
from rules.service.asking import Asks
from rules.service.places import Places, day_limits
from rules.service.wording import Wording
from schemas.account import Role
from schemas.booking import BookingKind
from schemas.moment import local
from schemas.operation import Skill
from schemas.slot import Window
from store import accounts, consents, fleet, owners, slots
from store.pool import Connection, Pool, transaction
from telltale import data

RIVALS = 16  #: unless it is asked for more
AT_ONCE = 20  #: connections; the other rivals wait for one, as they do at the desk
SECRET = "proof"
LIMITS = "waiting 1; pickup 3"  #: a day has room for as many
_BEGIN = datetime(2026, 11, 23, 8, tzinfo=UTC)


@dataclass
class Arena:
    """A dealer with two of each, and as many cases as there are rivals."""

    house: House
    admin: Pool
    dealer: int
    cases: list[int]
    bays: list[int]
    violations: list[tuple[str, str]] = field(default_factory=list)
    total: Counter[str] = field(default_factory=Counter)
    day: int = 0
    cutting: bool = False  #: connections are cut while this race is on

    def now(self) -> datetime:
        """Each trial is a day of its own."""
        return _BEGIN + timedelta(days=self.day)

    async def room(self, kind: BookingKind, starts_at: datetime) -> int:
        """How many such visits fit at once: an oracle that books one after the other in memory."""
        async with transaction(self.house.pool, self.dealer) as connection:
            dealer, resources = (
                await accounts.dealer(connection, self.dealer),
                await slots.resources(connection, self.dealer),
            )
        taken: dict[int, list[Window]] = {}
        places = Places(day_limits(dealer.day_limits))
        for count in range(len(self.cases) + 1):
            option = capacity.at(
                dealer,
                kind,
                starts_at=starts_at,
                now=self.now(),
                resources=resources,
                taken=taken,
                asks=Asks(places),
            )
            if option is None:
                return count
            places = places.less(kind, local(starts_at, dealer.zone).date(), loaner=False)
            for claim in option.claims:
                taken.setdefault(claim.resource_id, []).append(claim.window)
        return len(self.cases)


async def furnish(connection: Connection, admin: Pool, pool: Pool, rivals: int = RIVALS) -> Arena:
    """The rows of it, a case for each of `rivals`, and the house over `pool`."""
    dealer = await accounts.create_dealer(
        connection,
        name="Proof",
        zone="Europe/Berlin",
        country="DE",
        phone="+490",
        address="here",
        opening_hours="Mo-Su 06:00-22:00",
        language="en",
        now=_BEGIN,
    )
    bays = [await accounts.add_resource(connection, dealer.id, "bay", f"Bay {n}") for n in (1, 2)]
    for n in (1, 2):
        await accounts.add_staff(
            connection,
            dealer.id,
            name=f"Driver {n}",
            email=f"driver{n}@proof.example",
            phone=None,
            role=Role.DRIVER,
            language="en",
            password_hash=None,
            now=_BEGIN,
        )
    for n in (1, 2):
        technician = await accounts.add_staff(
            connection,
            dealer.id,
            name=f"Technician {n}",
            email=f"technician{n}@proof.example",
            phone=None,
            role=Role.TECHNICIAN,
            language="en",
            password_hash=None,
            now=_BEGIN,
        )
        await accounts.plan_technician(connection, technician, [skill.value for skill in Skill], _BEGIN)
    await accounts.update_dealer(connection, dealer.id, {"day_limits": LIMITS})
    arena = Arena(
        House(
            pool,
            pool,
            clock=lambda: _BEGIN,
            wording=Wording(data.texts()),
            base_url="http://proof.example",
            secret=SECRET,
            profiles=data.profiles(),
        ),
        admin,
        dealer=dealer.id,
        cases=[],
        bays=bays,
    )
    object.__setattr__(arena.house, "clock", arena.now)
    for n in range(rivals):
        values = {
            "name": f"Owner {n}",
            "phone": f"+4930{n:05}",
            "channel": "phone",
            "language": "en",
            "zone": "UTC",
            "address": f"Street {n}",
        }
        owner = await owners.create(
            connection,
            dealer.id,
            {**values, "quiet_from": datetime.min.time(), "quiet_to": datetime.min.time()},
            _BEGIN,
        )
        await consents.give(
            connection,
            dealer.id,
            owner.id,
            dict.fromkeys(consents.OWNERS_PURPOSES, True),
            now=_BEGIN,
            source="proof",
            wording="yes",
        )
        car = await fleet.add(
            connection,
            dealer.id,
            vin=f"WVWZZZ1KZAW{n:06}",
            profile="petrol_hatch",
            title="Golf",
            plate=None,
            actor="proof",
            now=_BEGIN,
        )
        await fleet.give(connection, dealer.id, car.id, owner.id, actor="proof", now=_BEGIN)
        arena.cases.append(
            await connection.fetchval(
                """INSERT INTO cases (dealer_id, vehicle_id, owner_id, state, severity, title, origin, opened_at,
                   changed_at)
                   VALUES ($1, $2, $3, 'open', 'soon', 'x', 'call', $4, $4) RETURNING id""",
                dealer.id,
                car.id,
                owner.id,
                _BEGIN,
            )
        )
    return arena
