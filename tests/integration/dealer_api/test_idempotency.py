"""A POST with its key is carried out once and answered with the same bytes."""

from __future__ import annotations

import asyncio

from tests.integration.dealer_api.conftest import Desk

OWNER = {"name": "Anna", "phone": "+491701111001"}


async def _post(client, body, key, path="/api/v1/owners"):
    response = await client.post(path, json=body, headers={"Idempotency-Key": key} if key else {})
    return response.status, await response.read(), response.headers


async def test_a_post_without_a_key_is_told_which_header_it_lacks(desk: Desk):
    status, body, _ = await _post(await desk.as_role("advisor"), OWNER, None)
    assert status == 400 and b"Idempotency-Key" in body


async def test_the_same_call_again_gets_the_same_bytes_and_does_nothing(desk: Desk):
    advisor = await desk.as_role("advisor")
    first, second = await _post(advisor, OWNER, "one"), await _post(advisor, OWNER, "one")
    assert first[:2] == second[:2] and first[0] == 201 and second[2]["Idempotency-Replayed"] == "true"
    assert await desk.admin.fetchval("SELECT count(*) FROM owners") == 1


async def test_the_same_key_with_another_body_is_refused(desk: Desk):
    advisor = await desk.as_role("advisor")
    await _post(advisor, OWNER, "one")
    status, body, _ = await _post(advisor, {**OWNER, "name": "Berta"}, "one")
    assert status == 422 and b"another request" in body


async def test_many_at_once_have_one_effect(desk: Desk):
    advisor = await desk.as_role("advisor")
    answers = await asyncio.gather(*(_post(advisor, OWNER, "one") for _ in range(40)))
    good = {body for status, body, _ in answers if status == 201}
    assert len(good) == 1 and {status for status, *_ in answers} <= {201, 409, 503}
    assert await desk.admin.fetchval("SELECT count(*) FROM owners") == 1


async def test_what_failed_left_nothing_and_may_be_tried_again_with_its_key(desk: Desk):
    advisor = await desk.as_role("advisor")
    status, body, _ = await _post(advisor, {"name": "Anna", "phone": "not a number"}, "one")
    assert status == 422 and b"phone" in body
    status, *_ = await _post(advisor, OWNER, "one")
    assert status == 201


async def test_keys_of_two_people_do_not_meet(desk: Desk):
    advisor, manager = await desk.as_role("advisor"), await desk.as_role("manager")
    assert (await _post(advisor, OWNER, "one"))[0] == 201
    assert (await _post(manager, {"name": "Berta", "phone": "+491702222001"}, "one"))[0] == 201


async def test_a_secret_that_is_shown_once_is_not_kept_for_a_repetition(desk: Desk):
    manager = await desk.as_role("manager")
    status, body, _ = await _post(manager, {"label": "till"}, "one", "/api/v1/keys")
    assert status == 201 and b"tk_" in body
    status, body, _ = await _post(manager, {"label": "till"}, "one", "/api/v1/keys")
    assert status == 409 and b"tk_" not in body
    kept = await desk.admin.fetchval("SELECT string_agg(encode(body, 'escape'), '') FROM idempotency")
    assert "tk_" not in (kept or "")
