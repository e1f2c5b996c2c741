"""Places a day and technicians' hours over the doors: the desk may give what an owner or a program may not, and a
refusal names the next three.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from actions import absences, labour
from schemas.operation import Skill
from tests.integration.dealer_api.conftest import Desk, agrees


async def _cases(desk: Desk, count: int) -> list[int]:
    advisor = await desk.as_role("advisor")
    made = []
    for n in range(count):
        owner = await desk.post(
            advisor, "/api/v1/owners", {"name": f"Jo {n}", "phone": f"+49170123400{n}", "address": "Weg 1"}
        )
        await agrees(desk, owner["id"])
        body = {"vin": f"WVWZZZ1JZXW00900{n}", "profile": "petrol_hatch", "title": "Golf", "owner_id": owner["id"]}
        car = await desk.post(advisor, "/api/v1/vehicles", body)
        made.append((await desk.post(advisor, "/api/v1/cases", {"vehicle_id": car["id"], "note": "rattles"}))["id"])
    return made


async def _book(desk: Desk, case: int, starts_at: str, expect: int | None = None) -> Any:
    body = {"case_id": case, "kind": "drop_off", "starts_at": starts_at}
    return await desk.post(await desk.as_role("advisor"), "/api/v1/bookings", body, expect=expect)


async def _says(desk: Desk, rule: str) -> None:
    """The car of each case has an alert of that rule."""
    await desk.admin.execute(
        """INSERT INTO alerts (dealer_id, vehicle_id, rule, rule_version, component, episode, step, state, severity,
           because, first_at, changed_at, received_at, case_id)
           SELECT dealer_id, vehicle_id, $1, 1, '', 1, 1, 'active', 'soon', 'x', opened_at, opened_at,
             opened_at, id FROM cases""",
        rule,
    )


async def test_a_day_s_places_are_counted_with_what_is_held_and_a_refusal_names_three_others(desk: Desk):
    manager = await desk.as_role("manager")
    changed = await manager.patch(
        "/api/v1/dealer", json={"day_limits": "drop_off 2"}, headers={"Idempotency-Key": "limits"}
    )
    assert changed.status == 200
    one, two, three = await _cases(desk, 3)
    windows = (await desk.get(manager, "/api/v1/windows?kind=drop_off"))["items"]
    today = windows[0]["starts_at"][:10]
    await _book(desk, one, windows[0]["starts_at"])
    offer = await desk.post(await desk.as_role("advisor"), f"/api/v1/cases/{two}/offers", {"kind": "drop_off"})
    held = await desk.admin.fetch("SELECT lower(during) AS at FROM slots WHERE offer_id = $1", offer["id"])
    assert [f"{row['at']:%Y-%m-%d}" for row in held].count(today) == 1, "one place was left today"
    refused = await _book(desk, three, f"{today}T14:00:00Z", expect=409)
    assert "all places of that day for drop off are given" in refused["detail"]
    assert len(refused["windows"]) == 3 and not any(one.startswith(today) for one in refused["windows"])
    await desk.post(await desk.as_role("advisor"), f"/api/v1/offers/{offer['id']}/withdraw", {})
    await _book(desk, three, f"{today}T14:00:00Z")


async def test_the_last_places_are_the_desk_s(desk: Desk):
    manager = await desk.as_role("manager")
    await manager.patch(
        "/api/v1/dealer", json={"day_limits": "drop_off 1, desk 1"}, headers={"Idempotency-Key": "limits"}
    )
    key = (await desk.post(manager, "/api/v1/keys", {"label": "site", "scopes": ["all"]}))["key"]
    [case] = await _cases(desk, 1)
    windows = (await desk.get(manager, "/api/v1/windows?kind=drop_off"))["items"]
    program = desk.anonymous()
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "site-1"}
    answer = await program.get("/api/v1/windows?kind=drop_off", headers=headers)
    assert (await answer.json())["items"] == []
    body = {"case_id": case, "kind": "drop_off", "starts_at": windows[0]["starts_at"]}
    assert (await program.post("/api/v1/bookings", json=body, headers=headers)).status == 409
    await _book(desk, case, windows[0]["starts_at"])


async def test_a_limit_that_cannot_be_read_is_refused_and_nothing_changed(desk: Desk):
    manager = await desk.as_role("manager")
    answer = await manager.patch("/api/v1/dealer", json={"day_limits": "taxi 4"}, headers={"Idempotency-Key": "l"})
    assert answer.status == 422 and (await answer.json())["field"] == "day_limits"
    assert await desk.admin.fetchval("SELECT day_limits FROM dealers WHERE id = $1", desk.dealer.id) == ""


async def test_a_technician_s_hours_bound_the_visits_and_go_to_another_when_they_are_away(desk: Desk):
    manager, [one, two] = await desk.as_role("manager"), await _cases(desk, 2)
    technician = desk.people[(desk.dealer.id, "technician")]
    page = await (await manager.get(f"/staff/{technician.id}")).text()
    token = re.search(r'name="csrf" value="([^"]+)"', page)[1]  # type: ignore[index]
    assert "Not planned" in page
    await manager.post(f"/staff/{technician.id}/skills", data={"csrf": token, "skill": ["mechanical", "tyres"]})
    assert "Hours planned" in await (await manager.get(f"/staff/{technician.id}")).text()
    windows = (await desk.get(manager, "/api/v1/windows?kind=drop_off"))["items"]
    start = windows[4]["starts_at"]
    visit = await _book(desk, one, start)
    refused = await _book(desk, two, start, expect=409)
    assert len(refused["windows"]) == 3, "a bay is free, and nobody to work"
    acting = desk.house.acting(desk.dealer.id, f"staff:{desk.people[(desk.dealer.id, 'manager')].id}")
    now = desk.clock()
    await absences.add(acting, technician.id, starts_at=now, ends_at=now + timedelta(days=1), reason="ill")
    assert await desk.admin.fetchval("SELECT count(*) FROM slots WHERE use = 'labour' AND state = 'booked'") == 0
    assert "Nobody to work on it" in await (await (await desk.as_role("advisor")).get("/today")).text()
    await desk.post(await desk.as_role("advisor"), f"/api/v1/bookings/{visit['id']}/cancel", {"reason": "ill"})
    await labour.set_skills(acting, technician.id, frozenset())
    assert "Not planned" in await (await manager.get(f"/staff/{technician.id}")).text()


async def test_work_for_which_nobody_has_the_skill_is_refused_by_its_name(desk: Desk):
    [case] = await _cases(desk, 1)
    await _says(desk, "ev_insulation")
    technician = desk.people[(desk.dealer.id, "technician")]
    acting = desk.house.acting(desk.dealer.id, "staff:1")
    await labour.set_skills(acting, technician.id, frozenset({Skill.MECHANICAL}))
    windows = (await desk.get(await desk.as_role("advisor"), "/api/v1/windows?kind=drop_off"))["items"]
    refused = await _book(desk, case, windows[0]["starts_at"], expect=409)
    assert "nobody here knows high voltage work" in refused["detail"] and refused.get("windows", []) == []
    advisor = await desk.as_role("advisor")
    person = await desk.post(
        await desk.as_role("manager"), f"/api/v1/staff/{technician.id}/skills", {"skills": ["high_voltage"]}
    )
    assert person == {"skills": ["high_voltage"]}
    found = (await desk.get(advisor, f"/api/v1/windows?kind=drop_off&case={case}"))["items"]
    await _book(desk, case, found[0]["starts_at"])
    spent = await desk.admin.fetchval(
        "SELECT extract(epoch FROM upper(during) - lower(during)) / 60 FROM slots WHERE use = 'labour'"
    )
    assert spent == 240, "as long as the operation takes"


async def test_windows_wait_for_a_part_that_must_be_ordered_and_the_desk_sees_which(desk: Desk):
    [case] = await _cases(desk, 1)
    await _says(desk, "alternator")
    manager, advisor = await desk.as_role("manager"), await desk.as_role("advisor")
    wrong = await manager.patch("/api/v1/dealer", json={"parts_shelf": "Tire"}, headers={"Idempotency-Key": "w"})
    assert wrong.status == 422 and (await wrong.json())["field"] == "parts_shelf"
    page = f"/cases/{case}/offer?kind=drop_off"
    assert "to be ordered" not in await (await advisor.get(page)).text(), "a dealer who said nothing waits for nothing"
    early = (await desk.get(advisor, f"/api/v1/windows?kind=drop_off&case={case}"))["items"][0]["starts_at"]
    await manager.patch("/api/v1/dealer", json={"parts_shelf": "Valve"}, headers={"Idempotency-Key": "s"})
    assert "Alternator: to be ordered." in await (await advisor.get(page)).text()
    offer = await desk.post(advisor, f"/api/v1/cases/{case}/offers", {"kind": "drop_off"})
    first = await desk.admin.fetchval("SELECT min(lower(during)) FROM slots WHERE offer_id = $1", offer["id"])
    assert first.date() >= desk.clock().date() + timedelta(days=2)
    key = (await desk.post(manager, "/api/v1/keys", {"label": "site", "scopes": ["all"]}))["key"]
    body = {"case_id": case, "kind": "drop_off", "starts_at": early}
    program = await desk.anonymous().post(
        "/api/v1/bookings", json=body, headers={"Authorization": f"Bearer {key}", "Idempotency-Key": "p"}
    )
    assert program.status == 409 and "Alternator: ordered, here on" in (await program.json())["detail"]
    await _book(desk, case, early)
