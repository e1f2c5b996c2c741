"""`telltale check`: each thing that a new house gets wrong is seen, and what to do is said."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from aiohttp import web
from aiohttp.test_utils import TestServer

from dealer_api.application import build
from dealer_api.inbound import trust
from dealer_api.live import Live
from proofs.production.sms import Sms
from providers.register import ProviderSettings
from rules.service.wording import Wording
from store import accounts
from store.pool import transaction
from telltale import certificates, data
from telltale.checking import database as looks
from telltale.checking import machine, public, texts
from telltale.checking.finding import Finding, Wrong, find
from telltale.settings import Settings
from tests.conftest import Database
from tests.servers import server
from tests.standing import Clock, PoolAs, house_of

ROOT = Path(__file__).resolve().parents[3]
OURS, THEIRS = "+4930999999", "+4917604069010"


@pytest.fixture
def settings(database: Database, home: Path) -> Callable[..., Settings]:
    return lambda **more: Settings.read(
        **{"database_url": database.url, "secret": database.secret, "home": home, **more}
    )


async def todo(look: Any, words: str = "") -> str:
    """What it says is to be done."""
    with pytest.raises(Wrong, match=words) as wrong:
        await look
    assert wrong.value.todo
    return wrong.value.todo


# -- database ----------------------------------------------------------------------------------------------------------


async def test_a_database_as_it_should_be(settings: Any) -> None:
    assert (await looks.server(settings())).startswith("PostgreSQL 1")
    assert "5 roles" in await looks.roles(settings())
    assert await looks.migrations(settings()) == "all of this version's are applied"
    assert "agree" in await looks.clock(settings())
    assert "zones are known" in await looks.zones(settings())


async def test_a_server_that_forgets_what_was_committed_and_a_role_that_sees_too_much(home: Path) -> None:
    from store.migrate import migrate

    async with server(home / "own", fsync="off") as own:
        await migrate(own.url, "own secret")
        asked = Settings.read(database_url=own.url, secret="own secret", home=home)
        assert "Turn it on" in await todo(looks.server(asked), "fsync")
        import asyncpg

        admin = await asyncpg.connect(own.url)
        await admin.execute("ALTER ROLE telltale_desk BYPASSRLS")
        await admin.close()
        assert "NOBYPASSRLS" in await todo(looks.roles(asked), "telltale_desk")


async def test_another_secret_than_the_one_that_migrated_is_named(settings: Any) -> None:
    found = await find("roles", looks.roles(settings(secret="another")), "run telltale migrate")
    assert (found.ok, "TELLTALE_SECRET" in found.seen, found.todo) == (False, True, "run telltale migrate")


async def test_a_server_that_is_not_there_is_named_and_nothing_that_rests_on_it_is_asked(home: Path) -> None:
    from telltale.checking import check_house

    asked = Settings.read(
        database_url="postgresql://telltale@127.0.0.1:1/telltale",
        mqtt_url="mqtt://127.0.0.1:1",
        secret="s" * 64,
        home=home,
    )
    found = {finding.name: finding for finding in await check_house(asked)}
    assert not found["database"].ok and "DATABASE_URL" in found["database"].todo
    assert found["migrations"].todo == "first see to 'roles'" or found["migrations"].todo == "first see to 'database'"
    assert not found["broker"].ok and "MQTT_URL" in found["broker"].todo


async def test_missing_and_newer_migrations_are_told_apart(settings: Any, pool_as: PoolAs) -> None:
    admin = await pool_as("admin")
    await admin.execute("INSERT INTO schema_migrations VALUES ('9999')")
    assert "version of Telltale" in await todo(looks.migrations(settings()), "9999")
    await admin.execute("DELETE FROM schema_migrations WHERE version = '0006'")
    assert await todo(looks.migrations(settings()), "0006") == "run telltale migrate"


async def test_clocks_that_differ_and_a_time_lapse_are_found_out(settings: Any, pool_as: PoolAs) -> None:
    for off in (timedelta(minutes=-5), timedelta(hours=3)):
        with time_machine.travel(datetime.now(UTC) + off, tick=True):
            assert "time server" in await todo(looks.clock(settings()), "apart")
    admin = await pool_as("admin")
    await admin.execute("INSERT INTO clock (anchor, started, speed, seen) VALUES ($1, $1, 600, $1)", datetime.now(UTC))
    assert "no demo" in await todo(looks.clock(settings()), "600 times")


async def test_a_zone_that_nobody_knows_is_named(settings: Any, pool_as: PoolAs) -> None:
    await dealer(await pool_as("office"))
    await (await pool_as("admin")).execute("UPDATE dealers SET zone = 'Mars/Olympus'")
    assert "tzdata" in await todo(looks.zones(settings()), "Mars/Olympus")


# -- texts -------------------------------------------------------------------------------------------------------------


async def dealer(office: Any) -> int:
    async with transaction(office) as connection:
        made = await accounts.create_dealer(
            connection,
            name="Nord",
            zone="Europe/Berlin",
            country="DE",
            phone="+494066969100",
            address="Weg 1",
            opening_hours="Mo-Fr 08:00-18:00",
            language="de",
            now=datetime.now(UTC),
        )
    return made.id


@pytest.fixture
async def provider() -> AsyncIterator[Sms]:
    async with Sms(number=OURS) as made:
        yield made


def by(provider: Sms, settings: Any, **more: Any) -> Settings:
    given = {
        "twilio_account": provider.account,
        "twilio_token": provider.token,
        "twilio_from": provider.number,
        "twilio_api": provider.url,
    }
    return settings(**{**given, "public_url": "https://desk.example", **more})  # type: ignore[no-any-return]


async def test_what_can_be_known_of_texts_without_sending_one(settings: Any, pool_as: PoolAs, provider: Sms) -> None:
    office = await pool_as("office")
    assert "TELLTALE_TWILIO_ACCOUNT" in await todo(texts.sms(settings()), "no text leaves")
    own = await dealer(office)
    assert "dealer sender" in await todo(texts.sms(by(provider, settings)), "Nord has no number")
    async with transaction(office) as connection:
        await accounts.set_sender(connection, "+494066969100", own, "sms")
    assert "landline" in await todo(texts.sms(by(provider, settings)), "no number of our account")
    async with transaction(office) as connection:
        await accounts.change_sender(connection, OURS, own, "sms")
    provider.webhook = "https://demo.example/"
    assert "https://desk.example/inbound/twilio" in await todo(
        texts.sms(by(provider, settings)), "brought to https://demo.example/"
    )
    provider.webhook = "https://desk.example/inbound/twilio"
    assert "not proved" in await texts.sms(by(provider, settings))
    assert "TELLTALE_TWILIO_TOKEN" in await todo(
        texts.sms(by(provider, settings, twilio_token="wrong")), "our password is wrong"
    )
    assert not provider.texts, "a check without a number sends nothing"


async def test_a_text_goes_out_and_its_answer_comes_back(
    settings: Any, pool_as: PoolAs, database: Database, provider: Sms
) -> None:
    own = await dealer(await pool_as("office"))
    async with transaction(await pool_as("office")) as connection:
        await accounts.set_sender(connection, OURS, own, "sms")
    house = await house_of(pool_as, Clock(datetime.now(UTC)), Wording(data.texts()))
    app = build(
        house,
        Live(database.role("desk")),
        extensions=(lambda app: trust(ProviderSettings(twilio_token=provider.token), app),),
    )
    async with TestServer(app) as desk:
        base = str(desk.make_url("")).rstrip("/")
        house.__dict__["base_url"] = base
        asked = by(provider, settings, public_url=base)
        checking = asyncio.create_task(texts.out_and_back(asked, THEIRS, 30))
        while not provider.to(THEIRS):
            await asyncio.sleep(0.02)
        import aiohttp

        async with aiohttp.ClientSession() as http:
            word = provider.to(THEIRS)[0].body.rpartition(": ")[2]
            await provider.deliver(http, base, sender=THEIRS, to=OURS, body="something else")
            await provider.deliver(http, base, sender=THEIRS, to=OURS, body=f" {word.lower()}!")
        out, back = await checking
    assert (out.ok, back.ok) == (True, True), back
    assert await (await pool_as("admin")).fetchval("SELECT count(*) FROM replies WHERE read_at IS NULL") == 1, (
        "what has nothing to do with it is still to be read"
    )


async def test_an_answer_that_the_provider_has_and_our_door_never_got_is_told_from_one_that_never_came(
    settings: Any, pool_as: PoolAs, provider: Sms
) -> None:
    own = await dealer(await pool_as("office"))
    async with transaction(await pool_as("office")) as connection:
        await accounts.set_sender(connection, OURS, own, "sms")
    _, silent = await texts.out_and_back(by(provider, settings), THEIRS, 0.1)
    assert not silent.ok and "nothing came" in silent.seen
    checking = asyncio.create_task(texts.out_and_back(by(provider, settings), THEIRS, 1.0))
    while len(provider.to(THEIRS)) < 2:
        await asyncio.sleep(0.02)
    import aiohttp

    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientError):
            await provider.deliver(
                http, "http://127.0.0.1:1", sender=THEIRS, to=OURS, body=provider.to(THEIRS)[1].body.rpartition(": ")[2]
            )
    _, lost = await checking
    assert not lost.ok and "inbound/twilio" in lost.todo


# -- the public address ------------------------------------------------------------------------------------------------


@pytest.fixture
async def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Any]]:
    """A proxy with TLS that behaves as told; its address."""
    certificates.authority(tmp_path, datetime.now(UTC))
    certificates.server(tmp_path, ["localhost"], datetime.now(UTC))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    servers: list[TestServer] = []

    async def start(
        *,
        page: str = "<h1>Telltale</h1>",
        ready: int = 200,
        host: bool = True,
        secure: bool = True,
        date: datetime | None = None,
    ) -> str:
        app = web.Application()

        async def sign_in(_request: web.Request) -> web.Response:
            answer = web.Response(text=page, content_type="text/html")
            answer.set_cookie("s", "1", secure=secure)
            return answer

        async def health(_request: web.Request) -> web.Response:
            return web.Response(
                status=ready, headers={"Date": date.strftime("%a, %d %b %Y %H:%M:%S GMT")} if date else {}
            )

        async def session(_request: web.Request) -> web.Response:
            return web.Response(status=422 if host else 403)

        app.router.add_get("/sign-in", sign_in)
        app.router.add_get("/health/ready", health)
        app.router.add_get("/health/live", health)
        app.router.add_post("/api/v1/session", session)
        servers.append(TestServer(app, scheme="https"))
        await servers[-1].start_server(ssl=context)
        return f"https://localhost:{servers[-1].port}"

    yield start
    for one in servers:
        await one.close()


async def test_a_public_address_as_it_should_be(settings: Any, outside: Any) -> None:
    asked = settings(public_url=await outside())
    assert "our page" in await public.reachable(asked)
    assert "arrive" in await public.passed_on(asked)
    assert "same time" in await public.time_told(asked)


@pytest.mark.parametrize(
    "how, look, seen, do",
    [
        ({"page": "Welcome to nginx!"}, public.reachable, "not with our page", "proxy"),
        ({"ready": 503}, public.reachable, "not ready", "log"),
        ({"host": False}, public.passed_on, "does not pass Host", "proxy_set_header Host"),
        ({"secure": False}, public.passed_on, "reached by https", "TELLTALE_TRUSTED_PROXIES"),
        ({"date": datetime(2020, 1, 1, tzinfo=UTC)}, public.time_told, "apart", "time server"),
    ],
)
async def test_a_proxy_that_does_not_do_its_part_is_found_out(
    settings: Any, outside: Any, how: dict[str, Any], look: Any, seen: str, do: str
) -> None:
    assert do in await todo(look(settings(public_url=await outside(**how))), seen)


async def test_an_address_that_phones_do_not_believe_or_do_not_reach_is_found_out(
    settings: Any, outside: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = await outside()
    assert "TELLTALE_PUBLIC_URL" in await todo(
        public.reachable(settings(public_url="http://desk.example")), "not https"
    )
    assert "TELLTALE_PUBLIC_URL" in (await find("x", public.reachable(settings(public_url="")), "")).seen
    assert "proxy running" in await todo(
        public.reachable(settings(public_url="https://localhost:1")), "does not answer"
    )
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "authority that phones know" in await todo(public.reachable(settings(public_url=good)), "not believed")


# -- this machine ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret", ["short", "a" * 64, "change-me-please-0123456789abcdef", "correct-horse-password-0123456789"]
)
async def test_a_secret_that_can_be_guessed_is_refused(settings: Any, secret: str) -> None:
    assert "token_hex" in await todo(machine.secret(settings(secret=secret)), "guessed")


async def test_a_secret_that_cannot_be_guessed_and_demo_doors(settings: Any) -> None:
    good = os.urandom(32).hex()
    assert await machine.secret(settings(secret=good)) == "it is long and random"
    assert "TELLTALE_DEMO_SIGN_INS" in await todo(machine.secret(settings(secret=good, demo_sign_ins=True)), "demo")


async def test_files_that_others_can_read_are_named(settings: Any, home: Path) -> None:
    key = home / "gateway.key"
    key.touch(mode=0o600)
    assert "1 files" in await machine.files(settings(mqtt_cert=home / "x", mqtt_key=key))
    key.chmod(0o644)
    assert (
        await todo(machine.files(settings(mqtt_cert=home / "x", mqtt_key=key)), "read by others") == f"chmod 600 {key}"
    )
    key.unlink()
    home.chmod(0o777)
    assert "go-w" in await todo(machine.files(settings()), "written by others")


async def test_a_disk_that_is_nearly_full_is_named(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "are free" in await machine.disk(settings())
    monkeypatch.setattr(machine, "LEAST_SHARE", 1.0)
    assert "make room" in await todo(machine.disk(settings()), "are free")


# -- the command -------------------------------------------------------------------------------------------------------


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "PYTHONPATH": str(ROOT), "TELLTALE_SECRET": "s" * 64, **environment}
    return subprocess.run(
        [sys.executable, "-P", "-m", "telltale", "check", *arguments],
        env=given,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def test_the_command_says_all_of_it_as_lines_and_as_json(home: Path) -> None:
    nowhere = {
        "DATABASE_URL": "postgresql://127.0.0.1:1/x",
        "MQTT_URL": "mqtt://127.0.0.1:1",
        "TELLTALE_HOME": str(home),
    }
    done = run("--json", **nowhere)
    assert done.returncode == 1, done.stderr
    body = json.loads(done.stdout)
    assert body["ok"] is False
    assert all(set(one) == {"name", "ok", "seen", "todo"} and (one["ok"] or one["todo"]) for one in body["checks"])
    names = [one["name"] for one in body["checks"]]
    assert {
        "database",
        "roles",
        "migrations",
        "clock",
        "broker",
        "closed broker",
        "a car that speaks",
        "texts",
        "public address",
        "disk",
        "secret",
    } <= set(names)
    lines = run(**nowhere).stdout.splitlines()
    assert [line.partition(":")[0][6:] for line in lines if line.startswith(("ok  ", "FAIL"))] == names


def test_texts_without_a_provider_and_to_no_number_are_one_line(home: Path, database: Database) -> None:
    here = {"DATABASE_URL": database.url, "TELLTALE_SECRET": database.secret, "TELLTALE_HOME": str(home)}
    done = run("texts", "--to", THEIRS, "--json", **here)
    assert (done.returncode, json.loads(done.stdout)["checks"][0]["todo"]) == (
        1,
        "set TELLTALE_TWILIO_ACCOUNT, _TOKEN and _FROM",
    )
    assert run("texts", "--to", "nobody", **here).returncode == 2


def test_a_finding_that_is_fine_asks_for_nothing() -> None:
    assert Finding("x", True, "seen").todo == ""
