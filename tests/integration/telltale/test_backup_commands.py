"""`telltale backup` and `telltale restore` as a person types them: from one server to another, and the desk opens
there.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import asyncpg

from store.migrate import migrate
from telltale.settings import child_environment
from tests import command_line
from tests.furniture import furnish
from tests.servers import server


def telltale(url: str, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    settings = child_environment({"database_url": url, "secret": "secret", "home": str(home)})
    return command_line.telltale(*words, env=settings)


async def test_from_one_server_to_another_by_two_commands_and_who_was_erased_meanwhile_does_not_come_back(
    home: Path, tmp_path: Path
) -> None:
    async with server(home / "old") as old, server(home / "new") as new:
        await migrate(old.url, "secret")
        connection = await asyncpg.connect(old.url)
        await furnish(connection)
        await connection.close()
        picture = home / "photos" / "1" / "7" / f"{'ab' * 16}.jpg"
        picture.parent.mkdir(parents=True)
        picture.write_bytes(b"a picture")
        made = told(telltale(old.url, home, "backup", "--to", str(tmp_path), "--json"))
        folder = Path(made["backup"])
        assert made["photos"] == 1 and (folder / "photos" / "1" / "7" / picture.name).stat().st_mode & 0o077 == 0
        picture.unlink()
        assert folder.parent == tmp_path and folder.stat().st_mode & 0o077 == 0 and made["rows"] > 100
        await erase_somebody(old.url, home)
        told(
            telltale(old.url, home, "backup", "--to", str(tmp_path), "--json")
        )  # the next night's, and with it the list of who was erased
        restored = told(telltale(new.url, home, "restore", "--from", str(folder), "--json"))
        assert (restored["rows"], restored["erased_again"], restored["photos"]) == (made["rows"], 1, 1)
        assert picture.read_bytes() == b"a picture"
        assert await owners_of(new.url) == await owners_of(old.url) and "Erased owner" in str(await owners_of(new.url))
        again = telltale(new.url, home, "restore", "--from", str(folder))
        assert (
            again.returncode == 2
            and "only brought into an empty database" in again.stderr
            and "Traceback" not in again.stderr
        )
        known = told(telltale(new.url, home, "key", "create", "after the restore", "--dealer", "2", "--json"))
        assert known["key"].startswith("tk_")


async def owners_of(url: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return [
            tuple(row)
            for row in await connection.fetch(
                "SELECT id, name, phone, email, address, erased_at IS NULL FROM owners ORDER BY id"
            )
        ]
    finally:
        await connection.close()


async def erase_somebody(url: str, home: Path) -> None:
    """An owner of the second dealer, after the backup."""
    connection = await asyncpg.connect(url)
    dealer, owner, created = await connection.fetchrow(
        "SELECT dealer_id, id, created_at FROM owners WHERE dealer_id = 2"
    )
    await connection.close()
    result = home / "who.json"
    result.write_text(
        json.dumps(
            {
                "erasures": [
                    {
                        "dealer_id": dealer,
                        "owner_id": owner,
                        "created_at": created.isoformat(),
                        "erased_at": created.isoformat(),
                    }
                ]
            }
        )
    )
    assert told(telltale(url, home, "erasures", "apply", "--from", str(result), "--json"))["erased"] == 1


def told(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
