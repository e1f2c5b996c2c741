"""More than a password: codes of an app, recovery codes, and a dealer who asks for it."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pyotp
import pytest

from actions import accounts, second_factor
from actions.visitor import Visitor
from dealer_api.app_keys import LIVE
from dealer_api.authentication import KNOWN
from schemas.errors import BadInput, TooOften
from tests.integration.dealer_api.conftest import Desk
from tests.patience import PATIENCE_S

PASSWORD = "a good long password"
HERE = Visitor("203.0.113.7", agent="Mozilla/5.0 (Windows NT 10.0) Firefox/130.0")
FROM = {"X-Forwarded-For": HERE.place}


def person(desk, role="advisor"):
    return desk.people[(desk.dealer.id, role)]


class Time:
    """The machine's clock in a test's hand."""

    def __init__(self, desk):
        self.at = desk.house.machine()
        object.__setattr__(desk.house, "machine", lambda: self.at)

    def on(self, **delta):
        self.at += timedelta(**delta)


@pytest.fixture
def time(desk: Desk):
    return Time(desk)


async def csrf(client, path="/security"):
    return re.search(r'name="csrf" value="([^"]+)"', await (await client.get(path)).text())[1]


async def connect(desk, client, time, role="advisor"):
    """An app is connected through the pages; its codes by time, and the recovery codes."""
    token = await csrf(client)
    page = await (
        await client.post("/security/authenticator", data={"csrf": token, "current_password": PASSWORD})
    ).text()
    secret = re.search(r'class="mono breaks strong">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    assert "<svg" in page and "style=" not in page.partition("<svg")[2].partition("</svg>")[0]
    app = pyotp.TOTP(secret)
    response = await client.post("/security/authenticator/confirm", data={"csrf": token, "code": app.at(time.at)})
    codes = re.findall(r'<li class="mono">([a-z0-9-]{19})</li>', await response.text())
    assert response.status == 200 and len(codes) == len(set(codes)) == second_factor.CODES
    time.on(seconds=60)
    return app, codes


async def half_way(desk, email="advisor@nord.example"):
    """The password is right; the second half is still to come."""
    client = desk.anonymous()
    response = await client.post(
        "/sign-in", data={"email": email, "password": PASSWORD, "next": "/queue"}, headers=FROM, allow_redirects=False
    )
    assert response.status == 303
    return client, response.headers["Location"]


async def test_a_code_of_the_app_is_asked_for_after_the_password(desk: Desk, time):
    here = await desk.as_role("advisor")
    app, _ = await connect(desk, here, time)
    client, to = await half_way(desk)
    assert to == "/sign-in/second?next=/queue" and "One more step" in await (await client.get(to)).text()
    assert (await client.get("/api/v1/session")).status == 401, "half is nothing"
    assert (await client.get("/events", allow_redirects=False)).status == 303
    wrong = await client.post("/sign-in/second", data={"code": "000000", "next": "/queue"}, headers=FROM)
    assert wrong.status == 401 and 'role="alert"' in await wrong.text()
    right = await client.post(
        "/sign-in/second", data={"code": app.at(time.at), "next": "/queue"}, headers=FROM, allow_redirects=False
    )
    assert right.status == 303 and right.headers["Location"] == "/queue"
    assert (await client.get("/api/v1/session")).status == 200
    assert (
        await desk.admin.fetchval(
            "SELECT proof FROM sessions WHERE second_factor AND staff_id = $1 ORDER BY created_at DESC LIMIT 1",
            person(desk).id,
        )
        == "password and code"
    )
    await client.close()


async def test_the_cookie_that_waited_is_replaced_and_opens_nothing_afterwards(desk: Desk, time):
    app, _ = await connect(desk, await desk.as_role("advisor"), time)
    client, _ = await half_way(desk)
    before = next(cookie.value for cookie in client.session.cookie_jar if cookie.key == "telltale_session")
    await client.post("/sign-in/second", data={"code": app.at(time.at)}, headers=FROM)
    after = next(cookie.value for cookie in client.session.cookie_jar if cookie.key == "telltale_session")
    assert before != after
    other = desk.anonymous()
    assert (await other.get("/api/v1/session", headers={"Cookie": f"telltale_session={before}"})).status == 401
    for one in (client, other):
        await one.close()


async def test_a_code_counts_once_and_for_its_half_minute_and_its_neighbours(desk: Desk, time):
    app, _ = await connect(desk, await desk.as_role("advisor"), time)
    staff, house = person(desk), desk.house
    code = app.at(time.at)
    assert await second_factor.proved(house, staff, HERE, code) == "code"
    for again in (code, app.at(time.at - timedelta(seconds=30))):
        with pytest.raises(BadInput):
            await second_factor.proved(house, staff, HERE, again)
    time.on(seconds=60)
    assert await second_factor.proved(house, staff, HERE, app.at(time.at + timedelta(seconds=30))) == "code", (
        "a clock that goes ahead"
    )
    time.on(minutes=5)
    with pytest.raises(BadInput):
        await second_factor.proved(house, staff, HERE, app.at(time.at - timedelta(seconds=90)))


async def test_of_many_who_bring_the_same_code_at_once_one_is_let_in(desk: Desk, time):
    app, _ = await connect(desk, await desk.as_role("advisor"), time)
    done = await asyncio.gather(
        *(second_factor.proved(desk.house, person(desk), HERE, app.at(time.at)) for _ in range(5)),
        return_exceptions=True,
    )
    assert [one for one in done if one == "code"] == ["code"]


async def test_codes_are_not_guessed(desk: Desk, time):
    app, _ = await connect(desk, await desk.as_role("advisor"), time)
    done = await asyncio.gather(
        *(second_factor.proved(desk.house, person(desk), HERE, f"{n:06}") for n in range(30)), return_exceptions=True
    )
    assert sum(isinstance(one, BadInput) for one in done) == 5 and all(
        isinstance(one, BadInput | TooOften) for one in done
    )
    with pytest.raises(TooOften):
        await second_factor.proved(desk.house, person(desk), HERE, app.at(time.at))


async def test_a_recovery_code_works_once_and_is_history(desk: Desk, time):
    _, codes = await connect(desk, await desk.as_role("advisor"), time)
    for code, good in ((codes[0].upper(), True), (codes[0], False), (codes[1].replace("-", " "), True)):
        client, _ = await half_way(desk)
        response = await client.post("/sign-in/second", data={"code": code}, headers=FROM, allow_redirects=False)
        assert response.status == (303 if good else 401), code
        await client.session.close()
    assert await desk.admin.fetchval("SELECT count(*) FROM recovery_codes") == 8
    told = [
        row["reason"]
        for row in await desk.admin.fetch("SELECT reason FROM history WHERE new = 'recovery code used' ORDER BY id")
    ]
    assert told == ["9 left", "8 left"]
    stored = await desk.admin.fetchval("SELECT string_agg(t::text, ' ') FROM recovery_codes t")
    assert not any(code in stored for code in codes)


async def test_the_api_takes_the_code_with_the_password(desk: Desk, time):
    app, _ = await connect(desk, await desk.as_role("advisor"), time)
    client = desk.anonymous()
    result = {"email": "advisor@nord.example", "password": PASSWORD}
    missing = await client.post("/api/v1/session", json=result, headers=FROM)
    assert missing.status == 401 and "second factor" in (await missing.json(content_type=None))["detail"]
    assert await desk.admin.fetchval("SELECT count(*) FROM sessions WHERE waits") == 0
    assert (await client.post("/api/v1/session", json={**result, "code": "000000"}, headers=FROM)).status == 422
    assert (await client.post("/api/v1/session", json={**result, "code": app.at(time.at)}, headers=FROM)).status == 201
    assert (await client.get("/api/v1/session")).status == 200
    await client.close()


async def test_only_who_knows_the_password_changes_the_second_factor(desk: Desk, time):
    client = await desk.as_role("advisor")
    token = await csrf(client)
    for path, more in (
        ("authenticator", {}),
        ("authenticator/remove", {}),
        ("passkeys/remove", {"passkey": "00"}),
        ("codes", {}),
    ):
        response = await client.post(
            f"/security/{path}", data={"csrf": token, "current_password": "not it", **more}, allow_redirects=False
        )
        assert response.status == 422, path
        time.on(minutes=15)
    response = await client.post("/security/passkeys/ask", json={"password": "not it"}, headers={"Host": "localhost"})
    assert response.status == 422 and "not your password" in (await response.json())["problem"]


async def test_a_secret_that_waits_for_its_first_code_asks_nobody_for_anything(desk: Desk, time):
    client = await desk.as_role("advisor")
    await client.post("/security/authenticator", data={"csrf": await csrf(client), "current_password": PASSWORD})
    other, to = await half_way(desk)
    assert to == "/queue"
    wrong = await client.post("/security/authenticator/confirm", data={"csrf": await csrf(client), "code": "000000"})
    assert wrong.status == 422 and "<svg" in await wrong.text()
    await other.close()


async def test_a_new_factor_signs_out_what_came_in_by_less(desk: Desk, time):
    elsewhere, _ = await half_way(desk)
    assert (await elsewhere.get("/api/v1/session")).status == 200
    here = await desk.as_role("advisor")
    await connect(desk, here, time)
    desk.app[KNOWN]._found.clear()
    assert (await elsewhere.get("/api/v1/session")).status == 401 and (await here.get("/api/v1/session")).status == 200
    await elsewhere.close()


async def test_removed_it_is_asked_for_no_more_and_the_codes_are_gone(desk: Desk, time):
    client = await desk.as_role("advisor")
    await connect(desk, client, time)
    await client.post("/security/authenticator/remove", data={"csrf": await csrf(client), "current_password": PASSWORD})
    assert await desk.admin.fetchval("SELECT count(*) FROM recovery_codes") == 0
    other, to = await half_way(desk)
    assert to == "/queue"
    await other.close()


async def test_where_the_dealer_asks_for_one_nothing_opens_before_it_is_set_up(desk: Desk, time):
    manager, advisor = await desk.as_role("manager"), await desk.as_role("advisor")
    response = await manager.patch("/api/v1/dealer", json={"second_factor": "managers"})
    assert response.status == 200 and (await response.json())["second_factor"] == "managers"
    desk.app[KNOWN]._found.clear()
    for path in ("/queue", "/", "/settings", "/cases/1"):
        answer = await manager.get(path, allow_redirects=False)
        assert (answer.status, answer.headers.get("Location")) == (303, "/security"), path
    assert (await manager.get("/api/v1/cases")).status == 403
    assert (await manager.post("/staff", data={"csrf": await csrf(manager)})).status == 403
    assert "asks for a second factor" in await (await manager.get("/security")).text()
    assert (await advisor.get("/queue")).status == 200, "only managers"
    await connect(desk, manager, time, "manager")
    assert (await manager.get("/queue", allow_redirects=False)).status == 200
    refused = await manager.post(
        "/security/authenticator/remove", data={"csrf": await csrf(manager), "current_password": PASSWORD}
    )
    assert refused.status == 422 and "asks for a second factor" in await refused.text()
    assert await desk.admin.fetchval("SELECT count(*) FROM authenticators WHERE confirmed_at IS NOT NULL") == 1
    assert await desk.admin.fetchval("SELECT count(*) FROM recovery_codes") == second_factor.CODES
    row = await desk.admin.fetchrow("SELECT old, new FROM history WHERE noun = 'dealer' AND new LIKE 'second factor%'")
    assert tuple(row) == ("second factor: nobody", "second factor: managers")


async def test_where_everybody_must_have_one_open_streams_end_too_and_keys_go_on(desk: Desk, time):
    await asyncio.wait_for(desk.app[LIVE].listening.wait(), PATIENCE_S)
    manager, driver, program = await desk.as_role("manager"), await desk.as_role("driver"), desk.anonymous()
    key = (await desk.post(manager, "/api/v1/keys", {"label": "till"}))["key"]
    stream = await driver.get("/driver/live")
    await stream.content.readline()
    await accounts.update_dealer(desk.house.acting(desk.dealer.id, "system"), {"second_factor": "everybody"})
    await asyncio.wait_for(stream.content.read(), PATIENCE_S)
    desk.app[KNOWN]._found.clear()
    assert (await driver.get("/driver", allow_redirects=False)).headers["Location"] == "/security"
    assert (await program.get("/api/v1/cases", headers={"Authorization": f"Bearer {key}"})).status == 200
    await program.close()


async def test_a_manager_takes_away_what_a_colleague_has_lost_but_not_their_own(desk: Desk, time):
    manager, advisor = await desk.as_role("manager"), await desk.as_role("advisor")
    await connect(desk, advisor, time)
    await desk.post(manager, f"/api/v1/staff/{person(desk).id}/second-factor/forget")
    desk.app[KNOWN]._found.clear()
    assert (await advisor.get("/api/v1/session")).status == 401
    client, to = await half_way(desk)
    assert to == "/queue"
    await desk.post(manager, f"/api/v1/staff/{person(desk).id}/second-factor/forget", expect=422)
    await desk.post(manager, f"/api/v1/staff/{person(desk, 'manager').id}/second-factor/forget", expect=422)
    await client.close()


async def test_the_secret_is_sealed_and_a_changed_house_secret_leaves_recovery_codes(desk: Desk, time):
    app, codes = await connect(desk, await desk.as_role("advisor"), time)
    sealed = await desk.admin.fetchval("SELECT secret FROM authenticators")
    assert app.secret.encode() not in sealed
    object.__setattr__(desk.house, "secret", "another")
    with pytest.raises(BadInput):
        await second_factor.proved(desk.house, person(desk), HERE, app.at(time.at))
    assert await second_factor.proved(desk.house, person(desk), HERE, codes[3]) == "recovery code"


async def test_the_half_way_session_is_over_after_ten_minutes(desk: Desk, time):
    app, _ = await connect(desk, await desk.as_role("advisor"), time)
    client, to = await half_way(desk)
    time.on(minutes=11)
    assert (await client.get(to, allow_redirects=False)).headers["Location"] == "/sign-in"
    response = await client.post("/sign-in/second", data={"code": app.at(time.at)}, headers=FROM, allow_redirects=False)
    assert response.headers["Location"] == "/sign-in"
    await client.close()
