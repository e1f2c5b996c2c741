"""STOP belongs to a number and a dealer: whatever is imported, corrected, erased and added afterwards, nobody who is
reached there gets a text before START comes from there.

Random histories of what desks, lists and owners do, through the real actions and the real door for texts, on a real
database; after each step the rows are held to the few words that count. At last one list with numbers that said STOP is
imported again and again.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg

from actions import erasing, owners, stopping
from actions.context import House
from dealer_api.inbound.handle_reply import handle
from proofs.ground import bench_dealer, bench_house, own_database
from proofs.swap import swap
from schemas.account import Dealer
from schemas.errors import BadInput, Misconfigured
from schemas.thread import Reply
from store import accounts, stops
from store import owners as rows
from store.migrate import role_url
from store.pool import open_pool, transaction

SWITCHES = ("no-memory", "one-row", "not-heeded", "erased-forgets")
_SECRET = "proof"
NUMBERS = [f"+4917604069{n:03}" for n in range(100, 108)]
MAILS = [f"owner{n}@example.org" for n in range(4)]
NAMES = ["Anna Berg", "Ben Berg", "Clara Dorn"]
_YES = "Golf,petrol_hatch,yes,yes,yes,2027-02-01,form,You may text me"
_HEADER = (
    "name,phone,email,vin,title,profile,consent_safety,consent_service,consent_status,consent_at,consent_source,"
    "consent_wording"
)


@dataclass
class World:
    """What the proof has done: `silent` are the addresses from which STOP is the last word."""

    house: House
    dealer: Dealer
    other: Dealer
    luck: random.Random
    silent: set[str] = field(default_factory=set)
    found: list[str] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    n: int = 0


async def main(settings: Any, *, trials: int, imports: int, seed: int, sabotage: str | None) -> dict[str, Any]:
    """`trials` histories, then so many re-imports; green when nothing was violated."""
    if sabotage is not None and sabotage not in SWITCHES:
        raise Misconfigured("--sabotage", f"is one of {', '.join(SWITCHES)}")
    async with own_database(_SECRET) as url:
        return await run(url, _SECRET, trials=trials, imports=imports, seed=seed, sabotage=sabotage)


async def run(url: str, secret: str, trials: int, imports: int, seed: int, sabotage: str | None) -> dict[str, Any]:
    """On a migrated database; `url` is its owner's."""
    now = datetime(2027, 3, 1, 9, tzinfo=UTC)
    pool, admin = (
        await open_pool(role_url(url, secret, "telltale_desk"), name="stops", size=4),
        await asyncpg.connect(url),
    )
    found: list[str] = []
    acts: Counter[str] = Counter()
    confirmations = steps = 0
    try:
        with _without(sabotage):
            for trial in range(trials):
                luck = random.Random(f"{seed}-{trial}")
                async with admin.transaction():
                    dealers = []
                    for side in ("A", "B"):
                        made = await bench_dealer(admin, now)
                        await accounts.set_sender(admin, f"+49 {side}{trial}", made.id, "phone")
                        dealers.append(made)
                world = World(bench_house(pool, now, secret), dealers[0], dealers[1], luck)
                await _history(world, f"+49 A{trial}")
                steps += sum(world.acts.values())
                acts += world.acts
                found += [f"history {trial}: {words}" for words in world.found]
                confirmations += await _confirmed(admin, world)
            again = await _again_and_again(world, admin, imports)
            found += again
    finally:
        await admin.close()
        await pool.close()
    return {
        "trials": trials,
        "imports": imports,
        "checked": steps + imports,
        "acts": dict(sorted(acts.items())),
        "confirmations": confirmations,
        "violations": len(found),
        "first": found[:5],
        "seed": seed,
        "sabotage": sabotage,
    }


async def _history(world: World, line: str) -> None:
    """Forty acts; after each what must hold is looked at."""
    every = (_text, _text, _import, _import, _correct, _erase, _gone, _page, _add)
    for _ in range(40):
        act = world.luck.choice(every)
        world.n += 1
        await act(world, line)
        world.acts[act.__name__.strip("_")] += 1
        await _look(world, act.__name__.strip("_"))


async def _text(world: World, line: str) -> None:
    """STOP three times of four, else START; from a known number or a stranger's."""
    word = world.luck.choice(("STOP", "Bitte keine SMS mehr", "STOP", "START"))
    sender = world.luck.choice(NUMBERS)
    here = await _at(world, [sender])
    await handle(
        world.house,
        Reply(
            channel="phone",
            provider_id=f"{world.dealer.id}-{world.n}",
            from_address=sender,
            to_address=line,
            body=word,
            received_at=world.house.now(),
        ),
    )
    if word == "START":
        world.silent -= {sender} | _ways(here)
        if any(owner.stopped_at is not None for owner in await _at(world, [sender])):
            world.found.append(f"START came from {sender}, and who is reached there is stopped all the same")
    else:
        world.silent.add(sender)


async def _import(world: World, line: str) -> None:
    lines = [_line(world.luck, world.dealer.id) for _ in range(world.luck.randrange(1, 4))]
    for dealer in (world.dealer, world.other):
        text = "\n".join((_HEADER, *lines)).replace("WTTBD0", f"WTTBD{'1' if dealer is world.other else '0'}")
        await owners.import_list(world.house.acting(dealer.id, "staff:1"), text)


def _line(luck: random.Random, dealer: int) -> str:
    who = f"{luck.choice(NAMES)},{luck.choice((*NUMBERS, ''))},{luck.choice((*MAILS, '', ''))}"
    return f"{who},WTTBD0{dealer:05}{luck.randrange(6):06},{_YES}"


async def _correct(world: World, line: str) -> None:
    people = await _at(world, [*NUMBERS, *MAILS])
    if people:
        owner = world.luck.choice(people)
        change = world.luck.choice(({"phone": world.luck.choice(NUMBERS)}, {"email": world.luck.choice(MAILS)}))
        try:
            await owners.update(world.house.acting(world.dealer.id, "staff:1"), owner.id, change)
        except BadInput:
            return
        if owner.stopped_at is not None and (await _at_id(world, owner.id)).stopped_at is None:
            world.found.append("a correction took a STOP away")


async def _erase(world: World, line: str) -> None:
    people = await _at(world, [*NUMBERS, *MAILS])
    if people:
        owner = world.luck.choice(people)
        await erasing.erase(world.house.acting(world.dealer.id, "staff:1"), owner.id, owner.name)
        if owner.stopped_at is not None:
            beside = await _at(world, sorted(_ways([owner])))
            world.silent |= _ways([owner]) - _ways([one for one in beside if one.stopped_at is None])


async def _gone(world: World, line: str) -> None:
    """Somebody who said STOP gets another number, is erased, and comes back with it in a list."""
    stopped = [owner for owner in await _at(world, NUMBERS) if owner.stopped_at is not None]
    if not stopped:
        return
    owner, number = world.luck.choice(stopped), f"+4917604069{200 + world.n % 50:03}"
    acting = world.house.acting(world.dealer.id, "staff:1")
    if await _at(world, [number]):
        return
    await owners.update(acting, owner.id, {"phone": number})
    await erasing.erase(acting, owner.id, owner.name)
    back = await owners.create(acting, {"name": owner.name, "phone": number})
    if back.stopped_at is None:
        world.found.append("whoever said STOP was erased, comes back and gets texts")


async def _page(world: World, line: str) -> None:
    people = await _at(world, [*NUMBERS, *MAILS])
    if not people:
        return
    owner, stop = world.luck.choice(people), world.luck.random() < 0.7
    say = stopping.stop_owner if stop else stopping.start_owner
    async with world.house.at(world.dealer.id) as connection:
        await say(connection, world.house.key_holder, owner, wording="page", source="page", now=world.house.now())
    if stop:
        world.silent |= _ways([owner])
    else:
        world.silent -= _ways(await _at(world, sorted(_ways([owner]))))


async def _add(world: World, line: str) -> None:
    values = {"name": world.luck.choice(NAMES), "phone": world.luck.choice(NUMBERS)}
    try:
        await owners.create(world.house.acting(world.dealer.id, "staff:1"), values)
    except BadInput:
        return


async def _look(world: World, after: str) -> None:
    for owner in await _at(world, sorted(world.silent)):
        if owner.stopped_at is None:
            world.found.append(f"after {after}: {owner.name} is reached where STOP was said, and gets texts")
    async with world.house.at(world.other.id) as connection:
        theirs = await rows.at(connection, world.other.id, [*NUMBERS, *MAILS])
    if any(owner.stopped_at is not None for owner in theirs):
        world.found.append(f"after {after}: a STOP to one dealer silences another")


async def _confirmed(admin: asyncpg.Connection, world: World) -> int:
    """At most one confirmation for each text that said STOP; how many there were."""
    rows_ = await admin.fetch(
        "SELECT reference FROM messages WHERE dealer_id = $1 AND kind = 'stopped'", world.dealer.id
    )
    stopped = await admin.fetchval(
        "SELECT count(*) FROM replies WHERE dealer_id = $1 AND understood = 'stop'", world.dealer.id
    )
    if len(rows_) > stopped:
        world.found.append("a STOP was confirmed twice")
    return len(rows_)


async def _again_and_again(world: World, admin: asyncpg.Connection, imports: int) -> list[str]:
    """The same list, with a yes to everything, while STOP is the last word from each of its numbers."""
    async with world.house.at(world.dealer.id) as connection:
        await stopping.stop(
            connection,
            world.house.key_holder,
            world.dealer.id,
            NUMBERS,
            wording="STOP",
            source="STOP by text",
            now=world.house.now(),
        )
    text = "\n".join(
        (
            _HEADER,
            *(f"{NAMES[n % 3]},{number},,WTTBD0{world.dealer.id:05}1{n:05},{_YES}" for n, number in enumerate(NUMBERS)),
        )
    )
    for _ in range(imports):
        await owners.import_list(world.house.acting(world.dealer.id, "staff:1"), text)
    there = await _at(world, NUMBERS)
    found = [f"after {imports} imports {owner.name} gets texts again" for owner in there if owner.stopped_at is None]
    agreed = await admin.fetchval(
        """SELECT count(*) FROM owners o WHERE o.dealer_id = $1 AND o.phone = ANY ($2::text[]) AND (
             SELECT c.given FROM consents c WHERE c.dealer_id = $1 AND c.owner_id = o.id AND c.purpose = 'service'
             ORDER BY c.id DESC LIMIT 1)""",
        world.dealer.id,
        NUMBERS,
    )
    return found + [f"a list said yes for {agreed} who said STOP"] * bool(agreed)


async def _at(world: World, addresses: list[str]) -> list[Any]:
    async with transaction(world.house.pool, world.dealer.id) as connection:
        return await rows.at(connection, world.dealer.id, addresses)


async def _at_id(world: World, owner_id: int) -> Any:
    async with transaction(world.house.pool, world.dealer.id) as connection:
        return await rows.get(connection, world.dealer.id, owner_id)


def _ways(people: list[Any]) -> set[str]:
    return set(stops.plain(address for owner in people for address in (owner.phone, owner.email)))


@contextmanager
def _without(switch: str | None) -> Iterator[None]:
    """The guard is out inside, and back afterwards."""
    out: dict[str, tuple[Any, str, Any]] = {
        "no-memory": (stops, "put", _nothing),
        "one-row": (rows, "at", _first_of(rows.at)),
        "not-heeded": (stopping, "heed", _same),
        "erased-forgets": (stopping, "outlive", _nothing),
    }
    if switch is None:
        yield
        return
    owner, name, instead = out[switch]
    kept = getattr(owner, name)
    swap(owner, name, instead)
    try:
        yield
    finally:
        swap(owner, name, kept)


async def _nothing(*_: Any, **__: Any) -> None: ...


async def _same(connection: Any, owner: Any, *_: Any) -> Any:
    return owner


def _first_of(real: Any) -> Any:
    """A number is one person's, as it was: whoever else shares it is not found by what is said from there."""

    async def at(connection: Any, dealer_id: int, addresses: list[str]) -> list[Any]:
        found = await real(connection, dealer_id, addresses)
        return list(found[:1] if len(addresses) == 1 else found)

    return at
