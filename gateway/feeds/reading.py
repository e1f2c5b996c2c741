"""Numbers, null words and times as feeds write them. Pure: what cannot be read says why."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any, Final

from pydantic_core import from_json

from gateway.feeds.feed import Field, Heard, Units, Value
from schemas.errors import BadInput
from schemas.moment import as_utc
from schemas.reading import Refusal
from schemas.signal import BY_PATH

#: What people and programs write for "no reading".
NULLS: Final = frozenset(
    {"", "null", "nil", "none", "nan", "-", "--", "n/a", "na", "unknown", "unavailable", "undefined", "invalid"}
)
_SWITCHES: Final = {"true": 1.0, "yes": 1.0, "on": 1.0, "false": 0.0, "no": 0.0, "off": 0.0}
_NUMBER: Final = re.compile(
    r"([+-]?\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,2})?)\s*([^\d\s.,][^\d,;]{0,15})?", re.ASCII
)
_LAST: Final = 253_402_300_000.0  #: the year 9999
_MILLIS: Final = 1e11  #: an epoch beyond this is in milliseconds (as seconds it were the year 5138)


def take(heard: Heard, name: str, field: Field | None, raw: Any, *, ts: float, units: Units, unit: str = "") -> None:
    """One value of a feed into what was heard: a null word is no reading, a name without a meaning is counted."""
    if field is None:
        heard.untaken += 1
        return
    text = raw.strip().strip('"').strip() if isinstance(raw, str) else raw
    if text is None or (isinstance(text, str) and text.casefold() in NULLS):
        return
    try:
        number, written = _number(text, field)
        value = field.value(number, unit or written, units)
    except (ValueError, BadInput) as error:
        heard.odd.append((Refusal.NOT_TELEMETRY, f"{name}: {_why(error)}"))
        return
    if BY_PATH[field.path].unit == "bool" and value not in (0.0, 1.0):
        value = 1.0 if value > 0 else 0.0
    if math.isfinite(value):
        heard.values.append(Value(field.path, value, ts))
    else:
        heard.odd.append((Refusal.NOT_FINITE, f"{name}: {ascii(raw)[:60]} is not finite"))


def _why(error: Exception) -> str:
    return error.reason if isinstance(error, BadInput) else str(error)


def _number(raw: Any, field: Field) -> tuple[float, str]:
    """(number, the unit that stands beside it)"""
    if isinstance(raw, bool | int | float):
        return float(raw), ""
    if isinstance(raw, str):
        word = raw.casefold()
        if word in field.words:
            return field.words[word], ""
        if field.words:
            return 0.0, ""  # a state that is none of those that mean something to us
        if word in _SWITCHES:
            return _SWITCHES[word], ""
        if (found := _NUMBER.fullmatch(raw)) is not None:
            return float(found[1]), _unit(found[2])
    raise ValueError(f"{ascii(raw)[:60]} is not a number")


def _unit(written: str | None) -> str:
    return {"Kph": "km/h", "Mph": "mph", "M": "mi"}.get(written.strip(), written.strip()) if written else ""


def loose(payload: bytes) -> Any:
    """Its JSON, or ValueError."""
    try:
        return from_json(payload)
    except (ValueError, RecursionError) as error:
        raise ValueError(str(error)[:200]) from None


def moment(raw: Any) -> float:
    """Epoch seconds of a time with its zone, or of epoch seconds or milliseconds; ValueError when it is none."""
    if isinstance(raw, str) and not raw.strip().isdecimal():
        return as_utc(datetime.fromisoformat(raw.strip())).timestamp()
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise ValueError(f"{ascii(raw)[:40]} is no time")
    number = float(str(raw)[:40])
    number = number / 1000.0 if number > _MILLIS else number
    if not 0 <= number < _LAST:
        raise ValueError(f"{ascii(raw)[:40]} is no time")
    return number
