"""From single values to messages of our own contract. Pure.

Only what has one and the same time stands in one sample: nothing is carried on from an earlier one, so no two values
look as if they had been measured together that were not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from gateway.feeds.feed import Codes, Value
from schemas.moment import from_epoch
from schemas.telemetry import LAMPS


def samples(values: Iterable[Value]) -> list[bytes]:
    """Bodies of `up/telemetry`, in the order of time; of a signal that comes twice at one time the last counts."""
    at: dict[float, dict[str, float]] = {}
    for one in values:
        at.setdefault(round(one.ts, 3), {})[one.path] = one.value
    return [_body({"ts": _written(ts), "signals": dict(sorted(at[ts].items()))}) for ts in sorted(at)]


def diagnostics(codes: Codes) -> bytes:
    """A body of `up/diagnostics` that says of which parts it knows nothing."""
    unread = [lamp for lamp in LAMPS if lamp != "mil" or codes.mil is None] + ["flash"]
    return _body(
        {
            "ts": _written(codes.ts),
            "codes": [code.model_dump(mode="json", exclude_none=True) for code in codes.codes],
            "mil": bool(codes.mil),
            "unread": unread if codes.whole else ["codes", *unread],
        }
    )


def _written(ts: float) -> str:
    return from_epoch(ts).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _body(what: object) -> bytes:
    return json.dumps(what, separators=(",", ":")).encode()
