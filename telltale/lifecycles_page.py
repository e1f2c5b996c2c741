"""docs/reference/lifecycles.md, drawn from the tables themselves: `python -m telltale.lifecycles_page` writes it."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from enum import StrEnum
from pathlib import Path
from typing import Any

import schemas
from schemas.lifecycle import Lifecycle

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "lifecycles.md"
_ORDER = (
    *("alert", "case", "offer", "slot", "booking", "pause"),
    *("collection", "return", "message", "quarantine", "correction"),
)
_WHO = {
    "alert": "What the *car* says. Readings and time move it; people never do.",
    "case": "What *people* do about a car. People move it; only its proof (`proved`, `came_back`) comes from the car.",
    "offer": "Two windows that are held for an owner's answer.",
    "slot": "A piece of a driver's, a bay's or a loaner's time. Held counts as taken.",
    "booking": "An agreed visit.",
    "pause": "A wait of the work on a car that is here. The visit's own state stays what it is.",
    "collection": "The drive that fetches the car: the first three of the driver's five steps.",
    "return": "The drive that brings it back: the last two.",
    "message": "One text in the outbox.",
    "quarantine": "A message of a car that was not believed. People move it.",
    "correction": "A unit in which a car says a signal in place of ours, as it was proposed. People move it.",
}


def lifecycles() -> dict[str, Lifecycle[Any, Any]]:
    """Every table in `schemas`, by its noun."""
    found = {}
    for module in pkgutil.iter_modules(schemas.__path__):
        for value in vars(importlib.import_module(f"schemas.{module.name}")).values():
            if isinstance(value, Lifecycle):
                found[value.noun] = value
    return dict(sorted(found.items(), key=lambda item: _ORDER.index(item[0]) if item[0] in _ORDER else len(_ORDER)))


def meanings(kind: type[StrEnum]) -> dict[str, str]:
    """What the members of an enumeration mean: the comments beside them."""
    source = inspect.getsource(kind).splitlines()
    found = {}
    for node in ast.walk(ast.parse("\n".join(source))):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            comment = re.search(r"#: (.*)$", source[node.lineno - 1])
            found[str(node.value.value)] = comment[1] if comment else ""
    return found


def page() -> str:
    """The whole page."""
    parts = [
        "# Lifecycles",
        "",
        "A lifecycle is a table beside its noun in `schemas/`. What is not written there cannot happen: every move is "
        "a guarded",
        "`UPDATE … WHERE id = $1 AND state = $2`, and every move writes one row of history with its reason and who "
        "made it. The desk draws",
        "its buttons from the same tables. This page is made by `python -m telltale.lifecycles_page`.",
        "",
    ]
    for noun, table in lifecycles().items():
        parts += _section(noun, table)
    return "\n".join(parts).rstrip() + "\n"


def _section(noun: str, table: Lifecycle[Any, Any]) -> list[str]:
    meaning = meanings(type(table.start))
    events = {event: meanings(type(event)) for moves in table.moves.values() for event in moves}
    lines = [
        f"## {noun.capitalize()}",
        "",
        _WHO.get(noun, ""),
        "",
        "```mermaid",
        table.diagram(),
        "```",
        "",
        "| from | by | to |",
        "|---|---|---|",
    ]
    for state, moves in table.moves.items():
        for event, to in moves.items():
            why = events[event].get(event.value, "")
            lines.append(f"| {state.value} | {event.value}{f': {why}' if why else ''} | {to.value} |")
    told = [f"- **{state.value}**: {meaning[state.value]}" for state in table.moves if meaning.get(state.value)]
    return [*lines, "", *([*told, ""] if told else [])]


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
