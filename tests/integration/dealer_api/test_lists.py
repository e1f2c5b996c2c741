"""Lists of the desk: as files, several cases at once, cases that rest, and views that are kept under a name."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from actions import resting
from dealer_api.desk import lists
from schemas.errors import BadInput
from tests.integration.dealer_api.conftest import Desk


async def page_of(client, path, status=200):
    response = await client.get(path)
    assert response.status == status, (path, response.status)
    return await response.text()


async def rows_of(client, path):
    response = await client.get(path)
    assert response.status == 200 and response.headers["Content-Disposition"].startswith("attachment; "), path
    text = (await response.read()).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


async def send(client, at, path, fields):
    csrf = re.search(r'name="csrf" value="([^"]+)"', await page_of(client, at))[1]
    return await client.post(path, data=[("csrf", csrf), *fields], allow_redirects=False)


async def a_case(desk, n, severity="soon", title="Golf", dealer=None, name="Ana"):
    manager = await desk.as_role("manager", dealer or desk.dealer)
    owner = await desk.post(manager, "/api/v1/owners", {"name": name, "phone": f"+4917012{n:05}"})
    car = await desk.post(
        manager,
        "/api/v1/vehicles",
        {"vin": f"WTTBDLST{n:09}", "profile": "petrol_hatch", "title": title, "owner_id": owner["id"]},
    )
    case = await desk.post(manager, "/api/v1/cases", {"vehicle_id": car["id"], "note": "rattles", "severity": severity})
    return case["id"]


async def test_a_list_goes_out_whole_as_its_filters_say_and_no_cell_is_a_formula(desk: Desk, monkeypatch):
    monkeypatch.setattr(lists, "_AT_ONCE", 2)
    made = [await a_case(desk, n, title="=1+1" if n == 3 else "Golf", name=f"@Ana {n}") for n in range(5)]
    urgent = await a_case(desk, 9, "now", title="-Tab", name="+49")
    await a_case(desk, 10, dealer=desk.other, title="CANARY")
    advisor = await desk.as_role("advisor")
    found = await rows_of(advisor, "/queue.csv")
    assert [int(row["case"]) for row in found] == [urgent, *made]  # as the queue is sorted
    assert {row["car"] for row in found} == {"'=1+1", "Golf", "'-Tab"}
    assert all(row["owner"][:2] in ("'@", "'+") for row in found)
    assert all(re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d:\d\d\+01:00", row["opened"]) for row in found)
    assert [int(row["case"]) for row in await rows_of(advisor, "/queue.csv?severity=now")] == [urgent]
    assert len(await rows_of(advisor, "/vehicles.csv?show=case")) == 6
    assert len(await rows_of(advisor, "/vehicles.csv?search=Golf")) == 4
    owners = await rows_of(advisor, "/owners.csv")
    assert len(owners) == 6 and all(row["phone"].startswith("'+49") for row in owners)
    assert await rows_of(advisor, "/inbox.csv?show=all") == []
    assert await rows_of(advisor, "/bookings.csv?day=0&view=week") == []
    for path in ("/queue.csv?show=odd", "/queue.csv?severity=x", "/bookings.csv?day=x", "/inbox.csv?show=odd"):
        await rows_of(advisor, path)


async def test_each_file_is_for_whoever_may_see_its_list(desk: Desk):
    technician, driver = await desk.as_role("technician"), await desk.as_role("driver")
    for path, status in (("queue", 200), ("vehicles", 200), ("bookings", 200), ("owners", 403), ("inbox", 403)):
        assert (await technician.get(f"/{path}.csv")).status == status
        assert (await driver.get(f"/{path}.csv")).status == 403


async def test_several_cases_are_decided_each_for_itself_and_what_was_refused_says_why(desk: Desk):
    first, second, done = [await a_case(desk, n) for n in range(3)]
    urgent, theirs = await a_case(desk, 4, "now"), await a_case(desk, 5, dealer=desk.other)
    advisor = await desk.as_role("advisor")
    await desk.post(advisor, f"/api/v1/cases/{done}/dismiss", {"reason": "sold"})
    mate = desk.people[(desk.dealer.id, "manager")]

    def chosen(*ids):
        return [("case", str(one)) for one in ids]

    answer = await send(
        advisor, "/queue", "/queue/bulk", [*chosen(first, second), ("act", "assign"), ("to", str(mate.id))]
    )
    assert answer.status == 303
    assert {
        row["assignee_id"]
        for row in await desk.admin.fetch("SELECT assignee_id FROM cases WHERE id = ANY($1)", [first, second])
    } == {mate.id}
    answer = await send(
        advisor,
        "/queue",
        "/queue/bulk",
        [*chosen(first, urgent, done, theirs), ("act", "rest"), ("until", "tomorrow")],
    )
    text = await answer.text()
    assert answer.status == 200 and "Done for 1 case." in text and "reason beside it: 3." in text
    assert (
        "A car that must not wait cannot rest." in text
        and "It is not there." in text
        and "It is dismissed now." in text
    )
    answer = await send(
        advisor, "/queue", "/queue/bulk", [*chosen(first, second, second), ("act", "close"), ("reason", "test")]
    )
    assert answer.status == 303
    states = await desk.admin.fetch("SELECT state FROM cases WHERE id = ANY($1)", [first, second, theirs])
    assert sorted(row["state"] for row in states) == ["dismissed", "dismissed", "open"]
    for fields in (
        [("act", "close")],
        [*chosen(urgent), ("act", "close")],
        [*chosen(urgent), ("act", "assign")],
        chosen(urgent),
    ):
        answer = await send(advisor, "/queue", "/queue/bulk", fields)
        assert answer.status == 303 and "telltale_note" in answer.cookies
    assert await desk.admin.fetchval("SELECT state FROM cases WHERE id = $1", urgent) == "open"
    technician = await desk.as_role("technician")
    assert 'name="case"' not in await page_of(technician, "/queue")


async def test_a_case_rests_until_its_moment_or_until_something_changes_it(desk: Desk):
    case = await a_case(desk, 1)
    advisor = await desk.as_role("advisor")
    me = desk.people[(desk.dealer.id, "advisor")]
    acting = desk.house.acting(desk.dealer.id, f"staff:{me.id}")
    until = desk.clock() + timedelta(hours=20)

    async def stands():
        return [
            which
            for which in ("open", "mine", "resting")
            if f'id="case-{case}"' in await page_of(advisor, f"/queue?show={which}")
        ]

    await desk.admin.execute("UPDATE cases SET assignee_id = $2 WHERE id = $1", case, me.id)
    assert await stands() == ["open", "mine"]
    await resting.rest(acting, case, until)
    assert await stands() == ["resting"]
    assert 'class="count">1<span class="unseen"> open cases' not in await page_of(advisor, "/queue")
    await desk.admin.execute("UPDATE cases SET changed_at = changed_at + interval '1 second' WHERE id = $1", case)
    assert await stands() == ["open", "mine"]  # something happened to it
    await resting.rest(acting, case, until)
    await resting.rest(acting, case, None)
    assert await stands() == ["open", "mine"]
    await resting.rest(acting, case, until)
    desk.clock.at = until
    assert await stands() == ["open", "mine"]
    with pytest.raises(BadInput, match="past"):
        await resting.rest(acting, case, until)
    told = await desk.admin.fetch(
        "SELECT new, reason FROM history WHERE noun = 'case' AND subject_id = $1 ORDER BY id", case
    )
    assert ("rests", "until 2026-11-") in {(row["new"], row["reason"][:14]) for row in told}


async def test_views_are_one_s_own_or_the_house_s_and_nobody_else_s(desk: Desk):
    advisor, manager, theirs = (
        await desk.as_role("advisor"),
        await desk.as_role("manager"),
        await desk.as_role("manager", desk.other),
    )
    at = "/queue?show=mine&severity=now&after=1~2~3&x=<b>"
    keep = [("list", "queue"), ("query", "show=mine&severity=now&after=1~2~3&x=<b>")]
    for name, more in (("Own <i>", []), ("Shared", [("shared", "yes")])):
        answer = await send(advisor, "/queue", "/views", [*keep, ("name", name), *more])
        assert answer.status == 303 and answer.headers["Location"] == "/queue?show=mine&severity=now"
    page = await page_of(advisor, at)
    assert "Own &lt;i&gt;" in page and 'href="/queue?show=mine&amp;severity=now"' in page
    seen = await page_of(manager, "/queue")
    assert "Own &lt;i&gt;" not in seen and "Shared" in seen
    assert "Shared" not in await page_of(theirs, "/queue")
    ids = [row["id"] for row in await desk.admin.fetch("SELECT id FROM saved_views ORDER BY id")]
    technician = await desk.as_role("technician")
    for client, view, left in (
        (theirs, ids[1], 2),
        (manager, ids[0], 2),
        (technician, ids[1], 2),
        (manager, ids[1], 1),
    ):
        assert (await send(client, "/queue", f"/views/{view}/drop", [])).status == 303
        assert await desk.admin.fetchval("SELECT count(*) FROM saved_views") == left
    assert (await send(advisor, "/queue", f"/views/{ids[0]}/drop", [])).status == 303
    assert await desk.admin.fetchval("SELECT count(*) FROM saved_views") == 0
    for fields in ([("list", "odd"), ("name", "A")], [*keep, ("name", " ")], [*keep, ("name", "a" * 61)]):
        assert (await send(advisor, "/queue", "/views", fields)).status == 303
    assert await desk.admin.fetchval("SELECT count(*) FROM saved_views") == 0
    await send(advisor, "/queue", "/views", [*keep, ("name", "Twice")])
    await send(advisor, "/queue", "/views", [*keep, ("name", "Twice")])
    assert await desk.admin.fetchval("SELECT count(*) FROM saved_views") == 1


async def test_what_was_refused_is_paged(desk: Desk):
    for n in range(53):
        await desk.admin.execute(
            "INSERT INTO quarantine (dealer_id, vin, topic, payload, reason, detail, received_at) "
            "VALUES ($1, $2, 't', 'x', 'not_json', $3, $4)",
            desk.dealer.id,
            f"WTTBDQ{n:011}",
            f"Bad {n}.",
            desk.clock(),
        )
    advisor = await desk.as_role("advisor")
    page = await page_of(advisor, "/quarantine")
    assert "Bad 52." in page and "Bad 3." in page and "Bad 2." not in page
    onward = re.search(r'href="(/quarantine\?after=\d+)" rel="next"', page)[1]
    page = await page_of(advisor, onward)
    assert "Bad 2." in page and "Bad 0." in page and "To the beginning" in page and 'rel="next"' not in page
