"""The one place where rules become code: a function per (vehicle model, set of signals in a message).

Healthy readings are the rule: the generated function compares each value with its rule's quiet line, writes down the
values that other messages will need, and calls `slow` only with the rules that have something to judge. It decides
nothing itself: a property test folds the same streams with and without it and compares the memories byte by byte.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any

from rules.memory import MASK, MASK_AT, OPEN_AT, Memory
from rules.shapes import Bound
from schemas.alert import AlertStep
from schemas.reading import Reading

Slow = Callable[[Memory, Reading, int], tuple[AlertStep, ...]]
Plan = Callable[[Memory, Reading], tuple[AlertStep, ...]]


@dataclass(frozen=True, slots=True)
class Line:
    """One rule of a program: its number, its bound shape and the place of its cell."""

    number: int
    name: str
    bound: Bound
    at: int


def plan(lines: Sequence[Line], slots: dict[int, int], ids: tuple[int, ...], slow: Slow) -> Plan:
    """The function for messages that carry exactly these signals."""
    source, names = _source(lines, slots, ids)
    found: dict[str, Any] = {"slow": slow, **names}
    exec(compile(source, f"<rules for {len(ids)} signals>", "exec"), found)
    made: Plan = found["plan"]
    return made


def source_of(lines: Sequence[Line], slots: dict[int, int], ids: tuple[int, ...]) -> str:
    """The generated text, for people."""
    return _source(lines, slots, ids)[0]


def _source(lines: Sequence[Line], slots: dict[int, int], ids: tuple[int, ...]) -> tuple[str, dict[str, Any]]:
    variables = {signal_id: f"v{signal_id}" for signal_id in ids}
    body = [f"    {', '.join(variables[i] for i in ids)}, = r.values" if ids else "    pass"]
    names: dict[str, Any] = {"open_rules": MASK.unpack_from}
    carried = sorted((slots[i], i) for i in set(ids) if i in slots)
    periods, tests = set(), []
    for line in lines:
        if not any(i in variables for i in line.bound.triggers):
            continue
        test = line.bound.quiet(variables, line.at)
        if line.bound.period_s:
            periods.add(line.bound.period_s)
        tests.append(f"    if not ({test}): d |= {1 << line.number}" if test else f"    d |= {1 << line.number}")
    if carried or periods:
        body.append("    t = int(r.ts)")
    for n, run in enumerate(_runs(carried)):
        packer = Struct("<" + "fI" * len(run))
        names[f"pack{n}"] = packer.pack_into
        body.append(f"    pack{n}(m, {run[0][0]}, {', '.join(f'{variables[i]}, t' for _, i in run)})")
    body += [f"    q{period} = t // {period} & 255" for period in sorted(periods)]
    body += ["    d = 0", *tests, f"    if m[{OPEN_AT}]: d |= open_rules(m, {MASK_AT})[0]"]
    body.append(f"    if r.diagnostics is not None: d |= {sum(1 << x.number for x in lines if x.bound.diagnostics)}")
    body.append("    return slow(m, r, d) if d else ()")
    return "def plan(m, r):\n" + "\n".join(body) + "\n", names


def _runs(carried: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Slots that lie side by side, so that one pack writes them."""
    runs: list[list[tuple[int, int]]] = []
    for at, signal_id in carried:
        if runs and runs[-1][-1][0] + 8 == at:
            runs[-1].append((at, signal_id))
        else:
            runs.append([(at, signal_id)])
    return runs
