"""TeslaMate over MQTT: a topic for each value, plain text, kept by the broker; bar and kilometres."""

from __future__ import annotations

from typing import Final

from gateway.feeds.feed import OLD, Feed, Field, Heard, Message, Units, wheels
from gateway.feeds.reading import loose, take
from schemas.reading import Refusal

_PACK: Final = "Vehicle.Powertrain.TractionBattery"
_EACH: Final = ("fl", "fr", "rl", "rr")
_LATITUDE: Final = Field("Vehicle.CurrentLocation.Latitude", "degrees")
_LONGITUDE: Final = Field("Vehicle.CurrentLocation.Longitude", "degrees")


def _wheels(leaf: str, usual: str, prefix: str) -> dict[str, Field]:
    a, b, c, d = (f"{prefix}_{wheel}" for wheel in _EACH)
    return wheels(leaf, usual, (a, b, c, d))


FIELDS: Final = {
    "odometer": Field("Vehicle.TraveledDistance", "km"),
    "speed": Field("Vehicle.Speed", "km/h"),
    "battery_level": Field(f"{_PACK}.StateOfCharge.Current", "percent"),
    "charging_state": Field(f"{_PACK}.Charging.IsCharging", "bool", {"charging": 1.0}),
    "charger_power": Field(f"{_PACK}.Charging.ChargeRate", "kW"),
    "outside_temp": Field("Vehicle.Exterior.AirTemperature", "Celsius"),
    "latitude": _LATITUDE,
    "longitude": _LONGITUDE,
    "elevation": Field("Vehicle.CurrentLocation.Altitude", "m"),
    **_wheels("Tire.Pressure", "bar", "tpms_pressure"),
    **_wheels("Tire.IsPressureLow", "bool", "tpms_soft_warning"),
}


def translate(message: Message, units: Units) -> list[Heard]:
    """`cars/1/odometer`, or with a namespace `NAMESPACE/cars/1/odometer`, and a text."""
    *space, _, number, name = message.topic
    heard = Heard("/".join((*space, number)))
    if message.retained:
        heard.odd.append((Refusal.RETAINED, f"{name}: {OLD}"))
        return [heard]
    if name == "location":
        _location(heard, message, units)
    else:
        take(
            heard,
            name,
            FIELDS.get(name),
            message.payload.decode("utf-8", "replace"),
            ts=message.received_at,
            units=units,
        )
    return [heard]


def _location(heard: Heard, message: Message, units: Units) -> None:
    try:
        place = loose(message.payload)
    except ValueError as error:
        heard.odd.append((Refusal.NOT_JSON, f"location: {error}"))
        return
    if isinstance(place, dict):
        take(heard, "location.latitude", _LATITUDE, place.get("latitude"), ts=message.received_at, units=units)
        take(heard, "location.longitude", _LONGITUDE, place.get("longitude"), ts=message.received_at, units=units)


FEED: Final = Feed(
    name="teslamate",
    title="TeslaMate",
    says="A self-hosted logger that follows Teslas through their cloud.",
    filters=("cars/+/+", "+/cars/+/+"),
    root="teslamate",
    timed=False,
    cadence="a value when it changes; days of nothing while the car sleeps",
    identity="its number, with a namespace `NAMESPACE/NUMBER`",
    fields=FIELDS,
    translate=translate,
)
