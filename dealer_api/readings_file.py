"""What an owner's cars said, as CSV: one line for each value, written while it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from pydantic_core import to_json

from actions import exporting
from dealer_api import spreadsheet
from dealer_api.app_keys import call
from schemas.signal import BY_ID

HEADER = ("vin", "time", "received", "signal", "value", "unit")


async def send(request: web.Request, owner_id: int) -> web.StreamResponse:
    """The whole file, however long."""
    caller = call(request)
    names = {
        "Content-Disposition": f'attachment; filename="owner-{owner_id}-readings.csv"',
        "Cache-Control": "no-store",
    }
    answer = web.StreamResponse(headers={"Content-Type": "text/csv; charset=utf-8", **names})
    async for vin, rows in exporting.readings(caller, owner_id):
        if not answer.prepared:
            await answer.prepare(request)
            await answer.write(spreadsheet.lines([HEADER]).encode())
        await answer.write(
            spreadsheet.lines([line for row in rows for line in _lines(vin, row)]).encode("utf-8", "replace")
        )
    await answer.write_eof()
    return answer


def _lines(vin: str, row: Mapping[str, Any]) -> list[tuple[object, ...]]:
    at = (vin, row["ts"].isoformat(), row["received_at"].isoformat())
    known = [(BY_ID[signal], value) for signal, value in zip(row["ids"], row["vals"], strict=True) if signal in BY_ID]
    codes = [(*at, "codes", to_json(row["diagnostics"]).decode(), "")] if row["diagnostics"] else []
    return [*((*at, signal.path, value, signal.unit) for signal, value in known), *codes]
