"""docs/reference/mqtt.md, asyncapi.json and schemas.json, made from the models: `python -m telltale.contract_page`
writes them.
"""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path

from gateway.intake.normalise import MAX_BYTES
from gateway.ops.sign_ins import RIGHT_BURST, RIGHT_EVERY_S, SESSIONS, WRONG_BURST, WRONG_EVERY_S
from schemas import reading
from schemas.contract import CHANNELS, GATEWAY, asyncapi, json_schemas, signal_table
from schemas.reading import Refusal
from telltale.embedded.broker import PAYLOAD, SUBSCRIPTIONS

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"

_EXAMPLE = """```json
{"boot": 41, "seq": 1234, "oldest": 1190, "ts": "2026-11-21T10:15:02.120Z",
 "signals": {"Vehicle.Speed": 83.1, "Vehicle.LowVoltageBattery.CurrentVoltage": 13.9}}
```"""


def page() -> str:
    """The page for people."""
    lines = [
        "# The MQTT contract (v1)",
        "",
        "Made from the models by `python -m telltale.contract_page`; machines read",
    ]
    lines += [
        "[asyncapi.json](asyncapi.json) and [schemas.json](schemas.json). How to use it: [Integrate a "
        "car](../howto/integrate_a_car.md).",
        "",
    ]
    lines += [
        "`bucket` is two digits, crc32(VIN) mod 16. User name and client id are the VIN; a car may publish below its "
        "own `up/` and read its own `down/` only.",
        "",
    ]
    lines += ["| topic | from | QoS | what |", "|---|---|---|---|"]
    lines += [
        f"| `vehicles/{{bucket}}/{{vin}}/{way}` | {sender} | {qos} | {words} |"
        for way, (_, sender, qos, words) in CHANNELS.items()
    ]
    lines += ["", _EXAMPLE, ""]
    lines += [
        "`boot` counts restarts on the car's disk, `seq` counts telemetry and diagnostics together, `oldest` is the "
        "smallest `seq` still in the spool."
    ]
    lines += [
        "`null` is no reading, 0 is one; NaN and infinity are refused. A body has at most 64 KiB and 256 signals.",
        "",
    ]
    lines += _limits()
    lines += ["## Refusals", "", "| reason | when |", "|---|---|"]
    lines += [f"| `{reason.value}` | {_meanings().get(reason.name, '–')} |" for reason in Refusal]
    lines += ["", "## Signals", "", signal_table(), ""]
    return "\n".join(lines)


def _limits() -> list[str]:
    """What one car may cost, and what a broker of one's own must be told, from the constants that hold it."""
    return [
        "## Limits",
        "",
        "What one car may cost the others. What is refused is counted at the desk (*Quarantine*, *Counted by the "
        "services*).",
        "",
        "| what | limit | beyond it | counted as |",
        "|---|---|---|---|",
        f"| body | {MAX_BYTES // 1024} KiB | refused with its reason, acknowledged | `too_large` |",
        f"| message at the broker | {PAYLOAD} | the broker ends the connection; a will fits into 64 KiB by itself | "
        "`denied_size` |",
        f"| sessions of a car | {SESSIONS}: the VIN as client id, and the VIN with `-1` to `-9` behind it | sign-in "
        "refused | `refused_connect:client_id` |",
        f"| sign-ins of a car | {RIGHT_BURST} at once, then one each {RIGHT_EVERY_S:.0f} s | sign-in refused | "
        "`refused_connect:too_often` |",
        f"| wrong sign-ins of an address (IPv6: of a /64), and for a car | {WRONG_BURST} at once, then one each "
        f"{WRONG_EVERY_S:.0f} s "
        "| not answered until the broker gives up; a right secret is let in all the same | "
        "`refused_connect:wrong_secret`, `refused_connect:unanswered` |",
        f"| filters of a session | {SUBSCRIPTIONS} | SUBACK refused | `denied_subscribe` |",
        "| topics that a car may publish | the three above, its own | not delivered | `denied_publish` |",
        "",
        "The last six are the embedded broker's. A topic that nobody subscribes to (`vehicles/VIN/up/telemetry` "
        "without its bucket, another way than the",
        "three) is lost without a word where the broker does not deny it: MQTT 3.1.1 acknowledges it all the same, "
        "MQTT 5 says *no matching subscribers* (16)",
        "or *not authorized* (135).",
        "",
        "### A broker of your own",
        "",
        "The gateway signs in as one account of its own, with the client ids `gateway-00` to `gateway-15` (one session "
        "for each bucket) and `gateway-check-…`.",
        "This is all that an access list must allow to that account, so that nobody who has its password commands a "
        "car:",
        "",
        "| topic | the gateway may | what for |",
        "|---|---|---|",
        *(
            f"| {', '.join(f'`{name}`' for name in names)} | {may} | {words} |"
            for names, (may, words) in GATEWAY.items()
        ),
        "",
        "Before it starts, a gateway tries all of this out, and also whether somebody without an account, or with a "
        "made-up one, can speak as a car.",
        "A broker on which that works is refused, unless `TELLTALE_OPEN_BROKER` says that it is known "
        "([settings](settings.md)).",
        "",
        "| limit | mosquitto | nats-server |",
        "|---|---|---|",
        f"| message at the broker | `message_size_limit 131072` | `max_payload: {PAYLOAD}` |",
        "| sessions of a car | `use_username_as_clientid true` on the cars' listener (one; not on the gateway's, which "
        "has one for each bucket) | "
        "the gateway's answer to a sign-in |",
        f"| filters of a session | – | `max_subscriptions: {SUBSCRIPTIONS}` |",
        "| connections | `max_connections` on the cars' listener: the fleet and a quarter more | `max_connections` |",
        "| topics of a car | `pattern write vehicles/+/%u/up/+`, `pattern read vehicles/+/%u/down/#` | the gateway's "
        "answer to a sign-in |",
        "| retained messages | `retain_available false` | no more than one for each of a car's three topics |",
        "| sign-in tries | none: put one before it (nftables, HAProxy), or use client certificates | the gateway's "
        "answer to a sign-in |",
        "",
        "What we send to cars is QoS 0: nothing waits at the broker for a car that is away.",
        "",
    ]


def _meanings() -> dict[str, str]:
    """The `#:` words beside each refusal, so that they stand in one place."""
    source = inspect.getsource(reading).splitlines()
    found = next(
        node for node in ast.parse("\n".join(source)).body if isinstance(node, ast.ClassDef) and node.name == "Refusal"
    )
    return {
        node.targets[0].id: source[node.lineno - 1].partition("#:")[2].strip()
        or node.targets[0].id.lower().replace("_", " ")
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
