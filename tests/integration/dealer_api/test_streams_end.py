"""A live stream ends with the right to hear it, by itself, in every process: signed out, let go, another role, a key
revoked.
"""

from __future__ import annotations

import asyncio

import pytest

from actions import passwords, people, sign_in
from dealer_api import permissions as may
from dealer_api.app_keys import LIVE
from schemas.account import Role
from store import accounts, secrets
from store.pool import transaction
from tests.conftest import Database
from tests.integration.dealer_api.conftest import Desk

WITHIN_S = 30  #: an end that never comes; the machine may be busy
OWNER = {"name": "Anna", "phone": "+491701111001"}


async def opened(client, path, **headers):
    """The stream, listening."""
    stream = await client.get(path, headers=headers)
    assert stream.status == 200 and stream.headers["Content-Type"].startswith("text/event-stream")
    await stream.content.readline()
    return stream


async def ended(stream) -> str:
    """Everything that it still said; the end of the answer, or the test fails."""
    return (await asyncio.wait_for(stream.content.read(), WITHIN_S)).decode()


@pytest.fixture(autouse=True)
async def heard(desk: Desk):
    await asyncio.wait_for(desk.app[LIVE].listening.wait(), WITHIN_S)


def person(desk, role):
    return desk.people[(desk.dealer.id, role)]


async def sign_out(desk, client, role):
    assert (await client.delete("/api/v1/session", headers={"Content-Type": "application/json"})).status == 204


async def end_elsewhere(desk, client, role):
    await sign_in.end_other_sessions(desk.house, person(desk, role), None)


async def let_go(desk, client, role):
    await people.disable(desk.house.acting(desk.dealer.id, "system"), person(desk, role).id)


async def new_password(desk, client, role):
    async with transaction(desk.house.pool, desk.dealer.id) as connection:
        await accounts.set_password(
            connection,
            desk.dealer.id,
            person(desk, role).id,
            await passwords.hashed("another good password"),
            desk.clock(),
        )


@pytest.mark.parametrize("end", [sign_out, end_elsewhere, let_go, new_password])
@pytest.mark.parametrize(
    ("role", "path"), [("advisor", "/events"), ("advisor", "/api/v1/events"), ("driver", "/driver/live")]
)
async def test_it_ends_with_the_session(desk: Desk, end, role, path):
    client, colleague = await desk.as_role(role), await desk.as_role("manager")
    mine, theirs = await opened(client, path), await opened(colleague, path)
    await end(desk, client, role)
    result = await ended(mine)
    assert "session" not in result, "what ends a stream is not told to it"
    await desk.post(colleague, "/api/v1/owners", OWNER)
    if path != "/driver/live":
        while b"owner" not in await asyncio.wait_for(theirs.content.readline(), WITHIN_S):
            pass  # a colleague's goes on
    theirs.close()


async def test_it_ends_when_another_role_may_not_hear_it(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """As the register stands everybody may hear both; here technicians may not hear of drives."""
    monkeypatch.setitem(vars(may.READ_LEGS), "roles", may.READ_LEGS.roles - {"technician"})
    client = await desk.as_role("driver")
    drives, changes = await opened(client, "/driver/live"), await opened(client, "/events")
    await people.change_role(desk.house.acting(desk.dealer.id, "system"), person(desk, "driver").id, Role.TECHNICIAN)
    await ended(drives)
    await desk.post(await desk.as_role("advisor"), "/api/v1/owners", OWNER)
    while b"owner" not in await asyncio.wait_for(changes.content.readline(), WITHIN_S):
        pass  # a technician hears changes too: that one goes on
    changes.close()


async def test_it_ends_when_its_key_is_revoked_or_over(desk: Desk):
    manager, client = await desk.as_role("manager"), desk.anonymous()
    streams = []
    for label in ("one", "two"):
        key = (await desk.post(manager, "/api/v1/keys", {"label": label, "scopes": ["events:read"]}))["key"]
        streams.append(await opened(client, "/api/v1/events", Authorization=f"Bearer {key}"))
    await desk.post(manager, "/api/v1/keys/revoke", {"label": "one"})
    assert "event: key" not in await ended(streams[0])
    desk.clock.on(days=400)
    await desk.post(manager, "/api/v1/keys/revoke", {"label": "two"}, expect=200)
    await ended(streams[1])
    await client.close()


async def test_it_ends_with_the_driver_s_link(desk: Desk):
    async with transaction(desk.house.pool, desk.dealer.id) as connection:
        token = await secrets.make(
            connection, desk.dealer.id, "driver", now=desk.clock(), staff_id=person(desk, "driver").id
        )
    client = desk.anonymous()
    stream = await opened(client, f"/d/{token}/live")
    await people.disable(desk.house.acting(desk.dealer.id, "system"), person(desk, "driver").id)
    await ended(stream)
    await client.close()


async def test_it_ends_in_another_process_too(desk: Desk, database: Database):
    """Two desks, one database: the bell is heard by both."""
    from aiohttp.test_utils import TestClient, TestServer

    from dealer_api.application import build
    from dealer_api.live import Live

    live = Live(database.role("desk"))
    async with TestClient(TestServer(build(desk.house, live))) as other:
        await asyncio.wait_for(live.listening.wait(), WITHIN_S)
        client = await desk.as_role("advisor")
        cookie = next(iter(client.session.cookie_jar)).value
        stream = await opened(other, "/events", Cookie=f"telltale_session={cookie}")
        await sign_out(desk, client, "advisor")
        await ended(stream)


async def test_a_missed_bell_is_made_good_when_it_is_heard_again(desk: Desk):
    client = await desk.as_role("advisor")
    stream = await opened(client, "/events")
    await desk.admin.execute("DELETE FROM sessions WHERE staff_id = $1", person(desk, "advisor").id)  # nobody rings
    await desk.admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'telltale-desk-bell' "
        "AND datname = current_database()"
    )
    await ended(stream)


def test_every_stream_of_the_register_looks_again():
    """The kind: a stream that does not ask whether it may go on is an accident."""
    import inspect

    from dealer_api.routes import ROUTES

    for route in ROUTES:
        if route.streams:
            source = inspect.getsource(inspect.unwrap(route.handler))
            assert "rightful(" in source or "await _open(request)" in source, (route.path, "asks nobody")
