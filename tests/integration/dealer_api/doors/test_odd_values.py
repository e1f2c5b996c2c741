"""Whatever stands in an address, a body, a cursor, a form or a header is refused in words or taken, and never our
bug.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from dealer_api import bodies
from dealer_api.routes import ROUTES
from proofs.doors.callers import NOBODY, Caller, knock
from proofs.doors.requests import FORMS, Knock
from proofs.doors.values import ODD, ODD_KEYS, ODD_TEXTS, cursor
from tests.integration.dealer_api.conftest import Desk
from tests.reading_code import asked_for

API = [route for route in ROUTES if route.is_api and route.path != "/api/v1/session"]
ODD_ADDRESSED = [text.encode("utf-8", "replace").decode() for text in ODD_TEXTS if len(text) < 4_000]
PAGES = [route for route in ROUTES if not route.is_api and not route.streams and not route.demo]


def some(values, place, *always, count=8):
    """A handful of them, the same ones at each run and others at each place; `telltale prove doors` has time for
    all.
    """
    return [*always, *random.Random(str(place)).sample(list(values), count)]


class Bugs:
    """Every answer that was our fault, in words."""

    def __init__(self, doors) -> None:
        self._doors, self.found, self.tried = doors, [], 0

    async def ask(self, caller: Caller, ask: Knock, key: str | None = None):
        self.tried += 1
        answer = await knock(self._doors.http, self._doors.url, caller, ask, key=key)
        if answer.status >= 500 or (
            answer.status == 422 and answer.media == "application/problem+json" and not answer.json().get("field")
        ):
            result = ask.json if ask.json is not None else ask.form if ask.form is not None else ask.query
            self.found.append(f"{ask.method} {ask.path[:80]} {str(result)[:160]} -> {answer.status}")
        return answer


@pytest.fixture
def bugs(doors):
    return Bugs(doors)


async def test_the_queries_of_the_api_take_odd_values(doors, bugs):
    made = doors.dealers[0]
    caller = doors.people[made.id, "manager"]
    for route in API:
        for name in [] if route.query is None else route.query.model_fields:
            values = [cursor(key) for key in ODD_KEYS] if name == "cursor" else []
            for value in (
                *values,
                *some(ODD_ADDRESSED, (route.path, name), "a\x00b", "9" * 40, "0001-01-01", "9999-12-31T23:59:59-14:00"),
            ):
                await bugs.ask(caller, Knock(route.method, doors.requests[made.id].path(route), query={name: value}))
    assert bugs.tried > 400 and not bugs.found, bugs.found


async def test_a_value_without_a_name_is_refused_in_words_too(doors, bugs):
    caller = doors.people[doors.dealers[0].id, "manager"]
    for path in ("/api/v1/quarantine", "/queue"):
        await bugs.ask(caller, Knock("GET", path, query={"": "a\x00b"}))
    await bugs.ask(caller, Knock("POST", "/api/v1/cases", json={"": "a\x00b"}))
    assert bugs.tried == 3 and not bugs.found, bugs.found


async def test_the_bodies_of_the_api_take_odd_values_in_each_field(doors, bugs):
    made = doors.dealers[0]
    caller, requests = doors.people[made.id, "manager"], doors.requests[made.id]
    for route in API:
        if route.body is None:
            continue
        whole = requests.knock(route)
        for body in ([], "x", 1, [[[[]]]], {"unknown": 1}):
            await bugs.ask(caller, Knock(route.method, whole.path, json=body))
        for name in route.body.model_fields:
            for value in some(
                ODD, (route.path, name), None, "a\x00b", 2**63, 10**4_000, "9999-12-31T23:59:59-14:00", count=6
            ):
                await bugs.ask(caller, Knock(route.method, whole.path, json={**whole.json, name: value}))
    assert bugs.tried > 1_000 and not bugs.found, bugs.found


async def test_a_list_takes_odd_cells_and_odd_bytes(doors, bugs):
    made = doors.dealers[0]
    caller = doors.people[made.id, "manager"]
    columns = (
        "name",
        "phone",
        "email",
        "language",
        "zone",
        "address",
        "vin",
        "title",
        "plate",
        "profile",
        "consent_service",
        "consent_at",
        "consent_wording",
    )
    good = {
        "name": "A",
        "phone": "+4930222",
        "vin": "WTTBDLST000000001",
        "title": "x",
        "profile": "petrol_hatch",
        "consent_wording": "yes",
    }
    for column in columns:
        for value in some(ODD_TEXTS, column, "a\x00b", "9999-12-31T23:59:59-14:00"):
            cell = value.replace('"', "'")
            line = ";".join(f'"{cell if name == column else good.get(name, "")}"' for name in columns)
            await bugs.ask(
                caller, Knock("POST", "/api/v1/imports", text=f"{';'.join(columns)}\n{line}\n", media="text/csv")
            )
    for text in (
        "",
        "\x00",
        "name\n\x00",
        "name;vin;title;profile\n" + ";" * 500,
        '"',
        "name;name;vin;title;profile\na;b;c;d;e",
    ):
        await bugs.ask(caller, Knock("POST", "/api/v1/imports", text=text, media="text/csv"))
    assert not bugs.found, bugs.found


async def test_the_numbers_and_links_of_addresses_take_odd_values(doors, bugs):
    made = doors.dealers[0]
    caller, requests = doors.people[made.id, "manager"], doors.requests[made.id]
    for route in ROUTES:
        if "{" not in route.path or route.streams:
            continue
        whole = requests.knock(route)
        for value in some(
            ("0", "-1", "9" * 4_000, "%D9%A1", "1.5", "x", "1%00", "%ED%A0%80", "%FF", "%2e%2e%2f", "%20"),
            route,
            "9" * 18,
            "9" * 19,
            "%C2%B2",
            "%00",
            "%0d%0aX:1",
            count=3,
        ):
            await bugs.ask(caller, whole.to(re.sub(r"{\w+}", value, route.path)))
    assert bugs.tried > 500 and not bugs.found, bugs.found


async def test_the_queries_of_pages_take_odd_values(doors, bugs):
    made = doors.dealers[0]
    caller, requests = doors.people[made.id, "manager"], doors.requests[made.id]
    for route in PAGES:
        for name in sorted(asked_for(route.handler)[0]) if route.method == "GET" else ():
            for value in some(ODD_ADDRESSED, (route.path, name), "a\x00b", "²", "9" * 40):
                await bugs.ask(caller, Knock("GET", requests.path(route), query={name: value}))
    assert bugs.tried > 100 and not bugs.found, bugs.found


async def test_the_forms_of_pages_take_odd_values_in_each_field(doors, bugs):
    made = doors.dealers[0]
    people, requests = doors.people, doors.requests[made.id]
    for route in PAGES:
        if route.method != "POST":
            continue
        caller = (
            NOBODY
            if route.permission.public
            else people[made.id, "driver" if route.path == "/driver/move" else "manager"]
        )
        whole = requests.knock(route)
        form = whole.form or ()  # a door for signed mails takes none
        named = {*dict(form), *asked_for(route.handler)[1]}
        for name in sorted(named - {"csrf"}):
            for value in some(ODD_TEXTS, (route.path, name), "a\x00b", "²", "9" * 40, count=5):
                if route.path in ("/sign-in", "/sign-out"):
                    continue
                fields = [(n, v) for n, v in form if n != name] + [(name, value.encode("utf-8", "replace").decode())]
                await bugs.ask(caller, Knock("POST", whole.path, form=fields))
    assert bugs.tried > 500 and not bugs.found, bugs.found


async def test_bodies_that_are_no_form_are_refused_in_words(doors, bugs):
    made = doors.dealers[0]
    caller, requests = doors.people[made.id, "manager"], doors.requests[made.id]
    for route in PAGES:
        if route.method == "POST" and route.path != "/sign-out":
            path = requests.path(route)
            for media, body in (
                ("application/x-www-form-urlencoded; charset=nonsense", "a=b"),
                ("application/x-www-form-urlencoded; charset=utf-16", "a=b"),
                ("multipart/form-data", "a"),
                ("multipart/form-data; boundary=x", "--x\r\nnonsense"),
                ("multipart/form-data; boundary=x", "--x--"),
                ("application/json", "{"),
                ("application/json", "[]"),
                ("text/plain", "\x00"),
                ("application/x-www-form-urlencoded", "%FF=%ED%A0%80&a=%00"),
                ("", ""),
            ):
                await bugs.ask(caller, Knock("POST", path, text=body, media=media))
    assert not bugs.found, bugs.found


async def test_headers_take_odd_values(doors, bugs):
    made = doors.dealers[0]
    manager = doors.people[made.id, "manager"]
    odd = ("\xff", "tk_\xff", "tk_" + "x" * 5_000, "Bearer", "a b c", "\t", "é" * 100, "٣")
    for value in odd:
        for path in ("/api/v1/cases", "/queue", "/driver", "/o/x", "/sign-in"):
            for headers in (
                {"Authorization": f"Bearer {value}"},
                {"Cookie": f"telltale_session={value}"},
                {"Cookie": f"telltale_note={value}"},
                {"Accept-Language": value},
                {"Origin": value},
                {"Sec-Fetch-Site": value},
                {"X-CSRF-Token": value},
                {"Content-Type": value},
            ):
                for method in ("GET", "POST"):
                    async with doors.http.request(
                        method, doors.url + path, headers={**manager.headers, **headers}, allow_redirects=False
                    ) as response:
                        bugs.tried += 1
                        if response.status >= 500:
                            bugs.found.append(f"{method} {path} {headers} -> {response.status}")
        await bugs.ask(manager, Knock("POST", "/api/v1/cases", json={}), key=value)
    assert not bugs.found, bugs.found


@pytest.mark.parametrize(
    "ask",
    [
        'PATCH /owners/1 {"name":null}',
        'PATCH /owners/1 {"zone":null}',
        'PATCH /owners/1 {"quiet_from":null}',
        'PATCH /vehicles/1 {"title":null}',
        'POST /owners {"name":"O\\u0000x","phone":"0176 04069026"}',
        "GET /owners?search=%00",
        "GET /vehicles?search=%00",
        "GET /legs?day=9999-12-31",
        "GET /legs?day=0001-01-01",
        "GET /vehicles?owner=99999999999999999999",
        "GET /owners?cursor=WyJhIiwgIngiXQ==",
        "GET /alerts?cursor=WyJ4Il0=",
        "GET /cases?cursor=WyJ4IiwgIngiLCAieCJd",
        "GET /bookings?cursor=WyJ4IiwgIngiXQ==",
        "GET /vehicles?cursor=WyJ4Il0=",
        "GET /quarantine?cursor=WyJ4Il0=",
    ],
)
async def test_what_once_was_a_500_names_its_field(desk: Desk, ask):
    method, path, *body = ask.split(" ", 2)
    client = await desk.as_role("manager")
    await desk.post(client, "/api/v1/owners", {"name": "O", "phone": "0176 04069025"})
    await desk.post(client, "/api/v1/vehicles", {"vin": "WTTBD000000000001", "profile": "petrol_hatch", "title": "x"})
    headers = {"Idempotency-Key": ask.encode("ascii", "backslashreplace").decode(), "Content-Type": "application/json"}
    response = await client.request(method, f"/api/v1{path}", data=body[0] if body else None, headers=headers)
    assert response.status == 422 and (await response.json(content_type=None))["field"] in path + "".join(body)


@pytest.mark.parametrize("path", ["/owners?search=%00", "/vehicles?search=%00", "/queue?show=%00", "/today?day=%00"])
async def test_a_page_refuses_what_cannot_be_stored_in_words(desk: Desk, path):
    response = await (await desk.as_role("manager")).get(path)
    assert response.status == 422 and "cannot be stored" in await response.text()


def test_forms_and_numbers_are_read_in_one_place():
    """What is read elsewhere is not bounded: another alphabet's digits, a form that is none."""
    room = Path(bodies.__file__).parent
    for file in room.rglob("*.py"):
        if file.name != "bodies.py":
            found = re.findall(r"\.post\(\)|\bint\((?:said|asked|str|form)\b", file.read_text())
            assert not found, (file, found)


def test_the_form_of_each_page_is_known():
    assert {route.path for route in ROUTES if route.method == "POST" and not route.is_api} == set(FORMS)
