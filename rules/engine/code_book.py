"""What trouble codes mean, in our words: `rules/trouble_codes.toml` handed in as values, and a safe default for what it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.verdict import Severity

_FAMILIES = {  # what the standard says of the digit after P0 or P2; the other letters by themselves
    "P00": "fuel and air metering", "P01": "fuel and air metering", "P02": "injection", "P03": "ignition or misfire",
    "P04": "exhaust treatment", "P05": "idle and auxiliary inputs", "P06": "engine computer", "P07": "transmission",
    "P08": "transmission", "P09": "transmission", "P0A": "hybrid or electric drive", "P0B": "hybrid or electric drive",
    "P0C": "hybrid or electric drive", "P20": "exhaust treatment", "P24": "exhaust treatment",
}  # fmt: skip
_LETTERS = {"P": "drive train", "C": "chassis and brakes", "B": "body", "U": "communication between control units"}


@dataclass(frozen=True, slots=True)
class Word:
    """A code in plain words. `drive`: yes, gently, no."""

    code: str
    title: str
    system: str
    severity: Severity
    drive: str
    known: bool = True


class CodeBook:
    """The table of `rules/trouble_codes.toml`, handed in as values; what it lacks gets a safe default."""

    def __init__(self, table: Mapping[str, Any] | None = None) -> None:
        self._words: dict[str, Word] = {}
        for group in (table or {}).values():
            for code, (title, system, severity, drive) in group.items():
                self._words[code] = Word(code, title, system, Severity(severity), drive)

    def __len__(self) -> int:
        return len(self._words)

    def word(self, code: str) -> Word:
        """The words of a code; a failure type (P0301-1A) falls back to its code, an unknown one to its family: soon, gently."""
        found = self._words.get(code) or self._words.get(code.partition("-")[0]) or self._words.get(code.partition("/")[0])
        if found is not None:
            return Word(code, found.title, found.system, found.severity, found.drive)
        family = _FAMILIES.get(code[:3]) or _LETTERS.get(code[:1])
        if "/" in code:
            family = f"part {code.partition('/')[0]} of the vehicle network"
        return Word(code, f"Fault stored by the car ({family or 'system unknown'})", family or "unknown", Severity.SOON, "gently", known=False)


EMPTY = CodeBook()


def word(code: str, table: Mapping[str, Any] | None = None) -> Word:
    """The words of one code from that table."""
    return CodeBook(table).word(code)
