"""The house's inbox: one conversation with each owner, whose it is, until when it rests, what colleagues note."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from actions import inbox as acts
from schemas.errors import BadInput
from schemas.thread import Reply
from store import threads
from store.pool import transaction
from store.views import inbox
from tests.integration.dealer_api.conftest import Desk, agrees


async def _owner(desk: Desk, name: str, number: str) -> Any:
    manager = await desk.as_role("manager")
    owner = await desk.post(
        manager, "/api/v1/owners", {"name": name, "phone": number, "language": "en", "address": "Lindenweg 3, Berlin"}
    )
    await agrees(desk, owner["id"])
    return owner


async def _writes(desk: Desk, owner: Any, body: str) -> None:
    dealer = await desk.admin.fetchval("SELECT dealer_id FROM owners WHERE id = $1", owner["id"])
    count = await desk.admin.fetchval("SELECT count(*) FROM replies")
    reply = Reply(
        channel="phone",
        provider_id=f"n{count}",
        from_address=owner["phone"],
        to_address="x",
        body=body,
        received_at=desk.clock(),
    )
    async with transaction(desk.admin) as connection:
        await threads.keep(connection, dealer, reply, owner_id=owner["id"], understood="other", for_a_person=True)


async def _page(client: Any, path: str) -> str:
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return " ".join((await answer.text()).split())


async def _press(client: Any, path: str, **fields: str) -> str:
    """A form as a browser without script sends it; the next page."""
    page = await _page(client, re.sub(r"(/\d+)/.*", r"\1", path) if path.startswith("/inbox/") else "/quick-replies")
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None
    async with client.post(path, data={"csrf": csrf[1], **fields}) as answer:
        assert answer.status == 200, await answer.text()
        return " ".join((await answer.text()).split())


async def test_who_waits_longest_stands_first_until_somebody_answers(desk: Desk) -> None:
    first, second = await _owner(desk, "Anna Berg", "0170 1234567"), await _owner(desk, "Bo Lund", "0170 1234568")
    await _writes(desk, first, "Is it safe to drive?")
    desk.clock.on(minutes=20)
    await _writes(desk, second, "Can you ring me?")
    advisor = await desk.as_role("advisor")
    page = await _page(advisor, "/inbox")
    assert page.index("Anna Berg") < page.index("Bo Lund") and "waits 20 min" in page
    await _press(advisor, f"/inbox/{first['id']}/texts", body="Yes, it is.")
    page = await _page(advisor, "/inbox")
    assert "Anna Berg" not in page and "Bo Lund" in page
    page = await _page(advisor, f"/inbox/{first['id']}")
    assert "Is it safe to drive?" in page and "Yes, it is." in page and "waits for us" not in page


async def test_it_is_taken_handed_on_rests_and_is_woken_by_a_new_word(desk: Desk) -> None:
    owner = await _owner(desk, "Anna Berg", "0170 1234567")
    await _writes(desk, owner, "Is it safe to drive?")
    advisor, path = await desk.as_role("advisor"), f"/inbox/{owner['id']}"
    assert "Anna Berg" in await _page(advisor, "/inbox?show=unread")
    await _press(advisor, f"{path}/assign", staff="me")
    assert "Anna Berg" in await _page(advisor, "/inbox?show=mine")
    await _press(advisor, f"{path}/snooze", until="tomorrow")
    assert "Anna Berg" not in await _page(advisor, "/inbox?show=waiting")
    assert "Anna Berg" in await _page(advisor, "/inbox?show=snoozed")
    await _writes(desk, owner, "Hello?")
    assert "Anna Berg" in await _page(advisor, "/inbox?show=waiting")
    technician = await desk.admin.fetchval("SELECT id FROM staff WHERE role = 'technician'")
    assert "does not answer owners" in await _press(advisor, f"{path}/assign", staff=str(technician))


async def test_a_note_tells_the_colleague_it_names_and_never_the_owner(desk: Desk) -> None:
    owner = await _owner(desk, "Anna Berg", "0170 1234567")
    advisor, path = await desk.as_role("advisor"), f"/inbox/{owner['id']}"
    names = [row["name"] for row in await desk.admin.fetch("SELECT name FROM staff WHERE role = 'manager' ORDER BY id")]
    page = await _press(advisor, f"{path}/notes", note=f"@{''.join(names[0].split())} may we lend her the blue one?")
    assert "may we lend her the blue one?" in page and "only for us" in page
    job = await desk.admin.fetchrow("SELECT topic, subject_id FROM wakeups WHERE topic = 'note'")
    assert job is not None
    assert await desk.admin.fetchval("SELECT count(*) FROM messages WHERE body LIKE '%lend her%'") == 0
    page = await _press(advisor, f"{path}/notes", note="@Nobodyhere look")
    assert "nobody here is called @Nobodyhere" in page
    assert await desk.admin.fetchval("SELECT count(*) FROM thread_notes") == 1


async def test_a_draft_is_kept_and_a_colleague_sees_that_somebody_writes(desk: Desk) -> None:
    owner = await _owner(desk, "Anna Berg", "0170 1234567")
    advisor, manager, path = await desk.as_role("advisor"), await desk.as_role("manager"), f"/inbox/{owner['id']}"
    await _press(advisor, f"{path}/draft", body="We have looked at")
    assert "We have looked at" in await _page(advisor, path)
    page = await _page(manager, path)
    assert "writing an answer" in page and "We have looked at" not in page
    await _press(advisor, f"{path}/texts", body="We have looked at it.")
    assert "writing an answer" not in await _page(manager, path)
    assert await desk.admin.fetchval("SELECT count(*) FROM drafts") == 0


async def test_a_quick_reply_is_filled_in_and_never_leaves_with_a_field_open(desk: Desk) -> None:
    owner = await _owner(desk, "Anna Berg", "0170 1234567")
    advisor, manager, path = await desk.as_role("advisor"), await desk.as_role("manager"), f"/inbox/{owner['id']}"
    page = await _press(manager, "/quick-replies", title="Price", language="en", body="It costs {price}.")
    assert "{price} is no field" in page
    await _press(manager, "/quick-replies", title="Ready", language="en", body="{owner}, your {vehicle} is ready. {me}")
    quick = await desk.admin.fetchval("SELECT id FROM quick_replies")
    page = await _page(advisor, f"{path}?quick={quick}")
    assert "Anna Berg, your {vehicle} is ready." in page and "Fill in {vehicle} before it goes" in page
    page = await _press(advisor, f"{path}/texts", body="Anna Berg, your {vehicle} is ready.")
    assert "{vehicle} is not filled in yet" in page and "your {vehicle} is ready" in page
    assert await desk.admin.fetchval("SELECT count(*) FROM messages WHERE owner_id = $1", owner["id"]) == 0
    async with advisor.post("/quick-replies", data={"title": "x"}) as answer:
        assert answer.status in (403, 404)


async def test_looking_changes_nothing_and_pages_hold_every_conversation_once(desk: Desk) -> None:
    people = [await _owner(desk, f"Owner {n}", f"0170 12345{n:02}") for n in range(7)]
    for owner in people:
        await _writes(desk, owner, "hello")
        desk.clock.on(minutes=1)
    dealer = await desk.admin.fetchval("SELECT dealer_id FROM owners WHERE id = $1", people[0]["id"])
    advisor = await desk.as_role("advisor")
    before = await desk.admin.fetch("SELECT * FROM threads ORDER BY id")
    for _ in range(50):
        await _page(advisor, f"/inbox/{people[0]['id']}")
    assert await desk.admin.fetch("SELECT * FROM threads ORDER BY id") == before
    for show in ("waiting", "all"):
        seen: list[int] = []
        after = None
        async with transaction(desk.admin, dealer) as connection:
            while True:
                rows = await inbox.rows(connection, dealer, show, staff_id=1, now=desk.clock(), after=after, limit=3)
                seen += [row.owner_id for row in rows]
                if len(rows) < 3:
                    break
                after = (rows[-1].at, rows[-1].owner_id)
        assert sorted(seen) == sorted(owner["id"] for owner in people) and len(set(seen)) == 7
    async with advisor.get("/inbox?after=nonsense") as answer:
        assert answer.status == 422


async def test_a_rest_lies_ahead_and_not_too_far(desk: Desk) -> None:
    owner = await _owner(desk, "Anna Berg", "0170 1234567")
    dealer = await desk.admin.fetchval("SELECT dealer_id FROM owners WHERE id = $1", owner["id"])
    acting = desk.house.acting(dealer, "staff:1")
    for until in (desk.clock() - timedelta(minutes=1), desk.clock() + timedelta(days=61)):
        with pytest.raises(BadInput):
            await acts.snooze(acting, owner["id"], until)
