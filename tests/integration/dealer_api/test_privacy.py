"""An owner asks what is held about them, and gets all of it and nothing of anybody else."""

from __future__ import annotations

import csv
import io
import itertools
import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from actions import bookings, cases, owners, vehicles
from schemas.booking import BookingKind
from schemas.keeping import WHERE_IDS
from schemas.message import MessageKind, Purpose
from store import history, messages, secrets
from store.pool import transaction

NAME, PHONE, MAIL, ADDRESS = "Zora Kanarius", "+491709990001", "zora@kanari.example", "Kanarienweg 77, Hamburg"
WORDS = ("CANARYOUT", "CANARYIN", "CANARYNOTE", "CANARYSTAFF", "CANARYFEEDBACK", "CANARYWHY")
CANARIES = (NAME, "Zora", "Kanarius", PHONE, MAIL, ADDRESS, "Kanarienweg", *WORDS)
_numbers = itertools.count(1)


@pytest.fixture
async def person(desk: Any) -> Any:
    """Somebody of whom everything is held, in every table that says something of an owner; beside a neighbour."""
    p = SimpleNamespace(desk=desk, dealer=desk.dealer.id)
    house, actor = desk.house, f"staff:{desk.people[(desk.dealer.id, 'advisor')].id}"
    desk.clock.on(days=-40)
    agreed = dict.fromkeys((Purpose.SERVICE, Purpose.STATUS), True)
    p.owner = await owners.create(house, p.dealer, actor, {"name": NAME, "phone": PHONE, "email": MAIL, "address": ADDRESS, "language": "de"}, agreed, wording="said CANARYSTAFF")
    p.neighbour = await owners.create(house, p.dealer, actor, {"name": "Nina Nachbar", "phone": "+491709990002", "address": "Anderswo 1"}, agreed, wording="yes")
    p.car = await vehicles.add(house, p.dealer, actor, vin="WVWZZZ1JZXW000001", profile="petrol_hatch", title="VW Golf", plate="HH-ZK 77", owner_id=p.neighbour.id)
    await says(p, 1, "before")
    desk.clock.on(days=10)
    await vehicles.update(house, p.dealer, actor, p.car.id, {"owner_id": p.owner.id})
    await says(p, 3, "theirs")
    p.case = await cases.open_by_hand(house, p.dealer, actor, p.car.id, "CANARYNOTE: it rattles")
    await text(p, p.owner.id, PHONE, f"Dear {NAME}: CANARYOUT", case_id=p.case.id)
    await text(p, p.neighbour.id, "+491709990002", "for Nina only")
    async with transaction(desk.admin) as connection:
        for sender, owner_id, body in ((PHONE, p.owner.id, "CANARYIN"), (PHONE, None, "CANARYIN before you knew me"), ("+491709990002", p.neighbour.id, "Nina in")):
            await connection.execute(
                """INSERT INTO replies (dealer_id, owner_id, channel, provider_id, from_address, to_address, body, understood, received_at)
                   VALUES ($1, $2, 'sms', $3, $4, '+4930111', $5, 'other', $6)""", p.dealer, owner_id, f"in{next(_numbers)}", sender, body, desk.clock(),
            )  # fmt: skip
        await connection.execute("INSERT INTO feedback (case_id, dealer_id, owner_id, asked_at, score, words) VALUES ($1, $2, $3, $4, 5, 'CANARYFEEDBACK')", p.case.id, p.dealer, p.owner.id, desk.clock())
        await connection.execute("INSERT INTO phone_texts (dealer_id, reference, from_address, to_address, body, at) VALUES ($1, 'r1', '+4930111', $2, 'CANARYOUT', $3)", p.dealer, PHONE, desk.clock())
        await connection.execute(
            "INSERT INTO quarantine (dealer_id, vehicle_id, topic, payload, reason, detail, received_at) VALUES ($1, $2, 't', 'CANARYOUT', 'not_json', '', $3)", p.dealer, p.car.id, desk.clock()
        )
        await history.write(connection, p.dealer, "case", p.case.id, old="open", new="assigned", reason="CANARYWHY", actor=actor, now=desk.clock())
        await messages.queue(
            connection, dealer_id=p.dealer, kind=MessageKind.STAFF_SILENCE, purpose=Purpose.STAFF, to=messages.StaffTo(desk.people[(p.dealer, "advisor")].id, "sms", "+49301", "en"),
            body="Ms Kanarius waits: CANARYSTAFF", author="worker", now=desk.clock(), case_id=p.case.id,
        )  # fmt: skip
        p.link = await secrets.make(connection, p.dealer, "journey", now=desk.clock(), owner_id=p.owner.id)
    windows = await bookings.free_windows(house, p.dealer, BookingKind.PICKUP)
    p.booking = await bookings.book(house, p.dealer, actor, p.case.id, BookingKind.PICKUP, windows[0].window.starts_at)
    p.actor = actor
    desk.clock.on(minutes=5)
    return p


async def says(p: Any, count: int, _what: str) -> None:
    at = p.desk.clock()
    day = int(at.timestamp() // 86_400)
    await p.desk.admin.execute("SELECT open_day($1)", day)
    for n in range(count):
        await p.desk.admin.execute(
            "INSERT INTO readings (dealer_id, vehicle_id, boot, seq, day, ts, received_at, mark, ids, vals) VALUES ($1, $2, 1, $3, $4, $5, $5, 0, $6, $7)",
            p.dealer, p.car.id, next(_numbers), day, at + timedelta(seconds=n + 1), [1, *WHERE_IDS], [50.0, 5.0, 53.5, 9.9],
        )  # fmt: skip


async def text(p: Any, owner_id: int, number: str, body: str, **more: Any) -> None:
    async with transaction(p.desk.admin) as connection:
        await messages.queue(
            connection, dealer_id=p.dealer, kind=MessageKind.FREE, purpose=Purpose.STATUS, to=messages.OwnerTo(owner_id, "sms", number, "de"), body=body, author="worker",
            now=p.desk.clock(), **more,
        )  # fmt: skip


async def test_the_export_holds_everything_of_that_person_and_nothing_of_the_one_before(person):
    manager = await person.desk.as_role("manager")
    found = await person.desk.get(manager, f"/api/v1/owners/{person.owner.id}/export")
    said = json.dumps(found, ensure_ascii=False)
    assert all(canary in said for canary in CANARIES), [canary for canary in CANARIES if canary not in said]
    assert "Nina" not in said and "+491709990002" not in said
    parts = found["parts"]
    empty = {name for name, rows in parts.items() if not rows}
    assert empty <= {"alerts", "alert_steps", "gaps", "offers", "extra_work"}
    (car,) = parts["vehicles"]
    assert (car["vin"], car["plate"], car["messages"], car["until"]) == ("WVWZZZ1JZXW000001", "HH-ZK 77", 3, None)
    assert len(parts["visits"]) == 1 and len(parts["drives"]) == 2 and len(parts["windows"]) >= 2 and {row["purpose"] for row in parts["links"]} >= {"journey"}
    assert "hash" not in parts["links"][0] and person.link not in said
    before = await person.desk.get(manager, f"/api/v1/owners/{person.neighbour.id}/export")
    assert before["parts"]["vehicles"][0]["messages"] == 1 and before["parts"]["vehicles"][0]["plate"] is None
    assert not any(canary in json.dumps(before, ensure_ascii=False) for canary in CANARIES)


async def test_what_their_cars_said_is_a_file_of_its_own_with_nothing_from_before_or_after(person):
    manager = await person.desk.as_role("manager")
    said = await manager.get(f"/api/v1/owners/{person.owner.id}/readings")
    rows = list(csv.DictReader(io.StringIO(await said.text())))
    assert said.status == 200 and len(rows) == 3 * 4 and {row["vin"] for row in rows} == {"WVWZZZ1JZXW000001"}
    assert {row["signal"] for row in rows} > {"Vehicle.CurrentLocation.Latitude"} and rows[0]["unit"]
    await vehicles.update(person.desk.house, person.dealer, person.actor, person.car.id, {"owner_id": person.neighbour.id})
    await says(person, 2, "after")
    assert (await (await manager.get(f"/owners/{person.owner.id}/readings.csv")).text()).count("\r\n") == 1 + 3 * 4


async def test_the_page_is_in_the_owners_own_language_and_each_look_is_a_line_of_history(person):
    manager = await person.desk.as_role("manager")
    path = f"/owners/{person.owner.id}"
    assert f'href="{path}/export"' in await (await manager.get(path)).text()
    page = await (await manager.get(f"{path}/export")).text()
    assert 'lang="de"' in page and "Was wir über Sie gespeichert haben" in page and all(canary in page for canary in CANARIES)
    file = await manager.get(f"{path}/export.json")
    assert "attachment" in file.headers["Content-Disposition"] and json.loads(await file.text())["format"] == "telltale-owner/1"
    lines = await person.desk.admin.fetch("SELECT reason, actor FROM history WHERE noun = 'owner' AND new = 'exported' ORDER BY id")
    manages = f"staff:{person.desk.people[(person.dealer, 'manager')].id}"
    assert [tuple(line) for line in lines] == [("everything that is held, as a page", manages), ("everything that is held, as JSON", manages)]


async def test_only_managers_of_the_same_dealer_get_it(person):
    desk = person.desk
    for path in ("export", "export.json", "readings.csv"):
        assert (await (await desk.as_role("advisor")).get(f"/owners/{person.owner.id}/{path}")).status == 403
        assert (await (await desk.as_role("manager", desk.other)).get(f"/owners/{person.owner.id}/{path}")).status == 404
    await desk.get(await desk.as_role("manager", desk.other), f"/api/v1/owners/{person.owner.id}/export", 404)
    await desk.get(await desk.as_role("advisor"), f"/api/v1/owners/{person.owner.id}/export", 403)
