"""Guessing: counted before it is looked at, wherever it comes from, and never to the harm of whom it is aimed at."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from actions import attempts, passwords
from actions.context import House
from dealer_api import cookies
from dealer_api.application import build
from dealer_api.live import Live
from store import attempts as rows
from store.pool import transaction
from tests.conftest import Database
from tests.integration.dealer_api.conftest import Desk

PASSWORD = "a good long password"
HERE, ELSEWHERE, THIRD = "203.0.113.7", "198.51.100.9", "192.0.2.33"


async def enter(client, email, password, place=HERE, **headers):
    response = await client.post(
        "/api/v1/session", json={"email": email, "password": password}, headers={"X-Forwarded-For": place, **headers}
    )
    return response.status


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch):
    """The passwords that were really verified."""
    seen, right = [], passwords.right

    async def counted(hashed, password):
        seen.append(password)
        return await right(hashed, password)

    monkeypatch.setattr(passwords, "right", counted)
    return seen


async def test_of_forty_guesses_at_once_five_are_looked_at(desk: Desk, looked_at):
    client = desk.anonymous()
    answers = await asyncio.gather(*(enter(client, "manager@nord.example", f"guess {n}") for n in range(40)))
    assert (
        len(looked_at) == 5 and answers.count(401) == 5 and set(answers) <= {401, 429, 503}
    )  # 503: a machine too busy to look
    await client.close()


async def test_two_desks_count_together(desk: Desk, database: Database, looked_at):
    from aiohttp.test_utils import TestClient, TestServer

    async with TestClient(TestServer(build(desk.house, Live(database.role("desk"))))) as other:
        client = desk.anonymous()
        answers = await asyncio.gather(
            *(enter(one, "manager@nord.example", f"guess {n}") for n in range(20) for one in (client, other))
        )
        assert len(looked_at) == 5 and answers.count(401) == 5
        await client.close()


async def test_a_stranger_s_wrong_passwords_shut_nobody_out_who_signs_in_elsewhere(desk: Desk):
    """Case 20: five wrong ones from one place, the right one from another."""
    client = desk.anonymous()
    for _ in range(6):
        await enter(client, "manager@nord.example", "wrong", HERE)
    assert await enter(client, "manager@nord.example", PASSWORD, HERE) == 429
    assert await enter(client, "manager@nord.example", PASSWORD, ELSEWHERE) == 201
    await client.close()


async def test_a_whole_botnet_is_slowed_down_and_does_not_shut_out_a_known_place_or_browser(desk: Desk, looked_at):
    home, office, stranger = desk.anonymous(), desk.anonymous(), desk.anonymous()
    assert await enter(home, "manager@nord.example", PASSWORD, THIRD) == 201  # this browser is known, and this place
    looked_at.clear()
    answers = [await enter(stranger, "manager@nord.example", "wrong", f"198.18.{n}.1") for n in range(40)]
    assert answers.count(401) == len(looked_at) == 30 and answers[-1] == 429
    assert await enter(stranger, "manager@nord.example", PASSWORD, ELSEWHERE) == 429, (
        "the slow limit holds for a strange place"
    )
    assert await enter(office, "manager@nord.example", PASSWORD, THIRD) == 201, (
        "a place from which they signed in before"
    )
    assert await enter(home, "manager@nord.example", PASSWORD, ELSEWHERE) == 201, (
        "a browser from which they signed in before"
    )
    for client in (home, office, stranger):
        await client.close()


async def test_who_shares_a_place_with_a_guesser_signs_in_with_a_browser_that_is_known(desk: Desk):
    client, colleague = desk.anonymous(), desk.anonymous()
    assert await enter(client, "advisor@nord.example", PASSWORD) == 201
    for n in range(70):
        await enter(colleague, f"nobody{n}@nord.example", "wrong")
    assert await enter(colleague, "driver@nord.example", PASSWORD) == 429, "sixty from one place"
    assert await enter(client, "advisor@nord.example", PASSWORD) == 201
    await client.close()
    await colleague.close()


async def test_a_known_browser_has_five_guesses_too(desk: Desk, looked_at):
    client = desk.anonymous()
    assert await enter(client, "advisor@nord.example", PASSWORD) == 201
    looked_at.clear()
    answers = await asyncio.gather(
        *(enter(client, "advisor@nord.example", f"guess {n}", f"198.18.0.{n}") for n in range(20))
    )
    assert len(looked_at) == 5 and answers.count(401) == 5
    await client.close()


async def test_a_right_password_is_no_guess(desk: Desk):
    client = desk.anonymous()
    for _ in range(12):
        assert await enter(client, "advisor@nord.example", PASSWORD) == 201
    await client.close()


async def test_a_browser_that_one_person_used_is_not_known_for_another(desk: Desk):
    client = desk.anonymous()
    assert await enter(client, "advisor@nord.example", PASSWORD) == 201
    for _ in range(5):
        assert await enter(client, "manager@nord.example", "wrong") == 401
    assert await enter(client, "manager@nord.example", PASSWORD) == 429
    await client.close()


async def test_what_a_stranger_writes_into_the_header_is_not_believed(desk: Desk, database: Database):
    """Only our own proxies say where somebody is; here none is trusted."""
    from aiohttp.test_utils import TestClient, TestServer

    from dealer_api.place import Proxies

    app = build(desk.house, Live(database.role("desk")), proxies=Proxies.read("none"))
    async with TestClient(TestServer(app)) as client:
        answers = [await enter(client, "manager@nord.example", "wrong", f"198.18.0.{n}") for n in range(8)]
        assert answers.count(401) == 5


async def test_what_is_counted_is_forgotten_step_by_step(desk: Desk):
    now = datetime(2026, 11, 23, 8, tzinfo=UTC)
    limit = rows.Limit(b"key", 5, timedelta(minutes=15))
    async with transaction(desk.house.pool) as connection:
        for _ in range(5):
            assert await rows.count(connection, [limit], now) is None
        assert await rows.count(connection, [limit], now) == timedelta(minutes=3)
        assert await rows.count(connection, [limit], now + timedelta(minutes=3)) is None
        assert await rows.count(connection, [limit], now + timedelta(minutes=3)) is not None
        assert await rows.count(connection, [limit, rows.Limit(b"other", 1, timedelta(hours=1))], now) is not None
        assert await connection.fetchval("SELECT count(*) FROM attempts WHERE key = $1", b"other") == 0, (
            "what is refused counts nowhere"
        )
        await rows.count(connection, [rows.Limit(b"later", 1, timedelta(hours=1))], now + timedelta(hours=2))
        assert [row["key"] for row in await connection.fetch("SELECT key FROM attempts")] == [b"later"], (
            "what is over is swept"
        )


async def test_the_table_of_tries_says_nothing_about_anybody(desk: Desk):
    client = desk.anonymous()
    await enter(client, "manager@nord.example", "wrong")
    stored = await desk.admin.fetchval("SELECT string_agg(t::text, ' ') FROM (SELECT * FROM attempts) t")
    known = await desk.admin.fetchval("SELECT string_agg(t::text, ' ') FROM (SELECT * FROM devices) t") or ""
    assert "nord" not in stored + known and HERE not in stored + known
    keys = {row["key"] for row in await desk.admin.fetch("SELECT key FROM attempts")}
    other = House(**{**desk.house.__dict__, "secret": "another"})
    guess = attempts.sign_in(other, cookies.Visitor(HERE), "manager@nord.example", device=False, place=False)
    assert not keys & {limit.key for limit in guess}
    await client.close()


async def test_sign_ins_and_refusals_are_history_and_say_no_secret(desk: Desk):
    client = desk.anonymous()
    await enter(
        client,
        "driver@nord.example",
        "hunter2 hunter2",
        **{"User-Agent": "Mozilla/5.0 (Windows NT 10.0; rv:130.0) Gecko/20100101 Firefox/130.0"},
    )
    await enter(client, "driver@nord.example", PASSWORD)
    await desk.house.afterwards.done()
    rows_ = await desk.admin.fetch("SELECT new, reason, actor FROM history WHERE noun = 'staff' ORDER BY id")
    driver = desk.people[(desk.dealer.id, "driver")].id
    assert {tuple(row) for row in rows_} == {
        ("refused", "wrong password, Firefox on Windows, 203.0.113.x", "somebody"),
        ("signed in", "by password, a program (Python), 203.0.113.x", f"staff:{driver}"),
    }
    await client.close()
