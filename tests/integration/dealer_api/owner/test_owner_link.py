"""The owner's link: looking changes nothing, one POST books, and every page says where things stand."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from actions import estimates
from schemas.booking import BookingKind
from schemas.pickup import LegEvent
from store import fleet
from store.pool import transaction
from tests.integration.dealer_api.owner.conftest import World


def windows(page: str) -> list[str]:
    return re.findall(r'class="hours">([^<]+)<', page)


async def test_the_offer_says_what_is_wrong_whether_to_drive_and_asks_for_one_of_two_windows(world: World) -> None:
    await world.offer()
    page = await world.get(await world.link())
    assert "Front left tyre is losing air" in page
    assert "May I drive?" in page
    assert windows(page) == ["09:30–10:30", "11:30–12:30"]
    assert '<svg class="evidence"' in page and "too low" in page and "kPa" in page
    assert "Last heard from your car 4 minutes ago, at 08:26." in page


async def test_the_headers_tell_nobody_and_allow_nothing_foreign(world: World) -> None:
    await world.offer()
    async with world.web.get(await world.link()) as answer:
        headers = answer.headers
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "noindex" in headers["X-Robots-Tag"]


async def test_fifty_previews_change_no_row_of_any_table(world: World) -> None:
    await world.offer()
    path = await world.link()
    before = await world.rows()
    for page in ("", "/decline", "/ask", "/preferences", "/cancel"):
        await asyncio.gather(*(world.web.get(path + page) for _ in range(10)))
        async with world.web.head(path + page) as answer:  # as the previews of many phones begin
            assert (
                answer.status == 200 and answer.headers["Referrer-Policy"] == "no-referrer" and not await answer.read()
            )
    assert await world.rows() == before


async def test_a_press_books_that_window_and_the_page_becomes_the_journey(world: World) -> None:
    offer = await world.offer()
    path = await world.link()
    assert await world.post(f"{path}/accept", offer=offer.id, choice=2) == f"{path}?note=booked"
    page = await world.get(f"{path}?note=booked")
    assert "Booked. Thank you!" in page
    assert "We collect your car today 11:30–12:30" in page
    assert (await world.case_now()).state == "booked"
    assert len(await world.texts("booked")) == 1


async def test_a_hundred_presses_make_one_booking(world: World) -> None:
    offer = await world.offer()
    path = await world.link()

    async def press(choice: int) -> int:
        async with world.web.post(
            f"{path}/accept", data={"offer": offer.id, "choice": choice}, allow_redirects=False
        ) as answer:
            return int(answer.status)

    answers = set(await asyncio.gather(*(press(1 + n % 2) for n in range(100))))
    assert answers <= {303, 503}, "booked already, or asked to try again in a moment"
    assert await press(1) == 303
    assert await world.desk.admin.fetchval("SELECT count(*) FROM bookings") == 1
    assert len(await world.texts("booked")) == 1


async def test_a_window_of_an_older_offer_is_not_booked_by_mistake(world: World) -> None:
    old = await world.offer()
    path = await world.link()
    await world.offer()
    assert await world.post(f"{path}/accept", offer=old.id, choice=1) == f"{path}?note=overtaken"
    assert await world.desk.admin.fetchval("SELECT count(*) FROM bookings") == 0
    assert "That time has just been taken" in await world.get(f"{path}?note=overtaken")


async def test_when_the_hold_has_run_out_two_fresh_windows_are_a_press_away(world: World) -> None:
    offer = await world.offer()
    path = await world.link()
    world.desk.clock.at = offer.expires_at + timedelta(minutes=1)
    page = await world.get(path)
    assert "These times have passed" in page and not windows(page)
    assert await world.post(f"{path}/fresh") == path
    assert len(windows(await world.get(path))) == 2


async def test_other_windows_are_other_windows(world: World) -> None:
    await world.offer()
    path = await world.link()
    first = windows(await world.get(path))
    await world.post(f"{path}/fresh")
    second = windows(await world.get(path))
    assert len(second) == 2 and not set(first) & set(second)


@pytest.mark.parametrize("reason", ["not_now", "other_garage", "only_if_unsafe"])
async def test_a_no_has_a_reason_and_can_be_taken_back(world: World, reason: str) -> None:
    offer = await world.offer()
    path = await world.link()
    assert f'value="{reason}"' in await world.get(f"{path}/decline")
    assert await world.post(f"{path}/decline", offer=offer.id, reason=reason) == path
    assert await world.post(f"{path}/decline", offer=offer.id, reason=reason) == path
    page = await world.get(path)
    assert "nothing is booked" in page
    assert (await world.case_now()).state == "open"
    assert (
        await world.desk.admin.fetchval("SELECT reason FROM history WHERE noun = 'offer' AND new = 'declined'")
        == reason
    )
    await world.post(f"{path}/fresh")
    assert len(windows(await world.get(path))) == 2


async def test_an_invented_reason_changes_nothing(world: World) -> None:
    offer = await world.offer()
    path = await world.link()
    assert await world.post(f"{path}/decline", offer=offer.id, reason="<script>") == f"{path}?note=changed"
    assert (await world.case_now()).state == "contacted"


async def test_the_journey_follows_the_car_to_the_end(world: World) -> None:
    offer = await world.offer()
    path = await world.link()
    await world.post(f"{path}/accept", offer=offer.id, choice=1)
    for event, headline in (
        (LegEvent.ON_THE_WAY, "Driver is on the way to you"),
        (LegEvent.COLLECTED, "Driver drives your car to us"),
        (LegEvent.AT_WORKSHOP, "Your car is at the workshop"),
    ):
        await world.drive(event)
        assert headline in await world.get(path)
    await world.repair()
    page = await world.get(path)
    assert "The work is finished" in page and "nail in the tyre, patched" in page
    await world.drive(LegEvent.ON_THE_WAY_BACK)
    assert "Driver brings your car back" in await world.get(path)
    await world.drive(LegEvent.HANDED_OVER)
    page = await world.get(path)
    assert "Your car proves the repair" in page
    assert page.count('class="done"') == 7
    await world.desk.admin.execute("UPDATE cases SET state = 'done' WHERE id = $1", world.case.id)
    assert ">All clear</h1>" in await world.get(path)


async def test_the_link_of_the_confirmation_shows_the_same_journey(world: World) -> None:
    offer = await world.offer()
    asked = await world.link()
    await world.post(f"{asked}/accept", offer=offer.id, choice=1)
    confirmed = await world.link()
    assert confirmed != asked
    assert "We collect your car today" in await world.get(confirmed)


async def test_a_booking_can_be_given_back_until_the_driver_has_the_car(world: World) -> None:
    offer = await world.offer()
    path = await world.link()
    await world.post(f"{path}/accept", offer=offer.id, choice=1)
    assert "Give this time back?" in await world.get(f"{path}/cancel")
    booking = await world.desk.admin.fetchval("SELECT id FROM bookings")
    assert await world.post(f"{path}/cancel", booking=booking) == path
    assert await world.post(f"{path}/cancel", booking=booking) == path
    assert "This booking is cancelled" in await world.get(path)
    assert (await world.case_now()).state == "open"
    assert await world.desk.admin.fetchval("SELECT count(*) FROM slots WHERE state <> 'released'") == 0


async def test_a_visit_at_the_dealers_place_speaks_of_their_place(world: World) -> None:
    offer = await world.offer(BookingKind.DROP_OFF)
    path = await world.link()
    assert "When will you bring it?" in await world.get(path)
    await world.post(f"{path}/accept", offer=offer.id, choice=1)
    page = await world.get(path)
    assert "We expect you today" in page and "Werkstr. 1, Berlin" in page
    assert "Driver" not in page


@pytest.mark.parametrize(
    ("language", "words"),
    [("de", "Wann sollen wir es abholen?"), ("es", "¿Cuándo lo recogemos?"), ("ar", "متى نأخذها؟")],
)
async def test_the_page_speaks_the_owners_language_and_others_on_request(
    world: World, language: str, words: str
) -> None:
    await world.offer()
    path = await world.link()
    assert words in await world.get(f"{path}?language={language}")
    await world.desk.admin.execute("UPDATE owners SET language = $1", language)
    page = await world.get(path)
    runs = "rtl" if language == "ar" else "ltr"
    assert words in page and f'<html lang="{language}" dir="{runs}">' in page


async def test_a_tampered_link_opens_nothing(world: World) -> None:
    await world.offer()
    path = await world.link()
    for place in range(len("/o/"), len(path)):
        other = "A" if path[place] != "A" else "B"
        async with world.web.get(path[:place] + other + path[place + 1 :]) as answer:
            assert answer.status == 404, place
    page = await world.get("/o/nothing", 404, **{"Accept-Language": "de-AT,en;q=0.5"})
    assert "Diesen Link kennen wir nicht" in page


async def test_an_ended_or_revoked_link_says_so(world: World) -> None:
    offer = await world.offer()
    path = await world.secret(
        "offer", offer.id, owner_id=world.owner_id, expires_at=world.desk.clock() + timedelta(hours=1)
    )
    await world.get(path)
    world.desk.clock.on(hours=1)
    assert "This link has ended" in await world.get(path, 410)
    await world.post(f"{path}/accept", 410, offer=offer.id, choice=1)
    await world.desk.admin.execute("UPDATE secrets SET revoked_at = $1", world.desk.clock())
    await world.get(await world.link(), 410)


async def test_the_former_owner_sees_nothing_any_more(world: World) -> None:
    offer = await world.offer()
    path = await world.link()
    async with transaction(world.desk.house.pool, world.dealer_id) as connection:
        await fleet.give(connection, world.dealer_id, world.vehicle_id, None, actor="test", now=world.desk.clock())
    assert "Gartenweg" not in await world.get(path, 410)
    await world.post(f"{path}/accept", 410, offer=offer.id, choice=1)
    assert await world.desk.admin.fetchval("SELECT count(*) FROM bookings") == 0


async def test_a_link_does_not_open_what_another_purpose_opens(world: World) -> None:
    offer = await world.offer()
    path = await world.link()
    token = path.rpartition("/")[2]
    await world.get(f"/f/{token}", 404)
    await world.get(f"/d/{token}", 404)
    driver = await world.secret("driver", offer.id)
    await world.get(driver.replace("/d/", "/o/"), 404)


async def test_another_dealers_offer_cannot_be_answered_through_this_link(world: World) -> None:
    await world.offer()
    path = await world.link()
    assert await world.post(f"{path}/accept", offer=987654, choice=1) == f"{path}?note=overtaken"
    stranger = world.desk.other.id
    await world.desk.admin.execute("UPDATE secrets SET dealer_id = $1 WHERE purpose = 'offer'", stranger)
    await world.get(path, 404)


async def test_preferences_are_kept_and_used(world: World) -> None:
    await world.offer()
    path = await world.link()
    page = await world.get(f"{path}/preferences")
    assert 'value="20:00"' in page and "E-mail" in page
    form = {"language": "de", "channel": "email", "quiet_from": "21:30", "quiet_to": "07:15"}
    assert await world.post(f"{path}/preferences", **form) == f"{path}/preferences?note=saved"
    page = await world.get(f"{path}/preferences?note=saved")
    assert "Gespeichert." in page and 'value="21:30"' in page
    for wrong in ({"language": "xx"}, {"channel": "pigeon"}, {"quiet_from": "25:00"}):
        assert await world.post(f"{path}/preferences", **{**form, **wrong}) == f"{path}?note=changed"
    assert await world.desk.admin.fetchval("SELECT channel FROM owners WHERE id = $1", world.owner_id) == "email"


async def test_stop_on_the_page_stops_and_can_be_taken_back(world: World) -> None:
    await world.offer()
    path = await world.link()
    for purpose in ("service", "status"):
        await world.desk.admin.execute(
            "INSERT INTO consents (dealer_id, owner_id, purpose, given, at, source, wording) "
            "VALUES ($1, $2, $3, true, $4, 'form', 'yes')",
            world.dealer_id,
            world.owner_id,
            purpose,
            world.desk.clock(),
        )
    await world.post(f"{path}/stop")
    assert "Texts are off" in await world.get(f"{path}/preferences")
    newest = "SELECT DISTINCT ON (purpose) purpose, given FROM consents WHERE owner_id = $1 ORDER BY purpose, id DESC"
    assert not any(row["given"] for row in await world.desk.admin.fetch(newest, world.owner_id))
    await world.post(f"{path}/start")
    given = {row["purpose"] for row in await world.desk.admin.fetch(newest, world.owner_id) if row["given"]}
    assert given == {"service", "status"}


async def test_a_question_reaches_a_person_once_and_nothing_is_read_into_it(world: World) -> None:
    await world.offer()
    path = await world.link()
    key = re.search(r'name="key" value="([^"]+)"', await world.get(f"{path}/ask"))
    assert key is not None
    for _ in range(3):
        assert await world.post(f"{path}/ask", key=key[1], words="1") == f"{path}?note=asked"
    assert "A person reads this" in await world.get(f"{path}?note=asked")
    assert (
        await world.desk.admin.fetchval("SELECT count(*) FROM replies WHERE body = '1' AND understood = 'other'") == 1
    )
    assert await world.desk.admin.fetchval("SELECT needs_reading FROM threads WHERE owner_id = $1", world.owner_id)
    assert await world.desk.admin.fetchval("SELECT count(*) FROM wakeups WHERE topic = 'reply'") == 1
    assert await world.desk.admin.fetchval("SELECT count(*) FROM bookings") == 0
    assert await world.post(f"{path}/ask", key="x", words="  ") == f"{path}?note=changed"


async def test_extra_work_needs_a_yes_and_the_first_answer_stands(world: World) -> None:
    offer = await world.offer()
    path = await world.link()
    await world.post(f"{path}/accept", offer=offer.id, choice=1)
    await world.drive(LegEvent.ON_THE_WAY, LegEvent.COLLECTED, LegEvent.AT_WORKSHOP)
    booking = await world.desk.admin.fetchval("SELECT id FROM bookings")
    line = await estimates.add(
        world.desk.house.acting(world.dealer_id, world.advisor), booking, "Brake fluid change", 8950
    )
    page = await world.get(path)
    assert "We found something else" in page and "€89.50" in page and "Nothing is done without your yes." in page
    assert await world.post(f"{path}/extra", line=line.id, answer="perhaps") == f"{path}?note=changed"
    assert await world.post(f"{path}/extra", line=line.id + 1, answer="approved") == f"{path}?note=overtaken"
    await asyncio.gather(
        *(world.post(f"{path}/extra", line=line.id, answer=answer) for answer in ("approved", "declined") * 5)
    )
    row = await world.desk.admin.fetchrow("SELECT answer, answered_by FROM estimate_lines")
    assert row[
        "answered_by"
    ] == "owner" and f"you said {'yes' if row['answer'] == 'approved' else 'no'}" in await world.get(path)
    assert (
        await world.desk.admin.fetchval(
            "SELECT count(*) FROM history WHERE noun = 'estimate' AND old IS NULL AND new <> 'asked'"
        )
        == 1
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"offer=1&choice=\x00\xff", "application/x-www-form-urlencoded; charset=utf-8"),
        (b"offer=%00%ED%A0%80&choice=" + b"9" * 5000, "application/x-www-form-urlencoded"),
        (b"--x\r\nnothing", "multipart/form-data; boundary=x"),
        (b"{}", "application/json"),
        (b"a=b", "application/x-www-form-urlencoded; charset=klingon"),
    ],
)
async def test_a_form_that_nobody_sent_from_our_page_is_an_answer_and_not_an_error(
    world: World, body: bytes, kind: str
) -> None:
    await world.offer()
    path = await world.link()
    for door in ("accept", "decline", "cancel", "ask", "preferences", "extra"):
        async with world.web.post(
            f"{path}/{door}", data=body, headers={"Content-Type": kind}, allow_redirects=False
        ) as answer:
            assert answer.status in (303, 400, 422), (door, answer.status)
    assert (await world.case_now()).state == "contacted"


async def test_an_owner_far_away_reads_the_places_time_and_whose_it_is(world: World) -> None:
    await world.desk.admin.execute(
        "UPDATE owners SET zone = 'America/New_York', quiet_from = '00:00', quiet_to = '00:00' WHERE id = $1",
        world.owner_id,
    )
    offer = await world.offer()
    path = await world.link()
    assert re.search(
        r"1 = Mon 23 Nov 09:30-10:30, 2 = Mon 23 Nov 11:30-12:30 \(Berlin time\)", (await world.texts("offer"))[-1]
    )
    page = await world.get(path)
    assert (
        windows(page) == ["09:30–10:30", "11:30–12:30"] and "All times are Berlin time." in page and "Today" not in page
    )
    await world.post(f"{path}/accept", offer=offer.id, choice=2)
    assert "We collect your car Mon 23 Nov 11:30-12:30 (Berlin time)" in (await world.texts("booked"))[-1]
    page = await world.get(path)
    assert "We collect your car Mon 23 Nov 11:30–12:30" in page and "All times are Berlin time." in page
    assert "Berlin time" in await world.get(f"{path}/cancel")
