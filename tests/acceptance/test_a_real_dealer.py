"""A dealer without any demo data: made by our commands, then from a list of owners to a booked pickup over the
documented API alone.

The client below knows nothing but the OpenAPI document: it finds each call by its name, refuses to send a body that the
document does not allow, and refuses an answer that is not as described.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest

from dealer_api import running
from rules.service.wording import Wording
from telltale import data
from telltale.settings import PLAIN, PREFIX, Settings
from tests.conftest import Database
from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
VIN = "WVWZZZ1JZXW000017"
LIST = f"""name,phone,email,language,address,vin,title,plate,profile,consent_safety,consent_service,consent_status,consent_at,consent_source,consent_wording
Greta Holm,+47 22 12 34 56,,en,"Storgata 1, Oslo",{VIN},Family car,EL 12345,petrol_hatch,yes,yes,yes,2026-01-10T09:00+01:00,order form,Text me about my car.
Nobody,,,,,{VIN[:-1]}8,Car,,petrol_hatch,,,,,,
"""  # noqa: E501 - a list as a dealer has it


class Documented:
    """The API as its own description tells it."""

    def __init__(self, base: str, http: aiohttp.ClientSession, document: dict[str, Any], key: str) -> None:
        self.base, self.http, self.document, self.key = base, http, document, key
        self.calls = {
            operation["operationId"]: (method, path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }

    async def __call__(self, name: str, body: Any = None, **parameters: Any) -> Any:
        method, path, operation = self.calls[name]
        known = {p["name"]: p for p in operation["parameters"]}
        assert set(parameters) <= set(known), f"{name} does not take {set(parameters) - set(known)}"
        headers = {
            "Authorization": f"Bearer {self.key}",
            **({"Idempotency-Key": uuid.uuid4().hex} if "Idempotency-Key" in known else {}),
        }
        query = {n: str(v) for n, v in parameters.items() if known[n]["in"] == "query"}
        path = re.sub(r"{(\w+)}", lambda match: str(parameters[match[1]]), path)
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            self._validate(body if body is not None else {}, content["application/json"]["schema"])
            sent: dict[str, Any] = {"json": body if body is not None else {}}
        else:
            sent = {"data": body} if body is not None else {}
            headers |= {"Content-Type": next(iter(content))} if content else {}
        async with self.http.request(method.upper(), self.base + path, params=query, headers=headers, **sent) as answer:
            text = await answer.text()
            assert str(answer.status) in operation["responses"], (
                f"{name} answered {answer.status}, which is not described: {text}"
            )
            parsed = json.loads(text)
            self._validate(parsed, operation["responses"][str(answer.status)]["content"]["application/json"]["schema"])
            return parsed

    def _validate(self, value: Any, schema: dict[str, Any]) -> None:
        whole = {**schema, "components": self.document["components"]}
        jsonschema.Draft202012Validator(whole).validate(value)


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[str]:
    """The desk as its service runs it."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    service = asyncio.create_task(
        running.run(
            desk_url=database.role("desk"),
            owner_url=database.role("owner_page"),
            clock=lambda: datetime.now(UTC),
            wording=Wording(data.texts()),
            secret=database.secret,
            profiles=data.profiles(),
            ready=lambda **facts: ready.set_result(facts["url"]),
        )
    )
    done, _ = await asyncio.wait({service, ready}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
    assert ready in done, service.exception() if service in done else "the desk did not come up"
    yield ready.result()
    service.cancel()
    await asyncio.gather(service, return_exceptions=True)


async def telltale(database: Any, home: Path, *arguments: str) -> dict[str, Any]:
    """One of our commands, as a shell runs it."""
    settings = {PLAIN.get(name, PREFIX + name.upper()) for name in Settings.model_fields}
    environment = {name: value for name, value in os.environ.items() if name not in settings}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "telltale", *arguments, "--json"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        cwd=ROOT,
        env={
            **environment,
            "DATABASE_URL": database.url,
            "TELLTALE_SECRET": database.secret,
            "TELLTALE_HOME": str(home),
        },
    )
    assert done.returncode == 0, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


async def test_a_real_dealer_gets_from_a_list_to_a_booked_pickup_with_the_documented_api(
    database: Database, desk, home
):
    await telltale(
        database,
        home,
        "dealer",
        "create",
        "Fjord Bil",
        "--zone",
        "Europe/Oslo",
        "--country",
        "NO",
        "--phone",
        "+4722000000",
        "--address",
        "Verkstedveien 1, Oslo",
        "--hours",
        "Mo-Su 08:00-18:00",
        "--language",
        "en",
    )
    for role in ("advisor", "driver"):
        invited = await telltale(
            database, home, "staff", "invite", f"{role}@fjord.example", "--name", f"{role.title()} Lund", "--role", role
        )
        assert "/invitation/" in invited["link"]
    key = (await telltale(database, home, "key", "create", "acceptance", "--scope", "all"))["key"]

    async with aiohttp.ClientSession() as http:
        document = await (await http.get(f"{desk}/api/v1/openapi.json")).json()
        api = Documented(desk, http, document, key)

        report = await api("post_imports", LIST)
        assert (report["owners_added"], report["vehicles_added"], report["consents_recorded"]) == (1, 1, 3)
        assert [(one["line"], one["field"]) for one in report["refused"]] == [(3, "phone")]

        car = (await api("get_vehicles", vin=VIN))["items"][0]
        credentials = await telltale(database, home, "vehicle", "enrol", VIN)
        assert credentials["username"] == VIN and (await api("get_vehicles_id", id=car["id"]))["enrolled_at"]

        case = await api("post_cases", {"vehicle_id": car["id"], "note": "The brakes squeal.", "severity": "soon"})
        assert case["owner"] == "Greta Holm" and case["next_step"]["act"] == "offer"
        offer = await api("post_cases_id_offers", {"kind": "pickup"}, id=case["id"])
        assert [choice["choice"] for choice in offer["choices"]] == [1, 2]
        booking = await api("post_offers_id_accept", {"choice": 1}, id=offer["id"])
        assert booking["state"] == "agreed" and booking["address"] == "Storgata 1, Oslo"

        case = await api("get_cases_id", id=case["id"])
        assert case["state"] == "booked" and case["next_step"]["act"] == "move"
        legs = (await api("get_legs", booking=booking["id"]))["items"]
        assert [(leg["kind"], leg["driver"]) for leg in legs] == [("collect", "Driver Lund"), ("return", "Driver Lund")]
        texts = [line["body"] for line in case["conversation"]]
        assert len(texts) == 2 and texts[0].startswith("Fjord Bil") and f"{desk}/o/" in texts[0]


async def test_an_invited_colleague_chooses_a_password_and_takes_a_case_by_hand(database: Database, desk, home):
    await telltale(
        database,
        home,
        "dealer",
        "create",
        "Fjord Bil",
        "--zone",
        "Europe/Oslo",
        "--country",
        "NO",
        "--phone",
        "+4722000000",
        "--address",
        "Verkstedveien 1, Oslo",
    )
    link = (
        await telltale(
            database, home, "staff", "invite", "kari@fjord.example", "--name", "Kari Lund", "--role", "advisor"
        )
    )["link"]
    await telltale(database, home, "vehicle", "enrol", VIN, "--profile", "petrol_hatch", "--title", "Family car")
    page = desk + "/invitation/" + link.rpartition("/")[2]
    own = {"Sec-Fetch-Site": "same-origin"}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        for _ in range(3):  # a link preview may look as often as it likes
            assert (await http.get(page)).status == 200
        chosen = {"password": "fjord and mountain", "again": "fjord and mountain"}
        assert (await http.post(page, data=chosen, headers=own, allow_redirects=False)).status in (200, 303)
        assert (await http.post(page, data=chosen, headers=own, allow_redirects=False)).status in (404, 409, 410), (
            "an invitation works once"
        )
        signed_in = await http.post(
            f"{desk}/api/v1/session", json={"email": "kari@fjord.example", "password": "fjord and mountain"}
        )
        assert signed_in.status == 201
        car = (await (await http.get(f"{desk}/api/v1/vehicles")).json())["items"][0]
        opened = await http.post(
            f"{desk}/api/v1/cases",
            json={"vehicle_id": car["id"], "note": "It squeals."},
            headers={"Idempotency-Key": "1"},
        )
        case = await opened.json()
        assert opened.status == 201 and case["assignee"] == "Kari Lund" and case["next_step"]["act"] == "owner"
