"""A list of owners, cars and consents: good lines are stored, bad ones are named with the reason."""

from __future__ import annotations

HEADER = "name,phone,email,language,address,vin,title,plate,profile,consent_service,consent_status,consent_at,consent_source,consent_wording"
GOOD = 'Anna Berg,030 1234567,,en,"Lindenweg 3, Berlin",WVWZZZ1JZXW000001,VW Golf,B-TT 204,petrol_hatch,yes,yes,2026-01-10T09:00+01:00,form,Text me about my car.'
MAIL = "Ben Krug,,ben@example.org,de,,WVWZZZ1JZXW000002,Van,,diesel_van,no,,,,"


async def send(client, *lines, header=HEADER, key="list", query="", sep="\n"):
    said = await client.post(
        f"/api/v1/imports{query}", data=sep.join((header, *lines)).encode(), headers={"Idempotency-Key": key, "Content-Type": "text/csv"}
    )
    return said.status, await said.json()


async def test_good_lines_are_stored_and_bad_ones_say_which_cell_and_why(desk):
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
    assert (report["owners_added"], report["vehicles_added"], report["consents_recorded"]) == (2, 2, 3)
    assert [(one["line"], one["field"]) for one in report["refused"]] == [
        (4, "name"), (5, "vin"), (6, "profile"), (7, "consent_at"), (8, "phone"), (9, "phone"), (10, "phone"),
    ]  # fmt: skip
    assert all(one["reason"] for one in report["refused"])
    owner = (await desk.get(advisor, "/api/v1/owners?search=anna"))["items"][0]
    assert owner["phone"] == "+49301234567" and owner["channel"] == "phone"
    whole = await desk.get(advisor, f"/api/v1/owners/{owner['id']}")
    assert [car["vin"] for car in whole["vehicles"]] == ["WVWZZZ1JZXW000001"]
    assert {one["purpose"]: one["given"] for one in whole["consents"]} == {"service": True, "status": True}
    assert whole["consents"][0]["source"] == "import: form"
    assert (await desk.get(advisor, "/api/v1/owners?search=ben"))["items"][0]["channel"] == "email"


async def test_a_rehearsal_reports_the_same_and_stores_nothing(desk):
    advisor = await desk.as_role("advisor")
    status, report = await send(advisor, GOOD, "x", query="?dry_run=true")
    assert status == 200 and report["dry_run"] and report["owners_added"] == 1 and len(report["refused"]) == 1
    assert await desk.admin.fetchval("SELECT count(*) FROM owners") == 0


async def test_the_same_list_again_adds_nothing(desk):
    advisor = await desk.as_role("advisor")
    await send(advisor, GOOD, MAIL)
    status, report = await send(advisor, GOOD, MAIL, key="again")
    assert status == 200 and not report["refused"]
    assert (report["owners_added"], report["owners_updated"], report["vehicles_added"], report["consents_recorded"]) == (0, 2, 0, 0)
    assert await desk.admin.fetchval("SELECT count(*) FROM ownerships") == 2


async def test_a_list_does_not_overrule_a_stop(desk):
    advisor = await desk.as_role("advisor")
    await send(advisor, GOOD)
    await desk.admin.execute("UPDATE owners SET stopped_at = $1", desk.clock())
    await desk.admin.execute("INSERT INTO consents (dealer_id, owner_id, purpose, given, at, source, wording) SELECT dealer_id, id, 'service', false, $1, 'STOP by text', 'STOP' FROM owners", desk.clock())
    _, report = await send(advisor, GOOD, key="again")
    assert report["consents_recorded"] == 0


async def test_a_car_of_another_dealer_is_refused_without_a_word_about_whose_it_is(desk):
    await send(await desk.as_role("advisor", desk.other), GOOD)
    status, report = await send(await desk.as_role("advisor"), GOOD)
    assert status == 200 and [(one["line"], one["field"], one["reason"]) for one in report["refused"]] == [(2, "vin", "is looked after already")]
    assert await desk.admin.fetchval("SELECT count(*) FROM owners WHERE dealer_id = $1", desk.dealer.id) == 0, "half a line is not stored"


async def test_semicolons_a_byte_order_mark_and_windows_line_ends_are_read(desk):
    advisor = await desk.as_role("advisor")
    status, report = await send(
        advisor, "Anna;030 1234567;WVWZZZ1JZXW000001;Golf;petrol_hatch", header="\ufeffName;Phone;VIN;Title;Profile", sep="\r\n"
    )
    assert status == 200 and report["owners_added"] == 1 and report["refused"] == []


async def test_a_list_that_is_none_is_refused_as_a_whole(desk):
    advisor = await desk.as_role("advisor")
    for n, (body, field) in enumerate(((b"", "csv"), (b"name,colour\nAnna,red", "header"), (b"\xff\xfe\x00", "csv"), (b"name,vin\nAnna", "header"))):
        said = await advisor.post("/api/v1/imports", data=body, headers={"Idempotency-Key": f"bad-{n}", "Content-Type": "text/csv"})
        assert (said.status, (await said.json())["field"]) == (422, field), body


async def test_a_list_beyond_the_largest_body_is_refused_before_it_is_read(desk):
    advisor = await desk.as_role("advisor")
    said = await advisor.post("/api/v1/imports", data=b"x" * 300_000, headers={"Idempotency-Key": "big", "Content-Type": "text/csv"})
    assert said.status == 413
