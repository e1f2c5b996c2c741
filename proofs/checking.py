"""The checker: what is stored against what the cars remember, and the alerts against an undisturbed fold of the same
stream.
"""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from proofs.cars import ProofCar
from rules.catalogue import RULES
from rules.engine.code_book import CodeBook
from rules.engine.judge import Judge
from schemas.reading import Reading
from schemas.signal import BY_PATH
from telltale import data

Step = tuple[str, str, int, int, str, str]  # rule, component, episode, step, state, severity


@dataclass
class Findings:
    """What the checker found; empty lists are what we promise."""

    checked: int = 0
    missing: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)  # stored, but nobody said it, or with other values
    out_of_order: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)  # alert steps that differ from the oracle's
    untrue: list[str] = field(default_factory=list)  # alerts that differ from the ground truth
    open_gaps: int = 0
    alert_steps: int = 0

    @property
    def violations(self) -> int:
        """How many promises were broken."""
        return (
            sum(
                len(found)
                for found in (self.missing, self.twice, self.strange, self.out_of_order, self.alerts, self.untrue)
            )
            + self.open_gaps
        )

    def facts(self) -> dict[str, object]:
        """For --json: the counts, and the first few of each kind in words."""
        kinds = {
            "missing": self.missing,
            "twice": self.twice,
            "strange": self.strange,
            "out_of_order": self.out_of_order,
        }
        kinds |= {"alerts_differ": self.alerts, "untrue": self.untrue}
        words = {name: found[:5] for name, found in kinds.items() if found}
        counts: dict[str, object] = {name: len(found) for name, found in kinds.items()}
        return {
            "checked": self.checked,
            "violations": self.violations,
            **counts,
            "open_gaps": self.open_gaps,
            "alert_steps": self.alert_steps,
            "examples": words,
        }


def _rounded(value: float) -> float:
    found: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return found


def expected(body: bytes) -> dict[int, float]:
    """What one message must have become: signal id -> value as stored."""
    return {BY_PATH[path].id: _rounded(float(value)) for path, value in json.loads(body)["signals"].items()}


async def check(
    url: str, cars: Iterable[ProofCar], truth: Mapping[str, str | None], leave_out: frozenset[str] = frozenset()
) -> Findings:
    """Compare everything.

    `truth` is VIN -> the rule that must have spoken, None for silence; a car that is just falling ill is not in it.
    `leave_out`: rules that judge no readings.
    """
    found = Findings()
    connection = await asyncpg.connect(url)
    try:
        ids = dict(await connection.fetch("SELECT vin, id FROM vehicles"))
        for car in cars:
            await _check_rows(connection, car, ids[car.vin], found)
            await _check_alerts(connection, car, vehicle=ids[car.vin], truth=truth, found=found, leave_out=leave_out)
        found.open_gaps = await connection.fetchval("SELECT count(*) FROM gaps WHERE closed_at IS NULL")
    finally:
        await connection.close()
    return found


async def _check_rows(
    connection: asyncpg.Connection[asyncpg.Record], car: ProofCar, vehicle: int, found: Findings
) -> None:
    rows = await connection.fetch(
        "SELECT boot, seq, place, ids, vals FROM readings WHERE vehicle_id = $1 ORDER BY place", vehicle
    )
    times = Counter((row["boot"], row["seq"]) for row in rows)
    found.checked += len(car.acknowledged)
    found.missing += [f"{car.vin} {key}" for key in sorted(car.acknowledged) if key not in times]
    found.twice += [f"{car.vin} {key} stored {n} times" for key, n in times.items() if n > 1]
    before, place = (0, 0), 0
    for row in rows:
        key = (row["boot"], row["seq"])
        body = car.history.get(key)
        if body is None or expected(body) != dict(zip(row["ids"], row["vals"], strict=True)):
            found.strange.append(f"{car.vin} {key}")
        if row["place"] is None or key < before or row["place"] <= place:
            found.out_of_order.append(f"{car.vin} {key} at place {row['place']}, after {before} at {place}")
        before, place = max(before, key), row["place"] or place


def fold(car: ProofCar, vehicle: int) -> list[Step]:
    """The oracle: the car's own history, sorted and without repeats, folded in one undisturbed run."""
    profiles = data.profiles()
    judge = Judge(RULES, profiles, codes=CodeBook(data.trouble_codes()))
    memory = judge.memory("petrol_hatch")
    steps: list[Step] = []
    for place, (key, body) in enumerate(sorted(car.history.items()), 1):
        values = expected(body)
        ids = tuple(sorted(values))
        ts = datetime.fromisoformat(json.loads(body)["ts"]).timestamp()
        row = Reading(
            vehicle,
            key[0],
            seq=key[1],
            ts=ts,
            received_at=ts,
            ids=ids,
            values=tuple(values[i] for i in ids),
            day=int(ts // 86_400),
            place=place,
        )
        steps += [
            (s.rule, s.component, s.episode, s.step, s.state.value, s.severity.value)
            for s in judge.step(memory, row)
            if not s.shadow
        ]
    return steps


async def _check_alerts(
    connection: asyncpg.Connection[asyncpg.Record],
    car: ProofCar,
    vehicle: int,
    truth: Mapping[str, str | None],
    found: Findings,
    leave_out: frozenset[str],
) -> None:
    rows = await connection.fetch(
        "SELECT rule, component, episode, step, state, severity FROM alert_steps WHERE vehicle_id = $1 "
        "AND rule <> ALL($2::text[])",
        vehicle,
        list(leave_out),
    )
    stored = Counter(tuple(row) for row in rows)
    oracle = Counter(fold(car, vehicle))
    found.alert_steps += sum(oracle.values())
    found.alerts += [f"{car.vin} has {step}, the oracle has not" for step in stored - oracle]
    found.alerts += [f"{car.vin} lacks {step}" for step in oracle - stored]
    spoke = {row["rule"] for row in rows if row["state"] == "active"}
    rule = truth.get(car.vin)
    if car.vin in truth and spoke != ({rule} if rule else set()):
        found.untrue.append(f"{car.vin}: {sorted(spoke)} spoke, the truth is {rule}")
