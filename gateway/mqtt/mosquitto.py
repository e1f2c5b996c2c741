"""What mosquitto is told so that each car speaks for itself alone: configuration, passwords and access lists, as text.

Cars and gateways have a door each. At the cars' door the client id is the user name, whatever was said, or else any car
could take over a gateway's session by its name; and no gateway's password is of use there. Why files:
docs/why/broker.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.contract import CHANNELS, GATEWAY
from schemas.vehicle import bucket_of

#: Up to so many cars each has lines of its own, with its bucket. Mosquitto reads such a list in quadratic time (0.2 s
#: for
#: 2,000 cars and 6 s for 10,000, in which it does nothing else), so more share one pattern, and a wrong bucket is
#: refused by the
#: gateway alone.
LINES_FOR_EACH = 2_000
_UP = [way for way in CHANNELS if way.startswith("up/")]


@dataclass(frozen=True)
class Doors:
    """Where it listens.

    Both doors are TLS; `client_certificates` asks for one of our authority's on top of the password.
    """

    port: int = 8883
    gateway_port: int = 8884
    gateway_host: str = "127.0.0.1"
    client_certificates: bool = False


def configuration(folder: Path, account: str, doors: Doors) -> str:
    """mosquitto.conf, to be used as it is; every file that it names lies in `folder`."""
    lines = [
        "# Made by `telltale broker-config mosquitto`, which writes it again: change its options instead.",
        f"user {account}" if account else "",
        f"pid_file {folder / 'mosquitto.pid'}",
        "per_listener_settings true",
        *keeping(folder / "store"),
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "connection_messages false",
        "",
        "# Cars",
        f"listener {doors.port}",
        "use_username_as_clientid true",
        *_secured(folder, "cars", doors.client_certificates),
        "",
        "# Gateways",
        f"listener {doors.gateway_port} {doors.gateway_host}",
        *_secured(folder, "gateways", doors.client_certificates),
    ]
    return "\n".join(lines) + "\n"


def keeping(store: Path) -> list[str]:
    """What it keeps, where and how much."""
    return [
        "# Mosquitto's defaults lose data: these limits and the persistence are not optional. No setting makes its "
        "PUBACK",
        "# durable; a car keeps each message until our own acknowledgement.",
        "persistence true",
        f"persistence_location {store}/",
        "# Each time it writes the whole store and does nothing else meanwhile: with a million messages waiting that "
        "takes seconds.",
        "autosave_interval 300",
        "max_inflight_messages 4000",
        "max_queued_messages 0",
        "max_queued_bytes 0",
        "persistent_client_expiration 30d",
        "# Twice what the contract allows, so that a message which is a little too long is still refused with its "
        "reason.",
        "message_size_limit 131072",
    ]


def _secured(folder: Path, who: str, client_certificates: bool) -> list[str]:
    return [
        "allow_anonymous false",
        f"password_file {folder / f'{who}.passwords'}",
        f"acl_file {folder / f'{who}.access'}",
        f"certfile {folder / 'server.crt'}",
        f"keyfile {folder / 'server.key'}",
        "tls_version tlsv1.2",
        *([f"cafile {folder / 'ca.crt'}", "require_certificate true"] if client_certificates else []),
    ]


def passwords(hashes: Mapping[str, str]) -> str:
    """User name to hash, as in schemas.credentials."""
    return "".join(f"{user}:{hashed}\n" for user, hashed in sorted(hashes.items()))


def access_of_cars(vins: Collection[str]) -> str:
    """Each car publishes the topics of the contract below its own `up/`, and reads below its own `down/`."""
    if len(vins) > LINES_FOR_EACH:
        return _access("pattern", "vehicles/+/%u")
    return "".join(f"user {vin}\n{_access('topic', f'vehicles/{bucket_of(vin):02d}/{vin}')}" for vin in sorted(vins))


def _access(kind: str, own: str) -> str:
    return "".join(f"{kind} write {own}/{way}\n" for way in _UP) + f"{kind} read {own}/down/+\n"


def access_of_gateways(accounts: Collection[str]) -> str:
    """All that the contract gives a gateway: it says nothing in a car's name."""
    lines = [
        f"topic {'readwrite' if ',' in may else may} {topic}"
        for topics, (may, _) in GATEWAY.items()
        for topic in topics
    ]
    return "\n".join("\n".join([f"user {account}", *lines]) + "\n" for account in sorted(accounts))
