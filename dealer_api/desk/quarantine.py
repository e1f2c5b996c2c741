"""Quarantine: what was refused and why; a person lets it in or keeps it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from aiohttp import web

from dealer_api import permissions as may
from dealer_api.app_keys import call
from dealer_api.bodies import row_number
from dealer_api.desk import formatting
from dealer_api.desk.page import back, form, go, id_of, page, refused, row_of
from dealer_api.desk.paging import SHOWN, onward
from schemas.errors import TelltaleError
from schemas.quarantine import QUARANTINE, READABLE, QuarantineEvent, QuarantineState
from schemas.reading import Refusal
from store import fleet, quarantine, tallies
from store.views import casefile, quarantine_page

_SAID = {
    QuarantineState.ACCEPTED: (
        "Accepted: it counts for the car's history, and what the car says is measured against it."
    ),
    QuarantineState.REJECTED: "Rejected: it stays out.",
    QuarantineState.TAKEN_BACK: (
        "Taken back: the car is judged again without it, and alerts that rested on it are withdrawn."
    ),
}
_COUNTED = {
    "audit_broken": "Sealed history was cut off or written anew",
    "denied_publish": "Publish denied by the broker",
    "denied": "Publish denied by the broker",
    "rule_broken": "Rule broke, judged as unsure",
    "refused_connect": "Connection refused",
    "flood": "Flood of refused messages",
    "new_unit": "A new unit speaks",
    "two_units": "Two units speak as one car",
    "denied_subscribe": "Subscription denied by the broker",
    "denied_size": "Message too large for the broker",
    "feed_forged": "Feed: a request that was not its sender's",
    "feed_old": "Feed: kept by its broker, not read as now",
    "feed_untaken": "Feed: names that are no signal here",
    "foreign_topic": "Feed: topics that nothing takes",
    "retention_refused": "Days of readings were not taken away",
}
_SHOWN = 4000


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused message as it is drawn."""

    id: int
    vehicle_id: int | None
    vehicle: str | None
    plate: str | None
    vin: str | None
    topic: str
    payload: str
    reason: str
    detail: str
    boot: int | None
    seq: int | None
    times: int
    received_at: datetime
    decided: str | None
    decided_at: datetime | None
    taken_back_at: datetime | None
    who: str
    buttons: tuple[tuple[str, str], ...]  #: what a person can do now: path and word


@dataclass(frozen=True, slots=True)
class Counted:
    """A line of what services counted."""

    title: str
    subject: str
    times: int
    last_at: datetime
    detail: str


async def show(request: web.Request) -> web.Response:
    caller = call(request)
    reason, asked = request.query.get("reason", ""), request.query.get("vehicle", "")
    reason = reason if reason in list(Refusal) else ""
    vehicle_id = row_number(asked)
    shown_all = request.query.get("decided") == "1"
    before = row_of(request.query["after"], "after", "is no page of this list") if request.query.get("after") else None
    async with caller.house.at(caller.dealer_id) as connection:
        car = await fleet.get(connection, caller.dealer_id, vehicle_id) if vehicle_id else None
        rows = await quarantine_page.rows(
            connection,
            caller.dealer_id,
            reason=reason,
            vehicle_id=vehicle_id,
            decided=shown_all,
            before=before,
            limit=SHOWN + 1,
        )
        reasons = await quarantine_page.reasons(connection, caller.dealer_id, vehicle_id)
        counted = await tallies.of_dealer(connection, caller.dealer_id) if vehicle_id is None else []
        names = await casefile.people(connection, caller.dealer_id)
    kept = {
        name: value
        for name, value in (("reason", reason), ("vehicle", asked), ("decided", "1" if shown_all else ""))
        if value
    }
    return await page(
        request,
        "quarantine.html",
        rows=[_shown(row, names) for row in rows[:SHOWN]],
        more=onward("/quarantine", (rows[SHOWN - 1].id,), **kept) if len(rows) > SHOWN else None,
        first=f"/quarantine?{urlencode(kept)}" if before else None,
        reasons=reasons,
        reason=reason,
        car=car,
        shown_all=shown_all,
        tallies=[_counted(tally) for tally in counted[:60]],
        here=request.path_qs,
        decides=caller.may(may.DECIDE_REFUSED),
    )


async def accept(request: web.Request) -> web.Response:
    return await _decide(request, accept=True)


async def reject(request: web.Request) -> web.Response:
    return await _decide(request, accept=False)


async def _decide(request: web.Request, *, accept: bool) -> web.Response:
    caller = call(request)
    to = back((await form(request)).get("back"), "/quarantine")
    try:
        async with caller.house.at(caller.dealer_id) as connection:
            state = await quarantine.decide(
                connection, caller.dealer_id, id_of(request), accept=accept, actor=caller.actor, now=caller.house.now()
            )
    except TelltaleError as error:
        return refused(error, to)
    return go(to, _SAID[state])


def _shown(row: quarantine_page.QuarantineRow, names: dict[int, str]) -> Refused:
    text = row.payload[:_SHOWN].decode("utf-8", "replace")
    return Refused(
        row.id,
        row.vehicle_id,
        vehicle=row.vehicle,
        plate=row.plate,
        vin=row.vin,
        topic=row.topic,
        payload=text + ("…" if len(row.payload) > _SHOWN else ""),
        reason=row.reason,
        detail=row.detail,
        boot=row.boot,
        seq=row.seq,
        times=row.times,
        received_at=row.received_at,
        decided=row.decided,
        decided_at=row.decided_at,
        taken_back_at=row.taken_back_at,
        who=formatting.actor(row.decided_by, names) if row.decided_by else "",
        buttons=_buttons(row),
    )


def _buttons(row: quarantine_page.QuarantineRow) -> tuple[tuple[str, str], ...]:
    """Drawn from the table; what cannot be read cannot be let in."""
    state = QuarantineState(row.decided or QuarantineState.WAITING)
    allowed = QUARANTINE.allowed(state)
    found = []
    if QuarantineEvent.ACCEPTED in allowed and row.reason in READABLE and row.vehicle_id is not None:
        found.append(("accept", "Accept after all" if state is QuarantineState.REJECTED else "Accept"))
    if QuarantineEvent.REJECTED in allowed and not (
        row.reason == Refusal.UNMAPPED and state is QuarantineState.ACCEPTED  # read since its car was mapped
    ):
        found.append(("reject", "Take back" if state is QuarantineState.ACCEPTED else "Reject"))
    return tuple(found)


def _counted(tally: tallies.Tally) -> Counted:
    name, _, rest = tally.name.partition(":")
    title = _COUNTED.get(name, formatting.plain(name).capitalize())
    # of a flood: its kind
    detail = formatting.REFUSALS[tally.detail][0] if tally.detail in formatting.REFUSALS else tally.detail
    return Counted(
        f"{title}: {formatting.plain(rest)}" if rest else title,
        tally.subject,
        times=tally.times,
        last_at=tally.last_at,
        detail=detail,
    )
