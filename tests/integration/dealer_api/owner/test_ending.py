"""The link of a mail: looking changes nothing, one press is a STOP, a hundred are one, and it can be taken back."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from rules.service import letters
from schemas.message import Draft, MessageKind, OwnerRecipient, Purpose
from store import messages, owners
from store.pool import transaction
from tests.integration.dealer_api.owner.conftest import Looking, World

BOX = "jo@muster.example"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
async def path(world: World) -> str:
    """Of a mail to the owner."""
    async with transaction(world.desk.house.pool, world.dealer_id) as connection:
        await owners.update(connection, world.dealer_id, world.owner_id, {"email": BOX})
        draft = Draft(
            dealer_id=world.dealer_id,
            to=OwnerRecipient(world.owner_id, "email", BOX, "en"),
            kind=MessageKind.FREE,
            purpose=Purpose.STATUS,
            author="test",
        )
        found = await messages.queue(connection, draft, "hello", world.desk.clock())
        key = await world.desk.house.key_holder.key(connection)
    return f"/u/{letters.end_token(key, world.dealer_id, found)}"


async def _stopped(world: World) -> bool:
    return bool(await world.desk.admin.fetchval("SELECT stopped_at FROM owners WHERE id = $1", world.owner_id))


async def test_fifty_looks_change_no_row_and_show_one_button(world: World, path: str) -> None:
    before = await world.rows()
    pages = await asyncio.gather(*(world.get(path) for _ in range(50)))
    assert await world.rows() == before
    assert "No more texts" in pages[0] and BOX in pages[0] and pages[0].count("<button") == 1


async def test_one_press_ends_everything_with_one_confirmation_and_no_redirect(world: World, path: str) -> None:
    await world.offer()
    assert await world.post(path, 200, **ONE_CLICK) == ""
    assert await _stopped(world)
    assert len(await world.texts("stopped")) == 1
    rows = await world.desk.admin.fetch("SELECT kind, state FROM messages WHERE owner_id = $1", world.owner_id)
    assert {row["state"] for row in rows if row["kind"] != "stopped"} == {"cancelled"}
    source = "SELECT DISTINCT source FROM consents WHERE owner_id = $1 AND NOT given"
    assert await world.desk.admin.fetchval(source, world.owner_id) == "STOP by the link of a mail"
    assert "You get no more texts" in await world.get(path)


async def test_a_hundred_presses_at_once_are_one(world: World, path: str) -> None:
    """A house that has too much to do at once answers 503, and whoever pressed is asked again by their mail program."""

    async def pressed() -> None:
        for _ in range(100):
            async with world.web.post(path, data=ONE_CLICK) as answer:
                if answer.status != 503:
                    assert answer.status == 200
                    return
        raise AssertionError("never answered")

    await asyncio.gather(*(pressed() for _ in range(100)))
    assert await _stopped(world) and len(await world.texts("stopped")) == 1


async def test_it_can_be_taken_back_and_said_again(world: World, path: str) -> None:
    await world.post(path, 200, **ONE_CLICK)
    await world.post(f"{path}/start", 200)
    assert not await _stopped(world)
    await world.post(path, 200, **ONE_CLICK)
    assert await _stopped(world) and len(await world.texts("stopped")) == 2


async def test_a_link_that_we_never_made_is_none(world: World, path: str) -> None:
    number = path.split("-")[1]
    for forged in (
        path[:-1] + ("0" if path[-1] != "0" else "1"),
        path.replace(f"-{number}-", "-777-"),
        "/u/" + "x" * 43,
    ):
        await world.post(forged, 404, **ONE_CLICK)
    assert not await _stopped(world)


async def test_a_mail_to_somebody_who_was_erased_opens_nothing(world: World, path: str) -> None:
    await world.desk.admin.execute("UPDATE owners SET erased_at = now() WHERE id = $1", world.owner_id)
    await world.get(path, 410)


@pytest.mark.browser
async def test_the_button_can_be_read_and_pressed_without_script(world: World, path: str, looking: Looking) -> None:
    page = await looking.page(java_script_enabled=False)
    await page.goto(path)
    button = page.get_by_role("button", name="Stop all texts")
    assert await button.evaluate("one => getComputedStyle(one).backgroundColor") == "rgba(0, 0, 0, 0)", "red on paper"
    await button.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Texts are off")
    assert await _stopped(world)
