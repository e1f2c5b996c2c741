"""Nobody's time is given away twice, every rival is answered, and an offer has one end.

Each trial is a day with a race of its own: many book the same window, many answer one offer, a visit is cancelled while
its driver sets out, a stranger writes plain SQL. In some trials database connections are cut in the middle. What every
rival was answered is the history; after each race it is compared with the rows. `rivals` says how many meet at once.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import asyncpg

from actions import bookings, cases, legs, offers
from proofs.arena import AT_ONCE, RIVALS, SECRET, Arena, furnish
from proofs.ground import own_database
from schemas.booking import BookingKind
from schemas.errors import BadInput, IllegalMove, Misconfigured, Overtaken, TelltaleError, Unavailable
from schemas.pickup import LegEvent
from schemas.slot import Resource
from store import slots
from store.migrate import role_url
from store.pool import Connection, open_pool, transaction
from telltale import cli

SWITCHES = ("no-lock", "no-constraint", "check-then-insert")
_OVERLAPS = """
SELECT count(*) FROM slots a JOIN slots b ON a.id < b.id AND a.resource_id = b.resource_id AND a.during && b.during
WHERE a.state <> 'released' AND b.state <> 'released'
"""
#: Rows that contradict each other, in words.
_CONTRADICTIONS = {
    "a live booking of a case that is not booked": """
        SELECT count(*) FROM bookings b JOIN cases c ON c.id = b.case_id WHERE b.state = 'agreed'
          AND c.state <> 'booked'""",
    "a booked case without a live booking": """
        SELECT count(*) FROM cases c WHERE c.state = 'booked' AND NOT EXISTS (SELECT 1 FROM bookings b
          WHERE b.case_id = c.id AND b.state = 'agreed')""",
    "a live booking without its time": """
        SELECT count(*) FROM bookings b WHERE b.state = 'agreed' AND (SELECT count(*) FROM slots s
          WHERE s.booking_id = b.id AND s.state = 'booked')
        <> CASE b.kind WHEN 'pickup' THEN 4 ELSE 2 END""",
    "more visits of a kind on a day than the house takes": """
        SELECT count(*) FROM (SELECT t.kind FROM (
            SELECT kind, (starts_at AT TIME ZONE 'Europe/Berlin')::date AS day FROM bookings WHERE state <> 'cancelled'
            UNION ALL
            SELECT o.kind, (min(lower(s.during)) AT TIME ZONE 'Europe/Berlin')::date FROM slots s
              JOIN offers o ON o.id = s.offer_id WHERE s.state = 'held' GROUP BY o.id, o.kind, s.choice) t
          JOIN (VALUES ('waiting', 1), ('pickup', 3)) l (kind, most) ON l.kind = t.kind
          GROUP BY t.kind, t.day, l.most HAVING count(*) > l.most) AS over""",
    "time of a cancelled booking that is not free": """
        SELECT count(*) FROM slots s JOIN bookings b ON b.id = s.booking_id WHERE s.state = 'booked'
          AND b.state = 'cancelled'""",
    "an accepted offer without a booking, or a booking beside another answer": """
        SELECT count(*) FROM offers o WHERE (o.state = 'accepted') <> EXISTS (SELECT 1 FROM slots s
          WHERE s.offer_id = o.id AND s.booking_id IS NOT NULL)""",
    "time held for an offer that is over": """
        SELECT count(*) FROM slots s JOIN offers o ON o.id = s.offer_id WHERE s.state = 'held' AND o.state <> 'open'""",
    "a cancelled booking whose driver is still to come": """
        SELECT count(*) FROM legs l JOIN bookings b ON b.id = l.booking_id WHERE b.state = 'cancelled'
          AND l.state IN ('planned', 'on_the_way')""",
    "two live bookings of one case": """
        SELECT count(*) FROM (SELECT case_id FROM bookings WHERE state NOT IN ('completed', 'cancelled')
          GROUP BY case_id HAVING count(*) > 1) AS twice""",
}
_CLEAR = """
UPDATE slots SET state = 'released' WHERE state <> 'released';
UPDATE legs SET state = 'cancelled' WHERE state IN ('planned', 'on_the_way');
UPDATE bookings SET state = 'cancelled' WHERE state NOT IN ('completed', 'cancelled');
UPDATE offers SET state = 'withdrawn' WHERE state = 'open';
UPDATE cases SET state = 'open', assignee_id = NULL;
DELETE FROM messages; DELETE FROM wakeups;
"""


@dataclass
class Answers:
    """What rivals were told: the history."""

    won: int = 0
    refused: int = 0
    unknown: int = 0
    deadlocks: int = 0
    strange: list[str] = field(default_factory=list)

    async def ask(self, act: Callable[[], Awaitable[Any]]) -> bool:
        """Whether it was granted. A cut connection leaves it unknown; anything but a plain refusal is strange."""
        try:
            await act()
            self.won += 1
            return True
        except (Overtaken, IllegalMove, BadInput):
            self.refused += 1
        except Unavailable as error:
            self.deadlocks += isinstance(error.__cause__, asyncpg.DeadlockDetectedError)
            self.unknown += 1
        except (TelltaleError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            self.strange.append(f"{type(error).__name__}: {error}")
        return False


async def main(settings: Any, *, trials: int, rivals: int, seed: int, sabotage: str | None) -> dict[str, Any]:
    """`trials` races of `rivals` each on a database of their own; green when nothing was violated."""
    if sabotage is not None and sabotage not in SWITCHES:
        raise Misconfigured("--sabotage", f"is one of {', '.join(SWITCHES)}")
    began = time.monotonic()
    async with own_database(SECRET) as url:
        facts = await run(
            url, SECRET, trials=trials, seed=seed, sabotage=sabotage, rivals=rivals, tell=cli.progress("races")
        )
    return {**facts, "seconds": round(time.monotonic() - began, 1)}


async def run(
    url: str,
    secret: str,
    trials: int,
    seed: int,
    sabotage: str | None,
    rivals: int = RIVALS,
    tell: Callable[[int], None] = lambda done: None,
) -> dict[str, Any]:
    """The races on a migrated, empty database; `url` is its owner's."""
    locked, luck = slots.resources, random.Random(seed)
    try:
        arena = await _open(url, secret, sabotage, rivals)
        for n in range(trials):
            await _trial(arena, list(RACES)[n % len(RACES)], luck)
            tell(n + 1)
        await asyncio.gather(arena.admin.close(), arena.house.pool.close())
    finally:
        slots.resources = locked
    total = arena.total
    return {
        "trials": trials,
        "rivals": rivals,
        "checked": sum(total[name] for name in ("won", "refused", "unknown")),
        "violations": len(arena.violations),
        "seed": seed,
        "sabotage": sabotage,
        "won": total["won"],
        "refused": total["refused"],
        "unknown": total["unknown"],
        "cut_connections": total["cut"],
        "deadlocks": total["deadlocks"],
        "by_kind": dict(Counter(kind for kind, _ in arena.violations)),
        "first": [words for _, words in arena.violations[:5]],
    }


async def _open(url: str, secret: str, sabotage: str | None, rivals: int) -> Arena:
    admin = await open_pool(url, name="proof-admin", size=2)
    pool = await open_pool(role_url(url, secret, "telltale_desk"), name="proof-desk", size=AT_ONCE)
    office = await open_pool(role_url(url, secret, "telltale_office"), name="proof-office", size=1)
    async with transaction(office) as connection:
        arena = await furnish(connection, admin, pool, rivals)
    await office.close()
    if sabotage in ("no-constraint", "check-then-insert"):
        async with admin.acquire() as connection:
            await connection.execute("ALTER TABLE slots DROP CONSTRAINT slots_resource_id_during_excl")
    if sabotage in ("no-lock", "check-then-insert"):
        _take_the_lock_away()
    return arena


def _take_the_lock_away() -> None:
    locked = slots.resources

    async def unlocked(connection: Connection, dealer_id: int, *, lock: bool = False) -> list[Resource]:
        return await locked(connection, dealer_id)

    slots.resources = unlocked


Race = Callable[[Arena, Answers, random.Random], Awaitable[int | None]]


async def _trial(arena: Arena, name: str, luck: random.Random) -> None:
    """One race: run it, cut a connection or two, check, clear away."""
    arena.day += 1
    answers = Answers()
    arena.cutting = luck.random() < 0.25
    expected = await RACES[name](arena, answers, luck)
    where = f"trial {arena.day}, {name}"
    for words in answers.strange:
        arena.violations.append(("strange answer", f"{where}: {words}"))
    if answers.deadlocks and name != stranger.__name__:  # who asks for no lock may well be in somebody's way
        arena.violations.append(("deadlock", f"{where}: {answers.deadlocks} deadlocks"))
    if expected is not None and not answers.won <= expected <= answers.won + answers.unknown:
        arena.violations.append(("winners", f"{where}: {answers.won} won where there was room for {expected}"))
    if answers.unknown and not arena.cutting:  # an answer may be lost with its connection, and with nothing else
        arena.violations.append(("unanswered", f"{where}: {answers.unknown} rivals waited in vain"))
    async with arena.admin.acquire() as connection:
        if overlaps := await connection.fetchval(_OVERLAPS):
            arena.violations.append(("double", f"{where}: {overlaps} overlapping pieces of one resource's time"))
        for words, query in _CONTRADICTIONS.items():
            if found := await connection.fetchval(query):
                arena.violations.append(("contradiction", f"{where}: {words} ({found})"))
        await connection.execute(_CLEAR)
    for key in ("won", "refused", "unknown", "deadlocks"):
        arena.total[key] += getattr(answers, key)


async def _cut(arena: Arena, luck: random.Random) -> int:
    """End two of the desk's connections; what their rivals were doing may have happened or not."""
    await asyncio.sleep(luck.uniform(0.005, 0.12))
    async with arena.admin.acquire() as connection:
        found: int = await connection.fetchval(
            """SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity
               WHERE application_name = 'telltale-proof-desk'
               AND state <> 'idle' LIMIT 2) AS busy"""
        )
    return found


def _tomorrow(arena: Arena, luck: random.Random) -> datetime:
    return arena.now().replace(hour=luck.choice((9, 10, 11)), minute=luck.choice((0, 30))) + timedelta(days=1)


async def _same_window(arena: Arena, answers: Answers, luck: random.Random, kind: BookingKind) -> int:
    starts_at = _tomorrow(arena, luck)
    expected = await arena.room(kind, starts_at)
    acts: list[Callable[[], Awaitable[Any]]] = [
        partial(bookings.book, arena.house.acting(arena.dealer, "proof"), case, kind, starts_at) for case in arena.cases
    ]
    await _all_at_once(arena, answers, acts, luck)
    async with arena.admin.acquire() as connection:
        given = await connection.fetchval("SELECT count(*) FROM bookings WHERE state = 'agreed'")
    if not answers.won <= given <= answers.won + answers.unknown:
        answers.strange.append(f"{given} visits stand where {answers.won} rivals were told yes")
    return expected


async def last_bay(arena: Arena, answers: Answers, luck: random.Random) -> int:
    """Everybody wants to bring the car at the same time."""
    return await _same_window(arena, answers, luck, BookingKind.DROP_OFF)


async def last_driver(arena: Arena, answers: Answers, luck: random.Random) -> int:
    """Everybody wants to be collected at the same time."""
    return await _same_window(arena, answers, luck, BookingKind.PICKUP)


async def last_place(arena: Arena, answers: Answers, luck: random.Random) -> int:
    """Bays and people are free; the day has one place for somebody who waits."""
    return await _same_window(arena, answers, luck, BookingKind.WAITING)


async def one_offer(arena: Arena, answers: Answers, luck: random.Random) -> int:
    """One offer, many answers: yes to this, yes to that, no, taken back, dismissed."""
    house, dealer, case = arena.house, arena.dealer, luck.choice(arena.cases)
    offer = await offers.make(house.acting(dealer, "proof"), case, BookingKind.PICKUP)
    acts: list[Callable[[], Awaitable[Any]]] = [
        partial(offers.accept, house.acting(dealer, "owner"), offer.id, 1 + n % 2) for n in range(len(arena.cases) - 6)
    ]
    acts += [partial(offers.decline, house.acting(dealer, "owner"), offer.id)] * 2 + [
        partial(offers.withdraw, house.acting(dealer, "proof"), offer.id)
    ] * 2
    await _all_at_once(arena, answers, acts, luck)
    return 1


async def offers_and_bookings(arena: Arena, answers: Answers, luck: random.Random) -> None:
    """Offers are made while others book what they would hold, and some are dismissed."""
    starts_at = _tomorrow(arena, luck)
    acts: list[Callable[[], Awaitable[Any]]] = []
    for n, case in enumerate(arena.cases):
        if n % 3 == 0:
            acts.append(
                partial(bookings.book, arena.house.acting(arena.dealer, "proof"), case, BookingKind.PICKUP, starts_at)
            )
        else:
            acts.append(partial(offers.make, arena.house.acting(arena.dealer, "proof"), case, BookingKind.PICKUP))
    acts += [
        partial(cases.dismiss, arena.house.acting(arena.dealer, "proof"), case, "proof")
        for case in luck.sample(arena.cases, 4)
    ]
    await _all_at_once(arena, answers, acts, luck)


async def cancel_and_drive(arena: Arena, answers: Answers, luck: random.Random) -> None:
    """A visit is cancelled while its driver sets out and the car arrives by itself."""
    house, dealer = arena.house, arena.dealer
    booking = await bookings.book(
        house.acting(dealer, "proof"), luck.choice(arena.cases), BookingKind.PICKUP, _tomorrow(arena, luck)
    )
    async with arena.admin.acquire() as connection:
        leg = await connection.fetchval("SELECT id FROM legs WHERE booking_id = $1 AND kind = 'collect'", booking.id)
    acts: list[Callable[[], Awaitable[Any]]] = [
        partial(bookings.cancel, house.acting(dealer, "proof"), booking.id, "proof")
    ] * (len(arena.cases) // 2)
    acts += [partial(legs.move, house.acting(dealer, "proof"), leg, LegEvent.ON_THE_WAY)] * (len(arena.cases) // 4) + [
        partial(bookings.arrive, house.acting(dealer, "proof"), booking.id)
    ] * (len(arena.cases) // 4)
    await _all_at_once(arena, answers, acts, luck)


async def stranger(arena: Arena, answers: Answers, luck: random.Random) -> None:
    """Somebody writes into the table without asking for the lock, as a script might; the constraint stands alone
    then.
    """
    starts_at = _tomorrow(arena, luck)

    async def write(bay: int) -> None:
        try:
            async with arena.admin.acquire() as connection, connection.transaction():
                await connection.execute(
                    "INSERT INTO slots (dealer_id, resource_id, during, state) "
                    "VALUES ($1, $2, tstzrange($3, $4), 'booked')",
                    arena.dealer,
                    bay,
                    starts_at,
                    starts_at + timedelta(hours=1),
                )
                await asyncio.sleep(0.05)
        except (asyncpg.ExclusionViolationError, asyncpg.DeadlockDetectedError):
            raise Overtaken("window") from None

    acts: list[Callable[[], Awaitable[Any]]] = [partial(write, bay) for bay in arena.bays]
    acts += [
        partial(bookings.book, arena.house.acting(arena.dealer, "proof"), case, BookingKind.DROP_OFF, starts_at)
        for case in arena.cases[4:]
    ]
    await _all_at_once(arena, answers, acts, luck)


async def _all_at_once(
    arena: Arena, answers: Answers, acts: Sequence[Callable[[], Awaitable[Any]]], luck: random.Random
) -> None:
    shuffled = list(acts)
    luck.shuffle(shuffled)
    cutter = asyncio.create_task(_cut(arena, luck)) if arena.cutting else None
    room = asyncio.Semaphore(AT_ONCE)

    async def ask(act: Callable[[], Awaitable[Any]]) -> None:
        async with room:
            await answers.ask(act)

    await asyncio.gather(*(ask(act) for act in shuffled))
    arena.total["cut"] += await cutter if cutter else 0


#: The races, one after the other, over and over.
RACES: dict[str, Race] = {
    race.__name__: race
    for race in (last_bay, last_driver, last_place, one_offer, offers_and_bookings, cancel_and_drive, stranger)
}
