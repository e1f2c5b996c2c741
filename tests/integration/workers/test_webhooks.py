"""The doors for texts that come in: forged ones have no effect, repeated ones count once."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from dealer_api.application import build
from dealer_api.inbound import trust
from dealer_api.live import Live
from providers.register import ProviderSettings
from providers.twilio.sending import Twilio
from providers.twilio.signature import signature
from tests.conftest import Database
from tests.integration.workers.conftest import Scene
from workers import missed_replies

TOKEN = "twilio-secret"
FORM = {"MessageSid": "SM1", "From": "", "To": "+4930111", "Body": "STOP"}
ADDRESS = "http://desk.example/inbound/twilio"


@pytest.fixture
async def door(scene: Scene, database: Database) -> AsyncIterator[TestClient[Any, Any]]:
    app = build(
        scene.house,
        Live(database.role("desk")),
        extensions=(lambda app: trust(ProviderSettings(twilio_token=TOKEN), app),),
    )
    async with TestClient(TestServer(app)) as client:
        yield client


async def heard(scene: Any) -> int:
    found: int = await scene.admin.fetchval("SELECT count(*) FROM replies")
    return found


async def test_a_signed_text_is_heard_once_however_often_it_comes(scene: Scene, door: Any) -> None:
    form = FORM | {"From": scene.owner.phone, "Body": "STOP"}
    for _ in range(5):
        response = await door.post(
            "/inbound/twilio", data=form, headers={"X-Twilio-Signature": signature(TOKEN, ADDRESS, form)}
        )
        assert response.status == 200
        assert "<Response>" in await response.text()
    assert await heard(scene) == 1
    assert await scene.admin.fetchval("SELECT stopped_at FROM owners WHERE id = $1", scene.owner.id) is not None


@pytest.mark.parametrize(
    "forge", ["no signature", "empty", "of another body", "of another address", "of an empty token", "as json"]
)
async def test_a_forged_text_has_no_effect(scene: Scene, door: Any, forge: str) -> None:
    form = FORM | {"From": scene.owner.phone}
    good = signature(TOKEN, ADDRESS, form)
    signed = {
        "no signature": None,
        "empty": "",
        "of another body": signature(TOKEN, ADDRESS, form | {"Body": "1"}),
        "of another address": signature(TOKEN, "http://evil.example/inbound/twilio", form),
        "of an empty token": signature("", ADDRESS, form),
        "as json": good,
    }[forge]
    headers = {} if signed is None else {"X-Twilio-Signature": signed}
    response = await door.post(
        "/inbound/twilio", headers=headers, **({"json": form} if forge == "as json" else {"data": form})
    )
    assert response.status == 403
    assert await heard(scene) == 0


async def test_without_a_token_nobody_is_believed(scene: Scene, database: Database) -> None:
    app = build(scene.house, Live(database.role("desk")))
    form = FORM | {"From": scene.owner.phone}
    async with TestClient(TestServer(app)) as client:
        response = await client.post(
            "/inbound/twilio", data=form, headers={"X-Twilio-Signature": signature("", ADDRESS, form)}
        )
    assert response.status == 403


async def test_texts_that_the_door_missed_are_fetched_and_heard_once(scene: Scene, door: Any) -> None:
    async def listed(request: web.Request) -> web.Response:
        texts = [
            {"sid": "SM3", "from": scene.owner.phone, "to": "+4930111", "body": "STOP", "direction": "inbound"},
            {"sid": "SM2", "from": "+4930111", "to": scene.owner.phone, "body": "ours", "direction": "outbound-api"},
            {"sid": "SM1", "from": scene.owner.phone, "to": "+4930111", "body": "hello?", "direction": "inbound"},
        ]
        return web.json_response({"messages": texts if request.query["To"] == "+4930111" else []})

    provider = web.Application()
    provider.router.add_get("/2010-04-01/Accounts/AC1/Messages.json", listed)
    await scene.admin.execute("UPDATE senders SET channel = 'twilio'")
    async with TestServer(provider) as server:
        sms = Twilio("AC1", TOKEN, "+4930111", api=str(server.make_url("")).rstrip("/"))
        base = str(door.make_url("")).rstrip("/")
        scene.house.__dict__["base_url"] = base  # the door's real address, which only now is known
        context = dataclasses.replace(scene.context, desk_url=base)
        assert await missed_replies.once(context, sms) == 2
        assert await missed_replies.once(context, sms) == 0
        await sms.close()
    rows = await scene.admin.fetch("SELECT body, understood FROM replies ORDER BY id")
    assert [(row["body"], row["understood"]) for row in rows] == [("hello?", "other"), ("STOP", "stop")]


async def test_delivery_reports_never_go_back_from_a_final_state(scene: Scene, door: Any) -> None:
    message_id = await scene.queue(reference="m-7")
    await scene.send_all()

    async def report(status: str) -> str:
        form = {"From": "+4930111", "MessageStatus": status, "ErrorCode": "30003"}
        path = "/inbound/twilio/status?reference=m-7"
        signed = signature(TOKEN, f"http://desk.example{path}", form)
        response = await door.post(path, data=form, headers={"X-Twilio-Signature": signed})
        assert response.status == 204
        return str((await scene.message(message_id))["state"])

    assert [await report(status) for status in ("queued", "delivered", "sent", "undelivered", "failed")] == ["sent"] + [
        "delivered"
    ] * 4


async def test_the_demo_phone_is_heard_and_strangers_and_wrong_numbers_are_told_apart(scene: Scene, door: Any) -> None:
    response = await door.post("/inbound/phone", data={"from": scene.owner.phone, "to": "+4930111", "body": "hilfe"})
    assert (response.status, (await response.json())["understood"]) == (201, "help")
    response = await door.post("/inbound/phone", json={"from": "+1", "to": "+4930111", "body": "1", "id": "x"})
    assert (response.status, (await response.json())["understood"]) == (201, "other")
    assert (await door.post("/inbound/phone", json={"from": "+1", "to": "+4930999", "body": "1"})).status == 404
    assert (await door.post("/inbound/phone", json={"from": "+1", "to": "+4930111"})).status == 422
    assert (await door.post("/inbound/phone", json=[1])).status == 422
    back = await door.post(
        "/inbound/phone",
        data={"from": scene.owner.phone, "to": "+4930111", "body": "x", "back": "/phone?n=1"},
        allow_redirects=False,
    )
    assert (back.status, back.headers["Location"]) == (303, "/phone?n=1")
    assert (
        await door.post(
            "/inbound/phone",
            data={"from": "+1", "to": "+4930111", "body": "x", "back": "//evil.example"},
            allow_redirects=False,
        )
    ).status == 201


@pytest.mark.parametrize(
    "body", ["\x00stop\x00", "x" * 100_000, "\ud83d\ude00", "'; DROP TABLE owners; --", "<script>alert(1)</script>"]
)
async def test_odd_bodies_are_kept_as_words(scene: Scene, door: Any, body: str) -> None:
    response = await door.post("/inbound/phone", json={"from": scene.owner.phone, "to": "+4930111", "body": body})
    assert response.status == 201
    assert await heard(scene) == 1
