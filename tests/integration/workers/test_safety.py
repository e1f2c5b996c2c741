"""A car that must not be driven on: its owner hears it by themselves, once, at any hour, in their language; and where
no text can leave, a person rings.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actions import bookings, cases, offers, vehicles, warning
from actions import owners as owner_acts
from providers.provider import Lookup, Receipt
from schemas.alert import AlertState as A
from schemas.booking import BookingKind
from schemas.errors import DeliveryFailed, Overtaken
from schemas.message import Message, Purpose
from schemas.verdict import Severity
from store import consents
from store.pool import transaction
from tests.integration.workers.conftest import Scene

NOW = Severity.NOW


async def test_a_now_alert_reaches_its_owner_within_a_minute_with_no_human(scene: Scene) -> None:
    began = scene.clock()
    await scene.alert(A.PENDING, A.ACTIVE, rule="oil_pressure", component="", severity=NOW)
    await scene.work()
    assert await scene.phone() == [
        "Autohaus Nord: Ihr VW Golf (B-TT 204) meldet: Öldruck ist zu niedrig. Dringend: Motor aus, nicht "
        "weiterfahren. Sicher abstellen und stehen lassen. "
        "Rufen Sie uns an: +4930111. STOP = keine Texte mehr"
    ]
    row = await scene.admin.fetchrow("SELECT * FROM messages WHERE kind = 'safety'")
    assert (row["purpose"], row["state"], row["case_id"]) == ("safety", "sent", (await scene.case())["id"])
    assert row["sent_at"] - began <= timedelta(seconds=60)
    assert row["queued_at"] == (await scene.case())["opened_at"]  # saved in the transaction that made the case


@pytest.mark.parametrize("hour", [3, 12, 23])
async def test_it_comes_at_any_hour_and_what_is_less_urgent_never_at_night(scene: Scene, hour: int) -> None:
    scene.clock.at = scene.clock().replace(hour=hour - 1) + timedelta(days=1)
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    assert await scene.phone() == []  # soon: a person decides
    await scene.alert(A.PENDING, A.ACTIVE, rule="oil_pressure", component="", severity=NOW)
    await scene.work()
    assert len(await scene.phone()) == 1
    assert ("wir sind da ab" in (await scene.phone())[0]) == (hour != 12)


async def test_once_and_again_only_when_it_has_got_worse_again(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE, severity=Severity.SOON)
    await scene.work()
    for step in (2, 3, 4):  # it rises, and is told again and again
        await scene.alert(A.ACTIVE, severity=NOW, first_step=step)
        await scene.work()
    assert len(await scene.phone()) == 1
    await scene.alert(A.ACTIVE, severity=Severity.SOON, first_step=5)
    await scene.alert(A.ACTIVE, severity=NOW, first_step=6)
    await scene.work()
    assert len(await scene.phone()) == 1  # around its limit
    scene.clock.on(hours=7)
    await scene.alert(A.ACTIVE, severity=Severity.SOON, first_step=7)
    await scene.alert(A.ACTIVE, severity=NOW, first_step=8)
    await scene.work()
    assert len(await scene.phone()) == 2


async def test_a_second_fault_is_told_when_it_asks_something_else_of_them(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE, severity=NOW)
    await scene.alert(A.PENDING, A.ACTIVE, rule="brake_fluid", component="", severity=NOW)
    await scene.work()
    assert len(await scene.phone()) == 1
    await scene.alert(A.PENDING, A.ACTIVE, rule="oil_pressure", component="", severity=NOW)
    await scene.work()
    assert "Motor aus" in (await scene.phone())[-1]
    assert len(await scene.phone()) == 2


async def test_the_all_clear_comes_when_nothing_forbids_to_drive_and_by_day(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE, severity=NOW)
    await scene.alert(A.PENDING, A.ACTIVE, rule="brake_fluid", component="", severity=NOW)
    await scene.work()
    scene.clock.on(hours=14)  # 23:00
    await scene.alert(A.RESOLVED, severity=NOW, first_step=2)
    await scene.work()
    assert len(await scene.phone()) == 1
    await scene.alert(A.RESOLVED, rule="brake_fluid", component="", severity=NOW, first_step=2)
    await scene.work()
    assert len(await scene.phone()) == 1  # good news lets them sleep
    scene.clock.on(hours=10)
    await scene.work()
    assert "meldet nicht mehr" in (await scene.phone())[-1]
    assert len(await scene.phone()) == 2
    await scene.alert(A.PENDING, A.ACTIVE, episode=2, severity=NOW)
    await scene.work()
    assert len(await scene.phone()) == 3  # what was taken back counts no more


async def test_good_news_that_is_no_longer_true_in_the_morning_is_not_sent(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE, severity=NOW)
    await scene.work()
    scene.clock.on(hours=14)
    await scene.alert(A.RESOLVED, severity=NOW, first_step=2)
    await scene.work()
    await scene.alert(A.PENDING, A.ACTIVE, episode=2, severity=NOW)
    await scene.work()
    scene.clock.on(hours=10)
    await scene.work()
    assert len(await scene.phone()) == 1
    assert await scene.admin.fetchval("SELECT state FROM messages WHERE kind = 'safety_over'") == "cancelled"


async def test_a_warning_that_rests_on_rejected_readings_is_taken_back(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE, severity=NOW)
    await scene.work()
    await scene.alert(A.WITHDRAWN, severity=NOW, first_step=2)
    await scene.work()
    assert "Wir haben uns geirrt" in (await scene.phone())[-1]


@pytest.mark.parametrize("silent", ["late", "sensor", "unit", "shadow"])
async def test_history_and_faults_of_the_unit_never_reach_an_owner(scene: Scene, silent: str) -> None:
    rule = {"sensor": "sensor_implausible", "unit": "silent_vehicle"}.get(silent, "oil_pressure")
    await scene.alert(
        A.PENDING, A.ACTIVE, rule=rule, component="", severity=NOW, late=silent == "late", shadow=silent == "shadow"
    )
    await scene.work()
    assert await scene.phone() == []


@pytest.mark.parametrize(
    ("why", "words"), [("no consent", "no consent"), ("STOP", "said STOP"), ("no number", "no number or mailbox")]
)
async def test_where_no_text_may_leave_somebody_is_told_to_ring_at_once(scene: Scene, why: str, words: str) -> None:
    async with transaction(scene.worker) as connection:
        if why == "STOP":
            await consents.stop(connection, scene.dealer.id, scene.owner.id, now=scene.clock(), wording="STOP")
        elif why == "no consent":
            await consents.record(
                connection,
                scene.dealer.id,
                scene.owner.id,
                Purpose.SAFETY,
                False,
                now=scene.clock(),
                source="x",
                wording="no",
            )
        await connection.execute(
            "UPDATE owners SET phone = NULL WHERE id = $1 AND $2", scene.owner.id, why == "no number"
        )
    for step in (0, 2, 3):
        await scene.alert(*([A.PENDING, A.ACTIVE] if step == 0 else [A.ACTIVE]), severity=NOW, first_step=step)
        await scene.work()
    ring = [text for text in await scene.staff_phone("advisor") if "Please ring" in text]
    assert len(ring) == 1 and "must not be driven on" in ring[0] and scene.owner.name in ring[0]
    assert (words if why != "no consent" else "said no to safety texts") in ring[0]
    assert await scene.phone() == []


async def test_one_table_says_what_must_not_be_driven_on(scene: Scene) -> None:
    scene.clock.at = scene.clock().replace(hour=2) + timedelta(days=1)
    await scene.alert(A.PENDING, A.ACTIVE, rule="battery_12v", component="", severity=NOW)
    await scene.work()
    assert await scene.phone() == []  # it may not start again, but it may be driven: a person decides
    await scene.alert(A.PENDING, A.ACTIVE, rule="oil_pressure", component="", severity=Severity.SOON)
    await scene.work()
    assert "nicht weiterfahren" in (await scene.phone())[0]
    await scene.alert(A.ACTIVE, rule="oil_pressure", component="", severity=NOW, first_step=2)
    scene.clock.on(hours=7)
    await scene.work()
    assert len(await scene.phone()) == 1  # it forbade to drive on before
    await scene.alert(A.RESOLVED, rule="oil_pressure", component="", severity=NOW, first_step=3)
    await scene.work()
    assert "meldet nicht mehr" in (await scene.phone())[-1]  # the battery forbids nothing


async def test_what_came_late_is_told_when_live_readings_show_the_same(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE, rule="oil_pressure", component="", severity=NOW, late=True)
    await scene.work()
    assert await scene.phone() == [] and await scene.staff_phone("advisor") == []
    await scene.alert(A.ACTIVE, rule="oil_pressure", component="", severity=NOW, first_step=2)
    await scene.work()
    assert "nicht weiterfahren" in (await scene.phone())[0]
    assert len(await scene.staff_phone("advisor")) == 1
    await scene.alert(A.ACTIVE, rule="oil_pressure", component="", severity=NOW, first_step=3)
    await scene.work()
    assert (len(await scene.phone()), len(await scene.staff_phone("advisor"))) == (1, 1)


async def test_a_dismissed_case_whose_alert_rises_to_now_is_opened_again(scene: Scene) -> None:
    desk = scene.house.acting(scene.dealer.id, f"staff:{scene.people['advisor'].id}")
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    case = (await scene.case())["id"]
    await cases.acknowledge(desk, case)
    await cases.dismiss(desk, case, "a nail, they pump it up")
    scene.clock.on(minutes=5)
    await scene.work()
    assert (await scene.case())["state"] == "dismissed"
    before = len(await scene.staff_phone("advisor"))
    await scene.alert(A.ACTIVE, severity=NOW, first_step=2)
    await scene.work()
    row = await scene.case()
    assert (row["id"], row["state"], row["severity"], row["acknowledged_at"]) == (case, "open", "now", None)
    assert len(await scene.phone()) == 1 and len(await scene.staff_phone("advisor")) == before + 1
    await cases.dismiss(desk, case, "towed by their club")
    scene.clock.on(minutes=5)
    await scene.alert(A.ACTIVE, severity=NOW, first_step=3)
    await scene.work()
    assert (await scene.case())["state"] == "dismissed"  # what the person saw, they judged


async def test_a_dismissed_case_gives_its_alert_to_the_one_that_is_open(scene: Scene) -> None:
    desk = scene.house.acting(scene.dealer.id, f"staff:{scene.people['advisor'].id}")
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    await cases.dismiss(desk, (await scene.case())["id"], "a nail")
    other = await cases.open_by_hand(desk, scene.car.id, "It squeals")
    scene.clock.on(minutes=5)
    alert = await scene.alert(A.ACTIVE, severity=NOW, first_step=2)
    await scene.work()
    assert await scene.admin.fetchval("SELECT case_id FROM alerts WHERE id = $1", alert) == other.id
    row = await scene.case()
    assert (row["severity"], row["state"], len(await scene.phone())) == ("now", "open", 1)


async def test_who_was_rung_gets_no_text_that_says_the_same_and_hears_when_it_is_over(scene: Scene) -> None:
    async with transaction(scene.worker) as connection:
        await consents.record(
            connection,
            scene.dealer.id,
            scene.owner.id,
            Purpose.SAFETY,
            False,
            now=scene.clock(),
            source="x",
            wording="no",
        )
    await scene.alert(A.PENDING, A.ACTIVE, severity=NOW)
    await scene.work()
    desk = scene.house.acting(scene.dealer.id, f"staff:{scene.people['advisor'].id}")
    scene.clock.on(minutes=5)
    await warning.rang(desk, (await scene.case())["id"])
    await owner_acts.consent(desk, scene.owner.id, {Purpose.SAFETY: True}, source="telephone", wording="yes")
    await scene.alert(A.PENDING, A.ACTIVE, rule="brake_fluid", component="", severity=NOW)
    await scene.work()
    assert await scene.phone() == []
    await scene.alert(A.RESOLVED, severity=NOW, first_step=2)
    await scene.alert(A.RESOLVED, rule="brake_fluid", component="", severity=NOW, first_step=2)
    await scene.work()
    assert "meldet nicht mehr" in (await scene.phone())[0]
    with pytest.raises(Overtaken):
        await warning.rang(desk, (await scene.case())["id"])
    await scene.alert(A.PENDING, A.ACTIVE, episode=2, severity=NOW)
    await scene.work()
    assert len(await scene.phone()) == 2  # what was said before the all-clear counts no more


async def test_who_agrees_while_it_stands_is_told_then(scene: Scene) -> None:
    async with transaction(scene.worker) as connection:
        await consents.record(
            connection,
            scene.dealer.id,
            scene.owner.id,
            Purpose.SAFETY,
            False,
            now=scene.clock(),
            source="x",
            wording="no",
        )
    await scene.alert(A.PENDING, A.ACTIVE, severity=NOW)
    await scene.work()
    assert await scene.phone() == []
    await owner_acts.consent(
        scene.house.acting(scene.dealer.id, "staff:1"),
        scene.owner.id,
        {Purpose.SAFETY: True},
        source="telephone",
        wording="yes",
    )
    await scene.work()
    assert len(await scene.phone()) == 1


async def test_a_new_owner_of_such_a_car_is_told(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE, severity=NOW)
    await scene.work()
    buyer = await scene.another_owner(name="Bea Buyer", language="en")
    await vehicles.update(scene.house.acting(scene.dealer.id, "staff:1"), scene.car.id, {"owner_id": buyer.id})
    await scene.work()
    assert len(await scene.phone()) == 1
    assert "please do not drive on" in (await scene.phone(buyer.phone))[0]


async def test_what_the_provider_cannot_deliver_goes_the_other_way_and_somebody_rings(scene: Scene) -> None:
    await scene.admin.execute("UPDATE owners SET email = 'jo@example.org' WHERE id = $1", scene.owner.id)
    mails = Mailbox()
    scene.context.channels["email"], scene.context.channels["phone"] = (
        mails,
        Refuses(scene.context.channels["phone"], scene.owner.phone),
    )
    await scene.alert(A.PENDING, A.ACTIVE, severity=NOW)
    await scene.work()
    await scene.work()
    assert [message.to_address for message in mails.came] == ["jo@example.org"]
    assert any("did not arrive" in text for text in await scene.staff_phone("advisor"))


async def test_a_stop_before_it_leaves_makes_somebody_ring(scene: Scene) -> None:
    async def before(connection: Any, message: Message, now: Any) -> None:
        if message.owner_id is not None:
            await consents.stop(connection, scene.dealer.id, scene.owner.id, now=now, wording="STOP")

    object.__setattr__(scene.context, "untrue", before)
    await scene.alert(A.PENDING, A.ACTIVE, severity=NOW)
    await scene.work()
    await scene.work()
    assert await scene.phone() == []
    assert any("Please ring" in text for text in await scene.staff_phone("advisor"))


async def test_a_car_in_our_building_frightens_nobody_until_it_is_handed_over(scene: Scene) -> None:
    desk = scene.house.acting(scene.dealer.id, f"staff:{scene.people['advisor'].id}")
    await scene.alert(A.PENDING, A.ACTIVE)
    await scene.work()
    case = (await scene.case())["id"]
    await cases.acknowledge(desk, case)
    offer = await offers.make(desk, case, BookingKind.DROP_OFF)
    booking = await offers.accept(desk, offer.id, 1)
    scene.clock.at = booking.starts_at
    for act in (bookings.arrive, bookings.start):
        await act(desk, booking.id)
    await scene.work()
    result = len(await scene.phone())
    await scene.alert(A.ACTIVE, severity=NOW, first_step=2)
    await scene.work()
    assert len(await scene.phone()) == result
    await bookings.finish(desk, booking.id, "done")
    await scene.work()
    await bookings.hand_over(desk, booking.id)
    await scene.work()
    assert "nicht weiterfahren" in (await scene.phone())[-1]


class Mailbox:
    """Takes everything."""

    sender, missed = "shop@example.org", None

    def __init__(self) -> None:
        self.came: list[Message] = []

    async def send(self, message: Message, sender: str) -> Receipt:
        self.came.append(message)
        return Receipt(f"mail-{len(self.came)}")

    async def lookup(self, message: Message, taken: Any = ()) -> Lookup:
        return Lookup.NEVER_CAME

    async def close(self) -> None: ...


class Refuses:
    """A number that cannot be texted."""

    def __init__(self, behind: Any, number: str) -> None:
        self.behind, self.number, self.sender, self.missed = behind, number, behind.sender, None

    async def send(self, message: Message, sender: str) -> Receipt:
        if message.to_address == self.number:
            raise DeliveryFailed("it is a landline", permanent=True)
        return await self.behind.send(message, sender)  # type: ignore[no-any-return]

    async def lookup(self, message: Message, taken: Any = ()) -> Any:
        return await self.behind.lookup(message, taken)

    async def close(self) -> None: ...


async def test_a_warning_that_has_eased_is_told_by_itself_once_it_has_stayed_so(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE, severity=NOW)
    await scene.work()
    await scene.alert(A.ACTIVE, severity=Severity.SOON, first_step=2)
    await scene.work()
    assert len(await scene.phone()) == 1
    scene.clock.on(minutes=31)
    await scene.work()
    [_, eased] = await scene.phone()
    assert "meldet weiterhin" in eased and "weniger schlimm" in eased and "kurze" in eased.lower()
    await scene.alert(A.ACTIVE, severity=Severity.SOON, first_step=3)
    scene.clock.on(minutes=31)
    await scene.work()
    assert len(await scene.phone()) == 2, "said once"
    await scene.alert(A.ACTIVE, severity=NOW, first_step=4)
    await scene.work()
    assert len(await scene.phone()) == 3, "what was taken back counts no more"


async def test_a_fault_on_its_limit_eases_for_nobody(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE, severity=NOW)
    await scene.work()
    for step in (2, 4, 6):
        await scene.alert(A.ACTIVE, severity=Severity.SOON, first_step=step)
        await scene.work()
        scene.clock.on(minutes=20)
        await scene.alert(A.ACTIVE, severity=NOW, first_step=step + 1)
        await scene.work()
        scene.clock.on(minutes=20)
        await scene.work()
    assert len(await scene.phone()) == 1
    states = await scene.admin.fetch("SELECT DISTINCT state FROM messages WHERE kind = 'safety_over'")
    assert [row["state"] for row in states] == ["cancelled"]


async def test_a_fault_that_becomes_urgent_later_is_told_then_and_once(scene: Scene) -> None:
    await scene.alert(A.PENDING, A.ACTIVE, severity=Severity.SOON)
    await scene.work()
    scene.clock.on(hours=15)  # at night
    assert await scene.phone() == []
    await scene.alert(A.ACTIVE, severity=NOW, first_step=2)
    await scene.work()
    await scene.work()
    assert len(await scene.phone()) == 1
