"""SOLD and WRONG by text: the car is theirs no longer, the number never was; one answer each, and the desk hears."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actions import bookings, cases, offers, owners, vehicles
from rules.service.replies import Meaning
from schemas.booking import BookingKind
from schemas.errors import BadInput


def _desk(scene: Any) -> Any:
    return scene.house.acting(scene.dealer.id, f"staff:{scene.people['advisor'].id}")


async def _booked(scene: Any) -> int:
    """A case with an agreed visit of which the owner has been told."""
    case = await cases.open_by_hand(_desk(scene), scene.car.id, "it squeaks")
    free = await bookings.free_windows(scene.house, scene.dealer.id, BookingKind.PICKUP)
    await bookings.book(_desk(scene), case.id, BookingKind.PICKUP, free[0].window.starts_at)
    await scene.work()
    return case.id


async def test_a_car_sold_by_text_is_theirs_no_longer_with_all_that_hung_on_it(scene: Any) -> None:
    case_id = await _booked(scene)
    told, noticed = len(await scene.phone()), len(await scene.staff_phone("advisor"))
    result = await scene.says("Ich habe das Auto verkauft")
    assert result.understood.meaning is Meaning.SOLD
    await scene.work()
    answers = (await scene.phone())[told:]
    assert len(answers) == 1 and "gehört Ihnen nicht mehr" in answers[0] and "abgesagt" in answers[0]
    assert await scene.admin.fetchval("SELECT owner_id FROM vehicles WHERE id = $1", scene.car.id) is None
    assert await scene.admin.fetchval("SELECT count(*) FROM ownerships WHERE until IS NULL") == 0
    assert await scene.admin.fetchval("SELECT state FROM bookings WHERE case_id = $1", case_id) == "cancelled"
    assert await scene.admin.fetchval("SELECT count(*) FROM slots WHERE state = 'booked'") == 0
    assert await scene.admin.fetchval("SELECT count(*) FROM promises WHERE state = 'open'") == 0
    assert await scene.admin.fetchval("SELECT needs_reading FROM threads WHERE owner_id = $1", scene.owner.id)
    assert any("verkauft" in text for text in (await scene.staff_phone("advisor"))[noticed:])
    await scene.says("verkauft!")  # to say it again changes nothing
    await scene.work()
    assert len(await scene.phone()) == told + 1


async def test_an_open_offer_is_taken_back_from_who_sold_the_car(scene: Any) -> None:
    case = await cases.open_by_hand(_desk(scene), scene.car.id, "it squeaks")
    await offers.make(_desk(scene), case.id, BookingKind.DROP_OFF)
    await scene.work()
    await scene.says("SOLD")
    assert await scene.admin.fetchval("SELECT state FROM offers") == "withdrawn"
    row = await scene.case()
    assert (row["state"], row["owner_id"]) == ("open", None)
    assert await scene.admin.fetchval("SELECT count(*) FROM slots WHERE state = 'held'") == 0


async def test_which_of_two_cars_is_for_a_person_unless_it_is_named(scene: Any) -> None:
    other = await vehicles.add(
        _desk(scene), vin="WVWZZZ1KZAW000777", profile="petrol_hatch", title="Polo", plate="B-XY 7"
    )
    await vehicles.update(_desk(scene), other.id, {"owner_id": scene.owner.id})
    await scene.says("I sold the car")
    assert await scene.admin.fetchval("SELECT count(*) FROM vehicles WHERE owner_id = $1", scene.owner.id) == 2
    assert await scene.admin.fetchval("SELECT understood FROM replies ORDER BY id DESC LIMIT 1") == "other"
    await scene.says("I sold the Polo")
    assert await scene.admin.fetchval("SELECT owner_id FROM vehicles WHERE id = $1", other.id) is None
    assert await scene.admin.fetchval("SELECT owner_id FROM vehicles WHERE id = $1", scene.car.id) == scene.owner.id


async def test_a_car_that_is_with_us_goes_back_first(scene: Any) -> None:
    case_id = await _booked(scene)
    await bookings.arrive(
        _desk(scene), await scene.admin.fetchval("SELECT id FROM bookings WHERE case_id = $1", case_id)
    )
    await scene.says("I sold the car")
    assert await scene.admin.fetchval("SELECT owner_id FROM vehicles WHERE id = $1", scene.car.id) == scene.owner.id
    assert await scene.admin.fetchval("SELECT needs_reading FROM threads WHERE owner_id = $1", scene.owner.id)


async def test_a_sale_that_is_taken_back_before_the_answer_leaves_is_not_confirmed(scene: Any) -> None:
    told = len(await scene.phone())
    await scene.says("sold")
    await vehicles.update(_desk(scene), scene.car.id, {"owner_id": scene.owner.id})
    await scene.work()
    assert len(await scene.phone()) == told
    reason = await scene.admin.fetchval("SELECT reason FROM messages WHERE kind = 'sold'")
    assert reason == "no longer true: the ownership is theirs now"


async def test_a_wrong_number_is_freed_and_no_list_brings_it_back(scene: Any) -> None:
    await _booked(scene)
    number, told = scene.owner.phone, len(await scene.phone())
    await scene.queue(body="one more", due_at=scene.clock() + timedelta(minutes=5))
    result = await scene.says("falsche Nummer", number=number)
    assert result.understood.meaning is Meaning.WRONG
    await scene.work()
    answers = (await scene.phone(number))[told:]
    assert len(answers) == 1 and "letzte Text" in answers[0]
    assert await scene.admin.fetchval("SELECT phone FROM owners WHERE id = $1", scene.owner.id) is None
    assert await scene.admin.fetchval("SELECT count(*) FROM stops WHERE stopped") == 0  # a stranger's STOP it is not
    assert any("find the right one" in text for text in await scene.staff_phone("advisor"))
    line = f"name,phone,vin,profile,title\n{scene.owner.name},{number},{scene.car.vin},petrol_hatch,Golf\n"
    report = await owners.import_list(_desk(scene), line)
    assert [(one.field, number in one.reason) for one in report.refused] == [("phone", True)]
    with pytest.raises(BadInput):
        await owners.update(_desk(scene), scene.owner.id, {"phone": number})
    stranger = await owners.create(_desk(scene), {"name": "Sam Stranger", "phone": number})
    assert stranger.stopped_at is None and stranger.phone == number  # another person may well be reached there
    scene.clock.at += timedelta(minutes=10)
    await scene.work()
    assert len(await scene.phone(number)) == told + 1


async def test_links_that_went_to_a_wrong_number_open_nothing(scene: Any) -> None:
    case = await cases.open_by_hand(_desk(scene), scene.car.id, "it squeaks")
    await offers.make(_desk(scene), case.id, BookingKind.DROP_OFF)
    await scene.work()
    opens = "SELECT count(*) FROM secrets WHERE owner_id = $1 AND revoked_at IS NULL"
    assert await scene.admin.fetchval(opens, scene.owner.id) > 0
    await scene.says("wrong number")
    assert await scene.admin.fetchval(opens, scene.owner.id) == 0
    assert await scene.admin.fetchval("SELECT state FROM offers") == "withdrawn"


async def test_stop_in_the_same_breath_is_confirmed_once_and_wrong_is_heard(scene: Any) -> None:
    number, told = scene.owner.phone, len(await scene.phone())
    await scene.says("Wrong number, stop texting me")
    await scene.work()
    assert await scene.admin.fetchval("SELECT phone FROM owners WHERE id = $1", scene.owner.id) is None
    assert await scene.admin.fetchval("SELECT count(*) FROM stops WHERE stopped") == 1
    assert len(await scene.phone(number)) <= told + 1


async def test_start_from_the_number_lets_it_be_written_down_again(scene: Any) -> None:
    number = scene.owner.phone
    await scene.says("wrong number")
    await scene.says("START", number=number)
    owner = await owners.update(_desk(scene), scene.owner.id, {"phone": number})
    assert owner.phone == number


async def test_no_answer_goes_to_a_wrong_number_after_its_stop(scene: Any) -> None:
    number, told = scene.owner.phone, len(await scene.phone())
    await scene.says("wrong number", number=number)
    await scene.says("STOP", number=number)
    await scene.work()
    assert len(await scene.phone(number)) == told
