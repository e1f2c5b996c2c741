"""The MQTT contract (v1) as data, made from the models: JSON Schema of every body and an AsyncAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from schemas.signal import SIGNALS
from schemas.telemetry import Ack, AlertTold, Ask, Diagnostics, Status, Telemetry

#: topic suffix -> (model, who sends, quality of service, what it is)
CHANNELS: dict[str, tuple[type[BaseModel], str, int, str]] = {
    "up/telemetry": (Telemetry, "car", 1, "A sample. Never retained."),
    "up/diagnostics": (Diagnostics, "car", 1, "The whole list of trouble codes as the car sees it now."),
    "up/status": (Status, "car", 1, "A hint, also as the will: shown at the desk, never judged, without `seq`."),
    "down/acks": (
        Ack,
        "us",
        0,
        "Everything of this boot up to and including `upto` is stored for good: the car may forget it.",
    ),
    "down/asks": (Ask, "us", 0, "A gap: send these again, both ends included."),
    "down/alerts": (
        AlertTold,
        "us",
        0,
        "For the driver's screen, if there is one: an alert that was raised, is over, or was withdrawn.",
    ),
}

FEEDS_PULSE = "telltale/feeds/pulse"  #: on which the session that hears feeds hears itself

#: topics -> (read, write or both; what for): all that the gateway's own account must be allowed, and nothing else
GATEWAY: dict[tuple[str, ...], tuple[str, str]] = {
    ("vehicles/+/+/up/+",): (
        "read",
        "What the cars say: one persistent session and one subscription for each bucket, QoS 1.",
    ),
    ("vehicles/+/+/down/acks", "vehicles/+/+/down/asks", "vehicles/+/+/down/alerts"): (
        "write",
        "Answers to the cars, QoS 0.",
    ),
    ("vehicles/+/gateway/up/pulse",): (
        "read, write",
        "The gateway hears itself through the broker: every three seconds, and once behind what had waited for it.",
    ),
    ("vehicles/check/+/up/x",): (
        "read, write",
        "The broker is tried out before it is trusted, each time on a made-up name.",
    ),
}
#: The same at the broker of the feeds (TELLTALE_FEEDS_URL), and read below the root of each feed.
FEED_READER: dict[tuple[str, ...], tuple[str, str]] = {
    (FEEDS_PULSE,): ("read, write", "The session that hears feeds hears itself, and knows by it what had waited."),
}


def json_schemas() -> dict[str, Any]:
    """JSON Schema (2020-12) of every body, by the model's name."""
    return {model.__name__: model.model_json_schema(by_alias=True) for model, *_ in CHANNELS.values()}


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0: channels as a car sees them."""
    messages = {
        m.__name__: {"contentType": "application/json", "payload": schema}
        for (m, *_), schema in zip(CHANNELS.values(), json_schemas().values(), strict=True)
    }
    parameters = {
        "bucket": {"description": "two digits: crc32(VIN) mod 16; `telltale vehicle enrol` prints it"},
        "vin": {"description": "ISO 3779, also the user name and the client id"},
    }
    channels, operations = {}, {}
    for suffix, (model, sender, qos, words) in CHANNELS.items():
        name = suffix.rsplit("/", maxsplit=1)[-1]
        channels[name] = {
            "address": f"vehicles/{{bucket}}/{{vin}}/{suffix}",
            "description": words,
            "parameters": parameters,
            "messages": {model.__name__: {"$ref": f"#/components/messages/{model.__name__}"}},
        }
        operations[f"{'send' if sender == 'car' else 'hear'}_{name}"] = {
            "action": "send" if sender == "car" else "receive",
            "channel": {"$ref": f"#/channels/{name}"},
            "bindings": {"mqtt": {"qos": qos, "retain": False}},
        }
    info = {
        "title": "Telltale, MQTT contract",
        "version": "1",
        "description": "How a car talks to us. MQTT 3.1.1 or 5, QoS 1 up.",
    }
    return {
        "asyncapi": "3.0.0",
        "info": info,
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def signal_table() -> str:
    """Every signal we believe, as a markdown table."""
    rows = [f"| `{s.path}` | {s.unit} | {s.low:.10g} … {s.high:.10g} | {s.title} |" for s in SIGNALS]
    return "\n".join(["| path (VSS 6.0) | unit | range | what |", "|---|---|---|---|", *rows])
