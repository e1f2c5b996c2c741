"""Production's house for the faults: proxies before every server, a clock that can be stepped, cars, and an eye for who
is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import ssl
import subprocess
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from proofs.cars import ProofCar
from proofs.operations.desk import Desk
from proofs.operations.surroundings import FAKETIME, all_ready, fleet, has_faketime, may_mount
from proofs.outside import Staff
from proofs.production import people
from proofs.production.house import House
from proofs.production.postgres import DATABASE, OWNER
from proofs.production.service import Service
from proofs.production.sms import Sms
from proofs.proxy import Proxy
from proofs.traffic import TRUTH, Driver
from schemas.errors import Unavailable
from schemas.vehicle import BUCKETS
from telltale.demo_data import Cast, Owner
from telltale.embedded.process import alive

BACK_S = 180.0  #: who is not back by then never comes back, says the proof
DISK_MB = 1500
_LAST = (
    "SELECT count(*) FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS sent(vehicle, boot, seq) "
    "WHERE EXISTS (SELECT 1 FROM readings r WHERE r.vehicle_id = sent.vehicle AND r.boot = sent.boot "
    "AND r.seq = sent.seq AND r.place IS NOT NULL)"
)


class Rig(House):
    """`rig.drive(rate)` starts the cars, `rig.desk` is the load of people; `rig.back(since)` says how long all took to
    be back.
    """

    def __init__(
        self,
        home: Path,
        *,
        seed: int,
        sabotage: str | None = None,
        with_standby: bool = True,
        broker: str = "mosquitto",
        **more: Any,
    ) -> None:
        luck = random.Random(f"provider {seed}")
        super().__init__(
            home,
            broker=broker,
            with_standby=with_standby,
            sabotage=sabotage,
            provider=Sms(busy=0.02, lost=0.03, slowest_s=0.03, luck=luck),
            **more,
        )
        self.seed = seed
        self.clocks = home / "clocks"
        self.days_on = 0.0  #: how far the whole house's clock is ahead of the machine's
        self.moments: list[tuple[float, float]] = [(time.monotonic(), 0.0)]  #: (steady clock, days_on from then on)
        self.vins = fleet(seed)
        kinds = list(TRUTH)
        start = datetime.now(UTC) - timedelta(days=12)
        self.drivers = {vin: Driver(kinds[n % len(kinds)], seed * 1000 + n, start) for n, vin in enumerate(self.vins)}
        self.cars: list[ProofCar] = []
        self.ids: dict[str, int] = {}
        self.proxies: dict[int, Proxy] = {}  #: port of a server -> its proxy
        self._tasks: list[asyncio.Task[None]] = []
        self._driving: asyncio.Task[None] | None = None
        self._mounted: list[Path] = []

    # -- the house ----------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        self._parts.callback(self._unmount)
        if may_mount():
            for server in filter(None, (self.database, self.standby)):
                self._mount(server.home)
        self.clocks.mkdir(parents=True, exist_ok=True)
        if has_faketime():
            for server in filter(None, (self.database, self.standby)):
                server.environment = self._clock(f"postgres-{server.port}")
        await super()._begin()

    def _mount(self, place: Path) -> None:
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "telltale-proof", str(place)],
            check=True,
            capture_output=True,
        )
        self._mounted.append(place)

    def _unmount(self) -> None:
        for left in Path("/dev/shm").glob("*faketime_*"):  # libfaketime's own, of processes that were killed
            with contextlib.suppress(OSError, ValueError):
                if not alive(int(left.name.rpartition("_")[2])):
                    left.unlink()
        for place in self._mounted:
            subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)

    async def command(self, *words: str, **changes: str) -> dict[str, Any]:
        output = await super().command(*words, **changes)
        if words[0] == "migrate" and self.sabotage == "no-dedupe":
            connection = await self.database.connect()
            try:
                await connection.execute("ALTER TABLE readings DROP CONSTRAINT IF EXISTS readings_pkey")
            finally:
                await connection.close()
        return output

    async def fronts(self) -> None:
        ports = [*(server.port for server in (self.database, self.standby) if server), self._broker_door]
        for port in ports:
            self.proxies[port] = await Proxy("127.0.0.1", port).start()
        self.car_proxy = await Proxy("127.0.0.1", self.car_port).start()

    @property
    def _broker_door(self) -> int:
        return self.mosquitto.inner if self.kind == "mosquitto" else self.broker_ports[0]

    @property
    def database_ports(self) -> list[int]:
        return [self.proxies[port].port if port in self.proxies else port for port in sorted(super().database_ports)]

    @property
    def broker_port(self) -> int:
        return self.broker_proxy.port

    @property
    def broker_proxy(self) -> Proxy:
        """Between the gateways and the broker."""
        return self.proxies[self._broker_door]

    @property
    def database_proxy(self) -> Proxy:
        """Between the services and the primary."""
        return self.proxies[self.database.port]

    def _service(self, name: str, *arguments: str, **changes: str) -> Service:
        clock = self._clock(name) if has_faketime() and name != "broker" else {}
        return super()._service(name, *arguments, **{**clock, **changes})

    # -- clocks -------------------------------------------------------------------------------------------------------

    def _clock(self, name: str) -> dict[str, str]:
        """The environment of a process whose clock can be stepped while it runs."""
        self._set(name, self.days_on)
        return {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self.clocks / name),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def _set(self, name: str, days: float) -> None:
        fresh = self.clocks / f"{name}.new"
        fresh.write_text(f"{days * 86_400:+.0f}\n")
        fresh.chmod(0o644)
        fresh.replace(self.clocks / name)

    def step(self, name: str, days: float) -> None:
        """The clock of one service is wrong by so much; 0 mends it."""
        self._set(name, self.days_on + days)

    def pass_days(self, days: float) -> None:
        """So much time goes by for everybody at once, as for a machine that slept."""
        self.days_on += days
        self.moments.append((time.monotonic(), self.days_on))
        for file in self.clocks.iterdir():
            self._set(file.name, self.days_on)

    def wall(self, steady: float) -> datetime:
        """What this house's clocks showed when the steady clock showed `steady`."""
        ahead = next(days for since, days in reversed(self.moments) if since <= steady)
        return datetime.now(UTC) - timedelta(seconds=time.monotonic() - steady) + timedelta(days=ahead)

    # -- traffic ------------------------------------------------------------------------------------------------------

    async def settle_in(self) -> None:
        """A dealer who never closes, an owner for each car who has no quiet hours; everything runs, all cars are
        heard.
        """
        cast = Cast(dealer="Nightingale Motors", zone="UTC", opening_hours="24/7", bays=8)
        customers = [
            Owner(
                f"Owner {n:02d}",
                f"+49176040690{n:02d}",
                language="en",
                address=f"Street {n}, 20099 Hamburg",
                vin=vin,
                title=f"Car {n}",
                plate=f"HH-N {n}",
                profile="petrol_hatch",
                scenario="",
            )
            for n, vin in enumerate(self.vins, 10)
        ]
        household = await people.furnish(self, customers, cast=cast, hours="24/7")
        await self.open()
        http = await self._parts.enter_async_context(self.session())
        await people.settle_in(self, household, http)
        staff = Staff(self.url, http)
        await people.patiently(lambda: staff.sign_in(*household.passwords["manager"]))
        await people.patiently(lambda: staff.patch("/dealer", notice_minutes=60, offer_hold_minutes=240))
        await people.enrol(self, household, staff, self.vins)
        owners = (await people.patiently(lambda: staff.get("/owners", limit=100)))["items"]
        for owner in owners:
            awake = partial(staff.patch, f"/owners/{owner['id']}", quiet_from="00:00", quiet_to="00:00")
            await people.patiently(awake)
        vehicles = (await people.patiently(lambda: staff.get("/vehicles", limit=100)))["items"]
        self.ids = {vehicle["vin"]: vehicle["id"] for vehicle in vehicles}
        self.desk = Desk(
            self,
            household,
            cars={one["vin"]: (one["id"], one["owner_id"]) for one in vehicles},
            phones={o["id"]: o["phone"] for o in owners},
            seed=self.seed,
        )
        self._parts.push_async_callback(self.desk.stop)
        await self.desk.sign_in()
        self.cars = [
            ProofCar(
                vin,
                household.secrets[vin],
                address=lambda: ("127.0.0.1", self.car_proxy.port),
                spool=(n + n // BUCKETS) % 2 == 0,
                seed=self.seed + n,
                repeat=0.1,
                tls=self._car_trust,
            )
            for n, vin in enumerate(self.vins)
        ]
        self._parts.push_async_callback(self._leave)
        self._tasks += [asyncio.create_task(car.run()) for car in self.cars]
        for car in self.cars:
            self.speak(car)
        await self.caught_up(self.last_words(), BACK_S)

    def _car_trust(self) -> ssl.SSLContext | None:
        return self.trust() if self.kind == "mosquitto" else None

    async def _leave(self) -> None:
        tasks = [*self._tasks, *([self._driving] if self._driving else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for proxy in (*self.proxies.values(), self.car_proxy):
            await proxy.stop()

    def drive(self, rate: float) -> None:
        """All cars that are not parked speak, together `rate` messages a second, until `rest`."""
        self._driving = asyncio.create_task(self._drive(rate))

    async def _drive(self, rate: float) -> None:
        began, sent = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - began) * rate)
            for n in range(sent, due):
                car = self.cars[n % len(self.cars)]
                if not car.parked:
                    self.speak(car)
            sent = due
            await asyncio.sleep(0.02)

    def rest(self) -> None:
        """No more traffic."""
        if self._driving is not None:
            self._driving.cancel()

    def speak(self, car: ProofCar) -> None:
        """One message of one car."""
        car.say(*self.drivers[car.vin].next())

    # -- who is back --------------------------------------------------------------------------------------------------

    def last_words(self) -> list[tuple[int, int, int]]:
        """What each car said last: vehicle, boot, seq."""
        return [(self.ids[car.vin], *next(reversed(car.history))) for car in self.cars if car.history]

    async def caught_up(self, words: list[tuple[int, int, int]], within_s: float) -> float:
        """Wait until these are stored and judged; how long it took. Unavailable when they never are."""
        began = time.monotonic()
        vehicles, boots, seqs = (list(column) for column in zip(*words, strict=True))
        stored = -1
        while time.monotonic() - began < within_s:
            with contextlib.suppress(OSError, asyncpg.PostgresError, TimeoutError):
                connection = await self.database.connect()
                try:
                    stored = await connection.fetchval(_LAST, vehicles, boots, seqs)
                    if stored == len(words):
                        return time.monotonic() - began
                finally:
                    connection.terminate()
            await asyncio.sleep(0.05)
        raise Unavailable(
            "the gateways", f"of the last words of {len(words)} cars {stored} were stored after {within_s:.0f} s"
        )

    async def back(self, within_s: float = BACK_S) -> float:
        """From now: until all that the cars have said is judged, both desks answer, and a new text goes out.

        Seconds of the slowest.
        """
        began = time.monotonic()
        await asyncio.gather(
            self.caught_up(self.last_words(), within_s), self._desks_answer(began + within_s), self.desk.probe(within_s)
        )
        return time.monotonic() - began

    async def _desks_answer(self, deadline: float) -> None:
        await all_ready(self.desks, "a desk", deadline)

    async def settle(self, within_s: float) -> bool:
        """No more faults, no more traffic: whether all is delivered, judged and sent in time."""
        self.rest()
        await self.desk.stop()
        deadline = time.monotonic() + within_s
        while not all(car.settled for car in self.cars):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.2)
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, asyncpg.PostgresError, TimeoutError):
                connection = await self.database.connect()
                try:
                    stored, waiting = await connection.fetchrow(
                        "SELECT count(DISTINCT (vehicle_id, boot, seq)), count(*) FILTER (WHERE place IS NULL) "
                        "FROM readings"
                    )
                    due = await connection.fetchval(
                        "SELECT count(*) FROM messages WHERE state = 'claimed' OR (state = 'queued' AND due_at <= $1)",
                        self.wall(time.monotonic()),
                    )
                    if stored >= sum(len(car.history) for car in self.cars) and not waiting and not due:
                        return True
                finally:
                    connection.terminate()
            await asyncio.sleep(0.3)
        return False

    # -- servers that change places -----------------------------------------------------------------------------------

    async def fail_over(self) -> None:
        """The primary is dead, the standby takes its place: as a cluster manager would do it."""
        assert self.standby is not None
        dead, heir = self.database, self.standby
        await heir.promote()
        self.database, self.standby = heir, dead
        await heir.wait_for_standbys()

    async def rejoin(self) -> None:
        """The old primary begins anew as the standby of the new one, and commits wait for it again."""
        assert self.standby is not None
        await self.standby.follow(self.database)
        if self.sabotage != "asynchronous-standby":
            await self.database.wait_for_standbys(self.standby.standby_name)

    async def _follow(self) -> None:
        await super()._follow()
        if self.sabotage == "asynchronous-standby":
            await self.database.wait_for_standbys()

    @property
    def migration_url(self) -> str:
        return self.database.dsn(OWNER, DATABASE)

    # -- the broker ---------------------------------------------------------------------------------------------------

    async def tell_broker(self, changes: dict[str, str]) -> None:
        """Who keeps the broker's accounts is started anew, with what has changed: the broker itself where it is
        ours.
        """
        await self.services["broker-config" if self.kind == "mosquitto" else "broker"].restart(changes)

    async def stop_broker(self, how: signal.Signals = signal.SIGTERM) -> None:
        """SIGTERM lets it write its store, SIGKILL does not."""
        if self.kind == "mosquitto":
            await (self.mosquitto.kill() if how is signal.SIGKILL else self.mosquitto.stop())
        else:
            await self.services["broker"].stop(how)

    async def start_broker(self) -> None:
        """On the same port."""
        await (self.mosquitto.start() if self.kind == "mosquitto" else self.services["broker"].start())

    async def gateways_listen(self, within_s: float = BACK_S) -> None:
        """Until every gateway says again that it hears its sessions: what nobody has subscribed to a broker does not
        keep.
        """
        await all_ready(self.health.values(), "a gateway", time.monotonic() + within_s)

    def wipe_broker(self) -> None:
        """Everything that it kept is gone; while it does not run."""
        if self.kind == "mosquitto":
            self.mosquitto.wipe()
        else:
            subprocess.run(["rm", "-rf", str(self.state / "broker" / "store")], check=True)
