"""Who was erased, as a file of numbers and times beside the backups; and erasing them again in a house that came back
from before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from actions import erasing as acts
from schemas.errors import BadInput
from store import consents, erasing, owners
from store.erasing import Tombstone
from telltale.command_context import Office

FILE = "erasures.json"  #: in the folder of backups


def listed(stones: Sequence[Tombstone]) -> dict[str, Any]:
    """As `telltale erasures list --json` prints them."""
    return {
        "erasures": [
            {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(one).items()}
            for one in stones
        ]
    }


def read(path: Path) -> list[Tombstone]:
    """Raises BadInput where the file is something else."""
    try:
        return [
            Tombstone(
                int(one["dealer_id"]),
                int(one["owner_id"]),
                datetime.fromisoformat(one["created_at"]),
                datetime.fromisoformat(one["erased_at"]),
            )
            for one in json.loads(path.read_text())["erasures"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            "--from", f"{path} is not what `telltale erasures list --json` prints ({type(error).__name__})"
        ) from None


def keep(folder: Path, stones: Sequence[Tombstone]) -> None:
    """Beside the backups, with whoever stands there already: a house that came back from before may not know them.

    The file is whole at each moment.
    """
    path = folder / FILE
    whole = {
        (one.dealer_id, one.owner_id, one.created_at): one for one in [*(read(path) if path.exists() else []), *stones]
    }
    half = path.with_name(FILE + ".partial")
    half.write_text(json.dumps(listed(list(whole.values())), indent=1) + "\n")
    half.chmod(0o600)
    half.replace(path)


async def erase_again(at: Office, stones: Sequence[Tombstone]) -> dict[str, int]:
    """Whoever of them is there as before, and nobody who was given the same number since."""
    back = [one for one in stones if await erasing.is_back(at.connection, one)]
    key = await at.house_key() if back else b""
    for stone in back:
        await consents.claim(at.connection, stone.dealer_id, stone.owner_id)
        await acts.carry_out(
            at.house,
            at.connection,
            owner=await owners.get(at.connection, stone.dealer_id, stone.owner_id),
            actor="command",
            key=key,
        )
    return {"listed": len(stones), "erased": len(back)}
