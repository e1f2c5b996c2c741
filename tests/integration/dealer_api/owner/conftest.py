"""A dealer with one owner whose tyre leaks, and the links that their texts carried."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from aiohttp.test_utils import TestClient
from playwright.async_api import Browser, Page, async_playwright, expect

from actions import bookings, legs, offers
from proofs import handing_over
from rules.service.wording import Wording
from schemas.account import Role
from schemas.alert import Evidence, Limit, Sample, Series
from schemas.booking import BookingKind, Offer
from schemas.case import Case
from schemas.handover import HandoverKind
from schemas.message import Purpose
from schemas.pickup import LegEvent
from schemas.verdict import Severity
from store import accounts, cases, consents, fleet, owners, secrets
from store.pool import transaction
from telltale import data
from tests.integration.dealer_api.conftest import Desk
from tests.patience import PATIENCE_S

VIN = "WTTPH0000NM000017"


@pytest.fixture(scope="session")
def wording() -> Wording:
    """The real words: these tests look at sentences."""
    return Wording(data.texts())


def evidence(until: float) -> dict[str, Any]:
    """Fourteen hours of a leaking tyre beside its three siblings; one of them was silent for a while."""
    leaking = tuple(Sample(ts=until - (56 - n) * 900, value=231 - n * 0.85 + math.sin(n)) for n in range(57))
    others = tuple(Sample(ts=until - (56 - n) * 900, value=231 + math.sin(n)) for n in range(57) if not 20 < n < 28)
    return Evidence(
        because="front left fell by 48 kPa in 14 hours",
        series=(
            Series(label="front left", unit="kPa", samples=leaking),
            Series(label="other tyres", unit="kPa", samples=others),
        ),
        limits=(Limit(label="too low", value=184),),
    ).model_dump()


@dataclass
class World:
    """What these tests hold in their hands."""

    desk: Any
    web: TestClient[Any, Any]  #: nobody: no cookie, no key
    case: Case
    owner_id: int
    vehicle_id: int
    driver_id: int
    advisor: str

    @property
    def dealer_id(self) -> int:
        return int(self.desk.dealer.id)

    async def offer(self, kind: BookingKind = BookingKind.PICKUP) -> Offer:
        """The advisor asks; the owner's text carries the link."""
        return await offers.make(self.desk.house.acting(self.dealer_id, self.advisor), self.case.id, kind)

    async def texts(self, kind: str = "%") -> list[str]:
        """What was queued for the owner, oldest first."""
        rows = await self.desk.admin.fetch(
            "SELECT body FROM messages WHERE owner_id = $1 AND kind LIKE $2 ORDER BY id", self.owner_id, kind
        )
        return [row["body"] for row in rows]

    async def link(self, letter: str = "o") -> str:
        """The newest link of that kind in the owner's texts, as a path."""
        found = [
            match
            for body in await self.texts()
            for match in re.findall(rf"http://desk\.example(/{letter}/[\w-]+)", body)
        ]
        return found[-1]

    async def secret(self, purpose: str, subject_id: int, **more: Any) -> str:
        """A signed link made by hand."""
        async with transaction(self.desk.house.pool, self.dealer_id) as connection:
            token = await secrets.make(
                connection, self.dealer_id, purpose, now=self.desk.clock(), subject_id=subject_id, **more
            )
        return str(self.desk.house.link(purpose, token)).removeprefix("http://desk.example")

    async def get(self, path: str, status: int = 200, **headers: str) -> str:
        async with self.web.get(path, headers=headers) as answer:
            body = await answer.text()
            assert answer.status == status, (answer.status, body[:600])
            return body.replace("\u2060", "").replace("\u00a0", " ")

    async def post(self, path: str, status: int = 303, **form: Any) -> str:
        """Where a form leads."""
        async with self.web.post(path, data=form, allow_redirects=False) as answer:
            assert answer.status == status, (answer.status, (await answer.text())[:600])
            return answer.headers.get("Location", "")

    async def case_now(self) -> Case:
        async with transaction(self.desk.house.pool, self.dealer_id) as connection:
            return await cases.get(connection, self.dealer_id, self.case.id)

    async def rows(self) -> dict[str, int]:
        """Every table that a visit could have changed, as (count, newest version): equal before and after means
        untouched.
        """
        found = {}
        for row in await self.desk.admin.fetch(
            "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        ):
            table = row["relname"]
            found[table] = await self.desk.admin.fetchval(
                f"SELECT coalesce(sum(hashtextextended(t::text, 0))::text, '') FROM \"{table}\" t"
            )
        return found

    async def drive(self, *events: LegEvent) -> None:
        """The driver's steps."""
        rows = await self.desk.admin.fetch(
            "SELECT id, kind FROM legs WHERE dealer_id = $1 ORDER BY kind", self.dealer_id
        )
        ids = {row["kind"]: row["id"] for row in rows}
        for event in events:
            leg = ids["return" if event in (LegEvent.ON_THE_WAY_BACK, LegEvent.HANDED_OVER) else "collect"]
            self.desk.clock.on(minutes=20)
            driver = self.desk.house.acting(self.dealer_id, "staff:driver")
            if event is LegEvent.HANDED_OVER:
                await self.record(HandoverKind.RETURN)
            await legs.move(driver, leg, event)

    async def record(self, kind: HandoverKind) -> None:
        """The driver writes down what the car is like."""
        booking = await self.desk.admin.fetchval("SELECT max(id) FROM bookings WHERE dealer_id = $1", self.dealer_id)
        await handing_over.record(self.desk.house.acting(self.dealer_id, f"staff:{self.driver_id}"), booking, kind)

    async def repair(self) -> None:
        """The workshop starts and finishes."""
        booking = await self.desk.admin.fetchval("SELECT max(id) FROM bookings WHERE dealer_id = $1", self.dealer_id)
        await bookings.start(self.desk.house.acting(self.dealer_id, self.advisor), booking)
        self.desk.clock.on(minutes=60)
        await bookings.finish(
            self.desk.house.acting(self.dealer_id, self.advisor), booking, "nail in the tyre, patched"
        )


@pytest.fixture
async def world(desk: Desk) -> AsyncIterator[World]:
    dealer_id, now = desk.dealer.id, desk.clock()
    advisor = desk.people[(dealer_id, "advisor")]
    driver = desk.people[(dealer_id, "driver")]
    async with transaction(desk.house.pool, dealer_id) as connection:
        await accounts.set_sender(connection, "+49305550100", dealer_id, "phone")
        owner = await owners.create(
            connection,
            dealer_id,
            {
                "name": "Emma Clarke",
                "phone": "+4917604069010",
                "email": "emma@example.org",
                "channel": "phone",
                "language": "en",
                "zone": "Europe/Berlin",
                "address": "Gartenweg 7, 12345 Berlin",
            },
            now,
        )
        await consents.give(
            connection,
            dealer_id,
            owner.id,
            {Purpose.SERVICE: True, Purpose.STATUS: True},
            now=now,
            source="test",
            wording="I agree",
        )
        car = await fleet.add(
            connection,
            dealer_id,
            vin=VIN,
            profile="petrol_hatch",
            title="Alba 1.2",
            plate="B-EC 417",
            actor="test",
            now=now,
        )
        await fleet.give(connection, dealer_id, car.id, owner.id, actor="test", now=now)
        case = await cases.create(
            connection,
            dealer_id,
            car.id,
            severity=Severity.SOON,
            title="Tyre leak, front left",
            origin="alert",
            owner_id=owner.id,
            reason="alert",
            actor="worker",
            now=now,
        )
    await desk.admin.execute("UPDATE vehicles SET last_heard_at = $2 WHERE id = $1", car.id, now - timedelta(minutes=4))
    await desk.admin.execute(
        """INSERT INTO alerts (dealer_id, vehicle_id, rule, rule_version, component, episode, step, state, severity,
                               because, first_at, changed_at,
                               received_at, case_id, evidence)
           VALUES ($1, $2, 'tyre_leak', 1, 'front_left', 1, 1, 'active', 'soon', 'fell', $3, $3, $3, $4, $5)""",
        dealer_id,
        car.id,
        now,
        case.id,
        evidence(now.timestamp()),
    )
    assert driver.role is Role.DRIVER
    async with TestClient(desk.server) as web:
        yield World(desk, web, case, owner.id, car.id, driver.id, f"staff:{advisor.id}")


AXE = Path(__file__).resolve().parents[4] / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"width": 390, "height": 844}


@dataclass
class Looking:
    """A browser on the test's server. Whatever a page complains about on its console fails the test."""

    browser: Browser
    base: str
    complaints: list[str]

    async def page(
        self, *, scheme: Literal["light", "dark"] = "light", size: dict[str, int] | None = None, **options: Any
    ) -> Page:
        context = await self.browser.new_context(
            viewport=size or PHONE, color_scheme=scheme, base_url=self.base, **options
        )  # type: ignore[arg-type]
        page = await context.new_page()
        page.on(
            "console",
            lambda complaint: (
                self.complaints.append(complaint.text) if complaint.type in ("error", "warning") else None
            ),
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    async def axe(self, page: Page) -> list[str]:
        """What axe-core finds wrong: rule, how bad, and where."""
        if not AXE.exists():
            pytest.skip("axe-core is not installed: npm ci brings it")
        await page.evaluate(AXE.read_text())
        found = await page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']} ({one['impact']}): {node['target']} {node.get('failureSummary', '')}"
            for one in found["violations"]
            for node in one["nodes"]
        ]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One headless browser per session."""
    program = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    if program is None:
        pytest.skip("there is no chromium on this machine (on Debian: apt-get install chromium)")
    expect.set_options(timeout=PATIENCE_S * 1000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def looking(chromium: Browser, desk: Desk) -> AsyncIterator[Looking]:
    made = Looking(chromium, str(desk.server.make_url("")).rstrip("/"), [])
    yield made
    for context in chromium.contexts:
        await context.close()
    assert not made.complaints
