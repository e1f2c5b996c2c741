"""A list of owners, cars and consents: good lines are stored, bad ones are named with the reason."""

from __future__ import annotations

from dealer_api.inbound.handle_reply import handle
from schemas.thread import Reply
from store import accounts
from tests.integration.dealer_api.conftest import Desk

HEADER = (
    "name,phone,email,language,address,vin,title,plate,profile,"
    "consent_service,consent_status,consent_at,consent_source,consent_wording"
)
GOOD = (
    'Anna Berg,030 1234567,,en,"Lindenweg 3, Berlin",WVWZZZ1JZXW000001,VW Golf,B-TT '
    "204,petrol_hatch,yes,yes,2026-01-10T09:00+01:00,form,Text me about my car."
)
MAIL = "Ben Krug,,ben@example.org,de,,WVWZZZ1JZXW000002,Van,,diesel_van,no,,,,"


async def send(client, *lines, header=HEADER, key="list", query="", sep="\n"):
    response = await client.post(
        f"/api/v1/imports{query}",
        data=sep.join((header, *lines)).encode(),
        headers={"Idempotency-Key": key, "Content-Type": "text/csv"},
    )
    return response.status, await response.json()


async def test_good_lines_are_stored_and_bad_ones_say_which_cell_and_why(desk: Desk):
    advisor = await desk.as_role("advisor")
    status, report = await send(
        advisor,
        GOOD,
        MAIL,
        ",030 1,,,,WVWZZZ1JZXW000003,Car,,petrol_hatch,,,,,",
        "Carla,030 7654321,,,,NOTAVIN,Car,,petrol_hatch,,,,,",
        "Dora,030 7654322,,,,WVWZZZ1JZXW000005,Car,,submarine,,,,,",
        "Emil,030 7654323,,,,WVWZZZ1JZXW000006,Car,,petrol_hatch,yes,,,,",
        "Fritz,hello,,,,WVWZZZ1JZXW000007,Car,,petrol_hatch,,,,,",
        "Gerd,,,,,WVWZZZ1JZXW000008,Car,,petrol_hatch,,,,,",
        "Anna's neighbour,+49301234567,,,,WVWZZZ1JZXW000009,Car,,petrol_hatch,,,,,",
    )
    assert status == 200 and report["lines"] == 9
    assert (report["owners_added"], report["vehicles_added"], report["consents_recorded"]) == (3, 3, 3)
    assert report["shared"] == [
        {"line": 10, "name": "Anna's neighbour", "beside": "Anna Berg"}
    ]  # a couple, or a mistake
    assert [(one["line"], one["field"]) for one in report["refused"]] == [
        (4, "name"),
        (5, "vin"),
        (6, "profile"),
        (7, "consent_at"),
        (8, "phone"),
        (9, "phone"),
    ]
    assert all(one["reason"] for one in report["refused"])
    owner = (await desk.get(advisor, "/api/v1/owners?search=anna%20b"))["items"][0]
    assert owner["phone"] == "+49301234567" and owner["channel"] == "phone"
    whole = await desk.get(advisor, f"/api/v1/owners/{owner['id']}")
    assert [car["vin"] for car in whole["vehicles"]] == ["WVWZZZ1JZXW000001"]
    assert {one["purpose"]: one["given"] for one in whole["consents"]} == {"service": True, "status": True}
    assert whole["consents"][0]["source"] == "import: form"
    assert (await desk.get(advisor, "/api/v1/owners?search=ben"))["items"][0]["channel"] == "email"


async def test_a_rehearsal_reports_the_same_and_stores_nothing(desk: Desk):
    advisor = await desk.as_role("advisor")
    status, report = await send(advisor, GOOD, "x", query="?dry_run=true")
    assert status == 200 and report["dry_run"] and report["owners_added"] == 1 and len(report["refused"]) == 1
    assert await desk.admin.fetchval("SELECT count(*) FROM owners") == 0


async def test_the_same_list_again_adds_nothing(desk: Desk):
    advisor = await desk.as_role("advisor")
    await send(advisor, GOOD, MAIL)
    status, report = await send(advisor, GOOD, MAIL, key="again")
    assert status == 200 and not report["refused"]
    assert (
        report["owners_added"],
        report["owners_updated"],
        report["vehicles_added"],
        report["consents_recorded"],
    ) == (0, 2, 0, 0)
    assert await desk.admin.fetchval("SELECT count(*) FROM ownerships") == 2


async def test_a_list_does_not_overrule_a_stop(desk: Desk):
    advisor = await desk.as_role("advisor")
    await send(advisor, GOOD)
    await desk.admin.execute("UPDATE owners SET stopped_at = $1", desk.clock())
    await desk.admin.execute(
        "INSERT INTO consents (dealer_id, owner_id, purpose, given, at, source, wording) "
        "SELECT dealer_id, id, 'service', false, $1, 'STOP by text', 'STOP' FROM owners",
        desk.clock(),
    )
    _, report = await send(advisor, GOOD, key="again")
    assert report["consents_recorded"] == 0


async def test_a_car_of_another_dealer_is_refused_without_a_word_about_whose_it_is(desk: Desk):
    await send(await desk.as_role("advisor", desk.other), GOOD)
    status, report = await send(await desk.as_role("advisor"), GOOD)
    assert status == 200 and [(one["line"], one["field"], one["reason"]) for one in report["refused"]] == [
        (2, "vin", "is looked after already")
    ]
    assert await desk.admin.fetchval("SELECT count(*) FROM owners WHERE dealer_id = $1", desk.dealer.id) == 0, (
        "half a line is not stored"
    )


async def test_semicolons_a_byte_order_mark_and_windows_line_ends_are_read(desk: Desk):
    advisor = await desk.as_role("advisor")
    status, report = await send(
        advisor,
        "Anna;030 1234567;WVWZZZ1JZXW000001;Golf;petrol_hatch",
        header="\ufeffName;Phone;VIN;Title;Profile",
        sep="\r\n",
    )
    assert status == 200 and report["owners_added"] == 1 and report["refused"] == []


async def test_a_list_that_is_none_is_refused_as_a_whole(desk: Desk):
    advisor = await desk.as_role("advisor")
    for n, (body, field) in enumerate(
        ((b"", "csv"), (b"name,colour\nAnna,red", "header"), (b"\xff\xfe\x00", "csv"), (b"name,vin\nAnna", "header"))
    ):
        response = await advisor.post(
            "/api/v1/imports", data=body, headers={"Idempotency-Key": f"bad-{n}", "Content-Type": "text/csv"}
        )
        assert (response.status, (await response.json())["field"]) == (422, field), body


async def test_a_list_beyond_the_largest_body_is_refused_before_it_is_read(desk: Desk):
    advisor = await desk.as_role("advisor")
    response = await advisor.post(
        "/api/v1/imports", data=b"x" * 300_000, headers={"Idempotency-Key": "big", "Content-Type": "text/csv"}
    )
    assert response.status == 413


PHONED = "name,phone,language,vin,title,profile,consent_service,consent_at,consent_source,consent_wording"


def phoned(name, phone, vin, language="", consent="yes", at="2026-01-05T09:00+01:00"):
    return f"{name},{phone},{language},WVWZZZ1JZXW0000{vin},Alba,petrol_hatch,{consent},{at},order form,You may text me"


async def owner_named(desk, client, name):
    return (await desk.get(client, f"/api/v1/owners?search={name}"))["items"][0]


async def test_a_newer_no_stays_against_an_older_list_and_an_empty_cell_changes_nothing(desk: Desk):
    advisor = await desk.as_role("advisor")
    line = phoned("Anna Neu", "0176 04069010", 11, language="es")
    await send(advisor, line, header=PHONED)
    owner = await owner_named(desk, advisor, "Anna")
    await desk.admin.execute(
        "INSERT INTO consents (dealer_id, owner_id, purpose, given, at, source, wording) "
        "VALUES ($1, $2, 'service', false, $3, 'telephone', 'no')",
        desk.dealer.id,
        owner["id"],
        desk.clock(),
    )
    _, report = await send(advisor, phoned("Anna Neu", "0176 04069010", 11), header=PHONED, key="again")
    assert report["consents_recorded"] == 0
    assert (await desk.get(advisor, f"/api/v1/owners/{owner['id']}"))["consents"][0]["given"] is False
    assert (await owner_named(desk, advisor, "Anna"))["language"] == "es"


async def test_a_sold_car_does_not_go_back_to_its_seller_by_an_older_list(desk: Desk):
    advisor = await desk.as_role("advisor")
    lines = [phoned("Seller Sam", "0176 04069011", 11), phoned("Buyer Bea", "0176 04069012", 12)]
    await send(advisor, *lines, header=PHONED)
    bea = await owner_named(desk, advisor, "Bea")
    car = await desk.admin.fetchval("SELECT id FROM vehicles WHERE vin LIKE '%11'")
    await desk.admin.execute("UPDATE ownerships SET until = $1 WHERE vehicle_id = $2", desk.clock(), car)
    await desk.admin.execute("UPDATE vehicles SET owner_id = $1 WHERE id = $2", bea["id"], car)
    _, report = await send(advisor, *lines, header=PHONED, key="again")
    assert [(one["line"], one["field"]) for one in report["refused"]] == [
        (2, "vin")
    ] and "this list is older" in report["refused"][0]["reason"]
    assert await desk.admin.fetchval("SELECT owner_id FROM vehicles WHERE id = $1", car) == bea["id"]


async def test_what_would_change_hands_is_said_before_and_one_car_has_one_owner_in_a_list(desk: Desk):
    advisor = await desk.as_role("advisor")
    await send(advisor, phoned("Seller Sam", "0176 04069011", 11), header=PHONED)
    new = phoned("Buyer Bea", "0176 04069012", 11)
    for query, key in (("?dry_run=true", "dry"), ("", "wet")):
        _, report = await send(
            advisor, new, phoned("Dora Dup", "0176 04069017", 11), header=PHONED, query=query, key=key
        )
        assert [(one["line"], one["before"], one["now"]) for one in report["handed_over"]] == [
            (2, "Seller Sam", "Buyer Bea")
        ]
        assert "was given to Buyer Bea in line 2" in report["refused"][0]["reason"]


async def test_a_stop_belongs_to_the_number_whoever_s_row_it_stands_in(desk: Desk):
    advisor = await desk.as_role("advisor")
    line = phoned("Stefan Stopp", "0176 04069013", 13)
    await send(advisor, line, header=PHONED)
    stefan = await owner_named(desk, advisor, "Stefan")
    await _says(desk, "+4917604069013", "STOP")
    await advisor.patch(
        f"/api/v1/owners/{stefan['id']}", json={"phone": "0176 04069023"}, headers={"Idempotency-Key": "p"}
    )
    await send(advisor, line, header=PHONED, key="again")
    rows = await desk.admin.fetch("SELECT phone, stopped_at FROM owners ORDER BY id")
    assert [row["phone"] for row in rows] == ["+4917604069023", "+4917604069013"] and all(
        row["stopped_at"] for row in rows
    )
    await _says(desk, "+4917604069013", "START")
    assert await desk.admin.fetchval("SELECT stopped_at FROM owners WHERE phone = '+4917604069013'") is None
    await _says(desk, "+4917604069099", "STOP")  # nobody's yet
    await send(advisor, phoned("Nina Neu", "0176 04069099", 14), header=PHONED, key="third")
    assert await desk.admin.fetchval("SELECT stopped_at FROM owners WHERE phone = '+4917604069099'")


async def _says(desk, number, body):
    async with desk.admin.acquire() as connection:
        await accounts.set_sender(connection, "+4917604069100", desk.dealer.id, "phone")
    reply = Reply(
        channel="phone",
        provider_id=f"{number}{body}",
        from_address=number,
        to_address="+4917604069100",
        body=body,
        received_at=desk.clock(),
    )
    await handle(desk.house, reply)
