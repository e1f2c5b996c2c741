"""Rows folded again, and what comes out held against what was committed, byte for byte. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from rules.engine.judge import Judge
from rules.engine.retraction import Again, without
from schemas.alert import AlertStep
from schemas.moment import from_epoch
from schemas.reading import Mark, Reading


def folded(
    judge: Judge, profile: str, rows: Sequence[Reading], taken_back: Mapping[int, Collection[int]]
) -> Iterable[AlertStep]:
    """What each row of one car moved, in the order of their places; what people took back counts from there on as never
    said.
    """
    memory = judge.memory(profile)
    for at, row in enumerate(rows):
        if row.mark and row.mark & Mark.TAKES_BACK:
            again = Again(judge, profile, taken_back.get(row.place or 0, ()))
            for before in rows[:at]:
                again.take(before)
            memory, steps = without(memory, again, row)
        else:
            steps = judge.step(memory, row)
        yield from steps


def as_compared(step: AlertStep) -> str:
    """A step as it is compared."""
    return compared({**step.model_dump(mode="json"), "ts": from_epoch(step.ts).isoformat()})


def compared(step: Mapping[str, Any]) -> str:
    """The same of a step as a pack holds it."""
    return json.dumps({name: value for name, value in step.items() if name != "shadow"}, sort_keys=True)


def first_difference(was: Sequence[str], now: Sequence[str]) -> str | None:
    """None when they are the same."""
    if list(was) == list(now):
        return None
    for one, other in zip(was, now, strict=False):
        if one != other:
            return f"committed {one}; folded again {other}"
    return f"{len(was)} steps were committed, {len(now)} come out now"
