"""WiCAN dongles over MQTT: AutoPID's JSON of named parameters, and raw CAN frames with answers of OBD-II."""

from __future__ import annotations

from typing import Any, Final

from gateway.feeds import obd
from gateway.feeds.feed import OLD, Feed, Field, Heard, Message, Units, wheels
from gateway.feeds.reading import loose, take
from schemas.reading import Refusal

_ENGINE: Final = "Vehicle.Powertrain.CombustionEngine"
_PACK: Final = "Vehicle.Powertrain.TractionBattery"

#: The parameters that the project's list has names and units for.
FIELDS: Final = {
    "LV_V": Field("Vehicle.LowVoltageBattery.CurrentVoltage", "V"),
    "ODOMETER": Field("Vehicle.TraveledDistance", "km"),
    "SPEED": Field("Vehicle.Speed", "km/h"),
    "TMP_A": Field("Vehicle.Exterior.AirTemperature", "Celsius"),
    "FUEL": Field("Vehicle.OBD.FuelLevel", "percent"),
    "STFT": Field("Vehicle.OBD.ShortTermFuelTrim1", "percent"),
    "COOLANT_TMP": Field(f"{_ENGINE}.EngineCoolant.Temperature", "Celsius"),
    "ENGINE_RPM": Field(f"{_ENGINE}.Speed", "rpm"),
    "ENGINE_OIL_TEMP": Field(f"{_ENGINE}.EngineOil.Temperature", "Celsius"),
    "ENGINE_OIL_PRES": Field(f"{_ENGINE}.EOP", "kPa"),
    "OIL_LIFE": Field(f"{_ENGINE}.EngineOil.LifePercent", "percent"),
    "PCM_OIL_LIFE": Field(f"{_ENGINE}.EngineOil.LifePercent", "percent"),
    "INTAKE_AIR_TMP": Field(f"{_ENGINE}.IntakeAirTemperature", "Celsius"),
    "MAF": Field(f"{_ENGINE}.MAF", "g/s"),
    "THROTTLE": Field(f"{_ENGINE}.TPS", "percent"),
    "PCM_TRANSMISSION_TEMP": Field("Vehicle.Powertrain.Transmission.Temperature", "Celsius"),
    "OILCH_DIS": Field("Vehicle.Service.DistanceToService", "km"),
    "SOC": Field(f"{_PACK}.StateOfCharge.Current", "percent"),
    "SOH": Field(f"{_PACK}.StateOfHealth", "percent"),
    "HV_V": Field(f"{_PACK}.CurrentVoltage", "V"),
    "HV_A": Field(f"{_PACK}.CurrentCurrent", "A"),
    "HV_T_MAX": Field(f"{_PACK}.Temperature.Max", "Celsius"),
    "HV_C_V_MIN": Field(f"{_PACK}.CellVoltage.Min", "V"),
    "HV_C_V_MAX": Field(f"{_PACK}.CellVoltage.Max", "V"),
    "HV_C_V_MIN_NO": Field(f"{_PACK}.CellVoltage.IdMin", "id"),
    "HV_C_V_MAX_NO": Field(f"{_PACK}.CellVoltage.IdMax", "id"),
    "CHARGING": Field(f"{_PACK}.Charging.IsCharging", "bool"),
    **wheels("Tire.Pressure", "psi", ("TYRE_P_FL", "TYRE_P_FR", "TYRE_P_RL", "TYRE_P_RR")),
    **wheels("Tire.AirTemperature", "Celsius", ("TYRE_T_FL", "TYRE_T_FR", "TYRE_T_RL", "TYRE_T_RR")),
}


def translate(message: Message, units: Units) -> list[Heard]:
    """`DEVICE/…`: whatever the owner called the topic, its body tells what it is."""
    device, *way = message.topic
    heard = Heard(device)
    if way == ["status"]:
        return [heard]
    if message.retained:
        heard.odd.append((Refusal.RETAINED, f"{'/'.join(way)}: {OLD}"))
        return [heard]
    try:
        body = loose(message.payload)
    except ValueError as error:
        heard.odd.append((Refusal.NOT_JSON, str(error)))
        return [heard]
    if not isinstance(body, dict):
        heard.odd.append((Refusal.NOT_TELEMETRY, "neither parameters nor frames"))
    elif isinstance(body.get("frame"), list):
        _frames(heard, body["frame"], message.received_at)
    else:
        for name, raw in body.items():
            take(heard, name, FIELDS.get(name.upper()), raw, ts=message.received_at, units=units)
    return [heard]


def _frames(heard: Heard, frames: list[Any], ts: float) -> None:
    """Their own `ts` counts from the dongle's start and wraps: what they say is as of when they came."""
    for frame in frames:
        octets = frame.get("data") if isinstance(frame, dict) else None
        if not isinstance(octets, list) or not all(type(one) is int and 0 <= one <= 255 for one in octets):
            heard.odd.append((Refusal.NOT_TELEMETRY, "a frame without its bytes"))
            continue
        found = obd.single_frame(frame.get("id"), bytes(octets))
        if isinstance(found, str):
            heard.odd.append((Refusal.NOT_TELEMETRY, found))
        elif found is None:
            heard.untaken += 1
        else:
            take(heard, "frame", Field(found[0], found[1]), found[2], ts=ts, units={})


FEED: Final = Feed(
    name="wican",
    title="WiCAN",
    says="An OBD dongle: AutoPID's named parameters, and answers of OBD-II in raw frames.",
    filters=("+/#",),
    root="wican",
    timed=False,
    cadence="as its owner set each parameter: seconds while the car is awake, nothing while it sleeps",
    identity="the device's number in its topics",
    fields=FIELDS,
    translate=translate,
)
