"""`telltale backup` and `telltale restore` as a person types them: from one server to another, and the desk opens there."""

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


async def test_from_one_server_to_another_by_two_commands(home: Path, tmp_path: Path) -> None:
    async with server(home / "old") as old, server(home / "new") as new:
        await migrate(old.url, "secret")
        connection = await asyncpg.connect(old.url)
        await furnish(connection)
        await connection.close()
        made = told(telltale(old.url, home, "backup", "--to", str(tmp_path), "--json"))
        folder = Path(made["backup"])
        assert folder.parent == tmp_path and folder.stat().st_mode & 0o077 == 0 and made["rows"] > 100
        restored = told(telltale(new.url, home, "restore", "--from", str(folder), "--json"))
        assert restored["rows"] == made["rows"]
        again = telltale(new.url, home, "restore", "--from", str(folder))
        assert again.returncode == 2 and "only brought into an empty database" in again.stderr and "Traceback" not in again.stderr
        known = told(telltale(new.url, home, "key", "create", "after the restore", "--dealer", "2", "--json"))
        assert known["key"].startswith("tk_")


def told(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
