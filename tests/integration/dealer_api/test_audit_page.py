"""The audit log of a manager: who did what, when and to which thing; and the same as a file."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from actions import owners
from dealer_api import spreadsheet
from store import history
from store.pool import transaction
from tests.integration.dealer_api.conftest import Desk


async def text_of(client, path, status=200):
    response = await client.get(path)
    assert response.status == status, (path, response.status)
    return await response.text()


async def write(desk, count=1, *, dealer=None, **changed):
    result = {
        "noun": "case",
        "subject_id": 7,
        "old": "open",
        "new": "dismissed",
        "reason": "sold",
        "actor": f"staff:{desk.people[(desk.dealer.id, 'advisor')].id}",
        "now": desk.clock(),
        **changed,
    }
    async with transaction(desk.house.pool, (dealer or desk.dealer).id) as connection:
        for _ in range(count):
            await history.write(
                connection,
                (dealer or desk.dealer).id,
                result["noun"],
                result["subject_id"],
                **{name: value for name, value in result.items() if name not in ("noun", "subject_id")},
            )


def shown(page):
    return re.findall(r'data-label="Move">.*?>([^<]+)<', page)


async def test_a_manager_sees_who_did_what_to_which_thing_and_nobody_else_does(desk: Desk):
    await write(desk)
    await write(desk, actor="car", new="repaired by magic")
    await write(desk, dealer=desk.other, reason="CANARY")
    manager = await desk.as_role("manager")
    page = await text_of(manager, "/audit")
    assert (
        "Open → dismissed" in page
        and "Sold" in page
        and 'href="/cases/7"' in page
        and desk.people[(desk.dealer.id, "advisor")].name in page
    )
    assert "magic" not in page and "CANARY" not in page
    assert "magic" in await text_of(manager, "/audit?who=")
    for role in ("advisor", "technician", "driver"):
        for path in ("/audit", "/audit.csv"):
            assert (await (await desk.as_role(role)).get(path)).status == 403


async def test_each_filter_stands_in_the_address_and_narrows_what_is_shown(desk: Desk):
    manager = await desk.as_role("manager")
    advisor, driver = (desk.people[(desk.dealer.id, role)].id for role in ("advisor", "driver"))
    await write(desk, new="early", now=desk.clock() - timedelta(days=3))
    await write(desk, new="mine")
    await write(desk, new="theirs", actor=f"staff:{driver}")
    await write(desk, new="program", actor="api:DMS", noun="owner", subject_id=3)
    await write(desk, new="other number", subject_id=8)
    today, before = f"{desk.clock():%Y-%m-%d}", f"{desk.clock() - timedelta(days=2):%Y-%m-%d}"

    async def found(query):
        page = await text_of(manager, f"/audit?{query}")
        return {
            word
            for word in ("Open → early", "Open → mine", "Open → theirs", "Open → program", "Open → other number")
            if word in page
        }

    assert len(await found("who=people")) == 5
    assert await found(f"who=staff:{driver}") == {"Open → theirs"}
    assert await found("who=programs") == await found("who=people&what=owner") == {"Open → program"}
    assert await found("what=case&number=8") == {"Open → other number"}
    assert await found(f"until={before}") == {"Open → early"}
    assert await found(f"who=staff:{advisor}&since={today}&until={today}") == {"Open → mine", "Open → other number"}
    page = await text_of(manager, f"/audit?who=staff:{driver}&what=case")
    assert f'value="staff:{driver}" selected' in page and 'value="case" selected' in page
    assert f"/audit.csv?who=staff%3A{driver}&amp;what=case" in page


@pytest.mark.parametrize(
    "query",
    [
        "who=x",
        "what=x",
        "number=7",
        "what=case&number=x",
        "since=yesterday",
        "until=2026-13-01",
        "until=9999-12-31",
        "before=x",
    ],
)
async def test_a_filter_that_means_nothing_is_said_and_is_no_fault_of_ours(desk: Desk, query):
    manager = await desk.as_role("manager")
    await text_of(manager, f"/audit?{query}", 422)
    if not query.startswith("before"):
        assert (await manager.get(f"/audit.csv?{query}")).status == 422


async def test_older_rows_are_a_page_further_with_the_same_filter(desk: Desk):
    manager = await desk.as_role("manager")
    for n in range(130):
        await write(desk, new=f"step {n:03}")
        await write(desk, new="x", noun="offer")
    seen, path = [], "/audit?what=case"
    while path:
        page = await text_of(manager, path)
        seen += re.findall(r"step (\d{3})", page)
        older = re.search(r'href="(/audit\?[^"]*before=\d+)"', page)
        path = older[1].replace("&amp;", "&") if older else None
    assert seen == [f"{n:03}" for n in range(129, -1, -1)]


async def test_the_file_holds_all_that_is_found_and_no_cell_of_it_is_a_formula(desk: Desk):
    manager = await desk.as_role("manager")
    nasty = ['=HYPERLINK("http://x")', "+1", "-1+1", "@SUM(A1)", "\t=1", " =1", "a\nb", 'say "hi"; a,b', "\ufeff=1"]
    for reason in nasty:
        await write(desk, reason=reason)
    await write(desk, 1_100, new="many")
    response = await manager.get("/audit.csv?what=case")
    text = (await response.read()).decode("utf-8-sig")
    assert response.headers["Content-Disposition"] == 'attachment; filename="telltale-audit.csv"' and response.headers[
        "Content-Type"
    ].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 1_100 + len(nasty)
    reasons = [row["why"] for row in rows[-len(nasty) :]][::-1]
    assert [reason.removeprefix("'") for reason in reasons] == nasty
    for row in rows:
        for cell in row.values():
            assert cell.lstrip(" \ufeff")[:1] not in ("=", "+", "-", "@", "\t"), cell


def test_cells_stay_what_they_are_where_they_are_harmless():
    assert spreadsheet.lines([[1, None, "Ana", "5=4"]]) == '"1","","Ana","5=4"\r\n'


async def test_what_staff_does_at_the_desk_is_there_with_the_thing_it_was_done_to(desk: Desk):
    manager = await desk.as_role("manager")
    me = f"staff:{desk.people[(desk.dealer.id, 'manager')].id}"
    owner = await owners.create(desk.house.acting(desk.dealer.id, me), {"name": "Anna", "phone": "+4917012345678"})
    await owners.update(desk.house.acting(desk.dealer.id, me), owner.id, {"address": "Weg 2"})
    page = await text_of(manager, f"/audit?what=owner&number={owner.id}")
    assert "Changed address" in page and "Weg 2" not in page and f'href="/owners/{owner.id}"' in page
