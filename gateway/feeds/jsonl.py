"""Plain JSON lines: our own contract for a program that speaks for many cars; a unit may stand beside a value."""

from __future__ import annotations

from typing import Any, Final

from gateway.feeds import coding
from gateway.feeds.feed import Codes, Feed, Field, Heard, Message, Units
from gateway.feeds.reading import loose, moment, take
from schemas.reading import Refusal
from schemas.signal import SIGNALS
from schemas.vehicle import is_vin

MOST: Final = 2_000  #: lines of one request
FIELDS: Final = {one.path: Field(one.path, one.unit) for one in SIGNALS}


def translate(message: Message, units: Units) -> list[Heard]:
    """A line for each sample; one that cannot be read costs only itself."""
    lines = [(n, line) for n, line in enumerate(message.payload.split(b"\n"), 1) if line.strip()]
    found = [_line(n, line, units) for n, line in lines[:MOST]]
    if len(lines) > MOST:
        found.append(Heard("?", odd=[(Refusal.TOO_LARGE, f"{len(lines)} lines; at most {MOST} are read")]))
    return found


def _line(number: int, line: bytes, units: Units) -> Heard:
    try:
        body = loose(line)
    except ValueError as error:
        return Heard("?", odd=[(Refusal.NOT_JSON, f"line {number}: {error}")])
    if not isinstance(body, dict) or not isinstance(body.get("car"), str) or not body["car"].strip():
        return Heard("?", odd=[(Refusal.NOT_TELEMETRY, f"line {number}: no car")])
    name = body["car"].strip()
    heard = Heard(name, vin=name.upper() if is_vin(name.upper()) else "")
    signals, codes = body.get("signals", {}), body.get("codes")
    try:
        ts = moment(body.get("ts"))
        if not isinstance(signals, dict) or not isinstance(codes, list | None):
            raise ValueError("signals are an object, and codes a list")
    except ValueError as error:
        heard.odd.append((Refusal.NOT_TELEMETRY, f"line {number}: {error}"))
        return heard
    for path, raw in signals.items():
        if path not in FIELDS:
            heard.odd.append((Refusal.UNKNOWN_SIGNAL, f"line {number}: {ascii(path)[:80]}"))
            continue
        value, unit = _beside(raw)
        take(heard, f"line {number}: {path}", FIELDS[path], value, ts=ts, units=units, unit=unit)
    if codes is not None:
        heard.codes.append(Codes(ts, coding.listed(heard, codes), whole=True, mil=_lamp(body.get("mil"))))
    return heard


def _beside(raw: Any) -> tuple[Any, str]:
    """`31.5`, or `{"value": 31.5, "unit": "psi"}`"""
    return (raw.get("value"), str(raw.get("unit") or "")) if isinstance(raw, dict) else (raw, "")


def _lamp(raw: Any) -> bool | None:
    return raw if isinstance(raw, bool) else None


FEED: Final = Feed(
    name="jsonl",
    title="Plain JSON lines",
    says='`{"car": "A17", "ts": "2026-11-24T07:42:10Z", "signals": {"Vehicle.Speed": {"value": 31, "unit": "mph"}}, '
    '"codes": ["P0301"], "mil": true}`, one a line. `codes` is the whole list; left out, nothing is said of codes.',
    filters=(),
    root="",
    timed=True,
    cadence="as its sender likes",
    identity="its `car`; a VIN names a car by itself",
    fields=FIELDS,
    translate=translate,
)
