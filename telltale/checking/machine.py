"""This machine: room on its disks, secrets that nobody guesses, and files that nobody else reads."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from telltale.checking.finding import Wrong
from telltale.settings import LOOPBACK, Settings

LEAST_FREE = 2 << 30  #: bytes
LEAST_SHARE = 0.1
SHORTEST = 32  #: characters of the one secret
_WELL_KNOWN = ("change-me", "changeme", "change me", "secret", "password", "telltale", "example", "test")


def _enough(folder: Path) -> str:
    """What is free where this folder is, or will be."""
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    room = shutil.disk_usage(place)
    room_left = f"{room.free / (1 << 30):.0f} GiB of {room.total / (1 << 30):.0f} are free for {folder}"
    if room.free < LEAST_FREE or room.free < room.total * LEAST_SHARE:
        raise Wrong(
            room_left,
            "make room: a full disk stops intake. TELLTALE_RETENTION_DAYS bounds the readings (docs/howto/operate.md)",
        )
    return room_left


async def disk(settings: Settings) -> str:
    """The home's, and the database's where it lies on this machine."""
    lines = [_enough(settings.home)]
    if (data := settings.home / "pgdata").exists():
        lines.append(_enough(data))
    else:
        lines.append("not known from here: the database's own disk")
    return "; ".join(lines)


async def secret(settings: Settings) -> str:
    """The one secret cannot be guessed, and no demo door is open."""
    if settings.demo_sign_ins:
        raise Wrong("the demo's sign-ins are on: everybody knows their password", "unset TELLTALE_DEMO_SIGN_INS")
    key = settings.key
    if len(key) < SHORTEST or len(set(key)) < 10 or any(word in key.lower() for word in _WELL_KNOWN):
        raise Wrong(
            "TELLTALE_SECRET can be guessed",
            'make one: python3 -c "import secrets; print(secrets.token_hex(32))", and change it as '
            "docs/howto/operate.md says",
        )
    if settings.secret_previous.get_secret_value():
        return "it is long and random; TELLTALE_SECRET_PREVIOUS is still set: take it away when the change is over"
    return "it is long and random"


async def files(settings: Settings) -> str:
    """Keys and secrets are their owner's alone, and the desk does not listen to everybody without a proxy."""
    private = [
        settings.home / name
        for name in ("secret", "broker/broker.conf", "broker/broker.json", "postgres.secret", "demo.json")
    ]
    private += [path for path in (settings.mqtt_key or settings.mqtt_cert, settings.broker_key) if path is not None]
    seen = 0
    for path in private:
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        seen += 1
        if mode & 0o077:
            raise Wrong(f"{path} can be read by others (mode {mode & 0o777:o})", f"chmod 600 {path}")
    if settings.home.exists() and settings.home.stat().st_mode & 0o022:
        raise Wrong(f"{settings.home} can be written by others", f"chmod go-w {settings.home}")
    if settings.desk_host not in LOOPBACK and os.geteuid() == 0:
        raise Wrong("this runs as root", "run the services as an account of their own (deploy/systemd)")
    return f"{seen} files with secrets are their owner's alone" if seen else "no file here holds a secret"
