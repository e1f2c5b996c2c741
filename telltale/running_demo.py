"""Commands beside a running demo: without DATABASE_URL and MQTT_URL they work on the demo of the same home."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import SecretStr

from telltale.embedded.process import alive
from telltale.settings import Settings

_NAME = "demo.json"


def announce(home: Path, pid: int, **addresses: str) -> None:
    """Write down where everything is; readable for the home's owner only, for the addresses carry passwords."""
    path = home / _NAME
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps({"pid": pid, **addresses}))


def leave(home: Path) -> None:
    (home / _NAME).unlink(missing_ok=True)


def found(home: Path) -> dict[str, str]:
    """The addresses of the demo that runs on this home; nothing when none does."""
    try:
        payload: dict[str, str] = json.loads((home / _NAME).read_text())
    except (OSError, ValueError):
        return {}
    return payload if alive(int(payload.get("pid", 0))) else {}


def joined(settings: Settings) -> Settings:
    """These settings, completed by the addresses of the running demo."""
    addresses = found(settings.home)
    update: dict[str, object] = {}
    if settings.database_url is None and settings.mqtt_url is None and addresses:
        update = {
            name: SecretStr(addresses[name])
            for name in ("database_url", "mqtt_url", "auth_url", "auth_seed")
            if addresses.get(name)
        }
        if not settings.public_url:
            update["public_url"] = addresses["url"]
    return settings.model_copy(update=update)
