"""The howto for a new rule is followed word by word: its file, its table, its length."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rules.catalogue import RULES
from rules.engine.judge import Judge
from schemas.profile import Profile
from schemas.reading import Reading

HOWTO = Path(__file__).resolve().parents[3] / "docs" / "howto" / "new-rule.md"
BLOCKS = re.findall(r"```python\n(.*?)```", HOWTO.read_text(encoding="utf-8"), re.S)


def test_the_rule_of_the_howto_does_what_its_table_says(
    profiles: dict[str, Profile], codes, reading: Callable[..., Reading], fold: Callable[..., list[Any]]
):
    rule_file, register, table = BLOCKS
    made: dict = {}
    exec(rule_file, made)
    rule = made["RULE"]
    assert register.strip() == f"{rule.name}.RULE,"
    judge = Judge((*RULES, rule), profiles, codes=codes)
    rows = eval(
        "[" + table + "]",
        {
            "FLUID": made["FLUID"],
            "every": lambda minutes, count, **values: [(n * minutes, values) for n in range(count)],
        },
    )
    assert len(rows) == 3
    for name, model, stream, component, severity in rows:
        steps = fold((reading(m, n + 1, **values) for n, (m, values) in enumerate(stream)), model, judge)
        active = [(s.component, s.severity.value) for s in steps if s.rule == name and s.state.value == "active"]
        assert active == ([] if component is None else [(component, severity)])


def test_the_whole_change_is_under_thirty_lines():
    rule_file, register, table = (block.strip().splitlines() for block in BLOCKS)
    assert len(rule_file) + len(register) + len(table) + 1 < 30  # and one line of words
