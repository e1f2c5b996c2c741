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
alert is resolved, *silent while* names the alerts that explain it. This page is made by `python -m
telltale.rules_page`.

| rule | what the desk calls it | drives | what it looks for | holds | settles | silent while | repair is proved by |
|---|---|---|---|---|---|---|---|
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
        f"{_time(rule.settle)} | {muted} | {_proof(rule)} |\n"
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


def _time(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    if minutes >= 2_880:
        return f"{minutes / 1440:g} d"
    return f"{minutes / 60:g} h" if minutes >= 120 else f"{minutes:g} min"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
