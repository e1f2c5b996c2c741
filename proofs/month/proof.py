"""Play the month: acts by day, silence by night, the workers after each; count what was granted, refused and broken."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from proofs.ground import own_database
from proofs.month import sabotage
from proofs.month.acts import ACTS, Act
from proofs.month.dealership import BEGIN, DAYS, Dealership, open_dealership
from proofs.month.truths import ALWAYS, SETTLED, broken, lies
from schemas.errors import Misconfigured, TelltaleError
from schemas.moment import local
from telltale import cli
from workers import driver_notices, job_runner, lateness, sending, sweeping

_SECRET = "proof"
_OPENS, _CLOSES = 7, 19
_STEP = timedelta(minutes=5)  #: the workers look for what is late much oftener; it must do if they do not
_KEPT = """
SELECT count(*) FILTER (WHERE done_at <= due_at) AS kept, count(*) FILTER (WHERE state IN ('kept',
  'broken')) AS settled, count(*) FILTER (WHERE state = 'broken') AS broken
FROM promises WHERE dealer_id = $1 AND what <> 'bring'
"""
_UTILISED = """
SELECT coalesce(sum(extract(epoch FROM upper(during) - lower(during))), 0) / 3600 FROM slots s
  JOIN resources r ON r.dealer_id = s.dealer_id AND r.id = s.resource_id
WHERE s.dealer_id = $1 AND r.kind = 'bay' AND (s.state = 'booked' OR s.booking_id IN (SELECT id FROM bookings
  WHERE state = 'completed'))
"""


async def main(settings: Any, *, trials: int, seed: int, sabotage: str | None, days: int = DAYS) -> dict[str, Any]:
    """`trials` months, each of `days` days with its own seed; green when nothing was violated."""
    _check(sabotage)
    began = time.monotonic()
    months, tell = [], cli.progress("months")
    for n in range(trials):
        # one each: workers serve every dealer of a database, and a month that is over would go on in the next one
        async with own_database(_SECRET) as url:
            months.append(await play(url, _SECRET, seed=seed + n, switch=sabotage, days=days))
        tell(n + 1)
    return {**summed(months, seed=seed, switch=sabotage, days=days), "seconds": round(time.monotonic() - began, 1)}


async def run(url: str, secret: str, seed: int, switch: str | None, days: int) -> dict[str, Any]:
    """One month on a migrated database; `url` is its owner's."""
    return summed([await play(url, secret, seed=seed, switch=switch, days=days)], seed=seed, switch=switch, days=days)


@dataclass(frozen=True, slots=True)
class Month:
    """What one month came to, and what was broken in it: sentence, and where."""

    sums: Mapping[str, float]
    broken: Sequence[tuple[str, str]]


async def play(url: str, secret: str, seed: int, switch: str | None, days: int) -> Month:
    """A month on a database of its own."""
    with sabotage.switched(switch):
        place = await open_dealership(url, secret, seed)
        try:
            await _month(place, days, random.Random(seed))
            sums = await _sums(place)
        finally:
            await place.close()
    return Month(sums, [(sentence, f"seed {seed}, {words}") for sentence, words in place.violations])


def summed(months: Sequence[Month], seed: int, switch: str | None, days: int) -> dict[str, Any]:
    """All of them together."""
    total: Counter[str] = Counter()
    for month in months:
        total.update(month.sums)
    found = [one for month in months for one in month.broken]
    return {
        "trials": len(months),
        "checked": total["steps"],
        "violations": len(found),
        "seed": seed,
        "sabotage": switch,
        "days": days,
        "granted": total["granted"],
        "refused": total["refused"],
        "texts": total["texts"],
        "visits": total["visits"],
        "utilisation": round(total["bay_hours"] / max(1, total["open_hours"]), 3),
        "promises_kept": round(total["kept"] / max(1, total["settled"]), 3),
        "promises_broken_with_a_word": total["broken"],
        "by_kind": dict(Counter(kind for kind, _ in found)),
        "first": [f"{kind}: {words}" for kind, words in dict(reversed(found)).items()],
    }


def _check(switch: str | None) -> None:
    if switch is not None and switch not in sabotage.SWITCHES:
        raise Misconfigured("--sabotage", f"is one of {', '.join(sabotage.SWITCHES)}")


async def _month(place: Dealership, days: int, luck: random.Random) -> None:
    acts, weights = list(ACTS), list(ACTS.values())
    until = BEGIN + timedelta(days=days)
    planned_on = (
        None  #: the truths are planned for the rows of this day: for those of the first they take thrice as long
    )
    while place.clock.at < until:
        if _OPENS <= local(place.clock.at, place.dealer.zone).hour < _CLOSES or luck.random() < 0.15:
            for act in luck.choices(acts, weights, k=luck.randrange(1, 9)):
                await _try(place, act)
        if (today := place.clock.at.date()) != planned_on:
            planned_on = today
            await place.admin.execute("ANALYZE")
        for _ in range(luck.choice((1, 2, 3, 6)) if _awake(place) else 10):
            place.clock.at += _STEP
            await lateness.promises_once(place.context)
        await _workers(place)


def _awake(place: Dealership) -> bool:
    return _OPENS <= local(place.clock.at, place.dealer.zone).hour < _CLOSES


async def _try(place: Dealership, act: Act) -> None:
    """One act, then the truths. A refusal in our own words is an answer; anything else is a fault of the house."""
    try:
        await act(place)
        place.granted[act.__name__] += 1
    except TelltaleError:
        place.refused[act.__name__] += 1
    except Exception as error:
        place.violations.append(("a fault of ours", f"{act.__name__}: {type(error).__name__}: {error}"))
    place.violations += [
        (sentence, f"{words} after {act.__name__} at {place.clock.at:%d %b %H:%M}")
        for sentence, words in await broken(place, ALWAYS)
    ]


async def _workers(place: Dealership) -> None:
    """Everything that is due is done before anybody acts again."""
    for sweep in (sweeping.offers_once, sweeping.waiting_once, driver_notices.drives_once):
        await sweep(place.context)
    while (
        await job_runner.one(place.context)
        or await sending.one(place.context)
        or await sweeping.offers_once(place.context)
    ):
        pass  # what a text's end makes due is done within the same second
    for sentence, words in [
        one for _, message in place.phones.came[place.read :] for one in await lies(place, message)
    ]:
        place.violations.append((sentence, f"{words} at {place.clock.at:%d %b %H:%M}"))
    place.read = len(place.phones.came)
    found = await broken(place, {**ALWAYS, **SETTLED})
    place.violations += [
        (sentence, f"{words} after the workers at {place.clock.at:%d %b %H:%M}") for sentence, words in found
    ]


async def _sums(place: Dealership) -> dict[str, float]:
    async with place.admin.acquire() as connection:
        hours = float(await connection.fetchval(_UTILISED, place.dealer.id))
        visits = await connection.fetchval("SELECT count(*) FROM bookings WHERE dealer_id = $1", place.dealer.id)
        promised = await connection.fetchrow(_KEPT, place.dealer.id)
        bays = await connection.fetchval(
            "SELECT count(*) FROM resources WHERE dealer_id = $1 AND kind = 'bay'", place.dealer.id
        )
    granted, refused = sum(place.granted.values()), sum(place.refused.values())
    weeks = (place.clock.at - BEGIN).days / 7
    return {
        "steps": granted + refused,
        "granted": granted,
        "refused": refused,
        "texts": len(place.phones.came),
        "visits": visits,
        "bay_hours": hours,
        "open_hours": bays * weeks * 59,
        **promised,
    }
