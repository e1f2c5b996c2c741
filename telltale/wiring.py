"""The composition root: each service gets its values and its parts here, and knows nothing of settings or files."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import json
import ssl
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from monitoring import stuck, tracing
from monitoring.page import Address
from providers.register import set_up
from rules.engine.judge import Judge
from schemas.credentials import secret_hash
from schemas.errors import BadInput, Misconfigured, Unavailable
from schemas.vehicle import is_vin
from store import fleet, notifications, stages, vehicles
from store.connecting import shut_out
from store.pool import connect, line
from store.roles import role_url
from telltale import broker_files, cli, clock, command_context, data, demo_data, enrolment, readiness, running_demo
from telltale.broker_files import MosquittoFiles
from telltale.settings import HEALTH_PORTS, Settings

if TYPE_CHECKING:
    from simulator.running import Workshop

Clock = Callable[[], datetime]
_STAGES_SECONDS = 30.0  # in case a bell was missed


async def business_clock(settings: Settings, role: str) -> Clock:
    """The clock of the database that this service works on."""
    connection = await connect(_as(settings, role), name="clock")
    try:
        return await clock.read(connection)
    finally:
        await asyncio.wait_for(connection.close(), 5)


async def gateway(settings: Settings) -> None:
    from gateway import running
    from gateway.feeds.door import Door
    from gateway.mqtt.address import Tls
    from telltale.embedded.credentials import broker_secrets, signed_in, signed_in_at_own

    business = await business_clock(settings, "gateway")
    auth_url, auth_seed = settings.auth_url.get_secret_value(), settings.auth_seed.get_secret_value()
    mqtt_url = signed_in_at_own(
        settings.mqtt, settings.key
    )  # an address without an account: our broker-config, which knows the secret too
    if auth_url:  # a broker that asks us
        mqtt_url = signed_in(settings.mqtt, "gateway", settings.key)
        auth_url = signed_in(auth_url, "doorkeeper", settings.key)
        auth_seed = auth_seed or broker_secrets(settings.key)["issuer_seed"]
    judge = await _judge(settings)
    serving = running.run(
        database_url=_as(settings, "gateway"),
        mqtt_url=mqtt_url,
        clock=business,
        profiles=data.profiles(),
        judge=judge,
        share=settings.shares,
        auth_url=auth_url,
        auth_seed=auth_seed,
        broker_log=settings.broker_log,
        mqtt_version=settings.mqtt_version,
        mqtt_tls=Tls(settings.mqtt_ca, settings.mqtt_cert, settings.mqtt_key),
        open_broker=bool(settings.open_broker),
        feeds_url=settings.feeds_url.get_secret_value(),
        feeds_door=Door(settings.feeds_host, settings.feeds_port, settings.secrets) if settings.feeds_port else None,
        health=health_address(settings, "gateway"),
        retention_days=settings.retention_days,
        ready=readiness.teller(settings),
    )
    await _watched(settings, "gateway", _together(serving, _follow_stages(settings, judge)))


async def _watched(settings: Settings, service: str, serving: Coroutine[Any, Any, None]) -> None:
    """Run the service; should its loop hang for good, or the database refuse its password for good, end it, so that it
    is started anew.
    """
    with tracing.set_up(service, settings.traces_url):
        async with stuck.watched(readiness.pinger(settings)):
            await _together(serving, shut_out())


async def broker_config(settings: Settings, files: MosquittoFiles) -> None:
    """Keep the files of a broker of one's own current."""
    await _watched(
        settings, "broker-config", broker_files.follow(_as(settings, "gateway"), files, readiness.teller(settings))
    )


async def _judge(settings: Settings) -> Judge:
    """The catalogue, fitted to every vehicle model, each rule at the stage where people have put it."""
    from rules.catalogue import RULES
    from rules.engine.code_book import CodeBook

    connection = await connect(_as(settings, "gateway"), name="stages")
    try:
        moved = {name: one.stage for name, one in (await stages.stages(connection)).items()}
    finally:
        await asyncio.wait_for(connection.close(), 5)
    return Judge(RULES, data.profiles(), codes=CodeBook(data.trouble_codes()), stages=moved)


async def _follow_stages(settings: Settings, judge: Judge) -> None:
    """Shadow and live change while we run.

    Off changes the layout of every memory: then we start anew, which takes a second.
    """
    while True:
        with contextlib.suppress(Unavailable):
            async with line(_as(settings, "gateway"), name="stages") as connection:
                switched = await _moved(connection, judge)
            if switched:
                break
        await asyncio.sleep(1.0)
    raise Unavailable("the gateway", f"{switched} was switched on or off, so it starts again")


async def _moved(connection: Any, judge: Judge) -> str:
    """Follow the bell; the name of a rule that was switched on or off, or nothing when the connection is lost."""
    rung = asyncio.Event()
    await notifications.listen(
        connection, notifications.CARS, lambda payload: rung.set() if payload.get("what") == "rules" else None
    )
    while not connection.is_closed():
        for name, one in (await stages.stages(connection)).items():
            if name not in judge.stages:
                continue
            if (one.stage == "off") != (judge.stages[name] == "off"):
                return name
            judge.stages[name] = one.stage
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STAGES_SECONDS):
                await rung.wait()
        rung.clear()
    return ""


async def _together(*parts: Coroutine[Any, Any, None]) -> None:
    """Until the first of them ends; its error is the error."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def dealer_api(settings: Settings) -> None:
    from dealer_api import running
    from rules.service.wording import Wording

    business = await business_clock(settings, "desk")
    serving = running.run(
        desk_url=_as(settings, "desk"),
        owner_url=_as(settings, "owner_page"),
        clock=business,
        wording=Wording(data.texts()),
        secret=settings.key,
        profiles=data.profiles(),
        host=settings.desk_host,
        port=settings.desk_port,
        base_url=settings.public_url,
        demo=settings.demo_sign_ins,
        usual_channel=settings.usual_channel,
        mails=set_up(settings, "email"),
        providers=settings.providers,
        photos=settings.photo_shelf(settings.home),
        trusted_proxies=settings.trusted_proxies,
        more_hosts=settings.hosts,
        calls_a_minute=settings.api_calls_a_minute,
        connections=settings.database_connections or running.CONNECTIONS,
        health=health_address(settings, "dealer-api"),
        ready=readiness.teller(settings),
    )
    await _watched(settings, "dealer-api", serving)


def health_address(settings: Settings, service: str) -> Address:
    """Where this service's health page listens."""
    port = HEALTH_PORTS[service] if settings.health_port is None else settings.health_port
    return Address(settings.health_host, port, usual=settings.health_port is None)


def _as(settings: Settings, role: str) -> str:
    return role_url(settings.database, settings.key, f"telltale_{role}", settings.secret_previous.get_secret_value())


async def simulator(settings: Settings, cars: Path) -> None:
    from simulator import running
    from simulator.fleet import Member
    from simulator.scenario import scenario_of

    models, scenarios = data.profiles(), data.scenarios()
    try:
        listed = json.loads(cars.read_text())
        members = [
            Member(
                one["vin"],
                one["secret"],
                profile=models[one["profile"]],
                scenario=scenario_of(one["scenario"], scenarios[one["scenario"]]),
                seed=int(one["seed"]),
            )
            for one in listed
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Misconfigured(str(cars), f"is no list of cars ({type(error).__name__}: {error})") from None
    business = await business_clock(settings, "gateway") if settings.database_url else clock.real
    (host, port, tls), mechanic = _first_host(settings, settings.mqtt), settings.workshop_url.get_secret_value()
    await running.run(
        mqtt_host=host,
        mqtt_port=port,
        tls=tls,
        cars=members,
        clock=business,
        speed=business.speed if isinstance(business, clock.TimeLapse) else 1.0,
        spool_dir=settings.home / "spools",
        workshop=_workshop(settings, mechanic) if mechanic else None,
        ready=readiness.teller(settings),
    )


def _workshop(settings: Settings, url: str) -> Workshop:
    from simulator import running

    (host, port, tls), parts = _first_host(settings, url), urlsplit(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return running.Workshop(host, port, user=user, password=password, tls=tls)


def _first_host(settings: Settings, url: str) -> tuple[str, int, ssl.SSLContext | None]:
    """For the stand-in cars, which know one host; they sign in with passwords, and show no certificate of a
    gateway's.
    """
    from gateway.mqtt.address import BrokerAddress, Tls

    where = BrokerAddress.from_url(url)
    believed = Tls(settings.mqtt_ca).context() if urlsplit(url).scheme == "mqtts" else None
    return (*where.hosts[0], believed)


async def play(settings: Settings, file: Path, *, vin: str, at: datetime | None, profile: str) -> dict[str, Any]:
    """The recorded drive of one car; a car that nobody knows yet is enrolled on the way."""
    from simulator import playing

    if not is_vin(vin):
        raise BadInput("--vin", f"{vin} is no VIN: 17 characters, digits and letters without I, O and Q")
    if any(car["vin"] == vin for car in _driven(settings.home)):
        raise BadInput(
            "--vin", f"{vin} is being driven by the simulator: take the VIN of a car that is not, or a new one"
        )
    secret = demo_data.secret_of(settings.key, vin)
    now, model = await command_context.at(settings, lambda work: _enrol_once(work, vin, secret, profile))
    host, port, tls = _first_host(settings, settings.mqtt)
    played = await playing.play(
        file,
        vin=vin,
        secret=secret,
        mqtt_host=host,
        mqtt_port=port,
        tls=tls,
        spool_dir=settings.home / "played",
        start=at.replace(tzinfo=at.tzinfo or UTC) if at else None,
        now=now,
        layouts=data.profiles()[model].uds,
        answers=data.profiles()[model].answers,
        tell=cli.progress("frames"),
    )
    return asdict(played)


async def _enrol_once(work: command_context.Office, vin: str, secret: str, profile: str) -> tuple[datetime, str]:
    known = {one.vin: one for one in await vehicles.identities(work.connection)}
    if vin not in known:
        if profile not in data.profiles():
            raise BadInput("--profile", f"{profile} is not a model we know: {', '.join(data.profiles())}")
        at, title = await work.dealer(None), data.profiles()[profile].title
        await fleet.add(
            work.connection,
            at.id,
            vin=vin,
            profile=profile,
            title=f"{title} (recorded drive)",
            plate=None,
            actor="system",
            now=work.now,
        )
    elif known[vin].secret_hash not in (None, secret_hash(secret)):
        raise BadInput(
            "--vin",
            f"{vin} has a secret of its own, which playing would end: take the VIN of a car that is not enrolled, or a "
            "new one",
        )
    await enrolment.enrol(work.connection, vin, secret, work.now)
    return work.now, known[vin].profile if vin in known else profile


def _driven(home: Path) -> list[dict[str, Any]]:
    """The cars of the demo that runs on this home."""
    if not running_demo.found(home):
        return []
    driven: list[dict[str, Any]] = json.loads((home / "cars.json").read_text())
    return driven


async def workers(settings: Settings) -> None:
    from rules.service.wording import Wording
    from workers import running

    business = await business_clock(settings, "worker")
    serving = running.run(
        database_url=_as(settings, "worker"),
        clock=business,
        wording=Wording(data.texts()),
        desk_url=settings.public_url,
        providers=settings.providers,
        staff_channel=settings.usual_channel,
        time_lapse=isinstance(business, clock.TimeLapse),
        connections=settings.database_connections or running.CONNECTIONS,
        secrets=settings.secrets,
        retention_days=settings.retention_days,
        health=health_address(settings, "workers"),
        ready=readiness.teller(settings),
    )
    await _watched(settings, "workers", serving)


async def explain(settings: Settings, alert_id: int) -> dict[str, Any]:
    """Fold the car's stored rows again with today's catalogue."""
    from gateway.ops.rule_watchdog import broken_off
    from workers import replaying

    judge = await _judge(settings)
    with broken_off(Judge.step):
        return await command_context.at(settings, lambda work: replaying.explain(work.connection, judge, alert_id))


async def import_readings(settings: Settings, file: Path, mapping_file: Path, dealer_id: int | None) -> dict[str, Any]:
    """History from a file: judged as what comes by MQTT, told to nobody but as what stands at its end."""
    from gateway.imports.importer import Importer
    from gateway.imports.survey import survey
    from gateway.imports.table import Table
    from gateway.ops.rule_watchdog import broken_off
    from schemas.mapping import Mapping

    mapping = Mapping.of(data.read(mapping_file), mapping_file.name)
    table = Table(file, mapping.delimiter)
    fingerprint = hashlib.sha256(f"{table.fingerprint()} {mapping.model_dump_json()}".encode()).hexdigest()
    found = survey(table, mapping)
    dealer = await command_context.at(settings, lambda work: work.dealer(dealer_id))
    business, judge = await business_clock(settings, "gateway"), await _judge(settings)
    kept = min(settings.retention_days, dealer.keep_readings_days)
    importer = Importer(
        _as(settings, "gateway"), judge, business, kept_days=kept, tick=cli.progress(f"of {found.records:,} lines")
    )
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)  # a batch makes thousands of objects that live for one commit
    with broken_off(Judge.step):
        return await importer.run(table, mapping, found, dealer.id, fingerprint)


async def backtest(settings: Settings, names: list[str], since: datetime, dealer_id: int | None) -> dict[str, Any]:
    """These rules and what mutes them, live, over stored rows."""
    from gateway.ops.rule_watchdog import broken_off
    from rules.catalogue import BY_NAME
    from rules.engine.code_book import CodeBook
    from workers import replaying

    def judge_of(wanted: Sequence[str]) -> Judge:
        known = [BY_NAME[name] for name in wanted if name in BY_NAME]
        causes = {cause for rule in known for cause in rule.muted_by}
        rules = [rule for rule in BY_NAME.values() if rule in known or rule.name in causes]
        return Judge(
            rules, data.profiles(), codes=CodeBook(data.trouble_codes()), stages={rule.name: "live" for rule in rules}
        )

    begin = since if since.tzinfo is not None else since.replace(tzinfo=UTC)
    tick = cli.progress("cars folded")
    with broken_off(Judge.step):
        return await command_context.at(
            settings,
            lambda work: replaying.backtest(
                work.connection, judge_of, names=names, since=begin, dealer_id=dealer_id, tick=tick
            ),
        )
