"""An owner asks what is held about them, and gets all of it and nothing of anybody else."""

from __future__ import annotations

import asyncio
import csv
import html
import io
import itertools
import json
import os
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from actions import bookings, cases, inbox, owners, vehicles
from proofs.doors.handed_over import handed_over
from schemas.booking import BookingKind
from schemas.errors import Unavailable
from schemas.keeping import WHERE_IDS
from schemas.message import Draft, MessageKind, OwnerRecipient, Purpose, StaffRecipient
from store import erasing, history, messages, secrets, spoken_warnings
from store.house_key import KeyHolder
from store.pool import transaction
from tests.command_line import telltale
from tests.conftest import SECRET, Database
from tests.integration.dealer_api.conftest import Desk
from tests.standing import PoolAs
from workers.sealing import Sealer, verify

NAME, PHONE, MAIL, ADDRESS = "Zora Kanarius", "+491709990001", "zora@kanari.example", "Kanarienweg 77, Hamburg"
WORDS = (
    "CANARYOUT",
    "CANARYIN",
    "CANARYNOTE",
    "CANARYSTAFF",
    "CANARYFEEDBACK",
    "CANARYWHY",
    "CANARYHAND",
    "CANARYDRAFT",
    "CANARYASIDE",
)
CANARIES = (NAME, "Zora", "Kanarius", PHONE, MAIL, ADDRESS, "Kanarienweg", *WORDS)
_numbers = itertools.count(1)


@pytest.fixture
async def person(desk: Desk) -> Any:
    """Somebody of whom everything is held, in every table that says something of an owner; beside a neighbour."""
    p = SimpleNamespace(desk=desk, dealer=desk.dealer.id)
    house, actor = desk.house, f"staff:{desk.people[(desk.dealer.id, 'advisor')].id}"
    desk.clock.on(days=-40)
    agreed = dict.fromkeys((Purpose.SERVICE, Purpose.STATUS), True)
    p.owner = await owners.create(
        house.acting(p.dealer, actor),
        {"name": NAME, "phone": PHONE, "email": MAIL, "address": ADDRESS, "language": "de"},
        agreed,
        wording="said CANARYSTAFF",
    )
    p.neighbour = await owners.create(
        house.acting(p.dealer, actor),
        {"name": "Nina Nachbar", "phone": "+491709990002", "address": "Anderswo 1"},
        agreed,
        wording="yes",
    )
    p.car = await vehicles.add(
        house.acting(p.dealer, actor),
        vin="WVWZZZ1JZXW000001",
        profile="petrol_hatch",
        title="VW Golf",
        plate="HH-ZK 77",
        owner_id=p.neighbour.id,
    )
    await says(p, 1, "before")
    desk.clock.on(days=10)
    await vehicles.update(house.acting(p.dealer, actor), p.car.id, {"owner_id": p.owner.id})
    await says(p, 3, "theirs")
    p.case = await cases.open_by_hand(house.acting(p.dealer, actor), p.car.id, "CANARYNOTE: it rattles")
    await text(p, p.owner.id, PHONE, f"Dear {NAME}: CANARYOUT", case_id=p.case.id)
    await text(p, p.neighbour.id, "+491709990002", "for Nina only")
    async with transaction(desk.admin) as connection:
        for sender, owner_id, body in (
            (PHONE, p.owner.id, "CANARYIN"),
            (PHONE, None, "CANARYIN before you knew me"),
            ("+491709990002", p.neighbour.id, "Nina in"),
        ):
            await connection.execute(
                """INSERT INTO replies (dealer_id, owner_id, channel, provider_id, from_address, to_address, body,
                   understood, received_at)
                   VALUES ($1, $2, 'sms', $3, $4, '+4930111', $5, 'other', $6)""",
                p.dealer,
                owner_id,
                f"in{next(_numbers)}",
                sender,
                body,
                desk.clock(),
            )
        await connection.execute(
            "INSERT INTO feedback (case_id, dealer_id, owner_id, asked_at, score, words) "
            "VALUES ($1, $2, $3, $4, 5, 'CANARYFEEDBACK')",
            p.case.id,
            p.dealer,
            p.owner.id,
            desk.clock(),
        )
        await connection.execute(
            "INSERT INTO phone_texts (dealer_id, reference, from_address, to_address, body, at) "
            "VALUES ($1, 'r1', '+4930111', $2, 'CANARYOUT', $3)",
            p.dealer,
            PHONE,
            desk.clock(),
        )
        await connection.execute(
            "INSERT INTO quarantine (dealer_id, vehicle_id, topic, payload, reason, detail, received_at) "
            "VALUES ($1, $2, 't', 'CANARYOUT', 'not_json', '', $3)",
            p.dealer,
            p.car.id,
            desk.clock(),
        )
        await history.write(
            connection,
            p.dealer,
            "case",
            p.case.id,
            old="open",
            new="assigned",
            reason="CANARYWHY",
            actor=actor,
            now=desk.clock(),
        )
        to = StaffRecipient(desk.people[(p.dealer, "advisor")].id, "sms", "+49301", "en")
        notice = Draft(
            dealer_id=p.dealer,
            to=to,
            kind=MessageKind.STAFF_SILENCE,
            purpose=Purpose.STAFF,
            author="worker",
            case_id=p.case.id,
        )
        await messages.queue(connection, notice, "Ms Kanarius waits: CANARYSTAFF", desk.clock())
        p.link = await secrets.make(connection, p.dealer, "journey", now=desk.clock(), owner_id=p.owner.id)
    windows = await bookings.free_windows(house, p.dealer, BookingKind.PICKUP)
    p.booking = await bookings.book(
        house.acting(p.dealer, actor), p.case.id, BookingKind.PICKUP, windows[0].window.starts_at
    )
    await handed_over(house, p.dealer, "CANARYHAND", p.booking.id)
    async with house.at(p.dealer) as connection:
        advisor = desk.people[(p.dealer, "advisor")].id
        await spoken_warnings.add(connection, p.dealer, p.case.id, p.owner.id, [1], advisor, desk.clock())
    await inbox.note(house.acting(p.dealer, actor), p.owner.id, advisor, "CANARYASIDE: rather in the morning")
    await inbox.draft(house.acting(p.dealer, actor), p.owner.id, advisor, "CANARYDRAFT, we are")
    await desk.admin.execute(
        "INSERT INTO pauses (dealer_id, booking_id, state, awaits, what, due_at, made_at, made_by, over_at) "
        "VALUES ($1, $2, 'over', 'part', 'Thermostat', $3, $3, 'staff:1', $3)",
        p.dealer,
        p.booking.id,
        desk.clock(),
    )
    await desk.admin.execute(
        "INSERT INTO witnesses (dealer_id, booking_id, leg_id, since, until, messages, codes_before, codes_after, odd, "
        "written_at) SELECT dealer_id, booking_id, id, $2, $2, 3, '{}', '{}', '{}', $2 FROM legs WHERE booking_id = $1 "
        "ORDER BY id LIMIT 1",
        p.booking.id,
        desk.clock(),
    )
    p.actor = actor
    desk.clock.on(minutes=5)
    return p


async def says(p: Any, count: int, _what: str) -> None:
    at = p.desk.clock()
    day = int(at.timestamp() // 86_400)
    await p.desk.admin.execute("SELECT open_day($1)", day)
    for n in range(count):
        await p.desk.admin.execute(
            "INSERT INTO readings (dealer_id, vehicle_id, boot, seq, day, ts, received_at, mark, ids, vals) "
            "VALUES ($1, $2, 1, $3, $4, $5, $5, 0, $6, $7)",
            p.dealer,
            p.car.id,
            next(_numbers),
            day,
            at + timedelta(seconds=n + 1),
            [1, *WHERE_IDS],
            [50.0, 5.0, 53.5, 9.9],
        )


async def text(p: Any, owner_id: int, number: str, body: str, **more: Any) -> None:
    async with transaction(p.desk.admin) as connection:
        to = OwnerRecipient(owner_id, "sms", number, "de")
        draft = Draft(dealer_id=p.dealer, to=to, kind=MessageKind.FREE, purpose=Purpose.STATUS, author="worker", **more)
        await messages.queue(connection, draft, body, p.desk.clock())


async def test_the_export_holds_everything_of_that_person_and_nothing_of_the_one_before(person):
    manager = await person.desk.as_role("manager")
    found = await person.desk.get(manager, f"/api/v1/owners/{person.owner.id}/export")
    result = json.dumps(found, ensure_ascii=False)
    assert all(canary in result for canary in CANARIES), [canary for canary in CANARIES if canary not in result]
    assert "Nina" not in result and "+491709990002" not in result
    parts = found["parts"]
    empty = {name for name, rows in parts.items() if not rows}
    assert empty <= {"alerts", "alert_steps", "gaps", "offers", "extra_work"}
    (car,) = parts["vehicles"]
    assert (car["vin"], car["plate"], car["messages"], car["until"]) == ("WVWZZZ1JZXW000001", "HH-ZK 77", 3, None)
    assert (
        len(parts["visits"]) == 1
        and len(parts["drives"]) == 2
        and len(parts["windows"]) >= 2
        and {row["purpose"] for row in parts["links"]} >= {"journey"}
    )
    assert "hash" not in parts["links"][0] and person.link not in result
    before = await person.desk.get(manager, f"/api/v1/owners/{person.neighbour.id}/export")
    assert before["parts"]["vehicles"][0]["messages"] == 1 and before["parts"]["vehicles"][0]["plate"] is None
    assert not any(canary in json.dumps(before, ensure_ascii=False) for canary in CANARIES)


async def test_what_their_cars_said_is_a_file_of_its_own_with_nothing_from_before_or_after(person):
    manager = await person.desk.as_role("manager")
    response = await manager.get(f"/api/v1/owners/{person.owner.id}/readings")
    rows = list(csv.DictReader(io.StringIO(await response.text())))
    assert response.status == 200 and len(rows) == 3 * 4 and {row["vin"] for row in rows} == {"WVWZZZ1JZXW000001"}
    assert {row["signal"] for row in rows} > {"Vehicle.CurrentLocation.Latitude"} and rows[0]["unit"]
    await vehicles.update(
        person.desk.house.acting(person.dealer, person.actor), person.car.id, {"owner_id": person.neighbour.id}
    )
    await says(person, 2, "after")
    assert (await (await manager.get(f"/owners/{person.owner.id}/readings.csv")).text()).count("\r\n") == 1 + 3 * 4


async def test_the_page_is_in_the_owners_own_language_and_each_look_is_a_line_of_history(person):
    manager = await person.desk.as_role("manager")
    path = f"/owners/{person.owner.id}"
    assert f'href="{path}/export"' in await (await manager.get(path)).text()
    page = await (await manager.get(f"{path}/export")).text()
    assert (
        'lang="de"' in page
        and "Was wir über Sie gespeichert haben" in page
        and all(canary in page for canary in CANARIES)
    )
    file = await manager.get(f"{path}/export.json")
    assert (
        "attachment" in file.headers["Content-Disposition"]
        and json.loads(await file.text())["format"] == "telltale-owner/1"
    )
    lines = await person.desk.admin.fetch(
        "SELECT reason, actor FROM history WHERE noun = 'owner' AND new = 'exported' ORDER BY id"
    )
    manages = f"staff:{person.desk.people[(person.dealer, 'manager')].id}"
    assert [tuple(line) for line in lines] == [
        ("everything that is held, as a page", manages),
        ("everything that is held, as JSON", manages),
    ]


@pytest.mark.parametrize(
    "words", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z", "2026-11-26T10:00:00Z"]
)
async def test_words_that_look_like_a_time_stay_words(person, words):
    await text(person, person.owner.id, "+4930222", words)
    response = await (await person.desk.as_role("manager")).get(f"/owners/{person.owner.id}/export")
    assert response.status == 200 and words in html.unescape(await response.text())


async def test_only_managers_of_the_same_dealer_get_it(person):
    desk = person.desk
    for path in ("export", "export.json", "readings.csv"):
        assert (await (await desk.as_role("advisor")).get(f"/owners/{person.owner.id}/{path}")).status == 403
        assert (
            await (await desk.as_role("manager", desk.other)).get(f"/owners/{person.owner.id}/{path}")
        ).status == 404
    await desk.get(await desk.as_role("manager", desk.other), f"/api/v1/owners/{person.owner.id}/export", 404)
    await desk.get(await desk.as_role("advisor"), f"/api/v1/owners/{person.owner.id}/export", 403)


SEARCHED = """SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'
AND data_type IN ('text', 'jsonb', 'json', 'bytea', 'character varying', 'ARRAY', 'USER-DEFINED')
  AND table_name <> 'reading_values'"""


async def found_in(p: Any, *words: str) -> set[str]:
    """Every column of every table in which one of these stands, as text or as bytes."""
    found = set()
    for row in await p.desk.admin.fetch(SEARCHED):
        table, column = f'"{row["table_name"]}"', f'"{row["column_name"]}"'
        result = f"position(lower($1) in lower({column}::text)) > 0 OR position(lower($2) in lower({column}::text)) > 0"
        for word in words:
            if await p.desk.admin.fetchval(
                f"SELECT EXISTS (SELECT FROM {table} WHERE {result})", word, word.encode().hex()
            ):
                found.add(f"{row['table_name']}.{row['column_name']}: {word}")
    return found


async def sealed(p: Any) -> None:
    kit = SimpleNamespace(pool=p.worker, machine=p.desk.clock, clock=p.desk.clock)
    sealer = Sealer(kit, KeyHolder(SECRET))  # type: ignore[arg-type]
    while await sealer.once():
        pass


async def audit_faults(p: Any) -> list[Any]:
    async with transaction(p.worker) as connection:
        return (await verify(connection, await KeyHolder(SECRET).key(connection), p.dealer, p.desk.clock()))[2]


@pytest.fixture
async def known(person: Any, pool_as: PoolAs, database: Database) -> Any:
    """The house opens its key; some of the history is sealed already, some is not. And an answer of the API is kept."""
    person.worker, person.database_url = await pool_as("worker"), database.url
    object.__setattr__(person.desk.house, "secret", SECRET)
    await sealed(person)
    async with transaction(person.desk.house.pool, person.dealer) as connection:
        await history.write(
            connection,
            person.dealer,
            "case",
            person.case.id,
            old=None,
            new="noted",
            reason="CANARYWHY again",
            actor=person.actor,
            now=person.desk.clock(),
        )
        await history.write(
            connection,
            person.dealer,
            "vehicle",
            999,
            old=None,
            new="noted",
            reason=f"rang {NAME}",
            actor=person.actor,
            now=person.desk.clock(),
        )
    manager = await person.desk.as_role("manager")
    await person.desk.post(manager, "/api/v1/owners", {"name": "Zora's brother", "phone": "+491709990003"})
    await person.desk.admin.execute("UPDATE idempotency SET body = convert_to($1, 'UTF8')", json.dumps({"name": NAME}))
    return person


async def test_after_an_erasure_no_column_of_any_table_knows_who_it_was_and_the_books_stay(known):
    desk, manager = known.desk, await known.desk.as_role("manager")
    books = (
        "SELECT (SELECT count(*) FROM cases), (SELECT count(*) FROM bookings), (SELECT count(*) "
        "FROM messages), (SELECT count(*) FROM replies), (SELECT count(*) FROM consents), (SELECT count(*) "
        "FROM feedback)"
    )
    before = tuple(await desk.admin.fetchrow(books))
    assert len(await found_in(known, *CANARIES, "HH-ZK 77")) > 20
    done = await desk.post(manager, f"/api/v1/owners/{known.owner.id}/erase", {"name": f" {NAME.upper()} "})
    assert done["name"] == f"Erased owner {known.owner.id}" and done["emptied"]["where_cars_were"] == 3
    brother = {"owners.name: Zora", "idempotency.body: Zora", "search_words.word: Zora"}
    assert await found_in(known, *CANARIES, "HH-ZK 77") <= brother
    words = "SELECT array_agg(word ORDER BY word) FROM search_words WHERE noun <> 'vehicle' AND subject_id = $1"
    assert await desk.admin.fetchval(words, known.owner.id) == [str(known.owner.id), "erased", "owner"]
    assert tuple(await desk.admin.fetchrow(books)) == before
    assert (
        await desk.admin.fetchval(
            "SELECT count(*) FROM messages WHERE owner_id = $1 AND state IN ('queued', 'claimed')", known.owner.id
        )
        == 0
    )
    assert await desk.admin.fetchval("SELECT state FROM cases WHERE id = $1", known.case.id) == "dismissed"
    assert await desk.admin.fetchval("SELECT state FROM bookings WHERE id = $1", known.booking.id) == "cancelled"
    assert (
        await desk.admin.fetchval(
            "SELECT count(*) FROM slots WHERE booking_id = $1 AND state <> 'released'", known.booking.id
        )
        == 0
    )
    assert await desk.admin.fetchval("SELECT owner_id FROM vehicles WHERE id = $1", known.car.id) is None
    assert (await desk.anonymous().get(f"/o/{known.link}")).status in (404, 410)
    where = "SELECT count(*) FROM readings WHERE ids && ARRAY[63]::smallint[]"
    assert (
        await desk.admin.fetchval(where) == 1 and await desk.admin.fetchval("SELECT count(*) FROM readings") == 4
    )  # the one before keeps theirs
    assert "for Nina only" in [row["body"] for row in await desk.admin.fetch("SELECT body FROM messages")]


async def test_the_chain_of_history_still_verifies_and_nobody_can_pretend_an_erasure(known):
    manager = await known.desk.as_role("manager")
    assert await audit_faults(known) == []
    await known.desk.post(manager, f"/api/v1/owners/{known.owner.id}/erase", {"name": NAME})
    assert await audit_faults(known) == []
    await sealed(known)
    assert await audit_faults(known) == []
    assert await known.desk.admin.fetchval("SELECT count(*) FROM history WHERE reason = '(words removed)'") >= 3
    row = await known.desk.admin.fetchval("SELECT max(id) FROM history WHERE noun = 'owner' AND new = 'erased'")
    other = await known.desk.admin.fetchval("SELECT min(id) FROM history WHERE reason <> '(words removed)'")
    async with transaction(known.desk.house.pool, known.dealer) as connection:  # even with the desk's own rights
        await connection.execute("SELECT take_out_words($1, $2, $3, $4)", known.dealer, row, [other], [b"x" * 32])
    assert {fault.what for fault in await audit_faults(known)} >= {"unauthorised"}
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="nobody was erased"):
        async with transaction(known.desk.house.pool, known.dealer) as connection:
            await connection.execute("SELECT blank_consents($1, $2)", known.dealer, known.neighbour.id)
    for call in (
        "SELECT take_out_words($1, 1, '{1}', '{x}')",
        "SELECT forget_where($1, 1, '{1}', '-infinity', 'infinity')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with transaction(known.desk.house.pool, known.desk.other.id) as connection:
                await connection.execute(call, known.dealer)


async def test_it_is_refused_with_its_reason_while_the_car_is_in_our_hands_and_changes_nothing(known):
    desk, manager = known.desk, await known.desk.as_role("manager")
    path = f"/api/v1/owners/{known.owner.id}/erase"
    assert (await desk.post(manager, path, {"name": "Zora"}, expect=422))["field"] == "name"
    await desk.admin.execute("UPDATE legs SET state = 'on_the_way' WHERE kind = 'collect'")
    assert (await desk.post(manager, path, {"name": NAME}, expect=409))["state"] == "driver_under_way"
    await desk.admin.execute("UPDATE legs SET state = 'at_workshop' WHERE kind = 'collect'")
    await desk.admin.execute("UPDATE bookings SET state = 'ready'")
    assert (await desk.post(manager, path, {"name": NAME}, expect=409))["state"] == "car_in_our_hands"
    page = await (await manager.get(f"/owners/{known.owner.id}/erase")).text()
    assert "Their car is in our hands" in page and "Erase for good" not in page
    assert (await desk.get(manager, f"/api/v1/owners/{known.owner.id}"))["name"] == NAME


async def test_on_the_page_it_takes_the_name_typed_and_afterwards_nothing_is_written_about_them(known):
    desk, manager = known.desk, await known.desk.as_role("manager")
    path = f"/owners/{known.owner.id}"
    page = await (await manager.get(f"{path}/erase")).text()
    assert "1 open case" in page and f"{path}/export" in page
    csrf = re.findall(r'name="csrf" value="([^"]+)"', page)[0]
    wrong = await manager.post(f"{path}/erase", data={"csrf": csrf, "name": "somebody"})
    assert wrong.status == 422 and "type it as it stands" in await wrong.text()
    assert (await (await desk.as_role("advisor")).get(f"{path}/erase")).status == 403
    response = await manager.post(f"{path}/erase", data={"csrf": csrf, "name": NAME}, allow_redirects=False)
    assert response.status == 303 and response.headers["Location"] == path
    page = await (await manager.get(path)).text()
    assert (
        f"Erased owner {known.owner.id}" in page
        and "The words are no longer kept" in page
        and "Send text" not in page
        and "Record a yes or no" not in page
    )
    for body, where in (({"name": "New"}, ""), ({"service": True, "wording": "w"}, "/consents")):
        response = await (manager.post if where else manager.patch)(
            f"/api/v1{path}{where}", json=body, headers={"Idempotency-Key": f"e{where}"}
        )
        assert response.status == 409
    await desk.post(manager, f"/api/v1{path}/erase", {"name": f"Erased owner {known.owner.id}"}, expect=409)
    assert (await manager.patch(f"/api/v1/vehicles/{known.car.id}", json={"owner_id": known.owner.id})).status == 404


async def test_an_erasure_that_fails_at_its_end_leaves_everything_as_it_was(known, monkeypatch: pytest.MonkeyPatch):
    async def fails(*_: Any) -> None:
        raise Unavailable("the database", "gone")

    before = await found_in(known, *CANARIES)
    monkeypatch.setattr(erasing, "take_out", fails)
    await known.desk.post(
        await known.desk.as_role("manager"), f"/api/v1/owners/{known.owner.id}/erase", {"name": NAME}, expect=503
    )
    assert await found_in(known, *CANARIES) == before


async def test_whoever_comes_back_with_an_older_backup_is_erased_again_and_nobody_else(known, tmp_path: Path):
    desk = known.desk
    when = desk.clock()
    created = await desk.admin.fetchval("SELECT created_at FROM owners WHERE id = $1", known.owner.id)
    stone = {
        "dealer_id": known.dealer,
        "owner_id": known.owner.id,
        "created_at": created.isoformat(),
        "erased_at": when.isoformat(),
    }
    someone = {
        **stone,
        "owner_id": known.neighbour.id,
        "created_at": when.isoformat(),
    }  # the number was given to somebody else since
    listed = tmp_path / "erasures.json"
    listed.write_text(json.dumps({"erasures": [stone, someone]}))
    await desk.admin.execute("UPDATE bookings SET state = 'arrived'")  # as it was that day: no reason to wait
    result = await asyncio.to_thread(command, known, "apply", "--from", str(listed), "--json")
    assert (result.returncode, json.loads(result.stdout or "{}")) == (0, {"listed": 2, "erased": 1}), result.stderr
    assert (
        await found_in(known, *CANARIES) <= {"owners.name: Zora", "idempotency.body: Zora", "search_words.word: Zora"}
        and await audit_faults(known) == []
    )
    assert (
        json.loads((await asyncio.to_thread(command, known, "apply", "--from", str(listed), "--json")).stdout)["erased"]
        == 0
    )
    (again,) = json.loads((await asyncio.to_thread(command, known, "list", "--json")).stdout)["erasures"]
    assert (again["owner_id"], again["created_at"]) == (known.owner.id, stone["created_at"])
    assert (await asyncio.to_thread(command, known, "apply", "--from", __file__)).returncode != 0


def command(p: Any, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": p.database_url, "TELLTALE_SECRET": SECRET}
    return telltale("erasures", *words, env=environment)
