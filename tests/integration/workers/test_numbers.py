"""From which number a dealer's texts go out, and whether an answer to it finds its way: a landline cannot be texted."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from dealer_api.application import build
from dealer_api.inbound import trust
from dealer_api.live import Live
from proofs.production.sms import Sms
from providers.register import ProviderSettings
from providers.twilio.sending import Twilio
from schemas.message import OwnerRecipient, Purpose
from store import accounts
from store.pool import transaction
from tests.conftest import Database
from tests.integration.workers.conftest import Scene
from tests.standing import PoolAs
from workers import missed_replies

HOUSE = "+4917604069100"  # TELLTALE_TWILIO_FROM


@dataclasses.dataclass
class Texting:
    """A dealer whose phone is a landline, the provider's stand-in, and our door for what comes in."""

    scene: Any
    context: Any
    sms: Twilio
    provider: Sms
    door: TestClient[Any, Any]

    async def text(self) -> str:
        """Send one to the owner; the number that it came from."""
        to = OwnerRecipient(self.scene.owner.id, "sms", self.scene.owner.phone, "de")
        await dataclasses.replace(self.scene, context=self.context).queue(to=to, purpose=Purpose.STATUS)
        await dataclasses.replace(self.scene, context=self.context).send_all()
        return self.provider.to(self.scene.owner.phone)[-1].sender

    async def answer(self, to: str) -> None:
        base = str(self.door.make_url("")).rstrip("/")
        self.scene.house.__dict__["base_url"] = base
        assert (
            await self.provider.deliver(self.door.session, base, sender=self.scene.owner.phone, to=to, body="STOP")
            == 200
        )

    async def stopped(self) -> bool:
        return (
            await self.scene.admin.fetchval(
                "SELECT stopped_at IS NOT NULL FROM owners WHERE id = $1", self.scene.owner.id
            )
            is True
        )


@pytest.fixture
async def texting(scene: Scene, database: Database) -> AsyncIterator[Texting]:
    await scene.admin.execute("DELETE FROM senders")
    async with Sms() as provider:
        sms = Twilio(provider.account, provider.token, HOUSE, api=provider.url)
        app = build(
            scene.house,
            Live(database.role("desk")),
            extensions=(lambda app: trust(ProviderSettings(twilio_token=provider.token), app),),
        )
        async with TestClient(TestServer(app)) as door:
            yield Texting(
                scene,
                dataclasses.replace(scene.context, channels={**scene.context.channels, "sms": sms}),
                sms,
                provider,
                door,
            )
        await sms.close()


async def test_without_a_number_of_its_own_a_dealer_texts_from_the_houses_and_hears_the_answer(
    texting: Texting,
) -> None:
    await missed_replies.once(texting.context, texting.sms)
    assert await texting.text() == HOUSE
    await texting.answer(HOUSE)
    assert await texting.stopped()


async def test_a_number_of_ones_own_comes_first(texting: Texting, pool_as: PoolAs) -> None:
    async with transaction(await pool_as("office")) as connection:
        await accounts.set_sender(connection, "+4917604069101", texting.scene.dealer.id, "sms")
    await missed_replies.once(texting.context, texting.sms)
    assert await texting.text() == "+4917604069101"
    assert await texting.scene.admin.fetchval("SELECT count(*) FROM senders") == 1
    await texting.answer("+4917604069101")
    assert await texting.stopped()


async def test_where_two_dealers_have_no_number_the_houses_is_nobodys(texting: Texting, pool_as: PoolAs) -> None:
    async with transaction(await pool_as("office")) as connection:
        await accounts.create_dealer(
            connection,
            name="Süd",
            zone="Europe/Berlin",
            country="DE",
            phone="+498966969100",
            address="Weg 2",
            opening_hours="Mo-Fr 08:00-18:00",
            language="de",
            now=texting.scene.clock(),
        )
    await missed_replies.once(texting.context, texting.sms)
    assert await texting.scene.admin.fetchval("SELECT count(*) FROM senders") == 0


async def test_a_messaging_service_is_no_number_that_could_be_answered(texting: Texting) -> None:
    service = Twilio(texting.provider.account, texting.provider.token, "MG0123", api=texting.provider.url)
    await missed_replies.once(texting.context, service)
    assert await texting.scene.admin.fetchval("SELECT count(*) FROM senders") == 0
    context = dataclasses.replace(texting.context, channels={**texting.context.channels, "sms": service})
    assert await dataclasses.replace(texting, context=context).text() == "MG0123"
    await service.close()
