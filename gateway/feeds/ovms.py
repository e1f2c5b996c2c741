"""OVMS v3 over MQTT: a topic for each metric, plain text, kept by the broker. Facts from the project's own pages."""

from __future__ import annotations

from typing import Final

from gateway.feeds.feed import OLD, Feed, Field, Heard, Message, Units, wheels
from gateway.feeds.reading import take
from schemas.reading import Refusal

_PACK: Final = "Vehicle.Powertrain.TractionBattery"
_EACH: Final = ("fl", "fr", "rl", "rr")

FIELDS: Final = {
    "v.b.soc": Field(f"{_PACK}.StateOfCharge.Current", "percent"),
    "v.b.soh": Field(f"{_PACK}.StateOfHealth", "percent"),
    "v.b.voltage": Field(f"{_PACK}.CurrentVoltage", "V"),
    "v.b.current": Field(f"{_PACK}.CurrentCurrent", "A"),
    "v.b.p.voltage.min": Field(f"{_PACK}.CellVoltage.Min", "V"),
    "v.b.p.voltage.max": Field(f"{_PACK}.CellVoltage.Max", "V"),
    "v.b.p.temp.max": Field(f"{_PACK}.Temperature.Max", "Celsius"),
    "v.b.12v.voltage": Field("Vehicle.LowVoltageBattery.CurrentVoltage", "V"),
    "v.b.12v.current": Field("Vehicle.LowVoltageBattery.CurrentCurrent", "A"),
    "v.c.charging": Field(f"{_PACK}.Charging.IsCharging", "bool"),
    "v.c.power": Field(f"{_PACK}.Charging.ChargeRate", "kW"),
    "v.e.on": Field("Vehicle.LowVoltageSystemState", "enum", {"yes": 2.0, "no": 0.0}),
    "v.e.temp": Field("Vehicle.Exterior.AirTemperature", "Celsius"),
    "v.e.serv.range": Field("Vehicle.Service.DistanceToService", "km"),
    "v.p.odometer": Field("Vehicle.TraveledDistance", "km"),
    "v.p.speed": Field("Vehicle.Speed", "km/h"),
    "v.p.latitude": Field("Vehicle.CurrentLocation.Latitude", "degrees"),
    "v.p.longitude": Field("Vehicle.CurrentLocation.Longitude", "degrees"),
    "v.p.altitude": Field("Vehicle.CurrentLocation.Altitude", "m"),
    **wheels("Tire.Pressure", "kPa", ("v.tp.fl.p", "v.tp.fr.p", "v.tp.rl.p", "v.tp.rr.p")),
    **wheels("Tire.AirTemperature", "Celsius", ("v.tp.fl.t", "v.tp.fr.t", "v.tp.rl.t", "v.tp.rr.t")),
    **wheels("Tire.IsPressureLow", "bool", ("v.tp.fl.a", "v.tp.fr.a", "v.tp.rl.a", "v.tp.rr.a")),
}
#: Older firmware says all wheels in one list, front left first.
_LISTS: Final = {"v.t.pressure": "p", "v.t.temp": "t", "v.t.alert": "a"}


def translate(message: Message, units: Units) -> list[Heard]:
    """`USER/VEHICLE/metric/v/b/soc` and a text."""
    user, vehicle, _, *levels = message.topic
    heard, name = Heard(f"{user}/{vehicle}"), ".".join(levels)
    text = message.payload.decode("utf-8", "replace").strip()
    if name == "v.vin":
        heard.vin = text.upper()
        return [heard]
    if message.retained:
        heard.odd.append((Refusal.RETAINED, f"{name}: {OLD}"))
        return [heard]
    if (leaf := _LISTS.get(name)) is None:
        take(heard, name, FIELDS.get(name), text, ts=message.received_at, units=units)
        return [heard]
    for wheel, one in zip(_EACH, text.strip('"').split(","), strict=False):
        take(heard, name, FIELDS[f"v.tp.{wheel}.{leaf}"], one, ts=message.received_at, units=units)
    return [heard]


FEED: Final = Feed(
    name="ovms",
    title="OVMS v3",
    says="The Open Vehicle Monitoring System's module, its server v3 over MQTT.",
    filters=("+/+/metric/#",),
    root="ovms",
    timed=False,
    cadence="each metric when it changes, and all of them each minute or ten, as the module is set",
    identity="`USER/VEHICLEID` of its topics",
    fields=FIELDS,
    translate=translate,
)
