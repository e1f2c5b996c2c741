"""`telltale prove intake`: kill, cut, delay, stall, repeat and poison under traffic; then compare with what the cars
remember.

Two parts, because the guards overlap. The *plain* part: cars that forget at the broker's PUBACK, as foreign devices do;
gateway and database are killed, connections broken. The *spool* part: cars that keep a message until the application
ack; the broker is killed as well and its store wiped. Each part is one continuous run with one settling at its end.
A third, the *session* part, is a script: the broker's session is wiped while a batch is held in commit.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections import Counter
from typing import Any

from proofs.faults import FAULTS, SPOOL_FAULTS, stale_ack
from proofs.rig import Rig
from schemas.errors import Misconfigured
from telltale import cli
from telltale.settings import Settings

#: switch -> the part in which its guard stands alone
PARTS = {
    "ack-before-commit": "plain",
    "no-dedupe": "plain",
    "no-units": "plain",
    "no-epoch": "session",
    "no-application-ack": "spool",
}
SWITCHES = tuple(PARTS)
CARS, RATE = 40, 300.0  # messages a second over all cars of a part
SETTLE_S = 120.0


async def main(settings: Settings, *, trials: int, seed: int, sabotage: str | None) -> dict[str, Any]:
    """All parts, or with a switch only the part that must turn red."""
    if sabotage is not None and sabotage not in PARTS:
        raise Misconfigured("--sabotage", f"{sabotage} is no switch of this proof; known are {', '.join(PARTS)}")
    began = time.monotonic()
    wanted = [PARTS[sabotage]] if sabotage else ["plain", "spool", "session"]
    parts: dict[str, dict[str, Any]] = {}
    for name in wanted:
        home = settings.home / f"prove-intake-{name}"
        shutil.rmtree(home, ignore_errors=True)
        share = trials if sabotage else max(1, trials // 2)
        parts[name] = await (
            _session(home, seed, sabotage)
            if name == "session"
            else _part(name, home, trials=share, seed=seed, sabotage=sabotage)
        )
        cli.say(f"{name}: {parts[name]}")
        if not parts[name]["violations"]:
            shutil.rmtree(home, ignore_errors=True)
    whole = {
        key: sum(part[key] for part in parts.values())
        for key in ("trials", "checked", "violations", "missing", "twice", "alerts_differ")
    }
    return {**whole, "seed": seed, "sabotage": sabotage, "seconds": round(time.monotonic() - began, 1), "parts": parts}


async def _part(name: str, home: Any, trials: int, seed: int, sabotage: str | None) -> dict[str, Any]:
    dice = random.Random(f"{name} {seed}")
    faults = FAULTS if name == "plain" else SPOOL_FAULTS
    done: Counter[str] = Counter()
    keeps = name == "spool" and sabotage != "no-application-ack"
    async with Rig(home, cars=CARS, seed=seed, spool=keeps, sabotage=sabotage) as rig:
        rig.drive(RATE)
        tell = cli.progress("faults injected")
        for n in range(trials):
            fault = faults[n % len(faults)] if n < len(faults) else dice.choice(faults)  # each kind at least once
            await fault(rig, dice)
            done[fault.__name__] += 1
            await asyncio.sleep(dice.uniform(1.0, 4.5))
            tell(n + 1)
        settled = await rig.settle(SETTLE_S)
        found = await rig.check()
    return {
        "trials": trials,
        **found.facts(),
        "settled": settled,
        "faults": dict(done),
        "gateway_starts": rig.gateway_starts,
    }


async def _session(home: Any, seed: int, sabotage: str | None) -> dict[str, Any]:
    """Five stale acks: each must leave the new messages with the broker."""
    rounds = 5
    async with Rig(home, cars=3, seed=seed, spool=False, sabotage=sabotage) as rig:
        for _ in range(rounds):
            await stale_ack(rig)
        settled = await rig.settle(40.0)
        found = await rig.check()
    return {"trials": rounds, **found.facts(), "settled": settled}
