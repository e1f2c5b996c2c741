"""An upgrade while everything runs: the version before this one serves, the database is migrated under load, old
services go on beside it, new ones come one by one and work side by side with the old.

The version before is the newest tag of a version, or where there is none, the last commit with other migrations than
ours.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
from pathlib import Path
from typing import Any

from proofs.operations.rig import Rig
from proofs.production import account
from telltale.data import ROOT

SIDE_BY_SIDE_S = 3.0
_KNOWN = (
    "from telltale.settings import PLAIN, PREFIX, Settings; print(*[PLAIN.get(n, PREFIX + n.upper()) for n in "
    "Settings.model_fields])"
)


def before() -> str | None:
    """The commit of the version before; None where there is no history."""
    found = _git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*")
    if found:
        return found
    last = _git("log", "-1", "--format=%H", "--", "store/migrations")
    return _git("rev-parse", "--verify", "--quiet", f"{last}^") if last else None


def _git(*words: str) -> str | None:
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True)
    return done.stdout.strip() or None if done.returncode == 0 else None


def unpack(commit: str, place: Path) -> Path:
    """That version's files, and nothing of its history."""
    place.mkdir()
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", commit], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(place)], input=archive.stdout, check=True)
    for generated in ("dealer_api/desk/static/vendor",):  # fetched at set-up, in no version's tree
        (place / generated).symlink_to(ROOT / generated)
    return place


class Upgrading(Rig):
    """A rig that begins with another version's code."""

    def __init__(self, home: Path, code: Path, **more: Any) -> None:
        super().__init__(home, **more)
        self.code = code
        output = account.run([account.PYTHON, "-P", "-c", _KNOWN], environment={"PYTHONPATH": str(code)})
        self._known = frozenset(output.split())

    @property
    def environment(self) -> dict[str, str]:
        """Without the settings that the version in use does not know yet."""
        given = super().environment
        return given if self.code == ROOT else {name: value for name, value in given.items() if name in self._known}


async def upgrade(rig: Upgrading, dice: random.Random) -> float:
    """From the version before to this one, step by step as docs/howto/operate.md has it; the seconds until all were
    back after the slowest step.
    """
    rig.code = ROOT
    await rig.command("migrate")
    slowest = await rig.back()  # the old version on the new schema
    keeper = rig.services["broker-config" if rig.kind == "mosquitto" else "broker"]
    keeper.code = ROOT
    await rig.tell_broker(rig.environment)
    slowest = max(
        slowest, await rig.back()
    )  # the broker knows what the new version will ask of it, and still what the old one asks
    kinds = [rig.of("gateway"), rig.of("workers"), rig.of("dealer-api")]
    dice.shuffle(kinds)
    for wave in zip(*kinds, strict=True):
        for service in wave:
            service.code = ROOT
            await service.restart(rig.environment)
        slowest = max(slowest, await rig.back())  # both versions side by side, and at last the new one alone
        await asyncio.sleep(SIDE_BY_SIDE_S)
    return slowest
