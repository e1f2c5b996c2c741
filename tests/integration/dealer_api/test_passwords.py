"""Passwords: chosen well, changed, forgotten and chosen again; and what that says to a stranger: nothing."""

from __future__ import annotations

import asyncio
import re

import pytest

from actions import password, people
from schemas.errors import NotFound
from tests.integration.dealer_api.conftest import Desk
from tests.patience import PATIENCE_S

PASSWORD, NEW = "a good long password", "seven quiet herons over Altona"
HERE = {"X-Forwarded-For": "203.0.113.7"}


@pytest.fixture
def sms(desk: Desk):
    """A house whose texts leave."""
    object.__setattr__(desk.house, "usual_channel", "sms")


def person(desk, role="advisor"):
    return desk.people[(desk.dealer.id, role)]


async def sign_in(client, email, secret, status=201):
    response = await client.post("/api/v1/session", json={"email": email, "password": secret}, headers=HERE)
    assert response.status == status, await response.text()


async def ask(desk, client, email, status=200):
    response = await client.post("/forgotten", data={"email": email}, headers=HERE)
    assert response.status == status
    text = await response.text()
    await desk.house.afterwards.done()
    return text


async def links(desk) -> list[str]:
    return [
        re.search(r"http://desk\.example(/reset/\S+)", row["body"])[1]
        for row in await desk.admin.fetch("SELECT body FROM messages WHERE kind = 'staff_reset' ORDER BY id")
    ]


async def choose(client, path, new, status=200):
    response = await client.post(path, data={"password": new, "again": new})
    assert response.status == status
    return await response.text()


async def test_a_forgotten_password_is_chosen_again_by_a_link_that_works_once(desk: Desk, sms):
    client, before = desk.anonymous(), await desk.as_role("advisor")
    page = await ask(desk, client, "Advisor@nord.example")
    row = await desk.admin.fetchrow("SELECT channel, to_address, staff_id, purpose, body FROM messages")
    assert (row["channel"], row["to_address"], row["staff_id"], row["purpose"]) == (
        "sms",
        person(desk).phone,
        person(desk).id,
        "staff",
    )
    (path,) = await links(desk)
    for _ in range(3):  # a preview may look as often as it likes
        assert "Choose a new password" in await (await client.get(path)).text()
    assert "new password is set" in await choose(client, path, NEW)
    await desk.get(before, "/api/v1/session", expect=401)
    await choose(client, path, NEW, 410)
    await sign_in(client, "advisor@nord.example", PASSWORD, 401)
    await sign_in(client, "advisor@nord.example", NEW)
    moved = [
        row["new"]
        for row in await desk.admin.fetch(
            "SELECT new FROM history WHERE noun = 'staff' AND subject_id = $1 ORDER BY id", person(desk).id
        )
    ]
    assert moved[-4:] == ["link for a new password", "new password", "refused", "signed in"]
    assert "advisor" in page.lower()
    await client.close()


async def test_a_stranger_hears_the_same_whether_or_not_somebody_signs_in_with_the_address(desk: Desk, sms):
    client = desk.anonymous()
    answers = {
        (await ask(desk, client, email)).replace(email, "…")
        for email in ("advisor@nord.example", "nobody@nord.example")
    }
    assert len(answers) == 1
    await client.close()


async def test_what_there_is_to_do_is_done_after_the_answer(desk: Desk, sms, monkeypatch: pytest.MonkeyPatch):
    """So that the time of the answer says nothing: here the work never ends, and the answer comes all the same."""
    begun, let = asyncio.Event(), asyncio.Event()
    send = password._send

    async def slow(house, email):
        begun.set()
        await let.wait()
        await send(house, email)

    monkeypatch.setattr(password, "_send", slow)
    client = desk.anonymous()
    assert (
        await asyncio.wait_for(client.post("/forgotten", data={"email": "advisor@nord.example"}), PATIENCE_S)
    ).status == 200
    await asyncio.wait_for(begun.wait(), PATIENCE_S)
    assert await links(desk) == []
    let.set()
    await desk.house.afterwards.done()
    assert len(await links(desk)) == 1
    await client.close()


async def test_a_newer_link_ends_the_older_and_half_an_hour_ends_both(desk: Desk, sms):
    client = desk.anonymous()
    for _ in range(2):
        await ask(desk, client, "advisor@nord.example")
    old, new = await links(desk)
    assert (await client.get(old)).status == 410 and (await client.get(new)).status == 200
    at = desk.house.machine() + password.LINK
    object.__setattr__(desk.house, "machine", lambda: at)
    assert (await client.get(new)).status == 410
    await choose(client, new, NEW, 410)
    await client.close()


async def test_letters_are_limited_for_the_address_and_for_the_place_and_known_or_not_makes_no_difference(
    desk: Desk, sms
):
    client = desk.anonymous()
    for email in ("advisor@nord.example", "nobody@nord.example"):
        for _ in range(3):
            await ask(desk, client, email)
        assert "Too many attempts" in await ask(desk, client, email, 429)
    assert len(await links(desk)) == 3
    await client.close()


async def test_of_two_who_use_a_link_at_once_one_is_too_late(desk: Desk, sms):
    client = desk.anonymous()
    await ask(desk, client, "advisor@nord.example")
    (path,) = await links(desk)
    answers = await asyncio.gather(
        *(client.post(path, data={"password": f"{NEW} {n}", "again": f"{NEW} {n}"}) for n in range(6))
    )
    assert (
        sorted(response.status for response in answers)[:2] == [200, 410]
        and [response.status for response in answers].count(200) == 1
    )
    await client.close()


async def test_who_was_let_go_or_never_joined_gets_no_link(desk: Desk, sms):
    client = desk.anonymous()
    await people.disable(desk.house.acting(desk.dealer.id, "system"), person(desk).id)
    await people.invite(
        desk.house.acting(desk.dealer.id, "system"),
        name="Ole",
        email="ole@nord.example",
        role=person(desk).role,
        phone="+491701234502",
    )
    for email in ("advisor@nord.example", "ole@nord.example"):
        await ask(desk, client, email)
    assert await links(desk) == []
    await client.close()


async def test_by_mail_where_mail_leaves_and_where_nothing_leaves_the_manager_sees_it(desk: Desk):
    client = desk.anonymous()
    await ask(desk, client, "advisor@nord.example")
    assert await links(desk) == []
    assert await desk.admin.fetchval("SELECT new FROM history ORDER BY id DESC LIMIT 1") == "no way to reach them"
    object.__setattr__(desk.house, "mails", True)
    await ask(desk, client, "advisor@nord.example")
    assert tuple(await desk.admin.fetchrow("SELECT channel, to_address FROM messages")) == (
        "email",
        "advisor@nord.example",
    )
    await client.close()


async def test_a_manager_makes_a_link_for_somebody_whom_nothing_reaches(desk: Desk):
    manager, client = await desk.as_role("manager"), desk.anonymous()
    made = await desk.post(manager, f"/api/v1/staff/{person(desk).id}/reset")
    await choose(client, made["link"].removeprefix("http://desk.example"), NEW)
    await sign_in(client, "advisor@nord.example", NEW)
    row = await desk.admin.fetchrow("SELECT new, actor FROM history WHERE new = 'link for a new password'")
    assert row["actor"] == f"staff:{person(desk, 'manager').id}"
    await desk.post(manager, f"/api/v1/staff/{desk.people[(desk.other.id, 'advisor')].id}/reset", expect=404)
    await client.close()


async def test_whoever_knows_the_old_password_changes_it_and_is_signed_out_everywhere_else(desk: Desk):
    here, elsewhere = desk.anonymous(), desk.anonymous()
    for client in (here, elsewhere):
        await sign_in(client, "advisor@nord.example", PASSWORD)
    token = re.search(r'name="csrf" value="([^"]+)"', await (await here.get("/security")).text())[1]

    async def change(old, new, again=None):
        response = await here.post(
            "/security/password",
            data={"csrf": token, "old": old, "password": new, "again": again or new},
            allow_redirects=False,
        )
        return response.status, await response.text()

    assert (await change("not it", NEW))[0] == 422
    assert "not the same" in (await change(PASSWORD, NEW, "other"))[1]
    assert "have already" in (await change(PASSWORD, PASSWORD))[1]
    assert (await change(PASSWORD, NEW))[0] == 303
    assert (await here.get("/api/v1/session")).status == 200 and (await elsewhere.get("/api/v1/session")).status == 401
    await sign_in(elsewhere, "advisor@nord.example", NEW)
    for client in (here, elsewhere):
        await client.close()


async def test_an_open_browser_is_no_place_to_guess_the_password(desk: Desk):
    client = await desk.as_role("advisor")
    token = re.search(r'name="csrf" value="([^"]+)"', await (await client.get("/security")).text())[1]
    answers = await asyncio.gather(
        *(
            client.post("/security/password", data={"csrf": token, "old": f"guess {n}", "password": NEW, "again": NEW})
            for n in range(12)
        )
    )
    assert [response.status for response in answers].count(422) == 5 and {response.status for response in answers} <= {
        422,
        429,
        503,
    }


async def test_one_s_sessions_are_listed_and_ended_one_or_all(desk: Desk):
    here = await desk.as_role("advisor")
    others = [desk.anonymous() for _ in range(3)]
    for n, client in enumerate(others):
        await client.post(
            "/api/v1/session",
            json={"email": "advisor@nord.example", "password": PASSWORD},
            headers={
                "X-Forwarded-For": f"198.51.{n}.9",
                "User-Agent": f"Mozilla/5.0 (Windows NT 10.0) Firefox/13{n}.0",
            },
        )
    page = await (await here.get("/security")).text()
    assert (
        page.count("Firefox on Windows</p>") == 3
        and "198.51.1.x" in page
        and "198.51.1.9" not in page
        and page.count("This browser<") == 1
    )
    token = re.search(r'name="csrf" value="([^"]+)"', page)[1]
    one = re.search(r'name="session" value="(\w+)"', page)[1]
    await here.post("/security/sessions/end", data={"csrf": token, "session": one})
    assert sorted([(await client.get("/api/v1/session")).status for client in others]) == [200, 200, 401]
    theirs = await desk.admin.fetchval("SELECT id FROM sessions WHERE staff_id <> $1", person(desk).id)
    manager = await desk.as_role("manager")
    theirs = theirs or await desk.admin.fetchval(
        "SELECT id FROM sessions WHERE staff_id = $1", person(desk, "manager").id
    )
    await here.post("/security/sessions/end", data={"csrf": token, "session": theirs})
    assert (await manager.get("/api/v1/session")).status == 200, "somebody else's is not ours to end"
    await here.post("/security/sessions/end-others", data={"csrf": token})
    assert [(await client.get("/api/v1/session")).status for client in others] == [401, 401, 401] and (
        await here.get("/api/v1/session")
    ).status == 200
    for client in others:
        await client.close()


async def test_a_password_that_others_would_guess_is_refused_with_the_reason(desk: Desk):
    _, link = await people.invite(
        desk.house.acting(desk.dealer.id, "system"),
        name="Ole Petersen",
        email="ole.petersen@nord.example",
        role=person(desk).role,
    )
    token, client = link.rpartition("/")[2], desk.anonymous()
    for weak in (
        "short",
        "password123456",
        "qwertyuiop12",
        "1234567890",
        "olepetersen1",
        "Sommer2026",
        "autohaus2026",
        "aaaaaaaaaaaaaa",
    ):
        page = await choose(client, f"/invitation/{token}", weak, 422)
        assert 'role="alert"' in page and weak not in page
    with pytest.raises(NotFound):
        await password.who_resets(desk.house, token)  # an invitation is no reset
    await choose(client, f"/invitation/{token}", NEW, 200)
    await client.close()


async def test_no_secret_stands_in_history(desk: Desk, sms):
    client = desk.anonymous()
    await ask(desk, client, "advisor@nord.example")
    (path,) = await links(desk)
    await choose(client, path, NEW)
    told = await desk.admin.fetchval("SELECT string_agg(t::text, ' ') FROM history t")
    assert path.rpartition("/")[2] not in told and NEW not in told and PASSWORD not in told and "argon2" not in told
    await client.close()
