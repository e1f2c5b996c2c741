"""Of a message that does not have the contract's shape: what can be read is kept, what cannot is named by its path.
Pure.

Only what the contract refused as a whole comes here, so that the road of good messages costs nothing more.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from schemas.reading import Refusal
from schemas.signal import ALIASES, BY_PATH
from schemas.telemetry import LAMPS, MOST_CODES, FreezeFrame, TroubleCode

Odd = tuple[Refusal, str]  # why, and of what
_DECIMAL: Final = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?", re.ASCII)
_NOT_FINITE: Final = re.compile(rb"(?<=[:,\[\s])[+-]?(?:nan|inf|infinity)(?=\s*[,}\]])", re.I)  #: as printf writes them
_DEEP: Final = 64 * 1024
_EDGE: Final = 2_048  #: bytes at both ends in which the counters of what cannot be parsed are looked for
_COUNTERS: Final = {
    name: re.compile(rb'"%s"\s*:\s*(\d{1,16})\s*[,}]' % name.encode()) for name in ("boot", "seq", "oldest")
}
_ON, _OFF = ("true", "on", "yes", "1"), ("false", "off", "no", "0")


@dataclass(slots=True)
class Mended:
    """A body that the contract takes, and what was left out of it."""

    body: dict[str, Any]
    odd: list[Odd] = field(default_factory=list)
    good: int = 0  #: parts that could be read

    def leave_out(
        self, path: str, value: Any, why: str = "is not one", reason: Refusal = Refusal.NOT_TELEMETRY
    ) -> None:
        self.odd.append((reason, f"{path}: {ascii(value)[:60]} {why}"))


def loosely(payload: bytes) -> Any:
    """The JSON of a payload, also with NaN and infinities as their writers spell them; None when it is none."""
    for text in (payload, _NOT_FINITE.sub(b"NaN", payload)):
        try:
            return from_json(text)
        except (ValueError, RecursionError):
            continue
    return None


def _deeply(payload: bytes) -> Any:
    """The standard library reads what is nested deeper, and what stands between other bytes: a mark of order, a NUL at
    the end.
    """
    try:
        return json.JSONDecoder().raw_decode(payload.decode("utf-8").lstrip("\ufeff \t\r\n"))[0]
    except (ValueError, RecursionError):
        return None


def counters(payload: bytes, loose: Any = None) -> dict[str, int]:
    """boot, seq and oldest, as far as they can be made out, so that a refused message leaves no gap.

    `loose` is its JSON, if it has one.
    """
    loose = _deeply(payload[:_DEEP]) if loose is None else loose
    if isinstance(loose, dict):
        found = {name: _counter(loose.get(name)) for name in _COUNTERS}
    else:  # a number with neither comma nor brace behind it may be cut
        ends = payload[:_EDGE] + b" " + payload[_EDGE:][-_EDGE:]
        found = {name: int(seen[1]) if (seen := how.search(ends)) else None for name, how in _COUNTERS.items()}
    return {name: number for name, number in found.items() if number is not None and 0 <= number <= 2**53}


def _counter(value: Any) -> int | None:
    if type(value) is int:
        return value
    if isinstance(value, str) and len(value) <= 16 and value.isascii() and value.isdigit():
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else None


def sample(loose: Any) -> Mended | None:
    """A sample of the values that are numbers; None when there are none."""
    if not isinstance(loose, dict) or not isinstance(loose.get("signals"), dict):
        return None
    made = Mended({**loose, "signals": {}})
    made.body["signals"] = _values(made, "signals", loose["signals"])
    return made if made.good else None


def _values(made: Mended, where: str, signals: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for path, value in signals.items():
        if isinstance(value, str) and _DECIMAL.fullmatch(value):
            value = float(value)
        if path not in BY_PATH and path not in ALIASES:
            kept[path] = None  # refused by its name, whatever it says
        elif value is None or isinstance(value, bool):
            kept[path] = value
            made.good += value is not None
        elif not isinstance(value, int | float):
            made.leave_out(f"{where}.{path}", value, "is not a number")
        elif not math.isfinite(number := _float(value)):
            made.leave_out(f"{where}.{path}", value, "is not finite", Refusal.NOT_FINITE)
        else:
            kept[path] = number
            made.good += 1
    return kept


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def diagnostics(loose: Any) -> Mended | None:
    """A list of the codes and lamps that can be read; `unread` says of what the rest was. None when there is
    nothing.
    """
    if not isinstance(loose, dict):
        return None
    made = Mended({name: loose.get(name) for name in ("boot", "seq", "oldest", "ts")})
    unread = (
        {name for name in loose.get("unread") or () if isinstance(name, str)}
        if isinstance(loose.get("unread"), list)
        else set()
    )
    listed = loose.get("codes")
    made.body["codes"] = _codes(made, listed) if isinstance(listed, list) else []
    if not isinstance(listed, list):
        made.leave_out("codes", listed, "is not a list")
    for lamp in LAMPS:
        value = loose.get(lamp, None if lamp == "mil" else False)
        lit = _switch(value)
        made.body[lamp] = bool(lit)
        if lit is None:
            made.leave_out(lamp, value, "is neither on nor off")
        elif lamp == "mil":
            made.good += 1
    made.body["flash"] = _flash(made, loose.get("flash"))
    unread |= {path.partition(":")[0].partition(".")[0] for _, path in made.odd} & {"codes", "flash", *LAMPS}
    made.body["unread"] = sorted(unread & {"codes", "flash", *LAMPS})
    made.body["freeze_frame"] = _frame(made, loose.get("freeze_frame"))
    return made if made.good else None


def _codes(made: Mended, listed: list[Any]) -> list[dict[str, Any]]:
    kept = []
    for n, entry in enumerate(listed):
        path = f"codes.{n}"
        if n >= MOST_CODES:
            made.leave_out(path, len(listed), f"codes; at most {MOST_CODES} are read")
            break
        if not isinstance(entry, dict):
            made.leave_out(path, entry, "is not a code")
            continue
        fields = {
            "system": _word(entry, "system").lower(),
            "status": _word(entry, "status").lower(),
            "code": _word(entry, "code").upper(),
        }
        try:
            TroubleCode.model_validate(fields)
        except ValidationError as error:
            name = str(error.errors(include_url=False)[0]["loc"][0])
            made.leave_out(f"{path}.{name}", entry.get(name), f"is no {name}")
            continue
        if (seen := entry.get("first_seen")) is not None:
            if _takes(lambda: TroubleCode.model_validate({**fields, "first_seen": seen})):  # noqa: B023
                fields["first_seen"] = seen
            else:
                made.odd.append(
                    (Refusal.NOT_TELEMETRY, f"first_seen of {path}: {ascii(seen)[:60]} is no time with a zone")
                )
        kept.append(fields)
        made.good += 1
    return kept


def _word(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return value.strip() if isinstance(value, str) else ""


def _switch(value: Any) -> bool | None:
    word = str(value).strip().lower() if isinstance(value, bool | int | float | str) else ""
    return True if word in _ON or word == "1.0" else False if word in _OFF or word == "0.0" else None


def _flash(made: Mended, value: Any) -> dict[str, str]:
    if value is None:
        return {}
    kept = {}
    for lamp, how in value.items() if isinstance(value, dict) else [("", value)]:
        if lamp in LAMPS and how in ("slow", "fast"):
            kept[lamp] = how
        else:
            made.leave_out(f"flash.{lamp}", how, "is neither slow nor fast")
    return kept


def _frame(made: Mended, written: Any) -> dict[str, Any] | None:
    if written is None:
        return None
    if (
        not isinstance(written, dict)
        or not isinstance(written.get("code"), str)
        or "\0" in written["code"]
        or not isinstance(written.get("signals"), dict)
    ):
        made.leave_out("freeze_frame", written, "is none")
        return None
    named = {path: value for path, value in written["signals"].items() if "\0" not in path}
    before = made.good
    frame = {"code": written["code"].strip().upper()[:32], "signals": _values(made, "freeze_frame.signals", named)}
    made.good = before
    return frame if _takes(lambda: FreezeFrame.model_validate(frame)) else None


def _takes(work: Callable[[], object]) -> bool:
    try:
        work()
    except (ValidationError, ValueError, OverflowError):
        return False
    return True
