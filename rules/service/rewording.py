"""What a text is about, kept beside it, so that its words are made in the minute in which it leaves: "tomorrow" is said
of
the day that is tomorrow then, a promise that has passed is not repeated, and a time that has passed is not offered.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from schemas.slot import Window

_AT, _WINDOWS = "$at", "$windows"
#: Said only while they lie ahead: ready by, set out by, and from when on somebody answers the telephone.
_AHEAD = ("ready_by", "leaves", "opens")
_PLAIN = (str, int, float, bool, type(None))


def kept(facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """The facts as JSON; None where the words do not depend on the moment (`now`), or hold what cannot be kept."""
    if not isinstance(facts.get("now"), datetime):
        return None
    found: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, datetime):
            found[name] = {_AT: value.isoformat()}
        elif name == "windows":
            pairs = [(w.starts_at, w.ends_at) if isinstance(w, Window) else w for w in value or ()]
            found[name] = {_WINDOWS: [[start.isoformat(), end.isoformat()] for start, end in pairs]}
        elif isinstance(value, _PLAIN):
            found[name] = value
        else:
            return None
    return found


def given(words: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The facts again, as they are `now`: without a promise that cannot be kept any more."""
    found: dict[str, Any] = {}
    for name, value in words.items():
        if isinstance(value, Mapping):
            value = (
                datetime.fromisoformat(value[_AT])
                if _AT in value
                else [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in value[_WINDOWS]]
            )
        found[name] = value
    for name in _AHEAD:
        if isinstance(found.get(name), datetime) and found[name] <= now:
            found[name] = None
    return found | {"now": now}


def gone(facts: Mapping[str, Any], now: datetime) -> str | None:
    """Why this text says of a time that it lies ahead, and it does not any more; None when all do."""
    if any(start <= now for start, _ in facts.get("windows") or ()):
        return "a time that it offers has passed"
    return None
