"""The gateway as a service: leases, cars, sessions, auth callout, then the loop."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from gateway import metrics
from gateway.feeds.door import Door, FeedDoor
from gateway.feeds.inbox import Inbox
from gateway.feeds.listening import FeedBroker
from gateway.feeds.reader import FeedReader
from gateway.feeds.second_look import SecondLook
from gateway.feeds.settling import Settling
from gateway.fleet.fleet import Fleet, Judge
from gateway.intake.loop import Intake
from gateway.intake.partitions import Leaves
from gateway.intake.writer import Writer
from gateway.log_sampling import Seldom
from gateway.mqtt.address import BrokerAddress, Tls
from gateway.mqtt.broker import Broker
from gateway.mqtt.watchdog import watch
from gateway.ops.auth_callout import AuthCallout
from gateway.ops.backlog import CatchingUp
from gateway.ops.bucket_leases import BucketLeases
from gateway.ops.denied_publishes import DeniedPublishes
from gateway.ops.fleet_updates import BREATH_S, Meeting
from gateway.ops.health import Health
from gateway.ops.retention import Retention
from gateway.ops.rule_watchdog import broken_off
from gateway.ops.self_check import check_broker, check_process
from gateway.ops.sign_ins import STRANGERS, words
from monitoring.page import Address
from rules.service.clocks import apart
from schemas.errors import Unavailable
from schemas.profile import Profile
from schemas.vehicle import bucket_of, is_vin
from store import clock, notifications
from store.pool import line

log = structlog.get_logger()

LOOK_S = 1.0  #: between two looks at the broker's log
REFRESH_S = 60.0  #: what has changed is read again, in case a bell was missed
ALL_S = 3_600.0  #: between two readings of all cars
RETENTION_S = 600.0
CLOCK_S = 10.0  #: between two looks at the database's clock
START_S = 60.0


@dataclass(slots=True)
class Gateway:
    """The parts of one gateway, as the composition root made them; proofs swap one of them."""

    broker: Broker
    fleet: Fleet
    writer: Writer
    intake: Intake
    catching_up: CatchingUp
    health: Health
    leases: BucketLeases
    auth_callout: AuthCallout | None
    denied: DeniedPublishes | None
    clock: Callable[[], datetime]
    database_url: str
    retention: Retention
    meeting: Meeting
    inbox: Inbox  #: what feeds brought
    second_look: SecondLook  #: … before its car was mapped
    feeds: FeedReader | None  #: hears them over MQTT
    feed_door: FeedDoor | None  #: … and by HTTPS
    try_out_broker: bool
    open_broker: bool
    rung: asyncio.Event
    asked: set[int]  #: cars that a bell named


async def run(
    *,
    database_url: str,
    mqtt_url: str,
    clock: Callable[[], datetime],
    profiles: Mapping[str, Profile],
    share: tuple[int, int] = (0, 1),
    judge: Judge | None = None,
    auth_url: str = "",
    auth_seed: str = "",
    broker_log: Path | None = None,
    mqtt_version: int = 4,
    mqtt_tls: Tls | None = None,
    open_broker: bool = False,
    feeds_url: str = "",
    feeds_door: Door | None = None,
    health: Address = Address(),  # noqa: B008
    retention_days: int = 400,
    try_out_broker: bool = True,
    ready: Callable[..., None] = lambda **facts: None,
    make_intake: type[Intake] = Intake,
    make_broker: type[Broker] = Broker,
) -> None:
    """Run until cancelled.

    `database_url` signs in as the gateway's role, `mqtt_url` as its user; `auth_url` and `auth_seed` let it answer the
    broker's sign-ins; without them the broker knows the cars by itself, and is tried out before it is trusted.
    `mqtt_tls` says what mqtts:// and tls:// trust and show; `open_broker` that strangers may speak as cars.
    `feeds_url` is the broker at which feeds are heard, `feeds_door` where they come in by HTTPS.
    """
    if judge is None:
        judge = _judge(profiles)
    writer = Writer(
        database_url, f"{socket.gethostname()}:{os.getpid()}:{os.urandom(2).hex()}", f"{share[0]}/{share[1]}"
    )
    address = BrokerAddress.from_url(mqtt_url, mqtt_version, mqtt_tls)
    if address.tls is not None:
        address.tls.context()  # a file that cannot be read is named now
    broker = make_broker(address)
    fleet = Fleet(judge)
    leaves = Leaves(retention_days)
    intake = make_intake(broker, fleet, writer, clock, leaves)
    auth_callout = AuthCallout(auth_url, auth_seed, fleet.known, mqtt_tls) if auth_url and auth_seed else None
    settling = Settling()
    catching_up = CatchingUp(broker, lambda: intake.messages, auth_callout)
    gateway = Gateway(
        broker,
        fleet,
        writer=writer,
        intake=intake,
        catching_up=catching_up,
        health=Health(broker, intake, writer=writer, catching_up=catching_up, auth_callout=auth_callout),
        leases=BucketLeases(writer, broker, *share),
        auth_callout=auth_callout,
        denied=DeniedPublishes(broker_log) if broker_log else None,
        clock=clock,
        database_url=database_url,
        retention=Retention(writer, clock, keep_days=retention_days, leaves=leaves, tally=intake.tally),
        meeting=Meeting(fleet, writer, auth_callout, intake.forget),
        inbox=Inbox(broker, writer),
        second_look=SecondLook(writer, clock),
        feeds=FeedReader(FeedBroker(BrokerAddress.from_url(feeds_url, mqtt_version, mqtt_tls)), writer, clock, settling)
        if feeds_url
        else None,
        feed_door=FeedDoor(feeds_door, writer, clock=clock, settling=settling, tally=intake.tally)
        if feeds_door
        else None,
        try_out_broker=try_out_broker,
        open_broker=open_broker,
        rung=asyncio.Event(),
        asked=set(),
    )
    with broken_off(judge.step):
        await _serve(gateway, health, ready)


async def _serve(g: Gateway, address: Address, ready: Callable[..., None]) -> None:
    page, door = AsyncExitStack(), AsyncExitStack()
    url = await page.enter_async_context(g.health.page().open(address))
    try:
        check_process()
        await _patiently(partial(_agree, g))
        await _patiently(partial(g.leases.begin, g.health.beat))
        if g.auth_callout is None and g.try_out_broker:
            await _patiently(
                partial(
                    check_broker,
                    g.broker.address,
                    None,
                    bucket=min(g.writer.buckets, default=0),
                    open_broker=g.open_broker,
                )
            )
        await g.meeting.everybody()
        await g.retention.learn()
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 20, 50)  # a batch makes thousands of objects that live for one commit
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                g.intake.run(), name="intake"
            )  # before the sessions: what waits for us comes before the broker's answers
            tasks.create_task(g.leases.run(g.intake, g.health.beat, g.meeting.of), name="leases")
            tasks.create_task(watch(g.broker), name="watchdog")
            tasks.create_task(g.catching_up.run(), name="catching up")
            tasks.create_task(_listen(g), name="bells")
            tasks.create_task(_meet_all(g), name="cars")
            tasks.create_task(_look(g), name="denied publishes")
            tasks.create_task(_keep_days(g), name="days")
            tasks.create_task(_follow_clock(g), name="clock")
            tasks.create_task(g.inbox.run(), name="inbox of feeds")
            tasks.create_task(g.second_look.run(), name="second look")
            if g.feeds is not None:
                tasks.create_task(g.feeds.run(), name="feeds")
                tasks.create_task(watch(g.feeds.broker), name="watchdog of feeds")
            await g.broker.open(sorted(g.writer.buckets))  # before any car can speak: what nobody subscribes to is gone
            if g.auth_callout is not None:
                await g.auth_callout.start()
                await check_broker(g.broker.address, g.auth_callout)
            g.health.serving = True
            told = {"health": url}
            if g.feed_door is not None:
                told["feeds"] = await door.enter_async_context(g.feed_door.open())
            log.info("gateway_ready", share=g.writer.share, buckets=len(g.writer.buckets), cars=len(g.fleet.by_vin))
            ready(**told)
    except* Exception as group:
        raise _first(group) from None
    finally:
        await door.aclose()
        if g.auth_callout is not None:
            await g.auth_callout.stop()
        g.intake.downlink.last_word(g.broker.sessions)
        await g.broker.close()
        if g.feeds is not None:
            await g.feeds.broker.close()
        await g.writer.close()
        await page.aclose()


async def _agree(g: Gateway) -> None:
    """Alerts of the wrong day would be told for good: a gateway whose clock is wrong says so, and the cars keep what
    they say.
    """
    before = g.clock()
    told = await g.writer.read(clock.witness)
    if not told.time_lapse and (off := apart(min(max(told.business, before), g.clock()), told.business)) is not None:
        raise Unavailable("the right time", f"this machine's clock is {off}: set them both by NTP")


async def _follow_clock(g: Gateway) -> None:
    while True:
        await asyncio.sleep(CLOCK_S)
        await _agree(g)


async def _patiently(work: Callable[[], Awaitable[None]]) -> None:
    """A database or broker that starts at the same time as we do is waited for."""
    deadline, seldom = time.monotonic() + START_S, Seldom()
    while True:
        try:
            return await work()
        except (Unavailable, OSError, TimeoutError, EOFError) as error:
            if time.monotonic() > deadline:
                if isinstance(error, Unavailable):
                    raise  # it names what is away
                raise Unavailable("the database or the broker", str(error)) from error
            seldom.say(log.info, "waiting", reason=str(error))
            await asyncio.sleep(0.5)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error itself, so that the command line can say it in one line."""
    first: BaseException = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _judge(profiles: Mapping[str, Profile]) -> Judge:
    from rules.catalogue import RULES
    from rules.engine.judge import Judge as Rules

    return Rules(RULES, profiles)


async def _listen(g: Gateway) -> None:
    """Cars enrolled, revoked, changed; refused messages let in."""
    while True:
        try:
            async with line(g.database_url, name="gateway-bells") as connection:
                await notifications.listen(connection, notifications.CARS, lambda payload: _heard(g, payload))
                while not connection.is_closed():
                    await g.meeting.changed()
                    g.intake.accept_now = True
                    with suppress(TimeoutError):
                        async with asyncio.timeout(REFRESH_S):
                            await _closed_or_rung(g, connection)
        except Unavailable as error:
            g.broker.seldom.say(log.info, "bells_away", reason=type(error).__name__)
        await asyncio.sleep(0.5)


async def _closed_or_rung(g: Gateway, connection: Any) -> None:
    """`asyncio.timeout`, for `wait_for` loses a cancellation that comes with the bell (Python 3.11), and the gateway
    would never end.
    """
    while not connection.is_closed():
        g.rung.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await g.rung.wait()
        while g.asked:
            await g.meeting.one(g.asked.pop())


def _heard(g: Gateway, payload: dict[str, Any]) -> None:
    if payload.get("what") in ("quarantine", "correction"):
        g.intake.accept_now = True
    elif payload.get("what") == "feed":
        g.inbox.rung.set()
    elif payload.get("what") == "mapped":
        g.second_look.rung.set()
    elif payload.get("what") == "feeds" and g.feeds is not None:
        g.feeds.changed.set()
    elif isinstance(payload.get("vehicle"), int):
        g.asked.add(payload["vehicle"])
        g.rung.set()


async def _meet_all(g: Gateway) -> None:
    """Bells and numbers tell all that is new; this is in case they did not."""
    while True:
        await asyncio.sleep(ALL_S)
        await g.meeting.everybody(BREATH_S)


async def _look(g: Gateway) -> None:
    """The broker's log, and rules that broke."""
    while True:
        await asyncio.sleep(LOOK_S)
        if g.denied is not None:
            for (kind, user), (times, last) in g.denied.new().items():
                if (bucket_of(user[:17]) if is_vin(user[:17]) else 0) not in g.writer.buckets:
                    continue  # every gateway reads the same log; one counts
                metrics.DENIED.labels(kind.removeprefix("denied_")).inc(times)
                _count(g, kind, vin=user[:17], times=times, detail=last)
        if g.auth_callout is not None:
            for (vin, reason), refused in g.auth_callout.sign_ins.refused().items():
                _count(
                    g,
                    f"refused_connect:{reason}",
                    vin=vin,
                    times=refused.times,
                    detail=f"{words(reason)}; last from {refused.place}",
                )
        broken: Mapping[str, Any] = getattr(g.fleet.judge, "broken", {})
        for rule, how in list(broken.items()):
            for vehicle, times in list(how.cars.items()):
                mine = g.fleet.by_id.get(vehicle)
                g.intake.tally(
                    mine.dealer_id if mine else None,
                    f"rule_broken:{rule}",
                    subject=mine.vin if mine else "",
                    times=times,
                    detail=how.last,
                    total=True,
                )


def _count(g: Gateway, name: str, vin: str, times: int, detail: str) -> None:
    """For the car's dealer, or for the house: names that are no car's are not kept apart, for anybody could make up new
    ones.
    """
    dealer = g.fleet.dealer_of(vin)
    g.intake.tally(dealer, name, subject=vin if dealer is not None else STRANGERS, times=times, detail=detail)


async def _keep_days(g: Gateway) -> None:
    while True:
        with suppress(Unavailable):
            await g.retention.once()
        await asyncio.sleep(RETENTION_S)
