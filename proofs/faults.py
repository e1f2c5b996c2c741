"""The faults: each is a function of the rig and the dice.

They heal themselves; what must not heal is what the checker looks for.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from gateway.mqtt.broker import client_id
from proofs import wire
from proofs.rig import Rig
from schemas.reading import boot_of
from schemas.vehicle import bucket_of

Fault = Callable[[Rig, random.Random], Awaitable[None]]


async def kill_gateway(rig: Rig, _dice: random.Random) -> None:
    """kill -9 of the gateway at any moment."""
    rig.kill_gateway()


async def kill_gateway_in_commit(rig: Rig, dice: random.Random) -> None:
    """kill -9 of the gateway while the database lets it wait for a commit: what it has read is stored by nobody."""
    await rig.gateway_is_ready()
    await asyncio.sleep(1.0)
    rig.database_proxy.stall()
    await asyncio.sleep(dice.uniform(0.3, 1.0))
    rig.kill_gateway()
    rig.database_proxy.cut()
    rig.database_proxy.flow()


async def kill_database(rig: Rig, dice: random.Random) -> None:
    """kill -9 of PostgreSQL; back after a moment."""
    rig.postgres.kill()
    await asyncio.sleep(dice.uniform(0.1, 1.0))
    await rig.postgres.start()


async def kill_both(rig: Rig, dice: random.Random) -> None:
    """Database and gateway at once."""
    rig.kill_gateway()
    await kill_database(rig, dice)


async def cut_cars(rig: Rig, _dice: random.Random) -> None:
    """Every car loses its connection."""
    rig.car_proxy.cut()


async def cut_gateway(rig: Rig, _dice: random.Random) -> None:
    """The gateway loses its sessions' connections."""
    rig.gateway_proxy.cut()


async def cut_database(rig: Rig, _dice: random.Random) -> None:
    """The gateway loses its database connections, perhaps during COMMIT."""
    rig.database_proxy.cut()


async def slow_database(rig: Rig, dice: random.Random) -> None:
    """Each answer takes a while."""
    rig.database_proxy.delay_s = dice.uniform(0.05, 0.4)
    await asyncio.sleep(dice.uniform(0.5, 2.0))
    rig.database_proxy.delay_s = 0.0


async def stall_database(rig: Rig, dice: random.Random) -> None:
    """Half-open: nothing comes back, nothing closes."""
    rig.database_proxy.stall()
    await asyncio.sleep(dice.uniform(0.5, 2.5))
    rig.database_proxy.flow()


async def stall_gateway(rig: Rig, dice: random.Random) -> None:
    """Half-open between broker and gateway."""
    rig.gateway_proxy.stall()
    await asyncio.sleep(dice.uniform(0.5, 2.5))
    rig.gateway_proxy.flow()


async def poison(rig: Rig, dice: random.Random) -> None:
    """One car says everything that can be wrong; nobody else may notice.

    None of it has a number, so none leaves a gap.
    """
    vin = dice.choice(rig.vins)
    where = f"vehicles/{bucket_of(vin):02d}/{vin}/up/telemetry"
    bodies = (
        b"not json",
        b'{"ts":"2026-11-20T08:00:00Z","signals":{"Vehicle.Speed":NaN}}',
        b"[" * 9000,
        b"\xff\xfe",
        b"x" * 80_000,
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.gateway_proxy.target[1])
    try:
        writer.write(wire.connect(f"{vin}-9", vin, rig.secrets[vin]))  # a second session of that car
        await asyncio.wait_for(reader.read(4), 5)
        for mid, body in enumerate(bodies, 1):
            writer.write(wire.publish(where, body, mid))
        await writer.drain()
        await asyncio.wait_for(reader.read(4), 5)
    except (OSError, TimeoutError):
        pass  # the broker is being killed as well
    finally:
        writer.close()


async def reboot_cars(rig: Rig, dice: random.Random) -> None:
    """A few units restart: their counters begin anew, their spools stay."""
    for car in dice.sample(rig.cars, 4):
        car.reboot()


async def unit_replaced(rig: Rig, dice: random.Random) -> None:
    """A few cars get another unit: its boots begin below. What the old one had not handed over comes late."""
    for car in dice.sample(rig.cars, 4):
        car.new_unit(max(0, boot_of(car.boot) - 1))


async def counter_lost(rig: Rig, dice: random.Random) -> None:
    """A few units forget how far they have counted, within the boot."""
    for car in dice.sample(rig.cars, 4):
        car.new_unit(boot_of(car.boot))


async def unit_replaced_while_killed(rig: Rig, dice: random.Random) -> None:
    """A few cars get another unit, and whoever hears its first words is killed over them."""
    await dice.choice((unit_replaced, counter_lost))(rig, dice)
    await asyncio.sleep(dice.uniform(0.0, 0.5))
    await dice.choice((kill_gateway, kill_gateway_in_commit, kill_database, kill_both))(rig, dice)


async def wipe_broker(rig: Rig, dice: random.Random) -> None:
    """kill -9 of the broker, and everything it had PUBACKed is gone, also what it had not handed out yet."""
    await rig.gateway_is_ready()
    rig.gateway_proxy.stall()
    await asyncio.sleep(dice.uniform(0.3, 1.0))
    rig.broker.kill()
    rig.gateway_proxy.cut()
    rig.gateway_proxy.flow()
    rig.broker.wipe()
    await asyncio.sleep(dice.uniform(0.1, 0.8))
    await rig.broker.start()


async def kill_broker(rig: Rig, dice: random.Random) -> None:
    """kill -9 of the broker; its store survives, as the process' death is no power cut."""
    rig.broker.kill()
    await asyncio.sleep(dice.uniform(0.1, 0.8))
    await rig.broker.start()


FAULTS: list[Fault] = [
    kill_gateway,
    kill_gateway_in_commit,
    kill_database,
    cut_database,
    cut_gateway,
    cut_cars,
    slow_database,
    stall_database,
    stall_gateway,
    poison,
    kill_both,
    unit_replaced,
    counter_lost,
    unit_replaced_while_killed,
]
#: a unit that leaves takes its spool along: what only that held is lost with it
SPOOL_FAULTS: list[Fault] = [
    wipe_broker,
    kill_broker,
    reboot_cars,
    *(fault for fault in FAULTS if fault not in (unit_replaced, counter_lost, unit_replaced_while_killed)),
]


async def stale_ack(rig: Rig) -> None:
    """The shape that loses messages when acks are not bound to a connection (measured: 10 of 10).

    1. A batch A is committed, but the answer is held back. 2. The broker forgets the gateway's session, so packet ids
    begin anew. 3. As many new messages B arrive under the same ids. 4. A's commit is answered: its acks must not be
    sent any more. 5. The gateway dies before B is committed: B must still be with the broker.
    """
    car = next(car for car in rig.cars if rig.drivers[car.vin].kind == "healthy")
    await rig.gateway_is_ready()
    rig.speak(car)  # the gateway knows the car before its reads are held back as well
    await rig.stored_within(25.0)
    await asyncio.sleep(2.5)  # until what is shown of it is written too: the batch that is held back must be one COPY
    rig.database_proxy.stall_down()
    for _ in range(10):
        rig.speak(car)
    await _quiet(rig)
    await asyncio.sleep(0.5)
    await _forget_session(rig, client_id(bucket_of(car.vin)))
    await asyncio.sleep(2.0)
    for _ in range(10):
        rig.speak(car)
    await _quiet(rig)
    await asyncio.sleep(0.5)
    rig.database_proxy.stall_up()
    rig.database_proxy.flow_down()
    await asyncio.sleep(1.0)
    rig.kill_gateway()
    rig.database_proxy.flow()
    rig.database_proxy.cut()
    await asyncio.sleep(0.3)
    await rig.gateway_is_ready()


async def _quiet(rig: Rig) -> None:
    """The broker has taken everything."""
    while not all(car.settled for car in rig.cars):
        await asyncio.sleep(0.05)


async def _forget_session(rig: Rig, whose: str) -> None:
    user, password = rig.broker.mqtt_url.split("//")[1].split("@")[0].split(":")
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.broker.port)
    writer.write(wire.connect(whose, user, password, clean=True))
    await asyncio.wait_for(reader.read(4), 5)
    writer.write(bytes((wire.DISCONNECT, 0)))
    await writer.drain()
    writer.close()
