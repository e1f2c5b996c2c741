"""The one place where rules become code: a function per vehicle model, and one per set of signals that comes often.

Healthy readings are the rule: the generated function compares each value with its rule's quiet line, writes down the
values that other messages will need, and calls `slow` only with the rules that have something to judge. It decides
nothing itself: a property test folds the same streams with and without it and compares the memories byte by byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any

from rules.engine.detector import Fitted
from rules.engine.memory import CALM, CALM_AT, MASK, MASK_AT, OPEN_AT, Memory
from rules.engine.sieve import Sieve
from schemas.alert import AlertStep
from schemas.reading import Reading

Slow = Callable[[Memory, Reading, int, dict[int, float]], tuple[AlertStep, ...]]
Plan = Callable[[Memory, Reading], tuple[AlertStep, ...]]


@dataclass(frozen=True, slots=True)
class Line:
    """One rule of a program: its number, its fitted detector and the place of its cell."""

    number: int
    name: str
    fitted: Fitted
    at: int
    sleeps: bool = False  #: whether the detector can say that it need not look
    period_s: int = 0  #: as the detector has it; 0 without one
    hold_s: float = 0.0
    settle_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Gate:
    """What comes before the rules: values outside of these bands, and cars of which something is doubted, go to
    `doubt`.
    """

    at: int  #: the byte that is 0 while nothing is doubted
    bands: Mapping[int, tuple[float, float]]
    doubt: Plan
    #: where the period of the last look at these signals stands, and its seconds: the first of each is looked at
    now_and_then: tuple[int, int, frozenset[int]] | None = None

    look: Callable[[Memory, Reading], None] = lambda memory, reading: None

    def first(self, signals: Collection[int]) -> str:
        """Looks at the first message of its period that has one of these; "" where none of them is looked at so."""
        if self.now_and_then is None or self.now_and_then[2].isdisjoint(signals):
            return ""
        return f"if m[{self.now_and_then[0]}] != t // {self.now_and_then[1]} & 255: look(m, r)"

    def test(self, variables: Mapping[int, str]) -> str:
        """True when the message needs no second look. Not `low <= v <= high`: see gateway/intake/normalise.py."""
        tests = [
            f"{name} >= {self.bands[i][0]!r} and {name} <= {self.bands[i][1]!r}"
            for i, name in variables.items()
            if i in self.bands
        ]
        return " and ".join([f"m[{self.at}] == 0", *tests])


def gate_of(sieve: Sieve, at: int, doubt: Plan, look: Callable[[Memory, Reading], None]) -> Gate:
    """The gate before a sieve whose cell begins at `at`."""
    looks = sieve.now_and_then
    return Gate(at, sieve.bands, doubt, None if looks is None else (at + looks[0], *looks[1:]), look)


def plan(
    lines: Sequence[Line], slots: dict[int, int], ids: tuple[int, ...] | None, slow: Slow, gate: Gate | None = None
) -> Plan:
    """The function for messages that carry exactly these signals; for any message when `ids` is None."""
    source, names = _any(lines, slots, gate) if ids is None else _exactly(lines, slots, ids, gate)
    found: dict[str, Any] = {"slow": slow, "open_rules": MASK.unpack_from, "calm_until": CALM.unpack_from, **names}
    if gate is not None:
        found["doubt"], found["look"] = gate.doubt, gate.look
    exec(
        compile(source, "<rules for any message>" if ids is None else f"<rules for {len(ids)} signals>", "exec"), found
    )
    made: Plan = found["plan"]
    return made


def source_of(
    lines: Sequence[Line], slots: dict[int, int], ids: tuple[int, ...] | None, gate: Gate | None = None
) -> str:
    """The generated text, for people."""
    return (_any(lines, slots, gate) if ids is None else _exactly(lines, slots, ids, gate))[0]


def _exactly(
    lines: Sequence[Line], slots: dict[int, int], ids: tuple[int, ...], gate: Gate | None = None
) -> tuple[str, dict[str, Any]]:
    variables = {signal_id: f"v{signal_id}" for signal_id in ids}
    body = [f"    {', '.join(variables[i] for i in ids)}, = r.values"] if ids else []
    if gate is not None:
        if first := gate.first(variables):
            body.append(f"    {first}")
        body.append(f"    if not ({gate.test(variables)}): return doubt(m, r)")
    names: dict[str, Any] = {}
    carried = sorted((slots[i], i) for i in set(ids) if i in slots)
    for n, run in enumerate(_runs(carried)):
        names[f"pack{n}"] = Struct("<" + "fI" * len(run)).pack_into
        body.append(f"    pack{n}(m, {run[0][0]}, {', '.join(f'{variables[i]}, t' for _, i in run)})")
    tests = []
    for line in lines:
        if any(i in variables for i in line.fitted.triggers):
            tests.append(_test(line, variables))
    values = "{" + ", ".join(f"{i}: {name}" for i, name in variables.items()) + "}"
    return _function(
        lines, body, tests, values, [line for line in lines if any(i in variables for i in line.fitted.triggers)]
    ), names


def _any(lines: Sequence[Line], slots: dict[int, int], gate: Gate | None = None) -> tuple[str, dict[str, Any]]:
    """Signal by signal: is it there, who needs it later, whose quiet line does it cross."""
    names: dict[str, Any] = {"pack": Struct("<fI").pack_into}
    body, tests = ["    values = dict(zip(r.ids, r.values))", "    g = values.get"], list[str]()
    if gate is not None:
        body += [f"    if g({i}) is not None:\n        {gate.first((i,))}" for i in gate.bands if gate.first((i,))]
        body.append(f"    if m[{gate.at}]: return doubt(m, r)")
        for signal_id, (low, high) in gate.bands.items():
            body += [
                f"    v = g({signal_id})",
                f"    if v is not None and not (v >= {low!r} and v <= {high!r}): return doubt(m, r)",
            ]
    for signal_id in sorted({i for line in lines for i in line.fitted.triggers} | set(slots)):
        tests += [f"    v = g({signal_id})", "    if v is not None:"]
        if signal_id in slots:
            tests.append(f"        pack(m, {slots[signal_id]}, v, t)")
        tests += ["    " + _test(line, {signal_id: "v"}) for line in lines if signal_id in line.fitted.triggers]
    return _function(lines, body, tests, "values", lines), names


def _test(line: Line, variables: dict[int, str]) -> str:
    quiet = line.fitted.quiet(variables, line.at)
    return f"    if not ({quiet}): d |= {1 << line.number}" if quiet else f"    d |= {1 << line.number}"


def _function(lines: Sequence[Line], body: list[str], tests: list[str], values: str, looked_at: Sequence[Line]) -> str:
    head, body, tests = ["    t = int(r.ts)"], list(body), list(tests)
    for period in sorted({line.period_s for line in looked_at if line.period_s}):
        name, bucket = re.compile(rf"\bq{period}\b"), f"t // {period} & 255"
        asked = [n for n, test in enumerate(tests) if name.search(test)]
        if len(asked) > 1:
            head.append(f"    q{period} = {bucket}")
        # worked out only where the values before it do not settle the matter
        for n in asked if len(asked) == 1 else ():
            tests[n] = name.sub(f"({bucket})", tests[n])
    head.append("    d = 0")
    told = sum(1 << line.number for line in lines if line.fitted.diagnostics)
    tail = [
        f"    if r.diagnostics is not None: d |= {told}",
        f"    if m[{OPEN_AT}] and (d or t >= calm_until(m, {CALM_AT})[0]): d |= open_rules(m, {MASK_AT})[0]",
    ]
    return (
        "\n".join(["def plan(m, r):", *head, *body, *tests, *tail, f"    return slow(m, r, d, {values}) if d else ()"])
        + "\n"
    )


def _runs(carried: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Slots that lie side by side, so that one pack writes them."""
    runs: list[list[tuple[int, int]]] = []
    for at, signal_id in carried:
        if runs and runs[-1][-1][0] + 8 == at:
            runs[-1].append((at, signal_id))
        else:
            runs.append([(at, signal_id)])
    return runs
