"""Every page of the desk over plain HTTP: who may open it, what a stranger gets, and that nothing a car or an owner
wrote becomes markup.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from html.parser import HTMLParser
from typing import Any

import aiohttp
import pytest

from dealer_api.desk.routes import ROUTES
from dealer_api.route import PUBLIC
from telltale.demo_data import PASSWORD
from tests.acceptance.conftest import World

#: A photo of a record is no page, nor is the worker's script; the walk through all doors knocks at them.
_FILES = ("/photos/{id}", "/day-worker.js")
PAGES = [
    route for route in ROUTES if route.method == "GET" and "{token}" not in route.path and route.path not in _FILES
]
ROLES = ("advisor", "driver", "technician", "manager")
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}\"'></title>"
Open = Callable[..., Awaitable[aiohttp.ClientSession]]


class Inline(HTMLParser):
    """Finds what a strict policy would have to stop: handlers, styles and scripts inside the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        self.found += [f"{tag} {name}" for name in names if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)

    @classmethod
    def of(cls, page: str) -> list[str]:
        parser = cls()
        parser.feed(page)
        return parser.found


@pytest.fixture
async def someone(world: World) -> AsyncIterator[Open]:
    """`await someone("driver")`: a client that is signed in; without a role one that is not."""
    clients: list[aiohttp.ClientSession] = []

    async def make(role: str | None = None) -> aiohttp.ClientSession:
        client = aiohttp.ClientSession(world.url, cookie_jar=aiohttp.CookieJar(unsafe=True))
        clients.append(client)
        if role is not None:
            async with client.post(
                "/api/v1/session", json={"email": f"{role}@nordlicht.example", "password": PASSWORD}
            ) as answer:
                assert answer.status == 201
        return client

    yield make
    for client in clients:
        await client.close()


def address(path: str, world: Any) -> str:
    numbers = {
        "/cases/{id}": world.cases["HH-EC 417"],
        "/cases/{id}/offer": world.cases["HH-JW 88"],
        "/vehicles/{id}": world.cars["HH-EC 417"],
        "/owners/{id}": 2,
    }
    return path.replace("{id}", str(numbers.get(path, 1)))


async def test_each_page_opens_for_whoever_may_and_for_nobody_else(world: World, someone: Open) -> None:
    wrong = []
    for role in ROLES:
        client = await someone(role)
        for route in PAGES:
            async with client.get(address(route.path, world), allow_redirects=False) as answer:
                expected = (200, 303) if role in route.who or route.who == PUBLIC else (403,)
                if answer.status not in expected:
                    wrong.append((role, route.path, answer.status))
    assert wrong == []


async def test_a_stranger_is_shown_the_way_in_and_comes_back_to_where_they_wanted(world: World, someone: Open) -> None:
    client = await someone()
    for route in PAGES:
        if route.who != PUBLIC:
            async with client.get(address(route.path, world), allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (
                    303,
                    f"/sign-in?next={address(route.path, world)}",
                ), route.path
    async with client.post(
        "/sign-in",
        data={"email": "advisor@nordlicht.example", "password": PASSWORD, "next": "/cases/8"},
        allow_redirects=False,
    ) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/cases/8")
    async with client.post(
        "/sign-in",
        data={"email": "advisor@nordlicht.example", "password": PASSWORD, "next": "//evil.example"},
        allow_redirects=False,
    ) as answer:
        assert answer.headers["Location"] == "/"


async def test_a_form_without_its_token_does_nothing(world: World, someone: Open) -> None:
    client = await someone("manager")
    for route in ROUTES:
        if route.method == "POST" and route.who != PUBLIC:
            async with client.post(address(route.path, world), data={"reason": "x"}, allow_redirects=False) as answer:
                assert answer.status == 403, route.path


async def test_what_is_not_there_is_not_found(world: World, someone: Open) -> None:
    client = await someone("manager")
    for path in (
        "/cases/999999",
        "/cases/abc",
        "/cases/-1",
        f"/cases/{'9' * 40}",
        "/vehicles/999999",
        "/owners/999999",
        "/quarantine?vehicle=999999",
    ):
        async with client.get(path) as answer:
            assert answer.status == 404, path


async def test_a_rule_that_broke_is_told_with_its_car_and_its_error(world: World, someone: Open) -> None:
    client = await someone("manager")
    async with client.get("/quarantine") as answer:
        page = await answer.text()
    assert "Rule broke, judged as unsure" in page and "WTTDV0000NM000033" in page and "float division by zero" in page


async def test_odd_questions_get_a_page_not_a_fault(world: World, someone: Open) -> None:
    client = await someone("manager")
    for path in (
        "/today?day=-99",
        "/today?day=x",
        "/today?day=9999",
        "/vehicles?search=%25_%5C",
        "/vehicles?show=odd",
        "/vehicles/1?signal=9&span=7",
        "/vehicles/1?signal=99999999999",
        "/quarantine?reason=no",
        "/owners?search=%27%3B",
        "/cases/new?vehicle=x",
    ):
        async with client.get(path) as answer:
            assert answer.status == 200, path


async def test_whatever_was_written_anywhere_stays_text(world: World, someone: Open) -> None:
    async with world.admin.acquire() as connection:
        await connection.execute("UPDATE owners SET name = $1, address = $1", HOSTILE)
        await connection.execute("UPDATE vehicles SET title = $1, plate = $1", HOSTILE)
        await connection.execute("UPDATE cases SET title = $1, note = $1", HOSTILE)
        await connection.execute("UPDATE alerts SET because = $1, component = $1 || id", HOSTILE)
        await connection.execute(
            "UPDATE alerts SET evidence = jsonb_set(evidence, '{series,0,label}', to_jsonb($1::text)) "
            "WHERE evidence ? 'series'",
            HOSTILE,
        )
        await connection.execute("UPDATE messages SET body = $1, reason = $1", HOSTILE)
        await connection.execute("UPDATE replies SET body = $1", HOSTILE)
        await connection.execute("UPDATE history SET reason = $1", HOSTILE)
        await connection.execute(
            "UPDATE quarantine SET detail = $1, payload = convert_to($1, 'UTF8'), topic = $1", HOSTILE
        )
        await connection.execute("UPDATE tallies SET detail = $1, subject = $1 || name", HOSTILE)
        await connection.execute("UPDATE staff SET name = $1", HOSTILE)
        await connection.execute("UPDATE dealers SET name = $1", HOSTILE)
    client = await someone("manager")
    for route in PAGES:
        async with client.get(address(route.path, world)) as answer:
            page = await answer.text()
            assert answer.status == 200, route.path
        if answer.content_type != "text/html":
            assert answer.headers["Content-Disposition"].startswith("attachment; "), (
                f"{route.path}: a browser would show it"
            )
            continue
        assert "<script>alert" not in page and "<img" not in page and ">49<" not in page, route.path
        assert Inline.of(page) == [], route.path
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_the_case_shows_what_the_car_measured_when_it_stored_the_code_and_the_limit_of_each_chart(
    world: World, someone: Open
) -> None:
    frame = {"Vehicle.Powertrain.TractionBattery.InsulationResistance": 87.0, "Vehicle.Speed": 62.0}
    await world.admin.execute(
        "UPDATE alerts SET evidence = evidence || jsonb_build_object('freeze_frame', $2::jsonb) WHERE case_id = $1",
        world.cases["HH-EC 417"],
        frame,
    )
    page = await (await (await someone("technician")).get(f"/cases/{world.cases['HH-EC 417']}")).text()
    assert (
        "What it measured when the code was stored" in page
        and "Insulation resistance</dt><dd>87 kΩ" in page
        and "62 km/h" in page
    )
    evidence = await world.admin.fetchval(
        "SELECT evidence FROM alerts WHERE case_id = $1 LIMIT 1", world.cases["HH-EC 417"]
    )
    for limit in evidence["limits"]:
        assert re.search(re.escape(limit["label"]), page, re.I)


async def test_who_let_a_message_in_by_mistake_takes_it_back_on_the_same_page(world: World, someone: Open) -> None:
    me = await someone("advisor")
    row = await world.admin.fetchval("SELECT id FROM quarantine WHERE reason = 'odometer'")
    for path, button, result in (
        ("accept", "Accept", "Accepted: it counts"),
        ("reject", "Take back", "Taken back: the car is judged again without it"),
    ):
        page = await (await me.get("/quarantine?reason=odometer&decided=1")).text()
        form = re.search(rf'action="/quarantine/{row}/{path}">(.*?)</form>', page, re.S)
        assert form is not None and f">{button}<" in form[1]
        token = re.search(r'name="csrf" value="([^"]+)"', form[1])
        assert token is not None
        answer = await me.post(
            f"/quarantine/{row}/{path}", data={"csrf": token[1], "back": "/quarantine?reason=odometer&decided=1"}
        )
        assert result in await answer.text()
    page = await (await me.get("/quarantine?reason=odometer&decided=1")).text()
    assert (
        "Taken back by" in page
        and "the car is being judged again" in page
        and f'action="/quarantine/{row}/' not in page
    )
    await world.admin.execute("UPDATE quarantine SET taken_back_at = $2 WHERE id = $1", row, world.clock())
    assert "the car was judged again without it" in await (await me.get("/quarantine?reason=odometer&decided=1")).text()


async def test_a_password_that_is_shown_once_is_not_taken_away_by_a_live_look(world: World, someone: Open) -> None:
    me = await someone("advisor")
    path = f"/vehicles/{world.cars['HH-EC 417']}"
    page = await (await me.get(path)).text()
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token is not None and f'hx-get="{path}"' in page
    shown = await (await me.post(f"{path}/enrol", data={"csrf": token[1]})).text()
    assert "shown once" in shown and 'hx-get="' not in shown[shown.index('id="main"') : shown.index('id="main"') + 600]


async def test_the_demo_s_one_click_sign_in_is_closed_at_a_real_dealer_s(world: World, someone: Open) -> None:
    client = await someone()
    object.__setattr__(world.house, "demo", False)
    async with client.get("/sign-in") as answer:
        assert "one click" not in await answer.text()
    async with client.post("/sign-in/demo", data={"staff": "1"}, allow_redirects=False) as answer:
        assert answer.status == 404


async def test_times_are_in_the_dealer_s_zone_and_say_so_in_a_time_lapse(world: World, someone: Open) -> None:
    client = await someone("manager")
    async with client.get("/queue") as answer:
        assert 'class="lapse"' not in await answer.text()
    async with world.admin.acquire() as connection:
        await connection.execute(
            "INSERT INTO clock (anchor, started, speed, seen) VALUES ($1, $1, 600, $1)", world.clock()
        )
    for path in ("/queue", "/today", f"/cases/{world.cases['HH-EC 417']}", "/settings", "/more"):
        async with client.get(path) as answer:
            page = await answer.text()
        assert 'class="lapse"' in page and "10 min pass in each second" in page and "Mon 23 Nov 2026, 10:27" in page, (
            path
        )
