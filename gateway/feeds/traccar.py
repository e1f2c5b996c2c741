"""Traccar's position forwarding (forward.type=json): a POST for each position, with its device."""

from __future__ import annotations

from typing import Any, Final

from gateway.feeds.coding import listed
from gateway.feeds.feed import Codes, Feed, Field, Heard, Message, Units
from gateway.feeds.reading import loose, moment, take
from schemas.reading import Refusal

_ENGINE: Final = "Vehicle.Powertrain.CombustionEngine"

#: Of the place: as old as the fix.
PLACE: Final = {
    "speed": Field("Vehicle.Speed", "kn"),
    "latitude": Field("Vehicle.CurrentLocation.Latitude", "degrees"),
    "longitude": Field("Vehicle.CurrentLocation.Longitude", "degrees"),
    "altitude": Field("Vehicle.CurrentLocation.Altitude", "m"),
}
#: `battery` is the tracker's own and `totalDistance` the server's sum: neither says anything of the car.
ATTRIBUTES: Final = {
    "power": Field("Vehicle.LowVoltageBattery.CurrentVoltage", "V"),
    "odometer": Field("Vehicle.TraveledDistance", "m"),
    "obdOdometer": Field("Vehicle.TraveledDistance", "m"),
    "coolantTemp": Field(f"{_ENGINE}.EngineCoolant.Temperature", "Celsius"),
    "rpm": Field(f"{_ENGINE}.Speed", "rpm"),
    "engineLoad": Field(f"{_ENGINE}.Load", "percent"),
    "throttle": Field(f"{_ENGINE}.TPS", "percent"),
    "hours": Field(f"{_ENGINE}.EngineHours", "ms"),
    "fuel": Field("Vehicle.OBD.FuelLevel", "percent"),
    "fuelLevel": Field("Vehicle.OBD.FuelLevel", "percent"),
}
_NOT_THE_CARS: Final = ("ignition", "motion", "battery", "batteryLevel", "totalDistance", "distance", "dtcs", "vin")


def translate(message: Message, units: Units) -> list[Heard]:
    """`{"position": {…}, "device": {…}}`"""
    try:
        body = loose(message.payload)
    except ValueError as error:
        return [Heard("?", odd=[(Refusal.NOT_JSON, str(error))])]
    position, device = _part(body, "position"), _part(body, "device")
    identity, attributes = str(device.get("uniqueId") or ""), _part(position, "attributes")
    if not identity or not position:
        return [Heard(identity or "?", odd=[(Refusal.NOT_TELEMETRY, "no device.uniqueId, or no position")])]
    heard = Heard(identity, vin=str(attributes.get("vin") or "").strip().upper())
    try:
        made = moment(position.get("deviceTime") or position.get("fixTime"))
        fixed = moment(position.get("fixTime") or position.get("deviceTime"))
    except ValueError as error:
        heard.odd.append((Refusal.NOT_TELEMETRY, f"position.deviceTime: {error}"))
        return [heard]
    if not position.get("outdated") and position.get("valid") is not False:  # else an old place, said again
        for name, field in PLACE.items():
            take(heard, name, field, position.get(name), ts=fixed, units=units)
    for name, raw in attributes.items():
        if name not in _NOT_THE_CARS:
            take(heard, name, ATTRIBUTES.get(name), raw, ts=made, units=units)
    if isinstance(attributes.get("dtcs"), str):
        heard.codes.append(Codes(made, listed(heard, attributes["dtcs"].split()), whole=True))
    return [heard]


def _part(body: Any, name: str) -> dict[str, Any]:
    found = body.get(name) if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


FEED: Final = Feed(
    name="traccar",
    title="Traccar",
    says="A tracking server's position forwarding with `forward.type=json`, and the key in `forward.header`.",
    filters=(),
    root="",
    timed=True,
    cadence="a position in seconds to minutes while the car moves, hours while it stands",
    identity="the device's `uniqueId`",
    fields=PLACE | ATTRIBUTES,
    translate=translate,
)
