"""From a customer's call to the keys back in their hand, over the API alone."""

from __future__ import annotations

import pytest

from proofs import handing_over
from schemas.handover import HandoverKind
from tests.integration.dealer_api.conftest import Desk
from tests.standing import PoolAs

VIN = "WVWZZZ1JZXW000001"


@pytest.fixture
async def car(desk: Desk):
    """A car with an owner, known to the dealer."""
    manager = await desk.as_role("manager")
    owner = await desk.post(
        manager,
        "/api/v1/owners",
        {
            "name": "Anna Berg",
            "phone": "030 1234567",
            "address": "Lindenweg 3, Berlin",
            "language": "en",
            "consent": {
                "service": True,
                "status": True,
                "survey": True,
                "wording": "Yes, text me about my car.",
                "source": "desk",
            },
        },
    )
    return await desk.post(
        manager,
        "/api/v1/vehicles",
        {"vin": VIN, "profile": "petrol_hatch", "title": "VW Golf", "plate": "B-TT 204", "owner_id": owner["id"]},
    )


async def open_case(desk, car):
    advisor = await desk.as_role("advisor")
    return await desk.post(
        advisor,
        "/api/v1/cases",
        {"vehicle_id": car["id"], "note": "It smells of petrol.\nSince Monday.", "severity": "soon"},
    )


async def test_offer_accept_collect_repair_return(desk: Desk, car):
    advisor, driver, technician = (
        await desk.as_role("advisor"),
        await desk.as_role("driver"),
        await desk.as_role("technician"),
    )
    case = await open_case(desk, car)
    assert case["state"] == "open" and case["assignee_id"] and case["next_step"]["act"] == "offer"

    offer = await desk.post(advisor, f"/api/v1/cases/{case['id']}/offers", {"kind": "pickup"})
    assert {slot["choice"] for slot in offer["slots"]} == {1, 2} and len(offer["choices"]) == 2
    assert offer["choices"][0]["starts_at"][:10] == offer["choices"][1]["starts_at"][:10], "both windows on one day"

    booking = await desk.post(advisor, f"/api/v1/offers/{offer['id']}/accept", {"choice": 2})
    assert booking["starts_at"] == offer["choices"][1]["starts_at"] and booking["zone"] == "Europe/Berlin"
    legs = {leg["kind"]: leg for leg in (await desk.get(driver, "/api/v1/legs"))["items"]}
    assert set(legs) == {"collect", "return"} and legs["return"]["starts_at"] >= booking["ready_by"]

    early = await desk.post(
        driver, f"/api/v1/legs/{legs['return']['id']}/move", {"event": "on_the_way_back"}, expect=409
    )
    assert early["type"] == "/problems/illegal-move"
    for event in ("on_the_way", "collected", "at_workshop"):
        desk.clock.on(minutes=10)
        await desk.post(driver, f"/api/v1/legs/{legs['collect']['id']}/move", {"event": event})
    assert (await desk.get(advisor, f"/api/v1/cases/{case['id']}"))["state"] == "in_workshop"

    await desk.post(technician, f"/api/v1/bookings/{booking['id']}/start")
    desk.clock.on(minutes=35)
    waiting = (await desk.get(advisor, "/api/v1/waiting"))["items"]
    assert [(one["booking_id"], one["minutes_since_word"], one["too_long"]) for one in waiting] == [
        (booking["id"], 35, True)
    ]
    untrue = await desk.post(advisor, f"/api/v1/bookings/{booking['id']}/messages", {"template": "arrived"}, expect=409)
    assert "not be true" in untrue["detail"]
    await desk.post(advisor, f"/api/v1/bookings/{booking['id']}/messages", {"template": "waiting"})
    assert (await desk.get(advisor, "/api/v1/waiting"))["items"][0]["minutes_since_word"] == 0

    await desk.post(technician, f"/api/v1/bookings/{booking['id']}/finish", {"finding": "hose replaced"})
    assert (await desk.get(advisor, f"/api/v1/cases/{case['id']}"))["state"] == "verifying"
    back = f"/api/v1/legs/{legs['return']['id']}/move"
    await desk.post(driver, back, {"event": "on_the_way_back"})
    refused = await desk.post(driver, back, {"event": "handed_over"}, expect=409)
    assert refused["state"] == "without its handover record" and refused["allowed"] == ["record"]
    whose = desk.house.acting(desk.dealer.id, f"staff:{desk.people[(desk.dealer.id, 'driver')].id}")
    await handing_over.record(whose, booking["id"], HandoverKind.RETURN)
    await desk.post(driver, back, {"event": "handed_over"})
    whole = await desk.get(advisor, f"/api/v1/cases/{case['id']}")
    assert (
        whole["bookings"][0]["state"] == "completed" and whole["next_step"]["act"] == "confirm"
    )  # this car does not speak
    assert [line["kind"] for line in whole["conversation"] if line["direction"] == "out"] == [
        "offer",
        "booked",
        "on_the_way",
        "collected",
        "at_workshop",
        "waiting",
        "ready",
        "on_the_way_back",
        "handed_over",
    ]
    taken = await desk.admin.fetchval("SELECT count(*) FROM slots WHERE state <> 'released'")
    assert taken == 0, "nothing is held for a visit that is over"


async def test_a_refused_offer_gives_the_case_back_and_frees_its_windows(desk: Desk, car):
    advisor = await desk.as_role("advisor")
    case = await open_case(desk, car)
    offer = await desk.post(advisor, f"/api/v1/cases/{case['id']}/offers", {"kind": "drop_off"})
    declined = await desk.post(advisor, f"/api/v1/offers/{offer['id']}/decline", {"reason": "no time this week"})
    assert declined["state"] == "declined" and {slot["state"] for slot in declined["slots"]} == {"released"}
    case = await desk.get(advisor, f"/api/v1/cases/{case['id']}")
    assert case["state"] == "open" and case["next_step"]["act"] == "offer" and "not now" in case["next_step"]["because"]
    again = await desk.post(advisor, f"/api/v1/offers/{offer['id']}/accept", {"choice": 1}, expect=409)
    assert again["allowed"] == []


async def test_a_hold_that_has_run_out_cannot_be_accepted_and_names_what_is_free(desk: Desk, car):
    advisor = await desk.as_role("advisor")
    case = await open_case(desk, car)
    offer = await desk.post(advisor, f"/api/v1/cases/{case['id']}/offers", {"kind": "waiting"})
    desk.clock.on(hours=5)
    late = await desk.post(advisor, f"/api/v1/offers/{offer['id']}/accept", {"choice": 1}, expect=409)
    assert late["type"] == "/problems/overtaken" and len(late["windows"]) == 3


async def test_booked_by_telephone_then_cancelled_frees_everything_and_the_case_is_open_again(desk: Desk, car):
    advisor = await desk.as_role("advisor")
    case = await open_case(desk, car)
    window = (await desk.get(advisor, "/api/v1/windows?kind=pickup"))["items"][0]
    booking = await desk.post(
        advisor, "/api/v1/bookings", {"case_id": case["id"], "kind": "pickup", "starts_at": window["starts_at"]}
    )
    assert (await desk.get(advisor, f"/api/v1/bookings/{booking['id']}"))["legs"][0]["driver_id"]
    cancelled = await desk.post(advisor, f"/api/v1/bookings/{booking['id']}/cancel", {"reason": "the customer is ill"})
    assert cancelled["state"] == "cancelled"
    whole = await desk.get(advisor, f"/api/v1/cases/{case['id']}")
    assert whole["state"] == "open" and {leg["state"] for leg in whole["legs"]} == {"cancelled"}
    assert await desk.admin.fetchval("SELECT count(*) FROM slots WHERE state <> 'released'") == 0
    texts = [line["kind"] for line in whole["conversation"]]
    assert texts == ["booked", "cancelled"]


async def test_a_pickup_without_an_address_is_refused_before_anybody_drives(desk: Desk):
    manager = await desk.as_role("manager")
    owner = await desk.post(manager, "/api/v1/owners", {"name": "Ben", "phone": "+4930999"})
    car = await desk.post(
        manager,
        "/api/v1/vehicles",
        {"vin": VIN, "profile": "petrol_hatch", "title": "VW Golf", "owner_id": owner["id"]},
    )
    case = await open_case(desk, car)
    refused = await desk.post(manager, f"/api/v1/cases/{case['id']}/offers", {"kind": "pickup"}, expect=422)
    assert refused["field"] == "address"


async def test_a_second_case_for_the_same_car_is_refused(desk: Desk, car):
    await open_case(desk, car)
    advisor = await desk.as_role("advisor")
    again = await desk.post(advisor, "/api/v1/cases", {"vehicle_id": car["id"], "note": "again"}, expect=409)
    assert "open case already" in again["detail"]


async def test_a_taken_case_cannot_be_taken_again_but_can_be_handed_on(desk: Desk, car):
    advisor, manager = await desk.as_role("advisor"), await desk.as_role("manager")
    case = await open_case(desk, car)
    taken = await desk.post(manager, f"/api/v1/cases/{case['id']}/acknowledge", expect=409)
    assert "has taken it" in taken["detail"]
    me = desk.people[(desk.dealer.id, "manager")].id
    handed = await desk.post(manager, f"/api/v1/cases/{case['id']}/assign", {"staff_id": me})
    assert handed["assignee_id"] == me
    dismissed = await desk.post(advisor, f"/api/v1/cases/{case['id']}/dismiss", {"reason": "sold"})
    assert dismissed["state"] == "dismissed" and dismissed["allowed"] == ["reopened"]
    assert (await desk.post(advisor, f"/api/v1/cases/{case['id']}/reopen", {"reason": "not sold"}))["state"] == "open"


async def test_no_driver_moves_another_drivers_leg(desk: Desk, car):
    advisor, manager = await desk.as_role("advisor"), await desk.as_role("manager")
    case = await open_case(desk, car)
    offer = await desk.post(advisor, f"/api/v1/cases/{case['id']}/offers", {"kind": "pickup"})
    await desk.post(advisor, f"/api/v1/offers/{offer['id']}/accept", {"choice": 1})
    second = await desk.post(
        manager, "/api/v1/staff", {"name": "Dora Second", "email": "dora@nord.example", "role": "driver"}
    )
    leg = next(leg for leg in (await desk.get(advisor, "/api/v1/legs"))["items"] if leg["kind"] == "collect")
    moved = await desk.post(advisor, f"/api/v1/legs/{leg['id']}/assign", {"driver_id": second["staff"]["id"]})
    assert moved["driver"] == "Dora Second"
    driver = await desk.as_role("driver")
    refused = await desk.post(driver, f"/api/v1/legs/{leg['id']}/move", {"event": "on_the_way"}, expect=403)
    assert "another driver" in refused["detail"]


async def test_a_word_that_did_not_go_out_does_not_count_as_one(desk: Desk, car, pool_as: PoolAs):
    from schemas.message import MessageState
    from store import messages
    from store.pool import transaction

    advisor = await desk.as_role("advisor")
    case = await open_case(desk, car)
    window = (await desk.get(advisor, "/api/v1/windows?kind=waiting"))["items"][0]["starts_at"]
    booking = await desk.post(
        advisor, "/api/v1/bookings", {"case_id": case["id"], "kind": "waiting", "starts_at": window}
    )
    await desk.admin.execute("UPDATE messages SET state = 'sent', sent_at = $1", desk.clock())
    await desk.post(advisor, f"/api/v1/bookings/{booking['id']}/arrive")
    desk.clock.on(minutes=40)
    word = await desk.post(advisor, f"/api/v1/bookings/{booking['id']}/messages", {"template": "waiting"})
    assert (await desk.get(advisor, "/api/v1/waiting"))["items"][0]["minutes_since_word"] == 0
    async with transaction(await pool_as("worker")) as connection:
        message = await messages.get(connection, desk.dealer.id, word["message_id"])
        await messages.end(connection, message, MessageState.CANCELLED, "no consent")
    waiting = (await desk.get(advisor, "/api/v1/waiting"))["items"][0]
    assert waiting["minutes_since_word"] == 40 and waiting["too_long"]


async def test_a_case_that_opens_again_is_for_whoever_owns_the_car_by_then(desk: Desk):
    manager = await desk.as_role("manager")
    seller, buyer = [
        await desk.post(manager, "/api/v1/owners", {"name": name, "phone": f"+4930{n}77"})
        for n, name in enumerate(("Ben", "Cleo"), 11)
    ]
    car = await desk.post(
        manager,
        "/api/v1/vehicles",
        {"vin": VIN, "profile": "petrol_hatch", "title": "VW Golf", "owner_id": seller["id"]},
    )
    case = await open_case(desk, car)
    await desk.post(manager, f"/api/v1/cases/{case['id']}/dismiss", {"reason": "nothing to do"})
    await manager.patch(f"/api/v1/vehicles/{car['id']}", json={"owner_id": buyer["id"]})
    await desk.post(manager, f"/api/v1/cases/{case['id']}/reopen", {"reason": "too early"})
    assert (await desk.get(manager, f"/api/v1/cases/{case['id']}"))["owner_id"] == buyer["id"]
