"""One dealer with people, an owner and a car; workers that a test runs step by step; phones on which it reads."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from actions.context import House
from dealer_api.inbound.handle_reply import HandledReply, handle
from providers.demo_phone.sending import DemoPhone
from providers.provider import Provider
from rules.service.wording import Wording
from schemas.account import Dealer, Role, Staff
from schemas.alert import AlertState, AlertStep
from schemas.consent import Owner
from schemas.message import Draft, MessageKind, OwnerRecipient, Purpose
from schemas.thread import Reply
from schemas.vehicle import Vehicle
from schemas.verdict import Severity
from store import accounts, alerts, consents, fleet, messages, owners
from store.alerts import Moved
from store.pool import Pool, transaction
from telltale import data
from tests.conftest import Database
from tests.standing import Clock, house_of
from workers import job_runner, sending
from workers.context import Context

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # 09:00 in Berlin
LINE = "+4930111"
WORDING = Wording(data.texts())  # read once: nothing changes it
_numbers = itertools.count(1)


@dataclass
class Scene:
    """What a test holds. `admin` sees every row of every dealer."""

    context: Context
    house: House
    clock: Clock
    machine: Clock
    worker: Pool
    gateway: Pool
    admin: Pool
    dealer: Dealer
    people: dict[str, Staff]
    owner: Owner
    car: Vehicle
    worker_url: str

    async def queue(
        self, kind: MessageKind = MessageKind.FREE, purpose: Purpose = Purpose.STATUS, body: str = "hello", **more: Any
    ) -> int:
        """A text to the owner."""
        to = more.pop("to", OwnerRecipient(self.owner.id, "phone", self.owner.phone or "", "de"))
        draft = Draft(dealer_id=self.dealer.id, to=to, kind=kind, purpose=purpose, author="test", **more)
        async with transaction(self.worker) as connection:
            return await messages.queue(connection, draft, body, self.clock())

    async def another_owner(self, **changed: Any) -> Owner:
        """One more owner who agreed to everything."""
        async with transaction(self.worker) as connection:
            return await make_owner(connection, self.dealer.id, self.clock(), **changed)

    async def send_all(self) -> int:
        """Send whatever is due, as one worker would; how many rows were taken."""
        done = 0
        while await sending.one(self.context):
            done += 1
            assert done < 10_000
        return done

    async def work(self) -> int:
        """Do whatever work is due, then send what came of it."""
        done = 0
        while await job_runner.one(self.context):
            done += 1
            assert done < 1_000
        await self.send_all()
        return done

    async def phone(self, number: str | None = None) -> list[str]:
        """The texts on a phone, oldest first."""
        rows = await self.admin.fetch(
            "SELECT body FROM phone_texts WHERE to_address = $1 ORDER BY id", number or self.owner.phone
        )
        return [row["body"] for row in rows]

    async def staff_phone(self, role: str) -> list[str]:
        return await self.phone(self.people[role].phone)

    async def message(self, message_id: int) -> Any:
        return await self.admin.fetchrow("SELECT * FROM messages WHERE id = $1", message_id)

    async def says(self, body: str, number: str | None = None, provider_id: str | None = None) -> HandledReply:
        """The owner texts the dealer."""
        reply = Reply(
            channel="phone",
            provider_id=provider_id or f"p{next(_numbers)}",
            from_address=number or self.owner.phone or "",
            to_address=LINE,
            body=body,
            received_at=self.clock(),
        )
        return await handle(self.house, reply)

    async def alert(
        self,
        *states: AlertState,
        rule: str = "tyre_leak",
        component: str = "front_left",
        episode: int = 1,
        severity: Severity = Severity.SOON,
        first_step: int = 0,
        late: bool = False,
        shadow: bool = False,
    ) -> int:
        """Steps of an alert as the gateway commits them, job and bell included."""
        at = self.clock().timestamp()
        steps = [
            AlertStep(
                rule=rule,
                rule_version=1,
                component=component,
                episode=episode,
                step=first_step + n,
                state=state,
                severity=severity,
                because="1.9 bar, falling",
                ts=at,
                place=n,
                late=late,
                shadow=shadow,
            )
            for n, state in enumerate(states)
        ]
        async with transaction(self.gateway) as connection:
            await alerts.move(
                connection, [Moved(self.dealer.id, self.car.id, at, step) for step in steps], self.clock()
            )
        found: int = await self.admin.fetchval(
            "SELECT id FROM alerts WHERE vehicle_id = $1 AND rule = $2 AND component = $3 AND episode = $4",
            self.car.id,
            rule,
            component,
            episode,
        )
        return found

    async def case(self) -> Any:
        return await self.admin.fetchrow("SELECT * FROM cases ORDER BY id DESC LIMIT 1")


async def make_owner(
    connection: Any,
    dealer_id: int,
    now: datetime,
    *,
    agreed: Sequence[Purpose] = consents.OWNERS_PURPOSES,
    **changed: Any,
) -> Owner:
    n = next(_numbers)
    values = {
        "name": f"Jo Muster {n}",
        "phone": f"+49170{n:07}",
        "channel": "phone",
        "language": "de",
        "zone": "Europe/Berlin",
        "address": "Weg 1, Berlin",
    }
    owner = await owners.create(connection, dealer_id, values | changed, now)
    await consents.give(
        connection, dealer_id, owner.id, dict.fromkeys(agreed, True), now=now, source="test", wording="I agree"
    )
    return owner


@pytest.fixture
async def scene(database: Database, pool_as: Callable[..., Awaitable[Pool]]) -> Scene:
    clock, machine = Clock(MONDAY), Clock(datetime(2030, 1, 1, tzinfo=UTC))
    worker = await pool_as("worker", size=12)
    people = {}
    async with transaction(await pool_as("office", size=1)) as connection:
        dealer = await accounts.create_dealer(
            connection,
            name="Autohaus Nord",
            zone="Europe/Berlin",
            country="DE",
            phone=LINE,
            address="Werkstr. 1, Berlin",
            opening_hours="Mo-Fr 08:00-18:00",
            language="en",
            now=clock(),
        )
        await accounts.set_sender(connection, LINE, dealer.id, "phone")
        for n in (1, 2):
            await accounts.add_resource(connection, dealer.id, "bay", f"Bay {n}")
        for n, role in enumerate(Role):
            people[role.value] = await accounts.add_staff(
                connection,
                dealer.id,
                name=role.value.title(),
                email=f"{role.value}@nord.example",
                phone=f"+4915{n:06}",
                role=role,
                language="en",
                password_hash=None,
                now=clock(),
            )
        owner = await make_owner(connection, dealer.id, clock())
        car = await fleet.add(
            connection,
            dealer.id,
            vin="WVWZZZ1KZAW000001",
            profile="petrol_hatch",
            title="VW Golf",
            plate="B-TT 204",
            actor="test",
            now=clock(),
        )
        car = await fleet.give(connection, dealer.id, car.id, owner.id, actor="test", now=clock())
    house = await house_of(pool_as, clock, WORDING, demo=True)
    channels: dict[str, Provider] = {"phone": DemoPhone(worker, clock)}
    context = Context(worker, clock, WORDING, channels, "http://desk.example", machine=machine, luck=lambda: 0.5)
    return Scene(
        context,
        house,
        clock,
        machine,
        worker,
        await pool_as("gateway"),
        await pool_as("admin"),
        dealer,
        people,
        owner,
        car,
        database.role("worker"),
    )
