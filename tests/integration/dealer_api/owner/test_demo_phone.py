"""The demo phones: what arrived, for a person and for a program, in a demo only."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.dealer_api.owner.conftest import World


@pytest.fixture
def demo() -> bool:
    return True


async def arrive(world: Any, body: str, number: str = "+4917604069010") -> None:
    """A text reaches a phone."""
    count = await world.desk.admin.fetchval("SELECT count(*) FROM phone_texts")
    await world.desk.admin.execute(
        "INSERT INTO phone_texts (dealer_id, reference, from_address, to_address, body, at) "
        "VALUES (1, $1, '+49305550100', $2, $3, $4)",
        f"test-{count}",
        number,
        body,
        world.desk.clock() + timedelta(minutes=count),
    )


async def test_every_owner_and_every_person_with_a_number_has_a_phone(world: World) -> None:
    page = await world.get("/phone")
    assert "Emma Clarke" in page and "Alba 1.2" in page
    assert "Advisor of Nord" in page and "Advisor of Sued" not in page


async def test_texts_stand_in_their_order_with_their_links(world: World) -> None:
    await arrive(world, "first http://desk.example/o/abc")
    await arrive(world, "second <b>bold</b>")
    await arrive(world, "for somebody else", "+4930100")
    page = (await world.get("/phone?to=%2B4917604069010")).partition('role="log"')[2]
    assert page.index("first http://desk.example/o/abc") < page.index("second &lt;b&gt;bold&lt;/b&gt;")
    assert "for somebody else" not in page


async def test_a_program_reads_the_same_texts(world: World) -> None:
    await arrive(world, "a" * 161)
    async with world.web.get("/phone/texts", params={"to": "+4917604069010"}) as answer:
        parsed = await answer.json()
    assert [(text["body"], text["parts"], text["from"]) for text in parsed["texts"]] == [("a" * 161, 2, "+49305550100")]
    assert next(one for one in parsed["handsets"] if one["number"] == "+4917604069010")["texts"] == 1


async def test_the_phones_of_a_real_dealer_in_the_same_home_are_not_shown(world: World) -> None:
    desk = world.desk
    await desk.admin.execute(
        "INSERT INTO senders (address, dealer_id, channel) VALUES ('+49305550999', $1, 'phone')", desk.other.id
    )
    page = await world.get("/phone")
    assert "Advisor of Nord" in page and "Advisor of Sued" not in page


async def test_a_name_of_somebody_else_that_leads_here_is_not_answered(world: World) -> None:
    for path in ("/phone", "/phone/texts"):
        assert "does not answer as evil.example" in await world.get(path, 403, Host="evil.example:8080")
    async with world.web.post(
        "/sign-in/demo", data={"staff": "1"}, headers={"Host": "evil.example"}, allow_redirects=False
    ) as answer:
        assert answer.status == 403 and "Set-Cookie" not in answer.headers


async def test_another_site_s_form_does_not_speak_as_an_owner(world: World) -> None:
    result = {"from": "+4917604069010", "to": "+49305550100", "body": "STOP"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        async with world.web.post("/inbound/phone", data=result, headers=headers) as answer:
            assert answer.status == 403
    assert await world.desk.admin.fetchval("SELECT count(*) FROM replies") == 0


async def test_one_click_signs_in_as_the_demo_s_people_and_as_nobody_else_s(world: World) -> None:
    desk = world.desk
    page = await world.get("/sign-in")
    assert "Manager of Nord" in page and "Manager of Sued" not in page
    for dealer, status in ((desk.dealer, 303), (desk.other, 404)):
        await world.post("/sign-in/demo", status, staff=str(desk.people[(dealer.id, "manager")].id))


async def test_an_unknown_number_is_an_empty_page_not_an_error(world: World) -> None:
    assert "Choose a phone" in await world.get("/phone?to=%2B4900")
    async with world.web.get("/phone/texts", params={"to": "'; DROP TABLE phone_texts"}) as answer:
        assert (await answer.json())["texts"] == []


async def test_the_answer_box_books_like_a_text_and_comes_back_to_the_phone(world: World) -> None:
    await world.offer()
    page = await world.get("/phone?to=%2B4917604069010")
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    assert await world.post("/inbound/phone", **form, body="1") == "/phone?to=%2B4917604069010"
    assert (await world.case_now()).state == "booked"
    page = (await world.get("/phone?to=%2B4917604069010")).partition('role="log"')[2]
    assert 'class="bubble mine"' in page


async def test_quick_answers_are_what_the_newest_text_asks_for(world: World) -> None:
    async def quick() -> list[str]:
        async with world.web.get("/phone/texts", params={"to": "+4917604069010"}) as answer:
            return list((await answer.json())["quick"])

    assert await quick() == []
    await arrive(world, "It leaks: 1 = today 11:00-12:00, 2 = today 13:00-14:00, 0 = no. STOP = no more texts")
    assert await quick() == ["1", "2", "0", "STOP"]
    await arrive(world, "How was it? Answer with a digit from 1 (bad) to 5 (very good).")
    assert await quick() == ["1", "2", "3", "4", "5"]
    await arrive(world, "Booked. We collect your car today 11:00-12:00.")
    assert await quick() == []
