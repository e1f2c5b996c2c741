"""`telltale prove doors`: two dealers with canaries behind all doors, and as many calls as one likes."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from actions.context import House
from proofs.doors.breaking import SWITCHES, broken
from proofs.doors.dealers import Furnished
from proofs.doors.ground import Ground, open_doors
from proofs.doors.walk import DOORS, Tally, Walk
from proofs.ground import own_database
from rules.service.wording import Wording
from schemas.errors import Misconfigured
from schemas.scope import SCOPES
from store import secrets
from store.migrate import role_url
from store.photo_shelf import Folder
from store.pool import open_pool
from telltale import data

DESCRIBED = 0.1  #: of all calls are made up by schemathesis from our own description, where it is installed
MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
_SECRET = "proof"


async def main(settings: Any, *, calls: int, seed: int, sabotage: str | None) -> dict[str, Any]:
    """`calls` calls; green when nothing was our fault and nothing of the other dealer's was seen."""
    if sabotage is not None and sabotage not in SWITCHES:
        raise Misconfigured("--sabotage", f"is one of {', '.join(SWITCHES)}")
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING)
    )  # a line for each call is of no use to anybody here
    async with (
        own_database(_SECRET) as url,
        _house(url) as (house, admin),
        open_doors(house, admin, role_url(url, _SECRET, "telltale_desk")) as ground,
    ):
        return await prove(ground, calls, seed, sabotage)


async def prove(ground: Ground, calls: int, seed: int, sabotage: str | None = None) -> dict[str, Any]:
    """The same on a ground that stands already."""
    began = time.monotonic()
    described = int(calls * DESCRIBED) if importlib.util.find_spec("schemathesis") else 0
    with broken(sabotage, [made.id for made in ground.dealers]):
        walk, *machines = await asyncio.gather(
            Walk(ground, calls - described, random.Random(seed)).run(),
            *(
                _described(ground, ours, theirs=theirs, calls=described // 2, seed=seed)
                for ours, theirs in (ground.dealers, ground.dealers[::-1])
                if described
            ),
        )
    tallies: list[Tally] = [walk, *machines]
    errors, reads, let_in, unnamed = (
        [line for one in tallies for line in getattr(one, name)]
        for name in ("server_errors", "foreign_reads", "let_in", "unnamed")
    )
    statuses: Counter[int] = sum((one.statuses for one in tallies), Counter())
    return {
        "calls": sum(one.calls for one in tallies),
        "checked": sum(one.calls for one in tallies),
        "made_up_from_our_description": sum(one.calls for one in machines),
        "doors": len(DOORS),
        "doors_that_opened": len(walk.doors),
        "statuses": dict(sorted(statuses.items())),
        "server_errors": len(errors),
        "foreign_reads": len(reads),
        "let_in_against_the_register": len(let_in),
        "refused_without_a_field": len(unnamed),
        "violations": len(errors) + len(reads) + len(let_in) + len(unnamed),
        "first": [*errors, *reads, *let_in, *unnamed][:8],
        "seed": seed,
        "sabotage": sabotage,
        "seconds": round(time.monotonic() - began, 1),
    }


async def _described(ground: Ground, ours: Furnished, theirs: Furnished, calls: int, seed: int) -> Tally:
    async with ground.house.at(ours.id) as connection:
        key = await secrets.make(connection, ours.id, "api_key", now=ground.now, label="described", scopes=SCOPES)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "proofs.doors.described",
        ground.url,
        str(calls),
        str(seed),
        "-",
        theirs.canary,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    )
    output, _ = await process.communicate(f"{key}\n".encode())
    found = json.loads(output)
    statuses = Counter({int(status): count for status, count in found["statuses"].items()})
    return Tally(
        found["calls"],
        statuses,
        doors=set(found["doors"]),
        server_errors=found["server_errors"],
        foreign_reads=found["foreign_reads"],
        unnamed=found["unnamed"],
    )


@asynccontextmanager
async def _house(url: str) -> AsyncIterator[tuple[House, asyncpg.Pool[asyncpg.Record]]]:
    desk, owner, admin = [
        await open_pool(
            role_url(url, _SECRET, f"telltale_{role}") if role else url, name=f"proof-{role or 'admin'}", size=10
        )
        for role in ("desk", "owner_page", "")
    ]
    shelf = tempfile.mkdtemp(prefix="telltale-photos-")
    try:
        yield (
            House(
                desk,
                owner,
                clock=lambda: MONDAY,
                wording=Wording(data.texts()),
                base_url="http://desk.example",
                secret=_SECRET,
                profiles=data.profiles(),
                photos=Folder(Path(shelf)),
            ),
            admin,
        )
    finally:
        await asyncio.gather(desk.close(), owner.close(), admin.close())
        shutil.rmtree(shelf)
