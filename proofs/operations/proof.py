"""`telltale prove operations`: one continuous night on production's parts, fault after fault under load, then the
reckoning.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from proofs.checking import check
from proofs.operations import checking, faults, upgrade
from proofs.operations.faults import KINDS, Broken, Fault
from proofs.operations.rig import Rig
from proofs.production import account
from proofs.production.house import missing
from proofs.sabotage import SWITCHES
from proofs.traffic import TRUTH
from schemas.errors import Misconfigured, TelltaleError
from telltale import cli
from telltale.settings import Settings

RATE = 150.0  #: messages a second over all cars
BETWEEN_S = (0.2, 1.2)
SETTLE_S = 300.0
SETTLE_LOST_S = 20.0  #: what was lost for want of a guard does not come, however long one waits
ILL_AFTER, KNOWN_AFTER = (
    50,
    80,
)  #: messages after which a faulty car falls ill, and after which its rule must have spoken
#: switch -> the faults against which its guard stands: with a switch only these come
STANDS_AGAINST = {
    "ack-before-commit": "gateway_killed_in_commit",
    "no-dedupe": "broker_restarted,service_killed",
    "no-session-keep": "gateways_away",
    "no-truth-check": "workers_away_for_an_afternoon",
    "no-consent-recheck": "workers_away_for_an_afternoon",
    "no-lookup": "worker_killed_in_hand_over",
    "asynchronous-standby": "database_failed_over",
}
UPGRADED = "upgraded"
NOT_OF_READINGS = frozenset({"silent_vehicle"})  #: judged by workers and by time, not by what cars say


async def main(
    settings: Settings, *, trials: int, seed: int, sabotage: str | None, backlog: int = 60_000, kinds: str | None = None
) -> dict[str, Any]:
    """`trials` faults, each kind at least once where there are enough; with many, one large backlog among them.

    One night is one house: all faults come there, one after the other. An upgrade begins in a house of its own.
    """
    if sabotage is not None and sabotage not in SWITCHES:
        raise Misconfigured("--sabotage", f"{sabotage} is no switch of this proof; known are {', '.join(SWITCHES)}")
    wanted = (kinds or STANDS_AGAINST.get(sabotage or "") or ",".join([*KINDS, UPGRADED])).split(",")
    if unknown := [name for name in wanted if name not in KINDS and name != UPGRADED]:
        raise Misconfigured("--kinds", f"{unknown[0]} is no kind of fault; known are {', '.join([*KINDS, UPGRADED])}")
    if lacking := missing():
        raise Misconfigured(
            "operations",
            f"this proof needs the distribution's servers (on Debian: apt-get install {' '.join(lacking)})",
        )
    began = time.monotonic()
    possible, out = faults.possible([name for name in wanted if name != UPGRADED])
    parts: list[dict[str, Any]] = []
    if UPGRADED in wanted and (trials > len(possible) or not possible):
        commit = upgrade.before()
        if commit is None:
            out[UPGRADED] = "no history here, so no version before"
        else:
            cli.say(f"an upgrade from {commit[:12]}")
            parts.append(await _in_a_house(lambda home: _upgrade(home, commit, seed)))
    if possible:
        parts.append(
            await _in_a_house(
                lambda home: _night(
                    home, possible, trials=trials - len(parts), seed=seed, sabotage=sabotage, backlog=backlog
                ),
                keep=sabotage is None,
            )
        )
    return {
        "trials": trials,
        **_together(parts),
        "left_out": out,
        "seed": seed,
        "sabotage": sabotage,
        "seconds": round(time.monotonic() - began, 1),
    }


async def _in_a_house(part: Callable[[Path], Awaitable[dict[str, Any]]], *, keep: bool = True) -> dict[str, Any]:
    """In a folder of its own, which stays when something was violated, for its logs."""
    home = Path(tempfile.mkdtemp(prefix="telltale-operations-"))
    home.chmod(0o711)
    try:
        facts = await part(home)
    except Exception:
        for log in sorted(home.glob("**/*.log")):  # where it breaks off, only this output is left to read
            cli.say("".join(f"{log.stem:16} {line}\n" for line in log.read_text(errors="replace").splitlines()[-3:]))
        raise
    if facts["violations"] and keep:
        cli.say(f"the logs are in {home / 'logs'}")
    else:
        shutil.rmtree(home, ignore_errors=True)
    return facts


def _together(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Numbers are added, lists and tables joined; settled is who all are."""
    whole: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if name == "settled":
                whole[name] = whole.get(name, True) and value
            elif isinstance(value, dict):
                known = whole.setdefault(name, {})
                for key, one in value.items():
                    known[key] = known[key] + one if isinstance(one, int | list) and key in known else one
            else:
                whole[name] = whole[name] + value if name in whole else value
    return whole


def programme(kinds: dict[str, tuple[Fault, int]], trials: int, dice: random.Random) -> list[str]:
    """Which fault comes when: each kind at least once, the rest by their weight, in a random order."""
    names = list(kinds)
    once = dice.sample(names, len(names))[:trials]
    more = dice.choices(names, [weight for _, weight in kinds.values()], k=max(0, trials - len(once)))
    dice.shuffle(more)
    return once + more


async def _night(
    home: Path, kinds: dict[str, tuple[Fault, int]], trials: int, seed: int, sabotage: str | None, backlog: int
) -> dict[str, Any]:
    dice = random.Random(f"operations {seed}")
    recovery: defaultdict[str, list[float]] = defaultdict(list)
    broken: list[str] = []
    async with Rig(home, seed=seed, sabotage=sabotage) as rig:
        await rig.settle_in()
        rig.drive(RATE)
        rig.desk.start()
        await asyncio.sleep(2.0)
        tell = cli.progress("faults injected")
        for n, name in enumerate(programme(kinds, trials, dice)):
            at = time.monotonic()
            large = n == trials // 2 and trials >= 100
            seconds = float("nan")
            try:
                seconds = await _one(rig, dice, _large(backlog) if large else kinds[name][0])
                recovery["large_backlog" if large else name].append(seconds)
            except (Broken, TelltaleError) as error:
                broken.append(f"{name}: {error}")
                cli.say(broken[-1])
                if sabotage is not None:
                    break  # red: the house did not come back, and the next fault would find it half torn down
            tell(n + 1)
            spent = time.monotonic() - at
            cli.say(
                f"{n + 1:4}  {'large_backlog' if large else name:32} back after {seconds:6.2f} s, {spent:5.1f} s in all"
            )
            await asyncio.sleep(dice.uniform(*BETWEEN_S))
        settled = await rig.settle(SETTLE_LOST_S if sabotage is not None and broken else SETTLE_S)
        return {**await _reckoning(rig, broken, settled), "recovery_s": _in_words(recovery)}


async def _upgrade(home: Path, commit: str, seed: int) -> dict[str, Any]:
    broken: list[str] = []
    recovery: list[float] = []
    async with upgrade.Upgrading(home / "house", upgrade.unpack(commit, home / "before"), seed=seed) as rig:
        await rig.settle_in()
        rig.drive(RATE)
        rig.desk.start()
        await asyncio.sleep(2.0)
        try:
            recovery.append(await upgrade.upgrade(rig, random.Random(f"upgrade {seed}")))
        except (Broken, TelltaleError, account.Refused) as error:
            broken.append(f"{UPGRADED}: {error}")
            cli.say(broken[-1])
        settled = await rig.settle(SETTLE_S)
        return {**await _reckoning(rig, broken, settled), "recovery_s": _in_words({UPGRADED: recovery})}


def _large(backlog: int) -> Fault:
    async def large_backlog(rig: Rig, _dice: random.Random) -> Any:
        await faults.leave_waiting(rig, backlog)
        yield

    return large_backlog


async def _one(rig: Rig, dice: random.Random, fault: Fault) -> float:
    """The fault, its end, and the seconds from there until all were back."""
    run = fault(rig, dice)
    await anext(run)
    seconds = await rig.back()
    async for _ in run:
        pass
    return seconds


async def _reckoning(rig: Rig, broken: list[str], settled: bool) -> dict[str, Any]:
    truth = {vin: TRUTH[driver.kind] if driver.sent > ILL_AFTER else None for vin, driver in rig.drivers.items()}
    truth = {vin: rule for vin, rule in truth.items() if not ILL_AFTER < rig.drivers[vin].sent <= KNOWN_AFTER}
    found = await check(rig.database.dsn(database="telltale"), rig.cars, truth, leave_out=NOT_OF_READINGS)
    connection = await rig.database.connect()
    try:
        known = await checking.rows(connection)
    finally:
        await connection.close()
    history, handed = rig.desk.history, [text for text in rig.provider.texts if not text.inbound]
    wrong = checking.texts_wrong(history, handed, known=known, wall=rig.wall, settled_at=rig.wall(time.monotonic()))
    logs = rig.log_texts()
    stumbled = [  # what a fault brings about is one line, and no riddle
        f"{name}: {logs[name].count('Traceback')} tracebacks" for name in logs if "Traceback" in logs[name]
    ]
    facts = found.facts()
    violations = found.violations + len(wrong) + len(history.troubles) + len(broken) + len(stumbled) + (not settled)
    return {
        "checked": found.checked + len(known),
        "violations": violations,
        "messages": sum(len(car.history) for car in rig.cars),
        "texts": len(known),
        "handed_over": len(handed),
        "settled": settled,
        **{
            name: facts[name]
            for name in (
                "missing",
                "twice",
                "strange",
                "out_of_order",
                "alerts_differ",
                "untrue",
                "open_gaps",
                "alert_steps",
            )
        },
        "texts_wrong": dict(Counter(kind for kind, _ in wrong)),
        "troubles": len(history.troubles),
        "broken": broken,
        "examples": {
            "readings": facts["examples"],
            "texts": [words for _, words in wrong[:8]],
            "desk": history.troubles[:5],
        },
        "tracebacks": stumbled,
        "desk_answers": dict(sorted(history.answers.items())),
        "desk_acts": dict(history.done),
        "starts": sum(service.starts for service in rig.services.values()),
        "days_passed": rig.days_on,
    }


def _in_words(recovery: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    return {
        name: {"times": len(found), "median": round(statistics.median(found), 2), "worst": round(max(found), 2)}
        for name, found in sorted(recovery.items())
        if found
    }
