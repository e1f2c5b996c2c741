"""A desk with something on every page: the demo's people, cases in every state, made by the acts themselves on a clock
that a test moves.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from actions import bookings, cases, legs, messages, offers
from actions.context import House
from dealer_api.application import build
from dealer_api.live import Live
from rules.service.wording import Wording
from schemas.booking import BookingKind
from schemas.pickup import LegEvent
from schemas.signal import BY_PATH
from store.pool import Pool
from telltale import data, demo_data
from tests.conftest import Database
from tests.patience import PATIENCE_S
from tests.standing import Clock, PoolAs, house_of

CHROMIUM = Path("/usr/bin/chromium")
START = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)  # Monday 07:30 in Hamburg
_WHEELS = ("Row1.Wheel.Left", "Row1.Wheel.Right", "Row2.Wheel.Left", "Row2.Wheel.Right")


@dataclass
class World:
    """A running desk and what stands in its database.

    `worker` is the machines' role, `admin` sees and may do everything.
    """

    house: House
    clock: Clock
    admin: Pool
    worker: Pool
    dealer: int = 0
    url: str = ""
    cars: dict[str, int] = field(default_factory=dict)  #: plate -> vehicle
    people: dict[str, int] = field(default_factory=dict)  #: e-mail's first part -> staff
    cases: dict[str, int] = field(default_factory=dict)
    restart: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]] | None = None

    def actor(self, who: str = "advisor") -> str:
        return f"staff:{self.people[who]}"

    async def fault(
        self,
        plate: str,
        rule: str,
        component: str,
        severity: str,
        because: str,
        evidence: dict[str, Any],
        *,
        late: bool = False,
    ) -> int:
        """What the gateway and the workers do when a rule holds: an active alert, its case, and the desk's bell."""
        now, vehicle = self.clock(), self.cars[plate]
        title = self.house.wording.what("en", rule, component, severity)
        async with self.admin.acquire() as connection, connection.transaction():
            owner = await connection.fetchval("SELECT owner_id FROM vehicles WHERE id = $1", vehicle)
            case = await connection.fetchval(
                """INSERT INTO cases (dealer_id, vehicle_id, owner_id, state, severity, title, origin, opened_at,
                   changed_at)
                   VALUES ($1, $2, $3, 'open', $4, $5, 'alert', $6, $6) RETURNING id""",
                self.dealer,
                vehicle,
                owner,
                severity,
                title[:1].upper() + title[1:],
                now,
            )
            await connection.execute(
                """INSERT INTO alerts (dealer_id, vehicle_id, rule, rule_version, component, episode, step, state,
                   severity, because, first_at,
                   changed_at, received_at, case_id, evidence)
                     VALUES ($1, $2, $3, 1, $4, 1, 1, 'active', $5, $6, $7, $8, $8, $9, $10)""",
                self.dealer,
                vehicle,
                rule,
                component,
                severity,
                because,
                now - timedelta(minutes=20),
                now,
                case,
                evidence,
            )
            await connection.execute(
                "INSERT INTO history (dealer_id, noun, subject_id, new, reason, actor, at) "
                "VALUES ($1, 'case', $2, 'open', $3, 'car', $4)",
                self.dealer,
                case,
                because,
                now,
            )
            await connection.execute(
                "SELECT pg_notify('desk', $1)", json.dumps({"dealer": self.dealer, "noun": "case", "id": case})
            )
        self.cases[plate] = int(case)
        return int(case)


def evidence_of(
    title: str,
    unit: str,
    until: datetime,
    lines: dict[str, Callable[[float], float]],
    limits: dict[str, float],
    hours: float = 30,
    **more: Any,
) -> dict[str, Any]:
    """Samples every ten minutes of driving up to `until`; each line is a function of 0..1."""
    count = 90
    start = until.timestamp() - hours * 3600
    series = [
        {
            "label": label,
            "unit": unit,
            "samples": [
                {"ts": start + n * hours * 3600 / count, "value": round(shape(n / count), 2)} for n in range(count + 1)
            ],
        }
        for label, shape in lines.items()
    ]
    return {
        "because": title,
        "series": series,
        "limits": [{"label": label, "value": value} for label, value in limits.items()],
        **more,
    }


def noise(x: float, size: float) -> float:
    return size * (math.sin(x * 71) + math.sin(x * 187 + 1))


async def furnish(world: World) -> None:
    """Cases in every state, by the acts. Ends on Monday at about 10:40 in Hamburg."""
    house, clock, dealer, advisor = world.house, world.clock, world.dealer, world.actor()

    async def send_all() -> None:
        """What the sending worker does, without its rules."""
        async with world.admin.acquire() as connection:
            await connection.execute(
                "UPDATE messages SET state = 'delivered', sent_at = $1 WHERE state = 'queued' AND due_at <= $1", clock()
            )

    async def leg(case: str, kind: str, *events: LegEvent) -> None:
        async with world.admin.acquire() as connection:
            row = await connection.fetchrow(
                "SELECT l.id, l.driver_id FROM legs l JOIN bookings b ON b.id = l.booking_id WHERE b.case_id = $1 "
                "AND l.kind = $2",
                world.cases[case],
                kind,
            )
        for event in events:
            clock.on(minutes=6)
            await legs.move(house.acting(dealer, f"staff:{row['driver_id']}"), row["id"], event)

    async def booking_of(case: str) -> int:
        async with world.admin.acquire() as connection:
            return int(
                await connection.fetchval(
                    "SELECT id FROM bookings WHERE case_id = $1 ORDER BY id DESC LIMIT 1", world.cases[case]
                )
            )

    # Stadtbäckerei: thermostat, pickup accepted by text, on the way
    await world.fault(
        "HH-SL 41",
        "thermostat_open",
        "",
        "soon",
        "coolant stayed below 70 °C for 26 minutes of driving at 12 °C outside",
        evidence_of(
            "coolant stays cold",
            "Celsius",
            clock(),
            {"Coolant": lambda x: 14 + 51 * (1 - math.exp(-6 * x)) + noise(x, 1)},
            {"Should reach": 80},
            1.2,
        ),
    )
    await cases.acknowledge(house.acting(dealer, advisor), world.cases["HH-SL 41"])
    offer = await offers.make(house.acting(dealer, advisor), world.cases["HH-SL 41"], BookingKind.PICKUP)
    await send_all()
    clock.on(minutes=3)
    async with world.admin.acquire() as connection:
        thread, owner = await connection.fetchrow(
            "SELECT thread_id, owner_id FROM messages WHERE owner_id IS NOT NULL ORDER BY id DESC LIMIT 1"
        )
        await connection.execute(
            """INSERT INTO replies (dealer_id, thread_id, owner_id, channel, provider_id, from_address, to_address,
               body, understood, received_at)
               VALUES ($1, $2, $3, 'phone', 'p1', '+4917604069013', '+494066969100', '1', 'choice', $4)""",
            dealer,
            thread,
            owner,
            clock(),
        )
    await offers.accept(house.acting(dealer, "owner"), offer.id, 1)
    await send_all()

    # Oliver waits in the lounge, and has not heard from us for too long; Heike has arrived
    for plate, rule, because in (
        ("HH-OG 58", "call", ""),
        ("HH-HJ 74", "misfire", "cylinder 1 misfired in 4 % of its strokes, with P0301 confirmed"),
    ):
        if rule == "call":
            world.cases[plate] = (
                await cases.open_by_hand(
                    house.acting(dealer, advisor),
                    world.cars[plate],
                    "A rattle from the front right over bumps, since Friday.",
                )
            ).id
        else:
            await world.fault(
                plate,
                rule,
                "P0301",
                "soon",
                because,
                evidence_of(
                    "misfire",
                    "percent",
                    clock(),
                    {"Share of misfires": lambda x: max(0, 4.4 * x**3 + noise(x, 0.2))},
                    {"Limit": 2},
                    20,
                    freeze_frame={
                        "Vehicle.Powertrain.CombustionEngine.Speed": 1820.0,
                        "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature": 88.0,
                    },
                ),
            )
            await cases.acknowledge(house.acting(dealer, advisor), world.cases[plate])
        windows = await bookings.free_windows(house, dealer, BookingKind.WAITING)
        await bookings.book(
            house.acting(dealer, advisor), world.cases[plate], BookingKind.WAITING, windows[0].window.starts_at
        )
    await send_all()

    # Spedition Krüger: repaired last week and proved, by the owner's own words well
    await world.fault("HH-SK 82", "service_due", "", "advice", "service is due in 900 km", {})
    await cases.dismiss(
        house.acting(dealer, advisor), world.cases["HH-SK 82"], "The haulier services its trucks itself."
    )

    # Marta: charging fault, brought by herself, repaired, the car is proving it
    await world.fault(
        "HH-MR 66E",
        "charging_fault",
        "",
        "soon",
        "charging broke off 3 times in 2 days",
        evidence_of(
            "charging",
            "kW",
            clock(),
            {"Charge power": lambda x: 0 if (x * 5) % 1 > 0.55 else 7.2 + noise(x, 0.1)},
            {},
            40,
        ),
    )
    await cases.acknowledge(house.acting(dealer, world.actor("manager")), world.cases["HH-MR 66E"])
    windows = await bookings.free_windows(house, dealer, BookingKind.DROP_OFF)
    await bookings.book(
        house.acting(dealer, advisor), world.cases["HH-MR 66E"], BookingKind.DROP_OFF, windows[0].window.starts_at
    )

    clock.at = START + timedelta(hours=2)  # 09:30
    for plate in ("HH-MR 66E", "HH-OG 58"):
        await bookings.arrive(house.acting(dealer, advisor), await booking_of(plate))
        await bookings.start(house.acting(dealer, world.actor("technician")), await booking_of(plate))
    await send_all()
    await leg("HH-SL 41", "collect", LegEvent.ON_THE_WAY)
    await bookings.finish(
        house.acting(dealer, world.actor("technician")),
        await booking_of("HH-MR 66E"),
        "Charge port lock replaced and tested at 7 and 50 kW.",
    )
    await bookings.hand_over(house.acting(dealer, advisor), await booking_of("HH-MR 66E"))
    await send_all()

    # Lucía: brake pads, an offer is out
    await world.fault(
        "HH-LF 33",
        "brake_pads",
        "front_left",
        "advice",
        "front left pad is worn to 81 %, at this rate 100 % in about 24 days",
        evidence_of(
            "brake pads",
            "percent",
            clock(),
            {
                "Front left": lambda x: 55 + 26 * x + noise(x, 0.3),
                "Front right": lambda x: 54 + 20 * x + noise(x, 0.3),
                "Rear left": lambda x: 38 + 9 * x,
                "Rear right": lambda x: 38 + 9.6 * x,
            },
            {"Worn": 80},
            24 * 60,
        ),
    )
    await cases.acknowledge(house.acting(dealer, advisor), world.cases["HH-LF 33"])
    await offers.make(house.acting(dealer, advisor), world.cases["HH-LF 33"], BookingKind.PICKUP)
    await send_all()
    clock.on(minutes=12)
    await bookings.arrive(house.acting(dealer, advisor), await booking_of("HH-HJ 74"))
    await send_all()

    # Jonas: battery, taken, with an unread text; Emma: a tyre, nobody has taken it
    await world.fault(
        "HH-JW 88",
        "battery_12v",
        "",
        "soon",
        "lowest voltage while cranking fell to 8.1 V, four starts in a row below 9.0 V",
        evidence_of(
            "battery",
            "V",
            clock(),
            {"Lowest voltage while cranking": lambda x: 10.4 - 2.3 * x**2 + noise(x, 0.08)},
            {"Warn below": 9.0},
            24 * 21,
        ),
    )
    clock.on(minutes=9)
    await cases.acknowledge(house.acting(dealer, advisor), world.cases["HH-JW 88"])
    await messages.send_free(
        house.acting(dealer, advisor),
        "Guten Tag Herr Weber, Ihr Auto meldet eine schwache Batterie. Wann passt es Ihnen?",
        case_id=world.cases["HH-JW 88"],
    )
    await send_all()
    clock.on(minutes=11)
    async with world.admin.acquire() as connection:
        thread, owner = await connection.fetchrow(
            "SELECT thread_id, owner_id FROM messages WHERE case_id = $1", world.cases["HH-JW 88"]
        )
        await connection.execute(
            """INSERT INTO replies (dealer_id, thread_id, owner_id, channel, provider_id, from_address, to_address,
               body, understood, received_at)
               VALUES ($1, $2, $3, 'phone', 'p2', '+4917604069011', '+494066969100',
                 'Geht auch Donnerstag nach 16 Uhr?', 'other', $4)""",
            dealer,
            thread,
            owner,
            clock(),
        )
        await connection.execute("UPDATE threads SET needs_reading = true WHERE id = $1", thread)
    await emma(world)
    clock.on(minutes=19)
    await _telemetry(world)


async def emma(world: World) -> int:
    """The story's own fault."""
    until = world.clock()
    return await world.fault(
        "HH-EC 417",
        "tyre_leak",
        "front_left",
        "now",
        "front left is at 168 kPa, 62 kPa below its siblings, and loses 7 kPa an hour",
        evidence_of(
            "tyre",
            "kPa",
            until,
            {
                "Front left": lambda x: 231 - 63 * x**1.4 + noise(x, 0.8),
                "Front right": lambda x: 231 + noise(x, 0.9),
                "Rear left": lambda x: 226 + noise(x + 0.3, 0.8),
                "Rear right": lambda x: 227 + noise(x + 0.6, 0.8),
            },
            {"Stop below": 170, "Placard": 230},
            9,
        ),
    )


async def _telemetry(world: World) -> None:
    """Readings, latest values, freshness, a gap, quarantine and tallies."""
    now, signals = world.clock(), []
    shapes: dict[str, Callable[[float], float]] = {
        "Vehicle.Speed": lambda x: max(0, 62 + noise(x, 30)),
        "Vehicle.TraveledDistance": lambda x: 48_211_000 + 61_000 * x,
        "Vehicle.LowVoltageBattery.CurrentVoltage": lambda x: 13.9 + noise(x, 0.12),
        "Vehicle.Exterior.AirTemperature": lambda x: 6 + 3 * x,
        "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature": lambda x: 88 + noise(x, 1.5),
        **{
            f"Vehicle.Chassis.Axle.{wheel}.Tire.Pressure": (
                lambda x, n=n: (231 - 63 * x**1.4 if n == 0 else 229 - n) + noise(x + n, 0.5)
            )
            for n, wheel in enumerate(_WHEELS)
        },
    }
    signals = [BY_PATH[path] for path in shapes]
    rows, count = [], 400
    for n in range(count):
        ts = now - timedelta(hours=9 * (1 - n / count), minutes=2)
        rows.append(
            (
                world.dealer,
                world.cars["HH-EC 417"],
                41,
                n + 1,
                int(ts.timestamp() // 86400),
                ts,
                ts,
                0,
                n + 1,
                [s.id for s in signals],
                [float(shape(n / count)) for shape in shapes.values()],
            )
        )
    async with world.admin.acquire() as connection:
        for day in {row[4] for row in rows}:
            await connection.execute("SELECT open_day($1)", day)
        await connection.executemany(
            """INSERT INTO readings (dealer_id, vehicle_id, boot, seq, day, ts, received_at, mark, place, ids, vals)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
            rows,
        )
        await connection.execute(
            'INSERT INTO latest (vehicle_id, dealer_id, ts, "values") VALUES ($1, $2, $3, $4)',
            world.cars["HH-EC 417"],
            world.dealer,
            rows[-1][5],
            {path: [round(shape(1.0), 2), rows[-1][5].timestamp()] for path, shape in shapes.items()},
        )
        heard = {
            "HH-EC 417": 2,
            "HH-JW 88": 50,
            "HH-SL 41": 4,
            "HH-HJ 74": 35,
            "HH-LF 33": 26 * 60,
            "HH-OG 58": 70,
            "HH-MR 66E": 11,
            "HH-SK 82": 9 * 1440,
        }
        for plate, minutes in heard.items():
            await connection.execute(
                "UPDATE vehicles SET last_heard_at = $2 WHERE id = $1",
                world.cars[plate],
                now - timedelta(minutes=minutes),
            )
        await connection.execute(
            "INSERT INTO gaps (dealer_id, vehicle_id, boot, first_seq, last_seq, opened_at, asked) "
            "VALUES ($1, $2, 41, 212, 219, $3, 2)",
            world.dealer,
            world.cars["HH-EC 417"],
            now - timedelta(minutes=5),
        )
        poison = (
            (
                "HH-EC 417",
                "out_of_range",
                "Vehicle.Speed 9999.0 km/h is not between -250 and 400",
                b'{"boot": 41, "seq": 120, "ts": "2026-11-23T08:12:00Z", "signals": {"Vehicle.Speed": 9999}}',
                1,
            ),
            (
                "HH-JW 88",
                "not_json",
                "Expecting value: line 1 column 1 (char 0)",
                b"\xff\xfe<script>alert(1)</script>",
                3,
            ),
            (
                "HH-LF 33",
                "unknown_signal",
                "Vehicle.Cabin.Mood is not a signal we know",
                b'{"boot": 7, "seq": 9, "ts": "2026-11-23T08:12:00Z", "signals": {"Vehicle.Cabin.Mood": 3}}',
                1,
            ),
            (
                "HH-SL 41",
                "odometer",
                "ran backwards by 412 km",
                b'{"boot": 3, "seq": 77, "ts": "2026-11-23T08:12:00Z", "signals": {"Vehicle.TraveledDistance": 12}}',
                1,
            ),
        )
        for plate, reason, detail, payload, times in poison:
            vin = await connection.fetchval("SELECT vin FROM vehicles WHERE id = $1", world.cars[plate])
            await connection.execute(
                """INSERT INTO quarantine (dealer_id, vehicle_id, vin, topic, payload, reason, detail, boot, seq, times,
                   received_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, 41, 120, $8, $9)""",
                world.dealer,
                world.cars[plate],
                vin,
                f"vehicles/03/{vin}/up/telemetry",
                payload,
                reason,
                detail,
                times,
                now - timedelta(minutes=30),
            )
        await connection.executemany(
            "INSERT INTO tallies (dealer_id, name, subject, times, last_at, detail) VALUES ($1, $2, $3, $4, $5, $6)",
            [
                (
                    world.dealer,
                    "denied_publish",
                    "WTTPH0000NM000025",
                    14,
                    now,
                    "vehicles/03/WTTPH0000NM000017/up/telemetry",
                ),
                (
                    world.dealer,
                    "rule_broken:vacuum_leak",
                    "WTTDV0000NM000033",
                    2,
                    now,
                    "ZeroDivisionError: float division by zero",
                ),
            ],
        )


async def open_world(pool_as: Callable[..., Awaitable[Pool]]) -> World:
    """The demo's dealer, people and cars; nothing has happened yet."""
    clock = Clock(START)
    admin, worker = await pool_as("admin"), await pool_as("office")
    house = await house_of(pool_as, clock, Wording(data.texts()), secret="a secret of the tests", demo=True)
    await demo_data.prepare(worker, demo_data.CAST, "key", clock, 1)
    world = World(house, clock, admin, worker)
    async with admin.acquire() as connection:
        world.dealer = await connection.fetchval("SELECT id FROM dealers")
        world.cars = {row["plate"]: row["id"] for row in await connection.fetch("SELECT plate, id FROM vehicles")}
        world.people = {
            row["email"].partition("@")[0]: row["id"] for row in await connection.fetch("SELECT email, id FROM staff")
        }
    return world


async def serve(world: World, desk_url: str, port: int | None = None) -> TestServer:
    """The real application on a real port; links lead back to it."""
    live = Live(desk_url)
    server = TestServer(build(world.house, live), port=port)
    await server.start_server(shutdown_timeout=0.2)
    world.url = str(server.make_url("/")).rstrip("/")
    object.__setattr__(world.house, "base_url", world.url)
    await asyncio.wait_for(live.listening.wait(), PATIENCE_S)
    return server


@pytest.fixture
async def world(database: Database, pool_as: PoolAs) -> AsyncIterator[World]:
    """Furnished and served."""
    made = await open_world(pool_as)
    await furnish(made)
    servers = [await serve(made, database.role("desk"))]

    async def restart(meanwhile: Callable[[], Awaitable[None]]) -> None:
        port = servers[-1].port
        await servers[-1].close()
        await meanwhile()
        servers.append(await serve(made, database.role("desk"), port))

    made.restart = restart
    yield made
    await servers[-1].close()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Any]:
    """Headless Chromium, one for the session."""
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed (on Debian: apt-get install chromium)")
    from playwright.async_api import async_playwright, expect

    expect.set_options(timeout=PATIENCE_S * 1000)
    async with async_playwright() as play:
        chromium = await play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        await chromium.close()
