"""VISS v2 events and Kuksa's updates over MQTT: VSS paths as the car has them, each value with its own time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from gateway.feeds.feed import Feed, Field, Heard, Message, Units
from gateway.feeds.reading import loose, moment, take
from schemas.reading import Refusal
from schemas.signal import ALIASES, BY_PATH, SIGNALS

_VIN: Final = "Vehicle.VehicleIdentification.VIN"
_OLDER: Final = {".Tire.Temperature": ".Tire.AirTemperature"}  #: VSS before 5
FIELDS: Final = {one.path: Field(one.path, one.unit) for one in SIGNALS}


def translate(message: Message, units: Units) -> list[Heard]:
    """`CAR/…` and an event of a subscription (values are texts), or Kuksa's object of paths."""
    heard = Heard(message.topic[0])
    try:
        body = loose(message.payload)
    except ValueError as error:
        heard.odd.append((Refusal.NOT_JSON, str(error)))
        return [heard]
    if not isinstance(body, dict):
        heard.odd.append((Refusal.NOT_TELEMETRY, "neither an event nor paths with values"))
        return [heard]
    for path, raw, time in _points(body):
        if path == _VIN:
            heard.vin = str(raw or "").strip().upper()
            continue
        if raw is None:  # a path that is there and has no value
            continue
        field = _field(path)
        if field is None:
            heard.untaken += 1
            continue
        try:
            ts = moment(time)
        except ValueError as error:
            heard.odd.append((Refusal.NOT_TELEMETRY, f"{path}: {error}"))
            continue
        take(heard, path, field, raw, ts=ts, units=units)
    return [heard]


def _points(body: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """(path, value, time); one datum or a list, each with one point or its history."""
    if "data" not in body:
        for path, one in body.items():
            if isinstance(one, dict):
                yield _dots(path), one.get("value"), one.get("timestamp", one.get("ts"))
        return
    for datum in body["data"] if isinstance(body["data"], list) else [body["data"]]:
        if isinstance(datum, dict):
            points = datum.get("dp")
            for point in points if isinstance(points, list) else [points]:
                if isinstance(point, dict):
                    yield _dots(str(datum.get("path", ""))), point.get("value"), point.get("ts")


def _dots(path: str) -> str:
    return path.replace("/", ".")


def _field(path: str) -> Field | None:
    for old, new in _OLDER.items():
        path = path.replace(old, new)
    if path in ALIASES:
        name, convert = ALIASES[path]
        return Field(name, "km" if convert(1.0) == 1000.0 else BY_PATH[name].unit)
    return FIELDS.get(path)


FEED: Final = Feed(
    name="viss",
    title="VISS v2 and Kuksa",
    says="The W3C's vehicle information service and Eclipse Kuksa's databroker, as their clients hand them on.",
    filters=("+/#",),
    root="viss",
    timed=True,
    cadence="as subscribed",
    identity="the first level of its topics",
    fields=FIELDS,
    translate=translate,
)
