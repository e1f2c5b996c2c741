"""docs/howto/real-dealer.md, word by word: from a bare machine to the first text and its answer."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import aiohttp
import paho.mqtt.client as mqtt
import pytest

from proofs.outside import Staff, eventually
from proofs.production.sms import Sms
from proofs.traffic import TRUTH, Driver
from telltale import certificates
from telltale.data import ROOT
from tests.production.machine import Machine, Refused

PAGE = ROOT / "docs" / "howto" / "real-dealer.md"
VIN, OWNER, PASSWORD = "WVWZZZ1KZAW000123", "+4917604069020", "rehearsed and ready"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the page is followed as root")


def blocks(page: str) -> list[str]:
    """What is there to be typed, in its order."""
    return [dedent(found) for found in re.findall(r"(?:^ {4}.*\n(?:\n(?= {4}))?)+", page, re.M)]


def with_the_readers_account(block: str, provider: Sms) -> str:
    """The provider's stand-in in place of the account of the example."""
    for example, own in {
        "AC" + "0" * 32: provider.account,
        "your-token": provider.token,
        "+4930999999": f"{provider.number}\nTELLTALE_TWILIO_API={provider.url}",
    }.items():
        block = block.replace(example, own)
    return block


async def follow(page: str, machine: Machine, provider: Sms) -> dict[str, str]:
    """Type all of it: each block's first line, and what was answered."""
    public = machine.home / "etc/letsencrypt"
    live = public / "live" / "localhost"
    live.mkdir(parents=True)
    certificates.authority(public, datetime.now(UTC))
    certificates.server(public, ("localhost",), datetime.now(UTC))
    shutil.copy(public / "server.crt", live / "fullchain.pem")
    shutil.copy(public / "server.key", live / "privkey.pem")
    provider.webhook = f"{machine.url}/inbound/twilio"
    return {
        block.partition("\n")[0]: await machine.run(with_the_readers_account(block, provider)) for block in blocks(page)
    }


@as_root
async def test_who_follows_the_page_gets_from_nothing_to_the_first_text_and_its_answer(home: Path, parts: None) -> None:
    async with Sms() as provider, Machine(home) as machine:
        result = await follow(PAGE.read_text(), machine, provider)
        assert "all is well" in result["telltale check"]
        checked = json.loads(await machine.run("telltale check --json"))
        assert checked["ok"] and all(one["ok"] for one in checked["checks"]), checked
        trust = ssl.create_default_context(cafile=str(home / "etc/letsencrypt/ca.crt"))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as http:
            manager = await manager_signs_in(
                machine, http, next(words for words in result.values() if "/invitation/" in words)
            )
            await a_car_reports_a_fault(
                machine, json.loads(next(words for line, words in result.items() if "enrol" in line))
            )
            case = (await eventually(lambda: first(manager, "/cases"), 60, "a case at the desk"))["id"]
            await by_day_and_night(manager)
            await manager.post(f"/cases/{case}/offers", kind="tow")  # nobody drives a car whose engine is too hot
            text = await eventually(lambda: with_a_link(provider, f"{machine.url}/o/"), 60, "the offer")
            assert text.body.startswith("Autohaus Nord")
            assert await provider.deliver(http, machine.url, sender=OWNER, to=provider.number, body="1") < 300
            booking = await eventually(
                lambda: first(manager, "/bookings", case=case), 60, "the owner's answer at the desk"
            )
            assert booking["state"] == "agreed"


async def manager_signs_in(machine: Machine, http: aiohttp.ClientSession, invitations: str) -> Staff:
    """The first link of those that were printed is the manager's."""
    link = re.findall(r"https://\S+/invitation/[\w-]+", invitations)[0]
    form, headers = {"password": PASSWORD, "again": PASSWORD}, {"Sec-Fetch-Site": "same-origin", "Origin": machine.url}
    async with http.post(link, data=form, headers=headers, allow_redirects=False) as answer:
        assert answer.status in (200, 303), await answer.text()
    manager = Staff(machine.url, http)
    await manager.sign_in("ruth@nord.example", PASSWORD)
    return manager


async def a_car_reports_a_fault(machine: Machine, card: dict[str, Any]) -> None:
    """Its engine has run hot; all was acknowledged by the broker."""
    driver = Driver("hot", 1, datetime.now(UTC) - timedelta(hours=1))
    assert TRUTH[driver.kind]
    car = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=VIN)
    car.username_pw_set(card["username"], card["password"])
    car.tls_set(str(machine.home / "etc/telltale/certificates/ca.crt"))
    await asyncio.to_thread(car.connect, "localhost", machine.ports["8883"])
    car.loop_start()
    for seq in range(1, 100):
        ts, signals = driver.next()
        body = json.dumps({"boot": 1, "seq": seq, "oldest": 1, "ts": ts, "signals": signals})
        await asyncio.to_thread(
            car.publish(f"vehicles/{card['bucket']}/{VIN}/up/telemetry", body, qos=1).wait_for_publish, 30
        )
    car.disconnect()
    car.loop_stop()


async def by_day_and_night(manager: Staff) -> None:
    """The test may run while owners sleep: this one is not to be left in peace."""
    owner = (await manager.get("/vehicles", vin=VIN))["items"][0]["owner_id"]
    await manager.patch(f"/owners/{owner}", quiet_from="00:00", quiet_to="00:00")


async def first(staff: Staff, path: str, **query: Any) -> Any:
    return next(iter((await staff.get(path, **query))["items"]), None)


async def with_a_link(provider: Sms, link: str) -> Any:
    return next((text for text in provider.to(OWNER) if link in text.body), None)


@as_root
async def test_a_block_that_is_broken_is_noticed(home: Path, parts: None) -> None:
    page = PAGE.read_text()
    async with Sms() as provider, Machine(home) as machine:
        with pytest.raises(Refused, match="telltale-migrate"):
            await follow(page.replace("LOGIN CREATEROLE", "LOGIN"), machine, provider)
