"""A fleet platform's signed webhooks, Samsara-like: faults of an alert, and records of values each with its time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.feeds import coding, signing
from gateway.feeds.feed import Codes, Feed, Field, Heard, Message, Units
from gateway.feeds.reading import loose, moment, take
from schemas.reading import Refusal

_ENGINE: Final = "Vehicle.Powertrain.CombustionEngine"
_THOUSANDTH: Final = 0.001

FIELDS: Final = {
    "batteryMilliVolts": Field("Vehicle.LowVoltageBattery.CurrentVoltage", "mV"),
    "engineCoolantTemperatureMilliC": Field(f"{_ENGINE}.EngineCoolant.Temperature", "Celsius", scale=_THOUSANDTH),
    "ambientAirTemperatureMilliC": Field("Vehicle.Exterior.AirTemperature", "Celsius", scale=_THOUSANDTH),
    "obdOdometerMeters": Field("Vehicle.TraveledDistance", "m"),
    "obdEngineSeconds": Field(f"{_ENGINE}.EngineHours", "s"),
    "engineOilPressureKPa": Field(f"{_ENGINE}.EOP", "kPa"),
    "engineLoadPercent": Field(f"{_ENGINE}.Load", "percent"),
    "engineRpm": Field(f"{_ENGINE}.Speed", "rpm"),
    "ecuSpeedMph": Field("Vehicle.Speed", "mph"),
    "fuelPercents": Field("Vehicle.OBD.FuelLevel", "percent"),
    "defLevelMilliPercent": Field(f"{_ENGINE}.DieselExhaustFluid.Level", "percent", scale=_THOUSANDTH),
    "evStateOfChargeMilliPercent": Field(
        "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current", "percent", scale=_THOUSANDTH
    ),
}
_ABOUT: Final = ("id", "name", "vin", "externalIds", "faultCodes")


def translate(message: Message, units: Units) -> list[Heard]:
    """An event of one vehicle, or a list of vehicles with their records under `data`."""
    try:
        body = loose(message.payload)
    except ValueError as error:
        return [Heard("?", odd=[(Refusal.NOT_JSON, str(error))])]
    if isinstance(body, dict) and isinstance(body.get("data"), list):
        return [_records(one, units) for one in body["data"] if isinstance(one, dict)]
    if isinstance(body, dict) and isinstance(body.get("vehicle"), dict):
        heard = _of(body["vehicle"])
        at = body.get("happenedAtTime", body.get("eventTime"))
        try:
            ts = message.received_at if at is None else moment(at)
        except ValueError as error:
            heard.odd.append((Refusal.NOT_TELEMETRY, f"eventTime: {error}"))
            return [heard]
        _faults(heard, body.get("faultCodes"), ts)
        return [heard]
    return [Heard("?", odd=[(Refusal.NOT_TELEMETRY, "neither an event of a vehicle nor a list of them")])]


def _of(vehicle: Mapping[str, Any]) -> Heard:
    known = vehicle.get("externalIds")
    others = known if isinstance(known, dict) else {}
    vin = vehicle.get("vin") or others.get("vin") or others.get("samsara.vin") or ""
    return Heard(str(vehicle.get("id") or "?"), vin=str(vin).strip().upper())


def _records(vehicle: Mapping[str, Any], units: Units) -> Heard:
    """Each kind is one record or its history."""
    heard = _of(vehicle)
    for name, found in vehicle.items():
        if name in _ABOUT:
            continue
        for one in found if isinstance(found, list) else [found]:
            record = one if isinstance(one, dict) else {}
            try:
                ts = moment(record.get("time"))
            except ValueError as error:
                heard.odd.append((Refusal.NOT_TELEMETRY, f"{name}.time: {error}"))
                continue
            take(heard, name, FIELDS.get(name), record.get("value"), ts=ts, units=units)
    return heard


def _faults(heard: Heard, faults: Any, ts: float) -> None:
    """What made the alert: not the whole list of the car."""
    if not isinstance(faults, dict):
        return
    passenger, truck = _list(faults, "passenger"), _list(faults, "j1939")
    made = [coding.obd(heard, one.get("code"), one.get("status")) for one in passenger]
    made += [coding.j1939(heard, one.get("spnId"), one.get("fmiId")) for one in truck]
    lit = [bool(one["milStatus"]) for one in truck if "milStatus" in one]
    codes = tuple(code for code in made if code is not None)
    if codes:
        heard.codes.append(Codes(ts, codes, whole=False, mil=any(lit) if lit else None))


def _list(faults: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = faults.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def doubt(headers: Mapping[str, str], body: bytes, secret: bytes, now: float) -> str:
    """`v1=` and the HMAC-SHA256 of `v1:TIME:BODY`, by the secret that the platform has shown in base64."""
    written = headers.get("x-samsara-signature") or headers.get("x-signature") or ""
    time = headers.get("x-samsara-timestamp") or headers.get("x-timestamp") or ""
    return signing.stale(time, now) or signing.wrong(
        secret, b"v1:" + time.encode() + b":" + body, written.removeprefix("v1=")
    )


FEED: Final = Feed(
    name="samsara",
    title="Signed webhooks of a fleet platform",
    says="Alerts with fault codes, and records of values, signed over the raw body as Samsara does.",
    filters=(),
    root="",
    timed=True,
    cadence="an alert when it happens; records as subscribed, often minutes late",
    identity="the vehicle's `id`, or by the VIN that it tells",
    fields=FIELDS,
    translate=translate,
    doubt=doubt,
)
