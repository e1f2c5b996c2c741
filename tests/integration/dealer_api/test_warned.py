"""A car that must not be driven on: the queue and the case's page say whether its owner knows, and if not, why and whom
to ring.
"""

from __future__ import annotations

import pytest

from tests.integration.dealer_api.conftest import Desk, agrees

VIN = "WVWZZZ1JZXW000001"
_ALERT = """
INSERT INTO alerts (dealer_id, vehicle_id, rule, rule_version, component, episode, step, state, severity, because,
  first_at, changed_at, received_at, case_id, evidence)
VALUES ($1, $2, $3, 1, '', 1, 1, 'active', 'now', 'it shows', $4, $4, $4, $5, '{}')
"""
_TEXT = """
INSERT INTO messages (dealer_id, thread_id, owner_id, case_id, kind, purpose, channel, to_address, language, body,
  state, reason, reference, author, queued_at, due_at, sent_at)
SELECT $1, t.id, $2, $3, 'safety', 'safety', 'phone', 'x', 'en', 'x', $4::text, $5, 'safety-' || $4, 'worker',
  $6::timestamptz, $6::timestamptz, CASE WHEN $4 = 'sent' THEN $6::timestamptz END
FROM threads t WHERE t.owner_id = $2
"""


@pytest.fixture
async def danger(desk: Desk):
    """(dealer, owner, case) of a car about which an alert forbids to drive on."""
    manager = await desk.as_role("manager")
    owner = await desk.post(
        manager,
        "/api/v1/owners",
        {"name": "Anna Berg", "phone": "0170 1234567", "address": "Lindenweg 3, Berlin", "language": "en"},
    )
    car = await desk.post(
        manager,
        "/api/v1/vehicles",
        {"vin": VIN, "profile": "petrol_hatch", "title": "VW Golf", "plate": "B-TT 204", "owner_id": owner["id"]},
    )
    case = await desk.post(manager, "/api/v1/cases", {"vehicle_id": car["id"], "note": "The lamp.", "severity": "now"})
    dealer = await desk.admin.fetchval("SELECT dealer_id FROM cases WHERE id = $1", case["id"])
    await desk.admin.execute(_ALERT, dealer, car["id"], "oil_pressure", desk.clock(), case["id"])
    return dealer, owner["id"], case["id"]


async def both(desk, case):
    advisor = await desk.as_role("advisor")
    return [" ".join((await (await advisor.get(path)).text()).split()) for path in ("/queue", f"/cases/{case}")]


async def test_an_owner_who_does_not_know_is_one_to_ring(desk: Desk, danger):
    dealer, owner, case = danger
    for page in await both(desk, case):
        assert "Owner does not know: no consent to safety texts" in page
    assert "Ring <a" in page and "+491701234567" in page
    await agrees(desk, owner)
    for page in await both(desk, case):
        assert "Owner does not know: no text has gone" in page
    await desk.admin.execute(_TEXT, dealer, owner, case, "failed", "it is a landline", desk.clock())
    for page in await both(desk, case):
        assert "Owner does not know: it is a landline" in page
    await desk.admin.execute("UPDATE owners SET stopped_at = $1 WHERE id = $2", desk.clock(), owner)
    for page in await both(desk, case):
        assert "Owner does not know: they said STOP" in page


async def test_an_owner_who_was_told_knows_since_then(desk: Desk, danger):
    dealer, owner, case = danger
    await desk.admin.execute(_TEXT, dealer, owner, case, "sent", None, desk.clock())
    for page in await both(desk, case):
        assert "Owner knows since today" in page and "at once: the car" not in page


async def test_where_nothing_forbids_to_drive_nothing_is_said(desk: Desk, danger):
    _, _, case = danger
    await desk.admin.execute("UPDATE alerts SET rule = 'sensor_implausible'")
    for page in await both(desk, case):
        assert "Owner knows" not in page and "Owner does not know" not in page


async def test_who_rang_says_so_and_the_desk_shows_since_when(desk: Desk, danger):
    _, _, case = danger
    advisor = await desk.as_role("advisor")
    for page in await both(desk, case):
        assert "I rang, they know" in page
    await desk.post(advisor, f"/api/v1/cases/{case}/rang")
    for page in await both(desk, case):
        assert "Owner knows since today" in page and ", we rang" in page and "I rang, they know" not in page
    assert "Owner told on the telephone" in (await both(desk, case))[1]
    assert await desk.admin.fetchval("SELECT array_length(alert_ids, 1) FROM spoken_warnings") == 1
    await desk.admin.execute("UPDATE alerts SET state = 'resolved'")
    assert "nothing forbids" in (await desk.post(advisor, f"/api/v1/cases/{case}/rang", expect=409))["detail"]
