"""A car changes hands: what is sent is checked, what is written stays, and only an erasure takes a person out of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from PIL import Image

from actions import erasing, handovers
from rules.service.photographs import LARGEST
from schemas.handover import HandoverKind
from tests.conftest import SECRET
from tests.integration.dealer_api.conftest import Desk, agrees

LINE = [[0, 0, 100, 100, 200, 50, 300, 300]]
SIDES = ("front", "rear", "left", "right")


def jpeg(shade: int = 90, size: tuple[int, int] = (640, 480)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(out, "JPEG")
    return out.getvalue()


@dataclass
class Road:
    """A pickup whose driver is on the way."""

    desk: Any
    driver: Any
    manager: Any
    booking: int
    legs: dict[str, int]
    owner: int

    async def photo(self, view: str, kind: str = "collect", *, key: str = "", raw: bytes | None = None, **more: Any):
        query = {"kind": kind, "view": view, "key": key or f"{kind}-{view}-1"}
        headers = {"Idempotency-Key": f"{query['key']}-{len(raw or b'')}-{more}", "Content-Type": "image/jpeg"}
        return await self.driver.post(
            f"/api/v1/bookings/{self.booking}/photos",
            params=query,
            data=BytesIO(jpeg(SIDES.index(view) * 40) if raw is None else raw),
            headers={**headers, **more},
        )

    async def photos(self, kind: str = "collect") -> None:
        for view in SIDES:
            said = await self.photo(view, kind)
            assert said.status == 201, await said.text()

    async def record(self, kind: str = "collect", expect: int = 201, **more: Any) -> Any:
        body = {
            "kind": kind,
            "key": f"record-{kind}",
            "odometer_km": 41_230,
            "energy_percent": 60,
            "keys": 1,
            "name": "Rosa Frost",
            "note": "at the gate",
            "signature": LINE,
            "marks": [{"x": 0.25, "y": 0.9, "harm": "dent", "note": "old one, says Rosa"}],
            **more,
        }
        path = f"/api/v1/bookings/{self.booking}/handovers"
        return await self.desk.post(self.driver, path, body, expect=expect)

    async def move(self, kind: str, *events: str) -> None:
        for event in events:
            await self.desk.post(self.manager, f"/api/v1/legs/{self.legs[kind]}/move", {"event": event})

    async def rows(self) -> tuple[int, int]:
        admin = self.desk.admin
        return tuple(
            [await admin.fetchval(f"SELECT count(*) FROM {table}") for table in ("handovers", "handover_photos")]
        )

    async def files(self) -> list[Path]:
        shelf: Any = self.desk.house.photos
        return sorted(path for path in shelf._root.rglob("*") if path.is_file())


@pytest.fixture
async def road(desk: Desk) -> Road:
    manager = await desk.as_role("manager")
    owner = await desk.post(
        manager, "/api/v1/owners", {"name": "Rosa Frost", "phone": "+491701234077", "address": "Eisweg 1, Berlin"}
    )
    await agrees(desk, owner["id"])
    car = await desk.post(
        manager,
        "/api/v1/vehicles",
        {"vin": "WVWZZZ1JZXW000077", "profile": "petrol_hatch", "title": "Frost car", "owner_id": owner["id"]},
    )
    case = await desk.post(manager, "/api/v1/cases", {"vehicle_id": car["id"], "note": "it squeaks"})
    offer = await desk.post(manager, f"/api/v1/cases/{case['id']}/offers", {"kind": "pickup"})
    booking = await desk.post(manager, f"/api/v1/offers/{offer['id']}/accept", {"choice": 1})
    legs = (await desk.get(manager, f"/api/v1/legs?booking={booking['id']}"))["items"]
    made = Road(
        desk,
        await desk.as_role("driver"),
        manager,
        booking["id"],
        {leg["kind"]: leg["id"] for leg in legs},
        owner["id"],
    )
    desk.clock.at = desk.clock.at.replace(hour=12)
    await made.move("collect", "on_the_way")
    return made


async def test_a_record_is_written_read_and_shown_with_its_photos(road: Road) -> None:
    await road.photos()
    written = await road.record()
    assert written["stands"] and written["proof"] == "signature" and len(written["hash"]) == 64
    assert [photo["view"] for photo in written["photos"]] == list(SIDES)
    advisor = await road.desk.as_role("advisor")
    [read] = (await road.desk.get(advisor, f"/api/v1/bookings/{road.booking}/handovers"))["items"]
    assert read == written
    said = await advisor.get(f"/api/v1/photos/{written['photos'][0]['id']}")
    with Image.open(BytesIO(await said.read())) as image:
        assert said.status == 200 and said.content_type == "image/jpeg" and image.size == (640, 480)
    history = await road.desk.admin.fetchval("SELECT reason FROM history WHERE new = 'recorded_collect'")
    assert written["hash"][:16] in history and "Rosa" not in history


async def test_what_is_sent_twice_is_one_and_a_second_record_is_refused(road: Road) -> None:
    await road.photos()
    again = await (await road.photo("front", again="yes")).json()
    first = await road.record()
    assert again["id"] == first["photos"][0]["id"]
    assert (await road.record())["id"] == first["id"]  # the same key from a phone that heard no answer
    refused = await road.record(expect=409, key="another-one")
    assert "written already" in refused["detail"]
    late = await road.photo("left", key="late-photo")
    assert late.status == 409
    assert await road.rows() == (1, 4)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 422),
        (b"hello", 422),
        (jpeg()[:500], 422),
        (jpeg(size=(60, 60)), 422),
        (b"\xff\xd8" + b"\0" * LARGEST, 413),
        (b"\0" * 50_000_000, 413),
    ],
    ids=["nothing", "text", "half", "tiny", "12 MB", "50 MB"],
)
async def test_a_photo_that_is_none_or_too_large_is_refused_and_nothing_changes(
    road: Road, raw: bytes, status: int
) -> None:
    said = await road.photo("front", raw=raw)
    problem = await said.json()
    assert said.status == status and problem["detail"]
    assert status == 413 or problem["field"] == "photo"
    assert await road.rows() == (0, 0) and await road.files() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"signature": []}, "signature"),
        ({"code": "000000x"}, "code"),
        ({"odometer_km": -1}, "odometer_km"),
        ({"energy_percent": 101}, "energy_percent"),
        ({"name": ""}, "name"),
        ({"marks": [{"x": 2, "y": 0, "harm": "dent"}]}, "marks.0.x"),
        ({"hash": "mine"}, "hash"),
    ],
)
async def test_a_record_that_is_not_whole_names_the_field(road: Road, changes: dict[str, Any], field: str) -> None:
    await road.photos()
    assert (await road.record(expect=422, **changes))["field"] == field
    assert await road.rows() == (0, 4)


async def test_without_the_four_sides_there_is_no_record(road: Road) -> None:
    for view in ("front", "rear", "left"):
        await road.photo(view)
    problem = await road.record(expect=422)
    assert problem["field"] == "photos" and "right" in problem["detail"]


async def test_it_is_too_early_before_the_driver_has_set_out_and_no_other_driver_writes_it(road: Road) -> None:
    said = await road.photo("front", "return")
    assert said.status == 409
    other = road.desk.people[(road.desk.dealer.id, "driver")]
    await road.desk.admin.execute("UPDATE legs SET driver_id = NULL")
    person = await road.desk.admin.fetchval("SELECT id FROM staff WHERE role = 'technician' LIMIT 1")
    await road.desk.admin.execute("UPDATE legs SET driver_id = $1", person)
    assert other.id != person and (await road.photo("front")).status == 403


async def test_the_owner_may_say_the_code_instead_of_signing_and_nobody_guesses_it(road: Road) -> None:
    await road.photos()
    for n in range(5):
        assert (await road.record(expect=422, signature=[], code=f"00000{n}"))["field"] == "code"
    assert (await road.record(expect=429, signature=[], code="000009"))["status"] == 429
    right = handovers.code(road.desk.house, road.booking, HandoverKind.COLLECT)
    assert (await road.record(expect=429, signature=[], code=right))["status"] == 429, "also the right one waits"
    assert (await road.record())["proof"] == "signature"


async def test_a_return_never_has_fewer_kilometres(road: Road) -> None:
    await road.photos()
    await road.record()
    await road.move("collect", "collected", "at_workshop")
    for step, body in (("start", {}), ("finish", {"finding": "mended"})):
        await road.desk.post(road.manager, f"/api/v1/bookings/{road.booking}/{step}", body)
    await road.move("return", "on_the_way_back")
    await road.photos("return")
    assert (await road.record("return", expect=422, odometer_km=41_229))["field"] == "odometer_km"
    assert (await road.record("return", odometer_km=41_250))["kind"] == "return"


CHANGES = (
    "UPDATE handovers SET odometer_km = 1",
    "UPDATE handovers SET name = 'Somebody'",
    "UPDATE handovers SET name = '', note = '', signature = '[]', salt = NULL",
    "UPDATE handovers SET hash = 'x'",
    "DELETE FROM handovers",
    "TRUNCATE handovers CASCADE",
    "UPDATE handover_photos SET sha256 = 'x'",
    "UPDATE handover_photos SET place = ''",
    "UPDATE handover_photos SET handover_id = NULL",
    "DELETE FROM handover_photos",
    "TRUNCATE handover_photos",
)


@pytest.mark.parametrize("statement", CHANGES)
async def test_the_database_lets_nobody_change_a_record(road: Road, statement: str) -> None:
    await road.photos()
    await road.record()
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="stays as it was"):
        await road.desk.admin.execute(statement)


async def test_whoever_gets_round_the_database_is_seen(road: Road) -> None:
    """Even with the triggers off: what is read back does not fit its hash."""
    await road.photos()
    await road.record()
    for statement in ("UPDATE handovers SET odometer_km = 7", "UPDATE handover_photos SET sha256 = repeat('0', 64)"):
        async with road.desk.admin.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute(statement)
        [read] = (await road.desk.get(road.manager, f"/api/v1/bookings/{road.booking}/handovers"))["items"]
        assert read["stands"] is False


async def test_an_erasure_takes_the_person_and_the_pictures_and_leaves_numbers_that_still_stand(road: Road) -> None:
    await road.photos()
    await road.record()
    assert len(await road.files()) == 4
    await road.desk.admin.execute("UPDATE legs SET state = 'cancelled'")
    await road.desk.admin.execute("UPDATE bookings SET state = 'completed'")
    await road.desk.admin.execute("UPDATE cases SET state = 'done'")
    object.__setattr__(road.desk.house, "secret", SECRET)
    boss = road.desk.people[(road.desk.dealer.id, "manager")]
    await erasing.erase(road.desk.house.acting(road.desk.dealer.id, f"staff:{boss.id}"), road.owner, "Rosa Frost")
    assert await road.files() == []
    [read] = (await road.desk.get(road.manager, f"/api/v1/bookings/{road.booking}/handovers"))["items"]
    assert read["stands"] and read["odometer_km"] == 41_230 and len(read["photos"]) == 4
    assert (read["name"], read["note"], read["signature"], read["marks"][0]["note"]) == ("", "", [], "")
    gone = await road.manager.get(f"/api/v1/photos/{read['photos'][0]['id']}")
    assert gone.status == 404
    text = await road.desk.admin.fetchval("SELECT string_agg(h::text, ' ') FROM handovers h")
    assert "Rosa" not in text and "gate" not in text


async def test_a_shelf_that_cannot_be_reached_is_said_and_nothing_changes(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf: Any = road.desk.house.photos
    monkeypatch.setattr(shelf, "_root", Path("/proc/nowhere"))
    said = await road.photo("front")
    assert said.status == 503 and await road.rows() == (0, 0)


async def test_of_two_records_at_once_one_is_written(road: Road) -> None:
    await road.photos()
    body = {"kind": "collect", "odometer_km": 1, "energy_percent": 1, "keys": 1, "name": "Rosa", "signature": LINE}
    path = f"/api/v1/bookings/{road.booking}/handovers"

    async def send(n: int) -> int:
        key = f"record-{n:03}"
        said = await road.driver.post(path, json={**body, "key": key}, headers={"Idempotency-Key": key})
        return int(said.status)

    assert sorted(await asyncio.gather(*map(send, range(6)))) == [201, 409, 409, 409, 409, 409]
    assert await road.rows() == (1, 4)
