"""Extra work over the doors of the desk: a technician asks, the advisor notes a telephone answer, declined lines come
back at the next visit.
"""

from __future__ import annotations

import re
from typing import Any

from tests.integration.dealer_api.conftest import Desk
from tests.integration.dealer_api.test_pausing import _at_work


async def _post(client: Any, page: str, path: str, **fields: str) -> str:
    """Send a form as the page at `page` would; where it led to, followed."""
    token = re.search(r'name="csrf" value="([^"]+)"', await (await client.get(page)).text())[1]  # type: ignore[index]
    return await (await client.post(path, data={"csrf": token, "back": page, **fields})).text()


async def test_a_line_is_asked_answered_and_comes_back_as_advice(desk: Desk) -> None:
    technician, visit = await _at_work(desk)
    advisor, case = await desk.as_role("advisor"), f"/cases/{visit['case_id']}"
    add = f"/bookings/{visit['id']}/estimates"
    assert "Parts: &#39;1.189&#39; is no amount" in await _post(
        technician, "/workshop", add, title="Front pads", parts="1.189", labour="", urgency="soon"
    )
    page = await _post(technician, "/workshop", add, title="Front pads", parts="129,90", labour="60", urgency="soon")
    assert "Front pads" in page and "€189.90" in page and "Waits for the owner" in page
    assert "parts €129.90, labour €60.00" in page and "They said yes" not in page, "advisors note answers"
    held = await _post(technician, "/workshop", f"/bookings/{visit['id']}/finish", finding="done")
    assert "the owner has not answered yet: Front pads" in held
    line = await desk.admin.fetchval("SELECT id FROM estimate_lines")
    seen = await _post(advisor, case, f"/estimates/{line}/answer", answer="declined")
    assert "on the telephone" in seen and "Leave it as it is" in seen
    assert "it has been answered" in await _post(advisor, case, f"/estimates/{line}/answer", answer="approved")
    await _post(technician, "/workshop", f"/bookings/{visit['id']}/finish", finding="done")
    await desk.post(advisor, f"/api/v1/bookings/{visit['id']}/hand-over")
    await desk.admin.execute("UPDATE cases SET state = 'done'")  # as if the car had proved it
    again = await desk.post(advisor, "/api/v1/cases", {"vehicle_id": visit["vehicle_id"], "note": "squeaks"})
    windows = (await desk.get(advisor, "/api/v1/windows?kind=drop_off"))["items"]
    body = {"case_id": again["id"], "kind": "drop_off", "starts_at": windows[0]["starts_at"]}
    await desk.post(advisor, "/api/v1/bookings", body)
    page = await (await advisor.get(f"/cases/{again['id']}")).text()
    assert "Declined at an earlier visit:" in page and "Front pads (€189.90)" in page


async def test_a_program_asks_withdraws_and_may_then_finish(desk: Desk) -> None:
    technician, visit = await _at_work(desk)
    path = f"/api/v1/bookings/{visit['id']}"
    body = {"title": "Front pads", "amount_minor": 18990, "labour_minor": 6000, "urgency": "soon"}
    line = await desk.post(technician, f"{path}/estimates", body, expect=201)
    assert (line["labour_minor"], line["urgency"], line["answer"]) == (6000, "soon", None)
    refused = await desk.post(technician, f"{path}/finish", {"finding": "done"}, expect=409)
    assert "Front pads" in refused["detail"]
    too_much = await desk.post(technician, f"{path}/estimates", {**body, "labour_minor": 18991}, expect=422)
    assert too_much["field"] == "labour_minor"
    gone = await desk.post(technician, f"/api/v1/estimates/{line['id']}/withdraw", {"reason": "they were fresh"})
    assert gone["withdrawn_at"] is not None
    await desk.post(technician, f"{path}/finish", {"finding": "done"})
