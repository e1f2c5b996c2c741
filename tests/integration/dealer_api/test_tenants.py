"""Another dealer's things do not exist: the same answer, to the byte, as for a number that was never given."""

from __future__ import annotations

import re

from dealer_api.routes import API
from tests.integration.dealer_api.conftest import Desk, agrees

VIN = "WVWZZZ1JZXW000002"
BODIES = {
    "erase": {"name": "Canary Finch"},
    "assign": {"staff_id": 1},
    "dismiss": {"reason": "x"},
    "reopen": {"reason": "x"},
    "offers": {"kind": "pickup"},
    "messages": {"template": "waiting"},
    "accept": {"choice": 1},
    "finish": {"finding": "x"},
    "cancel": {"reason": "x"},
    "pause": {"awaits": "part", "what": "x", "due_at": "2030-01-01T10:00:00Z"},
    "skills": {"skills": ["tyres"]},
    "promise": {"ready_by": "2030-01-01T10:00:00Z"},
    "estimates": {"title": "x", "amount_minor": 1},
    "answer": {"approved": True, "reason": "x"},
    "estimates/withdraw": {"reason": "x"},
    "move": {"event": "on_the_way"},
    "consents": {"service": False},
    "confirm": {"how": "test_drive"},
    "handovers": {
        "kind": "return",
        "key": "k" * 8,
        "odometer_km": 1,
        "energy_percent": 1,
        "keys": 1,
        "name": "Bo",
    },
    "absences": {"starts_at": "2030-01-01T10:00:00Z", "ends_at": "2030-01-02T10:00:00Z", "reason": "x"},
    "end": {"absence_id": 1},
    "corrections": {"signal": "Vehicle.Speed", "unit": "mph"},
    "bookings/move": {"starts_at": "2030-01-01T10:00:00Z"},
}


async def test_every_door_answers_for_a_foreign_thing_as_for_none(desk: Desk):
    """The other dealer has one of everything; we ask for each by its number, and by one that nobody has."""
    theirs = await _furnish(desk)
    ours = await desk.as_role("manager")
    doors = [route for route in API if "{id}" in route.path]
    assert {route.path.split("/")[3] for route in doors} <= set(theirs), "a noun without a foreign example"
    for route in doors:
        noun = route.path.split("/")[3]
        tail = route.path.rsplit("/", 1)[1]
        body = (
            {"body": "hello"}
            if tail == "messages" and noun != "bookings"
            else {"driver_id": 1}
            if (noun, tail) == ("legs", "assign")
            else {"role": "driver"}
            if (noun, route.method) == ("staff", "PATCH")
            else {}
            if noun in ("quarantine", "corrections")
            else BODIES.get(f"{noun}/{tail}", BODIES.get(tail, {}))
        )
        answers = []
        for number in (theirs[noun], 987654):
            response = await ours.request(
                route.method,
                re.sub("{id}", str(number), route.path),
                params={"kind": "collect", "view": "front", "key": "k" * 8}
                if route.path.endswith("}/photos")
                else None,
                json=None if route.method == "GET" else body,
                headers={"Idempotency-Key": f"{route.path}{number}"},
            )
            answers.append((response.status, await response.read()))
        assert answers[0] == answers[1] and answers[0][0] == 404, (route.method, route.path, answers)


async def test_lists_and_searches_show_nothing_of_another_dealer(desk: Desk):
    await _furnish(desk)
    ours = await desk.as_role("manager")
    for path in (
        "/cases?state=all",
        "/alerts",
        "/bookings",
        "/legs",
        "/vehicles",
        f"/vehicles?vin={VIN}",
        "/vehicles?search=Canary",
        "/owners?search=Canary",
        "/owners",
        "/owners/unread",
        "/quarantine",
        "/waiting",
        "/staff",
        "/resources",
        "/keys",
    ):
        response = await ours.get(f"/api/v1{path}")
        text = await response.text()
        assert response.status == 200 and "Canary" not in text and VIN not in text, path


async def _furnish(desk) -> dict[str, int]:
    """One of everything at the other dealer."""
    manager = await desk.as_role("manager", desk.other)
    owner = await desk.post(
        manager, "/api/v1/owners", {"name": "Canary Finch", "phone": "+491701234001", "address": "Käfigweg 1"}
    )
    await agrees(desk, owner["id"], desk.other)
    car = await desk.post(
        manager,
        "/api/v1/vehicles",
        {"vin": VIN, "profile": "petrol_hatch", "title": "Canary car", "owner_id": owner["id"]},
    )
    case = await desk.post(manager, "/api/v1/cases", {"vehicle_id": car["id"], "note": "Canary sings"})
    offer = await desk.post(manager, f"/api/v1/cases/{case['id']}/offers", {"kind": "pickup"})
    booking = await desk.post(manager, f"/api/v1/offers/{offer['id']}/accept", {"choice": 1})
    legs = (await desk.get(manager, "/api/v1/legs"))["items"]
    dealer, vehicle = desk.other.id, car["id"]
    alert = await desk.admin.fetchval(
        """INSERT INTO alerts (dealer_id, vehicle_id, rule, rule_version, component, episode, step, state, severity,
           because, first_at, changed_at, received_at)
           VALUES ($1, $2, 'tyre_pressure', 1, 'front_left', 1, 0, 'active', 'soon', 'Canary', $3, $3, $3)
             RETURNING id""",
        dealer,
        vehicle,
        desk.clock(),
    )
    refused = await desk.admin.fetchval(
        """INSERT INTO quarantine (dealer_id, vehicle_id, vin, topic, payload, reason, detail, received_at)
           VALUES ($1, $2, $3, 't', 'Canary', 'not_json', 'Canary', $4) RETURNING id""",
        dealer,
        vehicle,
        VIN,
        desk.clock(),
    )
    line = await desk.admin.fetchval(
        "INSERT INTO estimate_lines (dealer_id, booking_id, title, amount_minor) VALUES ($1, $2, 'Canary', 1) "
        "RETURNING id",
        dealer,
        booking["id"],
    )
    photo = await desk.admin.fetchval(
        """INSERT INTO handover_photos (dealer_id, booking_id, kind, key, view, place, sha256, size, width, height,
           stored_at) VALUES ($1, $2, 'collect', 'Canary', 'front', '', '', 1, 1, 1, $3) RETURNING id""",
        dealer,
        booking["id"],
        desk.clock(),
    )
    correction = await desk.admin.fetchval(
        """INSERT INTO unit_corrections (dealer_id, vehicle_id, signals, unit, because, accepted_by, accepted_at)
           VALUES ($1, $2, '{1}', 'mph', 'Canary', 'staff:1', $3) RETURNING id""",
        dealer,
        vehicle,
        desk.clock(),
    )
    return {
        "photos": photo,
        "corrections": correction,
        "cases": case["id"],
        "alerts": alert,
        "quarantine": refused,
        "offers": offer["id"],
        "bookings": booking["id"],
        "estimates": line,
        "legs": legs[0]["id"],
        "vehicles": vehicle,
        "owners": owner["id"],
        "staff": desk.people[(dealer, "advisor")].id,
    }
