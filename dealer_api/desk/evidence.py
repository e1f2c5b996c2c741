"""An evidence pack as a file: what a person reads and prints, and inside it what a program judges again."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from aiohttp import web
from markupsafe import Markup

from actions import evidence as acts
from actions import handovers as handover_acts
from dealer_api.app_keys import call
from dealer_api.desk import cases
from dealer_api.desk.page import fragment, id_of, refused
from schemas.case import CaseState
from schemas.errors import TelltaleError
from store import bookings, messages
from store import cases as case_rows
from store.views import casefile

_STYLE: Final = Markup((Path(__file__).parent / "static" / "evidence.css").read_text(encoding="utf-8"))

_READ_LATER: Final = timedelta(days=400)  #: whoever reads it does not know which day was "today"
_LINK: Final = re.compile(r"https?://\S+")  #: it opens the owner's page for whoever holds it


async def make(request: web.Request) -> web.Response:
    caller, case_id = call(request), id_of(request)
    now = caller.house.now()
    later = now + _READ_LATER
    try:
        pack, part, digest = await acts.pack(caller, case_id)
    except TelltaleError as error:
        return refused(error, f"/cases/{case_id}")
    async with caller.house.at(caller.dealer_id) as connection:
        file = await casefile.load(connection, caller.dealer_id, case_id)
        texts = await messages.of_case(connection, caller.dealer_id, case_id)
        handed = [
            record
            for visit in await bookings.of_case(connection, caller.dealer_id, case_id)
            for record in await handover_acts.of_visit(connection, caller.dealer_id, visit.id)
        ]
        stored = await case_rows.healing_of(connection, caller.dealer_id, case_id)
    answer = fragment(
        request,
        "evidence.html",
        file=file,
        now=later,
        made_at=now,
        without_links=lambda text: _LINK.sub("(…)", text),
        alerts=[cases.shown_alert(alert, caller, later) for alert in cases.ordered(file.alerts)],
        steps={one.alert: one.steps for one in pack.alerts},
        texts=[text for text in texts if text.owner_id is not None],
        handed=handed,
        healing=cases.shown_healing(stored, caller.dealer.zone, later) if file.case.state is CaseState.DONE else None,
        history=cases.history_of(file.history, file.people),
        style=_STYLE,
        part=Markup(part),  # base64 of ours
        moment=datetime.fromisoformat,
        pack=pack,
        digest=digest,
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="evidence-case-{case_id}.html"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
