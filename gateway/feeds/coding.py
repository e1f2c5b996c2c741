"""Trouble codes as feeds name them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

from pydantic import ValidationError

from gateway.feeds.feed import Heard
from schemas.reading import Refusal
from schemas.telemetry import MOST_CODES, TroubleCode

_STATUS: Final[dict[str, Literal["pending", "confirmed", "permanent"]]] = {
    "pending": "pending",
    "confirmed": "confirmed",
    "permanent": "permanent",
}


def listed(heard: Heard, codes: Iterable[Any], status: Any = "confirmed") -> tuple[TroubleCode, ...]:
    """OBD codes; what is none is told."""
    found = (obd(heard, code, status) for code in codes)
    return tuple(code for code in found if code is not None)[:MOST_CODES]


def obd(heard: Heard, code: Any, status: Any) -> TroubleCode | None:
    """P0301, whatever its status is called."""
    name = str(code).strip().upper()
    return _made(heard, "obd", name, _STATUS.get(str(status).strip().casefold(), "confirmed"))


def j1939(heard: Heard, spn: Any, fmi: Any) -> TroubleCode | None:
    """SPN and FMI of a truck."""
    return _made(heard, "j1939", f"{spn}/{fmi}", "active")


def _made(heard: Heard, system: str, code: str, status: str) -> TroubleCode | None:
    try:
        return TroubleCode.model_validate({"system": system, "code": code, "status": status})
    except ValidationError:
        heard.odd.append((Refusal.NOT_TELEMETRY, f"{ascii(code)[:60]} is no trouble code"))
        return None
