"""Every text goes out once, to somebody who wants it, and only while it is true.

Several worker processes are killed at random moments while texts are queued, consents withdrawn and facts changed.
The provider is a server of ours that remembers when it was handed what, and now and then loses its own answer.
One continuous run with one settling at its end; then its memory is compared with ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from aiohttp import web

from proofs.ground import own_database
from proofs.messages_under import GRACE, SWITCHES
from schemas.errors import Misconfigured
from schemas.message import Draft, MessageKind, OwnerRecipient, Purpose, asserts
from schemas.verdict import Severity
from store import accounts, cases, consents, fleet, messages, owners
from store.migrate import role_url
from store.pool import Pool, open_pool, transaction

OWNERS, WORKERS = 60, 3
TEXTS_PER_TRIAL = 22  #: at least; they come as fast as the kills do
LOST_ANSWERS, BUSY, SLOWEST_S = 0.1, 0.05, 0.04
BETWEEN_KILLS_S = (0.3, 1.0)
IN_FLIGHT_S = 1.0  #: what left this close to a change was on its way already
SETTLE_S = 240.0
_SECRET = "proof"
_ROWS = "SELECT reference, state, reason FROM messages"


@dataclass
class Provider:
    """Remembers every text it was handed, with the moment."""

    luck: random.Random
    handed: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def take(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.luck.random() < BUSY:
            return web.json_response({}, status=503)
        self.handed[body["reference"]].append(time.monotonic())
        await asyncio.sleep(self.luck.random() * SLOWEST_S)
        if self.luck.random() < LOST_ANSWERS and request.transport is not None:
            request.transport.abort()
        return web.json_response({"id": f"p-{body['reference']}"})

    async def find(self, request: web.Request) -> web.Response:
        reference = request.match_info["reference"]
        return web.json_response({"id": f"p-{reference}"}, status=200 if reference in self.handed else 404)


@dataclass
class History:
    """What the proof itself did: which texts it queued, and from when on they must not go any more."""

    owner_of: dict[str, int] = field(default_factory=dict)
    case_of: dict[str, int] = field(default_factory=dict)
    no_since: dict[int, float] = field(default_factory=dict)
    over_since: dict[int, float] = field(default_factory=dict)

    def forbidden_since(self, reference: str) -> float:
        """From when on this text was unwanted or untrue."""
        return min(
            self.no_since.get(self.owner_of[reference], float("inf")),
            self.over_since.get(self.case_of.get(reference, 0), float("inf")),
        )


async def main(settings: Any, *, trials: int, seed: int, sabotage: str | None) -> dict[str, Any]:
    """`trials` kills; exit is green when nothing was violated."""
    if sabotage is not None and sabotage not in SWITCHES:
        raise Misconfigured("--sabotage", f"is one of {', '.join(SWITCHES)}")
    began = time.monotonic()
    async with own_database(_SECRET) as url:
        facts = await _run(url, trials, random.Random(seed), sabotage or "none")
    return {
        "trials": trials,
        **facts,
        "seed": seed,
        "sabotage": sabotage,
        "seconds": round(time.monotonic() - began, 1),
    }


async def _run(admin_url: str, trials: int, luck: random.Random, switch: str) -> dict[str, Any]:
    worker_url = role_url(admin_url, _SECRET, "telltale_worker")
    provider, history = Provider(random.Random(luck.random())), History()
    app = web.Application()
    app.router.add_post("/texts", provider.take)
    app.router.add_get("/texts/{reference}", provider.find)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    pool, admin = (
        await open_pool(role_url(admin_url, _SECRET, "telltale_office"), name="proof", size=6),
        await asyncpg.connect(admin_url),
    )
    crew = [Crewman(switch, worker_url, url) for _ in range(WORKERS)]
    try:
        dealer_id, people, standing = await _furnish(pool)
        for man in crew:
            man.start()
        done = asyncio.Event()
        async with asyncio.TaskGroup() as work:
            traffic = [
                work.create_task(
                    _queue(
                        pool,
                        dealer_id,
                        people=people,
                        standing=standing,
                        history=history,
                        luck=random.Random(luck.random()),
                        trials=trials,
                        done=done,
                    )
                ),
                work.create_task(
                    _withdraw(
                        pool, dealer_id, people=people, history=history, luck=random.Random(luck.random()), done=done
                    )
                ),
                work.create_task(
                    _change(admin, standing, history=history, luck=random.Random(luck.random()), done=done)
                ),
            ]
            kills = await _kill(crew, random.Random(luck.random()), trials)
            done.set()
            await asyncio.gather(*traffic)
        backlog = await admin.fetchval("SELECT count(*) FROM messages WHERE state IN ('queued', 'claimed')")
        await _settle(admin, SETTLE_S + trials / 2)
        violations = check(
            history,
            provider.handed,
            {row["reference"]: (row["state"], row["reason"]) for row in await admin.fetch(_ROWS)},
        )
    finally:
        for man in crew:
            await man.stop()
        await asyncio.gather(admin.close(), pool.close(), runner.cleanup())
    return {
        "checked": len(history.owner_of),
        "handed_over": sum(map(len, provider.handed.values())),
        "kills": kills,
        "under_way_at_the_last_kill": backlog,
        "withdrawn": len(history.no_since),
        "changed": len(history.over_since),
        "violations": len(violations),
        "by_kind": dict(Counter(kind for kind, _ in violations)),
        "first": [words for _, words in violations[:5]],
    }


class Crewman:
    """One worker, whose successor begins when it is killed."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._worker = 0

    def start(self) -> None:
        """Without waiting until it works: the others do meanwhile."""
        self._keeper = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        """Who works now; and again when its line ends, for a machine that is short of memory ends it."""
        while True:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "proofs.messages_under",
                *self._arguments,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                cwd=Path(__file__).resolve().parents[1],
                start_new_session=True,
            )
            assert self._process.stdout is not None
            async for line in self._process.stdout:
                self._worker = int(line)
            await self._process.wait()
            await asyncio.sleep(0.1)

    def kill(self) -> bool:
        """kill -9; its successor is there at once. False: nobody has begun yet."""
        worker, self._worker = self._worker, 0
        if not worker:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
        return True

    async def stop(self) -> None:
        """For good, and all of its line."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


async def _furnish(pool: Pool) -> tuple[int, list[int], list[int]]:
    """A dealer, owners who agreed to everything and have no quiet hours, and a case of each."""
    now = datetime.now(UTC)
    async with transaction(pool) as connection:
        dealer = await accounts.create_dealer(
            connection,
            name="Proof",
            zone="UTC",
            country="DE",
            phone="+490",
            address="here",
            opening_hours="24/7",
            language="en",
            now=now,
        )
        people = []
        for n in range(OWNERS):
            midnight = datetime.min.time()
            owner = await owners.create(
                connection,
                dealer.id,
                {
                    "name": f"Owner {n}",
                    "phone": f"+49{n:05}",
                    "channel": "phone",
                    "language": "en",
                    "zone": "UTC",
                    "quiet_from": midnight,
                    "quiet_to": midnight,
                },
                now,
            )
            await consents.give(
                connection,
                dealer.id,
                owner.id,
                dict.fromkeys(consents.OWNERS_PURPOSES, True),
                now=now,
                source="proof",
                wording="yes",
            )
            people.append(owner.id)
    return dealer.id, people, await _cases(pool, dealer.id, people, now)


async def _cases(pool: Pool, dealer_id: int, people: list[int], now: datetime) -> list[int]:
    found = []
    async with transaction(pool) as connection:
        for n, owner_id in enumerate(people):
            car = await fleet.add(
                connection,
                dealer_id,
                vin=f"WVWZZZ1KZAW{n:06}",
                profile="petrol_hatch",
                title="Golf",
                plate=None,
                actor="proof",
                now=now,
            )
            case = await cases.create(
                connection,
                dealer_id,
                car.id,
                severity=Severity.SOON,
                title="x",
                origin="call",
                owner_id=owner_id,
                reason="proof",
                actor="proof",
                now=now,
            )
            found.append(case.id)
    return found


async def _queue(
    pool: Pool,
    dealer_id: int,
    people: list[int],
    standing: list[int],
    history: History,
    luck: random.Random,
    trials: int,
    done: asyncio.Event,
) -> None:
    """Texts at a steady rate until all kills are done; some say something about a case, and some are due only later."""
    n, least = 0, trials * TEXTS_PER_TRIAL
    while not done.is_set() or n < least:
        async with transaction(pool) as connection:
            for _ in range(5):
                at = luck.randrange(len(people))
                reference, now = f"t-{n}", datetime.now(UTC)
                about = luck.random() < 0.3
                history.owner_of[reference] = people[at]
                if about:
                    history.case_of[reference] = standing[at]
                n += 1
                draft = Draft(
                    dealer_id=dealer_id,
                    to=OwnerRecipient(people[at], "phone", f"+49{at:05}", "en"),
                    kind=MessageKind.FREE,
                    purpose=Purpose.STATUS,
                    author="proof",
                    reference=reference,
                    asserts=[asserts("case", standing[at], "open")] if about else [],
                    due_at=now + timedelta(seconds=luck.choice((0, 0, 0, 1, 4))),
                )
                await messages.queue(connection, draft, f"text {n}", now)
        await asyncio.sleep(5 * sum(BETWEEN_KILLS_S) / 2 / TEXTS_PER_TRIAL)


async def _withdraw(
    pool: Pool, dealer_id: int, people: list[int], history: History, luck: random.Random, done: asyncio.Event
) -> None:
    """Now and then an owner says no, on a page that cancels nothing by itself."""
    left = luck.sample(people, len(people) // 2)
    while left and not done.is_set():
        await asyncio.sleep(luck.uniform(0.1, 0.8))
        owner_id = left.pop()
        async with transaction(pool) as connection:
            await consents.record(
                connection,
                dealer_id,
                owner_id=owner_id,
                purpose=Purpose.STATUS,
                given=False,
                now=datetime.now(UTC),
                source="proof",
                wording="no",
            )
        history.no_since[owner_id] = time.monotonic()


async def _change(
    admin: asyncpg.Connection[asyncpg.Record],
    standing: list[int],
    history: History,
    luck: random.Random,
    done: asyncio.Event,
) -> None:
    """Now and then a case that texts speak of is over."""
    left = luck.sample(standing, len(standing) // 2)
    while left and not done.is_set():
        await asyncio.sleep(luck.uniform(0.1, 0.8))
        case_id = left.pop()
        await admin.execute("UPDATE cases SET state = 'dismissed' WHERE id = $1", case_id)
        history.over_since[case_id] = time.monotonic()


async def _kill(crew: list[Crewman], luck: random.Random, trials: int) -> int:
    await asyncio.sleep(4)  # all of them are at work
    kills = 0
    while kills < trials:
        await asyncio.sleep(luck.uniform(*BETWEEN_KILLS_S))
        kills += luck.choice(crew).kill()
    return kills


async def _settle(admin: asyncpg.Connection[asyncpg.Record], at_most_s: float) -> None:
    """Until nothing is under way any more, or no longer than it may take."""
    deadline = time.monotonic() + at_most_s
    await asyncio.sleep(GRACE.total_seconds())
    while time.monotonic() < deadline:
        if not await admin.fetchval("SELECT count(*) FROM messages WHERE state IN ('queued', 'claimed')"):
            return
        await asyncio.sleep(0.5)


def check(
    history: History, handed_over: Mapping[str, list[float]], rows: Mapping[str, tuple[str, str | None]]
) -> list[tuple[str, str]]:
    """Each text against what the provider remembers: (kind of violation, in words)."""
    found: list[tuple[str, str]] = []
    for reference in history.owner_of:
        state, reason = rows.get(reference, ("", None))
        handed, since = handed_over.get(reference, []), history.forbidden_since(reference)
        late = max((at - since for at in handed), default=-1.0)
        what = f"{reference} ({state or 'in no outbox'}, {reason})"
        if len(handed) > 1:
            found.append(("twice", f"{what} was handed over {len(handed)} times"))
        if state not in ("sent", "cancelled", "failed"):
            found.append(("unsettled", f"{what} is still under way after the settling"))
        elif not handed and (state == "sent" or since == float("inf")):
            found.append(("lost", f"{what} was wanted and true and was never handed over"))
        if late > IN_FLIGHT_S:
            found.append(("forbidden", f"{what} went {late:.1f} s after it was no longer wanted or true"))
    return found
