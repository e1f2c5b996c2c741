"""docs/reference/rules.md, made from the catalogue itself: `python -m telltale.rules_page` writes it."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from rules.catalogue import RULES
from rules.engine.rule import Rule

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "rules.md"
_HEAD = """# Rules

The catalogue in the order of judgement: a cause stands before what it explains away. *Holds* is how long the fault must
show before the
dealer hears of it (0: the rule has its own patience, such as three starts or two dips), *settles* how long it must be
clear before the
alert is resolved, *silent while* names the alerts that explain it, *feed* what it needs of a feed beside its signals: a
rule that cannot decide on what a car's feed brings is listed at that car. This page is made by `python -m
telltale.rules_page`.

| rule | at the desk | drives | what it looks for | holds | settles | silent while | repair proved by | feed |
|---|---|---|---|---|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(_line(rule) for rule in RULES)


def _line(rule: Rule) -> str:
    module = sys.modules[f"rules.catalogue.{rule.name}"]
    words = " ".join((module.__doc__ or "").split())
    drives = ", ".join(rule.drives) or "all"
    muted = ", ".join(rule.muted_by) or "–"
    return (
        f"| `{rule.name}` v{rule.version} | {rule.title} | {drives} | {words} | {_time(rule.hold)} | "
        f"{_time(rule.settle)} | {muted} | {_proof(rule)} | {_feed(rule)} |\n"
    )


def _proof(rule: Rule) -> str:
    proof = rule.proof
    if proof.kind == "none":
        return "the workshop's word"
    if proof.kind == "codes":
        return f"the code gone over {proof.drives} drives"
    name = proof.path.replace("{wheel}.", "").removeprefix("Vehicle.")
    return (
        f"`{name}` in its good band: {proof.readings} readings over {proof.drives} "
        f"drive{'s' if proof.drives > 1 else ''}"
    )


def _feed(rule: Rule) -> str:
    watch, words = rule.watch, []
    if watch is None:
        return "any"
    if watch.every_s is not None:
        words.append(f"a value each {_time(timedelta(seconds=watch.every_s))}")
    if watch.lasts_s:
        words.append(f"for {_time(timedelta(seconds=watch.lasts_s))} in one piece")
    if watch.driving:
        words.append("while driving")
    ages = [
        max(watch.ages.get(path, 0.0) for path in group)
        for group in rule.asks(rule.drives[0] if rule.drives else "petrol")
    ]
    if ages.count(0.0) > 1:
        words.append("in one message")
    elif near := [age for age in ages if 0 < age < 86_400]:
        words.append(f"within {min(near):g} s")
    if watch.codes:
        words.append("lists of trouble codes")
    return ", ".join(words) or "any"


def _time(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    if minutes >= 2_880:
        return f"{minutes / 1440:g} d"
    return f"{minutes / 60:g} h" if minutes >= 120 else f"{minutes:g} min"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
