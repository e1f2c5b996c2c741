"""Refused telemetry over the API: looked at, let in, thrown out, or taken back."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web
from pydantic import BaseModel

from dealer_api.app_keys import call
from dealer_api.bodies import Id, Paged, asked, bare_number, page, reply
from store import quarantine

_SHOWN = 4_000  # bytes of a payload


class QuarantineQuery(Paged[tuple[Id]]):
    """By car; `undecided` leaves out what somebody has decided."""

    vehicle: Id | None = None
    undecided: bool = False


class Refused(BaseModel):
    """A message that was not believed, and why. `payload` is its beginning, made printable."""

    id: int
    vehicle_id: int | None
    vin: str | None
    topic: str
    reason: str
    detail: str
    payload: str
    boot: int | None
    seq: int | None
    times: int
    received_at: datetime
    decided: str | None
    decided_by: str | None
    decided_at: datetime | None


async def listed(request: web.Request) -> web.Response:
    caller, query = call(request), asked(request, QuarantineQuery)
    async with caller.house.at(caller.dealer_id) as connection:
        found = await quarantine.page(
            connection,
            caller.dealer_id,
            before=query.cursor[0] if query.cursor else None,
            vehicle_id=query.vehicle,
            only_undecided=query.undecided,
            limit=query.limit + 1,
        )
    return reply(page([_refused(row) for row in found], query.limit, lambda row: [row.id]))


async def accept(request: web.Request) -> web.Response:
    return await _decide(request, accept=True)


async def reject(request: web.Request) -> web.Response:
    return await _decide(request, accept=False)


async def _decide(request: web.Request, *, accept: bool) -> web.Response:
    caller, row_id = call(request), await bare_number(request)
    async with caller.house.at(caller.dealer_id) as connection:
        await quarantine.decide(
            connection, caller.dealer_id, row_id, accept=accept, actor=caller.actor, now=caller.house.now()
        )
        return reply(_refused(await quarantine.one(connection, caller.dealer_id, row_id)))


def _refused(row: quarantine.Quarantined) -> Refused:
    shown = row.payload[:_SHOWN].decode("utf-8", "backslashreplace")
    facts = {name: getattr(row, name) for name in Refused.model_fields if name != "payload"}
    return Refused(
        **facts, payload="".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in shown)
    )
