"""Many who want the same thing at once: one gets it, the others hear so at once."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.integration.dealer_api.conftest import Desk, agrees

VIN = "WVWZZZ1JZXW00{:04d}"


async def _cases(desk, count):
    advisor = await desk.as_role("advisor")
    found = []
    for n in range(count):
        owner = await desk.post(
            advisor, "/api/v1/owners", {"name": f"Owner {n}", "phone": f"+49170000{n:04d}", "address": "Weg 1"}
        )
        await agrees(desk, owner["id"])
        car = await desk.post(
            advisor,
            "/api/v1/vehicles",
            {"vin": VIN.format(n), "profile": "petrol_hatch", "title": "Car", "owner_id": owner["id"]},
        )
        found.append(await desk.post(advisor, "/api/v1/cases", {"vehicle_id": car["id"], "note": "n"}))
    return advisor, found


async def _post(client, path, body, key):
    response = await client.post(path, json=body, headers={"Idempotency-Key": key})
    return response.status, await response.json()


async def test_of_fifty_answers_to_one_offer_exactly_one_wins(desk: Desk):
    advisor, (case,) = await _cases(desk, 1)
    offer = await desk.post(advisor, f"/api/v1/cases/{case['id']}/offers", {"kind": "pickup"})
    answers = await asyncio.gather(
        *(
            _post(advisor, f"/api/v1/offers/{offer['id']}/accept", {"choice": 1 + n % 2}, f"rival-{n}")
            for n in range(50)
        )
    )
    assert sorted(status for status, _ in answers).count(201) == 1
    assert {status for status, _ in answers} <= {201, 409, 503}
    assert await desk.admin.fetchval("SELECT count(*) FROM bookings") == 1
    assert await desk.admin.fetchval("SELECT count(*) FROM slots WHERE state = 'booked'") == 3  # there, work, back


async def test_of_many_who_book_the_last_bay_as_many_win_as_there_are_bays(desk: Desk):
    advisor, cases = await _cases(desk, 8)
    window = (await desk.get(advisor, "/api/v1/windows?kind=drop_off"))["items"][0]["starts_at"]
    answers = await asyncio.gather(
        *(
            _post(
                advisor, "/api/v1/bookings", {"case_id": c["id"], "kind": "drop_off", "starts_at": window}, f"bay-{n}"
            )
            for n, c in enumerate(cases)
        )
    )
    won = [body for status, body in answers if status == 201]
    lost = [body for status, body in answers if status != 201]
    assert len(won) == 2, answers
    assert all(body["status"] == 409 and body["windows"] for body in lost)
    overlapping = await desk.admin.fetchval(
        "SELECT count(*) FROM slots a JOIN slots b ON a.id < b.id AND a.resource_id = b.resource_id "
        "AND a.during && b.during WHERE a.state = 'booked' AND b.state = 'booked'"
    )
    assert overlapping == 0


async def test_two_colleagues_who_take_a_case_at_once_do_not_both_own_it(desk: Desk):
    advisor, (case,) = await _cases(desk, 1)
    await desk.admin.execute("UPDATE cases SET assignee_id = NULL, acknowledged_at = NULL")
    manager = await desk.as_role("manager")
    answers = await asyncio.gather(
        *(_post(client, f"/api/v1/cases/{case['id']}/acknowledge", {}, "k") for client in (advisor, manager))
    )
    assert sorted(status for status, _ in answers) == [200, 409]


async def _by_the_api(desk, advisor, case: int) -> None:
    await desk.post(advisor, f"/api/v1/cases/{case}/dismiss", {"reason": "a duplicate"})


async def _by_a_form(desk, advisor, case: int) -> None:
    csrf = re.search(r'name="csrf" value="([^"]+)"', await (await advisor.get(f"/cases/{case}")).text())
    assert csrf is not None
    answer = await advisor.post(
        f"/cases/{case}/dismiss", data={"csrf": csrf[1], "reason": "a duplicate"}, allow_redirects=False
    )
    assert answer.status == 303


@pytest.mark.parametrize("dismiss", [_by_the_api, _by_a_form])
async def test_what_the_database_ends_in_a_deadlock_is_done_again_and_who_asked_sees_nothing_of_it(desk: Desk, dismiss):
    """D-08. Somebody holds what the call needs next and wants what the call holds: one of the two is ended, which is
    ours.
    """
    advisor = await desk.as_role("advisor")
    owner = await desk.post(advisor, "/api/v1/owners", {"name": "Jo Muster", "phone": "+491701234001"})
    car = await desk.post(
        advisor,
        "/api/v1/vehicles",
        {"vin": "WVWZZZ1JZXW000002", "profile": "petrol_hatch", "title": "Golf", "owner_id": owner["id"]},
    )
    case = await desk.post(advisor, "/api/v1/cases", {"vehicle_id": car["id"], "note": "rattles"})
    ended = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    async with desk.admin.acquire() as rival, desk.admin.acquire() as onlooker:
        before = await onlooker.fetchval(ended)
        async with rival.transaction():
            await rival.execute("SET LOCAL deadlock_timeout = '30s'")  # the other one looks first, and is ended
            await rival.execute("LOCK TABLE history IN EXCLUSIVE MODE")
            call = asyncio.create_task(dismiss(desk, advisor, case["id"]))
            while not await onlooker.fetchval(
                "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE NOT granted "
                "AND datname = current_database()"
            ):
                await asyncio.sleep(0.01)
            await rival.execute("SELECT FROM cases WHERE id = $1 FOR UPDATE", case["id"])
        await call
        assert await onlooker.fetchval("SELECT state FROM cases") == "dismissed"
        while await onlooker.fetchval(ended) == before:
            await asyncio.sleep(0.05)
