"""docs/reference/mqtt.md, asyncapi.json and schemas.json, made from the models: `python -m telltale.contract_page` writes them."""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path

from schemas import reading
from schemas.contract import CHANNELS, asyncapi, json_schemas, signal_table
from schemas.reading import Refusal

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"

_EXAMPLE = """```json
{"boot": 41, "seq": 1234, "oldest": 1190, "ts": "2026-11-21T10:15:02.120Z",
 "signals": {"Vehicle.Speed": 83.1, "Vehicle.LowVoltageBattery.CurrentVoltage": 13.9}}
```"""


def page() -> str:
    """The page for people."""
    lines = ["# The MQTT contract (v1)", "", "Made from the models by `python -m telltale.contract_page`; machines read"]
    lines += [
        "[asyncapi.json](asyncapi.json) and [schemas.json](schemas.json). How to use it: [Integrate a car](../howto/integrate_a_car.md).",
        "",
    ]
    lines += [
        "`bucket` is two digits, crc32(VIN) mod 16. User name and client id are the VIN; a car may publish below its own `up/` and read its own `down/` only.",
        "",
    ]
    lines += ["| topic | from | QoS | what |", "|---|---|---|---|"]
    lines += [
        f"| `vehicles/{{bucket}}/{{vin}}/{way}` | {sender} | {qos} | {words} |"
        for way, (_, sender, qos, words) in CHANNELS.items()
    ]
    lines += ["", _EXAMPLE, ""]
    lines += [
        "`boot` counts restarts on the car's disk, `seq` counts telemetry and diagnostics together, `oldest` is the smallest `seq` still in the spool."
    ]
    lines += ["`null` is no reading, 0 is one; NaN and infinity are refused. A body has at most 64 KiB and 256 signals.", ""]
    lines += ["## Refusals", "", "| reason | when |", "|---|---|"]
    lines += [f"| `{reason.value}` | {_meanings().get(reason.name, '–')} |" for reason in Refusal]
    lines += ["", "## Signals", "", signal_table(), ""]
    return "\n".join(lines)


def _meanings() -> dict[str, str]:
    """The `#:` words beside each refusal, so that they stand in one place."""
    source = inspect.getsource(reading).splitlines()
    found = next(node for node in ast.parse("\n".join(source)).body if isinstance(node, ast.ClassDef) and node.name == "Refusal")
    return {
        node.targets[0].id: source[node.lineno - 1].partition("#:")[2].strip() or node.targets[0].id.lower().replace("_", " ")
        for node in found.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def files() -> dict[str, str]:
    """File name -> content."""
    return {
        "mqtt.md": page(),
        "asyncapi.json": json.dumps(asyncapi(), indent=1) + "\n",
        "schemas.json": json.dumps(json_schemas(), indent=1) + "\n",
    }


if __name__ == "__main__":
    for name, content in files().items():
        (FOLDER / name).write_text(content)
