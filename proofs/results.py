"""The last result of each proof: proofs/results.json, written by `telltale prove … --record` and shown on
docs/reference/promises.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from telltale.data import ROOT

FILE = ROOT / "proofs" / "results.json"


@dataclass(frozen=True)
class Result:
    """How one run ended: `size` in words, `checked` things looked at, `violations` of what is promised."""

    on: str
    size: str
    checked: int
    violations: int

    def __str__(self) -> str:
        return f"{self.on}: {self.size}, {self.checked:,} checked, {self.violations:,} violations"


def name(part: str, options: Mapping[str, Any]) -> str:
    """The command without its size: what is run again replaces what was. A switch must be red on whichever broker."""
    if options.get("sabotage"):
        return f"{part} --sabotage {options['sabotage']}"
    return f"{part} --broker {options['broker']}" if "broker" in options else part


def size(options: Mapping[str, Any], checked: int) -> str:
    """How many faults, races or messages it was asked for; of a proof that is what its tests are, how many those
    were.
    """
    unit = next((option for option in ("trials", "messages", "calls", "events") if option in options), None)
    many = f" of {options['rivals']:,} rivals" if "rivals" in options else ""
    return f"{options[unit]:,} {unit}{many}" if unit else f"{checked} tests"


def read() -> dict[str, Result]:
    """By command."""
    return (
        {command: Result(**fields) for command, fields in json.loads(FILE.read_text(encoding="utf-8")).items()}
        if FILE.exists()
        else {}
    )


def record(part: str, options: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Keep this result in place of the last one of the same command, green or red."""
    checked = facts.get("checked", facts.get("stored", 0))
    result = Result(datetime.now(UTC).date().isoformat(), size(options, checked), checked, facts["violations"])
    known = {**read(), name(part, options): result}
    FILE.write_text(
        json.dumps({command: asdict(one) for command, one in sorted(known.items())}, indent=1) + "\n", encoding="utf-8"
    )
