"""The faults. Each is a generator of the rig and the dice: what it does before its `yield` is the fault and its end;
then the proof measures how long everybody needs to be back; what it does after that is tidying up. What must not heal
is what the checker looks for.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator, Callable, Sequence

import asyncpg

from proofs.operations.rig import BACK_S, Rig
from proofs.operations.surroundings import has_faketime, may_mount

Fault = Callable[[Rig, random.Random], AsyncIterator[None]]

BACKLOG = 6_000  #: messages that wait for the gateways in an ordinary trial
FULL_S = 3.0
LINES = 6  #: what one gateway may say while it cannot store: a line, not a flood
ROUND_TRIP_S = 0.0002  #: of a statement on the loopback; 100 times as much is the slow database


class Broken(Exception):
    """Something that the fault itself watches did not hold."""


async def service_killed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """kill -9 of one of our services; whoever starts services starts it again."""
    service = rig.services[dice.choice([name for name in rig.services if name != "broker"])]
    service.kill()
    await service.is_ready(BACK_S)
    yield


async def gateway_killed_in_commit(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """kill -9 of a gateway while the database lets it wait: what it has read is stored by nobody."""
    gateway = dice.choice(rig.of("gateway"))
    rig.database_proxy.stall()
    await asyncio.sleep(dice.uniform(0.4, 1.2))
    gateway.kill()
    rig.database_proxy.cut()
    rig.database_proxy.flow()
    await gateway.is_ready(BACK_S)
    yield


async def worker_killed_in_hand_over(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """kill -9 of the workers when the provider has taken a text and nobody of ours has heard of it: only the provider
    can tell that it left.
    """
    provider = rig.provider
    provider.unheard.clear()
    provider.silent = True
    try:
        async with asyncio.timeout(BACK_S):
            await provider.unheard.wait()
        for worker in rig.of("workers"):
            worker.kill()
    except TimeoutError:
        raise Broken(f"no text went out for {BACK_S:.0f} s") from None
    finally:
        provider.silent = False
    for worker in rig.of("workers"):
        await worker.is_ready(BACK_S)
    yield


async def database_restarted(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """A fast shutdown, as for an update of PostgreSQL."""
    await rig.database.stop(signal.SIGINT)
    await asyncio.sleep(dice.uniform(0.1, 1.5))
    await rig.database.start()
    yield


async def database_crashed(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """An immediate shutdown or kill -9, in the middle of whatever it was at."""
    if dice.random() < 0.5:
        await rig.database.kill()
    else:
        await rig.database.stop(signal.SIGQUIT)
    await asyncio.sleep(dice.uniform(0.1, 1.5))
    await rig.database.start()
    yield


async def database_failed_over(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """The standby falls behind for a moment, and just then the primary dies for good; the standby takes over.

    Afterwards a new one is made.
    """
    assert rig.standby is not None
    with rig.standby.held():
        await asyncio.sleep(dice.uniform(0.3, 1.0))
        await rig.database.kill()
    await rig.fail_over()
    yield
    await rig.rejoin()


async def connections_used_up(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """Somebody else takes every connection that the server has, and ours are cut."""
    taken: list[asyncpg.Connection[asyncpg.Record]] = []

    async def take() -> None:
        with contextlib.suppress(asyncpg.PostgresError, OSError, TimeoutError):
            while True:
                taken.append(await asyncpg.connect(rig.migration_url, timeout=3))

    try:
        rig.database_proxy.cut()
        await asyncio.gather(*(take() for _ in range(8)))
        for _ in range(int(dice.uniform(4, 8))):
            await asyncio.sleep(0.3)
            rig.database_proxy.cut()
            await take()
    finally:
        for connection in taken:
            connection.terminate()
    yield


async def database_slow(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """Each packet from and to the database takes a hundred times as long."""
    rig.database_proxy.delay_s = 100 * ROUND_TRIP_S
    await asyncio.sleep(dice.uniform(3.0, 5.0))
    rig.database_proxy.delay_s = 0.0
    yield


async def disk_full(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """The database's disk is full to the last byte; readings stop, with a line that says so; then there is room
    again.
    """
    balloon = rig.database.home / "balloon"
    before = {name: service.log.stat().st_size for name, service in rig.services.items()}
    kept = sum(len(car.kept) for car in rig.cars if car.spool)
    try:
        _fill(balloon)
        await _stuck(rig, kept)
        await asyncio.sleep(FULL_S)
        _fill(balloon)  # what was freed meanwhile, by recycled WAL
        await asyncio.sleep(dice.uniform(0.5, 1.5))
    finally:
        balloon.unlink(missing_ok=True)
    for service in rig.of("gateway"):
        with service.log.open("rb") as log:
            log.seek(before[service.name])
            lines = log.read().decode(errors="replace").splitlines()
        loud = [line for line in lines if '"level": "info"' not in line]
        if not lines:
            raise Broken(f"{service.name} said nothing about the full disk")
        if len(loud) > LINES:
            raise Broken(f"{service.name} wrote {len(loud)} warnings while the disk was full, such as {loud[1:3]}")
    if rig.database.pid is None:
        await rig.database.start()
    yield


def _fill(balloon: object) -> None:
    """Take what is left, in pieces that get smaller."""
    with open(str(balloon), "ab") as file:
        for size in (8 << 20, 1 << 20, 64 << 10, 4096, 512):
            with contextlib.suppress(OSError):
                while True:
                    if os.write(file.fileno(), b"\0" * size) < size:
                        break


async def _stuck(rig: Rig, kept: int) -> None:
    """Until the cars notice that nothing is acknowledged any more."""
    deadline = asyncio.get_running_loop().time() + 20
    while sum(len(car.kept) for car in rig.cars if car.spool) < kept + 3 * len(rig.cars):
        if asyncio.get_running_loop().time() > deadline:
            return  # there was still room in what it had reserved; the fault is a weak one
        await asyncio.sleep(0.1)


async def clock_wrong(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """The clock of one service is a day wrong, then right again, while it runs."""
    service = rig.services[dice.choice([name for name in rig.services if name != "broker"])]
    rig.step(service.name, dice.choice((-1, 1)))
    await asyncio.sleep(dice.uniform(3.0, 5.0))
    rig.step(service.name, 0)
    await asyncio.sleep(1.2)  # until it has noticed: its clock is read once a second
    yield


async def broker_restarted(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """In order, with its store."""
    await rig.stop_broker()
    await asyncio.sleep(dice.uniform(0.1, 1.5))
    await rig.start_broker()
    yield


async def broker_lost_its_store(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """kill -9, and everything that it had taken is gone.

    A car without a spool is promised nothing then: those are silent.
    """
    plain = [car for car in rig.cars if not car.spool]
    for car in plain:
        car.parked = True
    try:
        await rig.caught_up(rig.last_words(), BACK_S)
        await rig.stop_broker(signal.SIGKILL)
        rig.wipe_broker()
        await asyncio.sleep(dice.uniform(0.1, 1.5))
        await rig.start_broker()
        await rig.gateways_listen()
    finally:
        for car in plain:
            car.parked = False
    yield


async def certificates_rotated(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """New certificates for all servers, now and then by a new authority; every connection is made anew with them."""
    succeeded = dice.random() < 0.4
    if succeeded:  # for a while everybody believes in both
        rig.authority.succeed()
    else:
        rig.authority.renew()
    for server in (rig.database, rig.standby):
        if server is not None:
            server.certify()
            server.reload()
    rig.nginx.reload()
    if rig.kind == "mosquitto":
        await rig.mosquitto.shows_the_new_certificate()
    for proxy in (*rig.proxies.values(), rig.car_proxy):
        proxy.cut()
    await rig.desk.trust_anew()
    yield
    if succeeded:
        rig.authority.retire()


async def secret_rotated(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """A new TELLTALE_SECRET, step by step as docs/howto/operate.md has it. No car and no advisor signs in again."""
    connects = sum(car.connects for car in rig.cars)
    before, rig.secret = rig.secret, f"{dice.getrandbits(256):064x}"
    both = {"TELLTALE_SECRET": rig.secret, "TELLTALE_SECRET_PREVIOUS": before}
    await rig.tell_broker(both)
    await _in_waves(rig, dice, both)
    await rig.command("migrate", **both)
    await rig.tell_broker({"TELLTALE_SECRET_PREVIOUS": ""})
    await _in_waves(rig, dice, {"TELLTALE_SECRET_PREVIOUS": ""})
    again = sum(car.connects for car in rig.cars) - connects
    if again and rig.kind == "mosquitto":
        raise Broken(f"{again} cars had to sign in again because of our secret")
    yield


async def rolling_restart(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """Every service, one of each kind at a time, under load."""
    refused = rig.desk.history.reads_refused
    await _in_waves(rig, dice, {})
    if refused := rig.desk.history.reads_refused - refused:
        raise Broken(f"{refused} looks at the desk failed while one desk was always there")
    yield


async def _in_waves(rig: Rig, dice: random.Random, changes: dict[str, str]) -> None:
    """One of each kind at a time, so that there always is another that works."""
    waves = [rig.of("gateway"), rig.of("workers"), rig.of("dealer-api")]
    for kind in waves:
        dice.shuffle(kind)
    for wave in zip(*waves, strict=True):
        await asyncio.gather(*(service.restart(changes) for service in wave))


async def gateways_away(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """Both gateways are gone while the cars speak on; what waited is read when they come back."""
    await leave_waiting(rig, BACKLOG)
    yield


async def leave_waiting(rig: Rig, messages: int) -> None:
    """So many messages wait with the broker when the gateways start."""
    await asyncio.gather(*(service.stop() for service in rig.of("gateway")))
    for n in range(messages):
        rig.speak(rig.cars[n % len(rig.cars)])
        if n % 2_000 == 0:
            await asyncio.sleep(0.05)
    while not all(car.handed_over for car in rig.cars if not car.spool):
        await asyncio.sleep(0.1)
    for service in rig.of("gateway"):
        service.begin()
    for service in rig.of("gateway"):
        await service.is_ready(BACK_S)


async def workers_away(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """No worker for three days: visits go by, offers run out, and what was due then must not leave now."""
    await _without_workers(rig, dice, days=3)
    yield


async def workers_away_for_an_afternoon(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
    """No worker for six hours: what was due an hour ago may still leave, if it is still true and wanted."""
    await _without_workers(rig, dice, days=0.25)
    yield


async def _without_workers(rig: Rig, dice: random.Random, *, days: float) -> None:
    await asyncio.gather(*(service.stop() for service in rig.of("workers")))
    await asyncio.sleep(dice.uniform(2.0, 4.0))
    await rig.desk.pause()
    await rig.desk.minds_change()
    rig.pass_days(days)
    await asyncio.sleep(2.2)  # until every process has seen it
    await rig.desk.sign_in_anew()  # a session lasts a working day
    rig.desk.start()
    for service in rig.of("workers"):
        service.begin()
    for service in rig.of("workers"):
        await service.is_ready(BACK_S)


KINDS: dict[str, tuple[Fault, int]] = {  # the fault, and how often it comes for every hundred
    "service_killed": (service_killed, 10),
    "gateway_killed_in_commit": (gateway_killed_in_commit, 8),
    "worker_killed_in_hand_over": (worker_killed_in_hand_over, 5),
    "database_restarted": (database_restarted, 8),
    "database_crashed": (database_crashed, 10),
    "database_failed_over": (database_failed_over, 7),
    "connections_used_up": (connections_used_up, 7),
    "database_slow": (database_slow, 8),
    "disk_full": (disk_full, 5),
    "clock_wrong": (clock_wrong, 8),
    "broker_restarted": (broker_restarted, 8),
    "broker_lost_its_store": (broker_lost_its_store, 6),
    "certificates_rotated": (certificates_rotated, 6),
    "secret_rotated": (secret_rotated, 2),
    "rolling_restart": (rolling_restart, 3),
    "gateways_away": (gateways_away, 5),
    "workers_away": (workers_away, 2),
    "workers_away_for_an_afternoon": (workers_away_for_an_afternoon, 3),
}


def possible(wanted: Sequence[str]) -> tuple[dict[str, tuple[Fault, int]], dict[str, str]]:
    """What can be done on this machine, and what cannot, with the reason."""
    out: dict[str, str] = {}
    if not may_mount():
        out["disk_full"] = "only root can make a small disk to be filled"
    if not has_faketime():
        out |= dict.fromkeys(
            ("clock_wrong", "workers_away", "workers_away_for_an_afternoon"),
            "libfaketime is not installed (on Debian: apt-get install faketime)",
        )
    return {name: KINDS[name] for name in wanted if name not in out}, {
        name: why for name, why in out.items() if name in wanted
    }
