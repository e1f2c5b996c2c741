"""The one place where rules become code: a function per vehicle model, and one per set of signals that comes often.

Healthy readings are the rule: the generated function compares each value with its rule's quiet line, writes down the
values that other messages will need, and calls `slow` only with the rules that have something to judge. It decides
nothing itself: a property test folds the same streams with and without it and compares the memories byte by byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

from rules.engine.detector import Fitted
from rules.engine.memory import CALM, CALM_AT, MASK, MASK_AT, OPEN_AT, Memory
from rules.engine.sieve import NowAndThen, Sieve, Wider
from schemas.alert import AlertStep
from schemas.reading import Reading

Slow = Callable[[Memory, Reading, int, dict[int, float]], tuple[AlertStep, ...]]
Plan = Callable[[Memory, Reading], tuple[AlertStep, ...]]
Look = Callable[[Memory, Reading, dict[int, float]], None]


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
    max_age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Gate:
    """What comes before the rules: values outside of these bands, and cars of which something is doubted, go to
    `doubt`.
    """

    at: int  #: the byte that is 0 while nothing is doubted
    bands: Mapping[int, tuple[float, float]]
    doubt: Plan
    looks: NowAndThen | None = None
    look: Look = lambda memory, reading, values: None
    wider: Mapping[int, Wider] = field(default_factory=dict)  #: as a sieve has them

    def first(self, variables: Mapping[int, str]) -> str:
        """Looks at the first message of its period that has one of these; "" where none of them is looked at so."""
        looks = self.looks
        if looks is None or looks.signals.isdisjoint(variables):
            return ""
        read = ", ".join(f"{i}: {variables[i]}" for i in looks.reads if i in variables)
        unless = f"{variables[looks.unless]} <= {looks.above!r} and " if looks.unless in variables else ""
        return f"if {unless}m[{self.at + looks.byte}] != t // {looks.period_s} & 255: look(m, r, {{{read}}})"

    def first_of_any(self) -> list[str]:
        """The same for any message."""
        looks = self.looks
        if looks is None:
            return []
        there = " or ".join(f"{i} in values" for i in sorted(looks.signals))
        return [
            f"    if ({there}) and not g({looks.unless}, 0.0) > {looks.above!r}:",
            f"        if m[{self.at + looks.byte}] != t // {looks.period_s} & 255: look(m, r, values)",
        ]

    def test(self, variables: Mapping[int, str]) -> str:
        """True when the message needs no second look. Not `low <= v <= high`: see gateway/intake/normalise.py."""
        tests = [
            f"{name} >= {self.bands[i][0]!r} and {self._highest(i, variables)}"
            for i, name in variables.items()
            if i in self.bands
        ]
        return " and ".join([f"m[{self.at}] == 0", *tests])

    def _highest(self, signal_id: int, variables: Mapping[int, str]) -> str:
        test = f"{variables[signal_id]} <= {self.bands[signal_id][1]!r}"
        wider = self.wider.get(signal_id)
        if wider is None or (wider.needed and wider.beside not in variables):
            return test
        beside = variables.get(wider.beside)
        above = f"{variables[signal_id]} <= {wider.high!r}" + (f" and {beside} >= {wider.least!r}" if beside else "")
        return f"({test} or {above})"


def gate_of(sieve: Sieve, at: int, doubt: Plan, look: Look) -> Gate:
    """The gate before a sieve whose cell begins at `at`."""
    return Gate(at, sieve.bands, doubt, looks=sieve.now_and_then, look=look, wider=sieve.wider)


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
    read = {i for line in lines for i in (*line.fitted.triggers, line.fitted.quieted_by) if i is not None} | set(slots)
    variables = {i: f"v{i}" for i in sorted(read | set(gate.bands if gate is not None else ()))}
    names["known"] = tuple(variables)
    body, tests = ["    values = dict(zip(r.ids, r.values))", "    g = values.get"], list[str]()
    if gate is not None:
        body += gate.first_of_any()
        body.append(f"    if m[{gate.at}]: return doubt(m, r)")
    body.append(f"    {', '.join(variables.values())}, = map(g, known)")
    for signal_id, (low, high) in gate.bands.items() if gate is not None else ():
        v = variables[signal_id]
        body.append(f"    if {v} is not None and not ({v} >= {low!r} and {v} <= {high!r}): return doubt(m, r)")
    for signal_id in sorted({i for line in lines for i in line.fitted.triggers} | set(slots)):
        tests.append(f"    if {variables[signal_id]} is not None:")
        if signal_id in slots:
            tests.append(f"        pack(m, {slots[signal_id]}, {variables[signal_id]}, t)")
        tests += ["    " + _test_of_any(line, signal_id) for line in lines if signal_id in line.fitted.triggers]
    return _function(lines, body, tests, "values", lines), names


def _test(line: Line, variables: dict[int, str]) -> str:
    quiet = line.fitted.quiet(variables, line.at)
    return f"    if not ({quiet}): d |= {1 << line.number}" if quiet else f"    d |= {1 << line.number}"


def _test_of_any(line: Line, signal_id: int) -> str:
    """The same for a message that has this signal, and perhaps the one that the quiet line reads beside it."""
    beside, alone = line.fitted.quieted_by, {signal_id: f"v{signal_id}"}
    if beside is None or beside == signal_id:
        return _test(line, alone)
    both, one = (line.fitted.quiet(names, line.at) for names in (alone | {beside: f"v{beside}"}, alone))
    if not both or both == one:
        return _test(line, alone)
    quiet = f"v{beside} is not None and ({both})" if not one else f"({both}) if v{beside} is not None else ({one})"
    return f"    if not ({quiet}): d |= {1 << line.number}"


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
