"""What trouble codes mean, in our words: `rules/trouble_codes.toml` handed in as values, and a safe default for what it
lacks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from schemas.verdict import Severity

_FAMILIES = {  # what the standard says of the digit after P0 or P2; the other letters by themselves
    "P00": "fuel and air metering",
    "P01": "fuel and air metering",
    "P02": "injection",
    "P03": "ignition or misfire",
    "P04": "exhaust treatment",
    "P05": "idle and auxiliary inputs",
    "P06": "engine computer",
    "P07": "transmission",
    "P08": "transmission",
    "P09": "transmission",
    "P0A": "hybrid or electric drive",
    "P0B": "hybrid or electric drive",
    "P0C": "hybrid or electric drive",
    "P20": "exhaust treatment",
    "P24": "exhaust treatment",
}
_LETTERS = {"P": "drive train", "C": "chassis and brakes", "B": "body", "U": "communication between control units"}

_SPELLED = re.compile(r"([PCBU][0-3][0-9A-F]{3})(?:-?([0-9A-F]{2}))?")
_FAILURES = (  # J1939-73, failure mode 0 to 21 in our words; 31 is "the condition exists"
    "far too high",
    "far too low",
    "erratic",
    "voltage too high",
    "voltage too low",
    "current too low or circuit open",
    "current too high or shorted to ground",
    "mechanics do not respond",
    "wrong frequency or pulse width",
    "reports too seldom",
    "changes too fast",
    "cause unknown",
    "control unit or part defective",
    "out of calibration",
    "see the maker's instructions",
    "slightly too high",
    "clearly too high",
    "slightly too low",
    "clearly too low",
    "data from the network is wrong",
    "drifted high",
    "drifted low",
)
_WORST, _MILD, _WIRING = (
    {0, 1},
    {15, 17},
    {2, 3, 4},
)  #: most severe level; least severe level; what is measured is wrong, not the part


def canonical(code: str) -> str:
    """The one spelling of a code: p0217, P021700 and P0217-00 are P0217, P03011A is P0301-1A; "" for P0000, which is no
    code.
    """
    code = code.strip().upper()
    found = _SPELLED.fullmatch(code)
    if found is None:
        return code
    base, failure = found.groups()
    if base[1:] == "0000":
        return ""
    return f"{base}-{failure}" if failure not in (None, "00") else base


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
        """The words of a code; a failure type (P0301-1A) falls back to its code, an unknown one to its family: soon,
        gently.
        """
        found = (
            self._words.get(code) or self._words.get(code.partition("-")[0]) or self._words.get(code.partition("/")[0])
        )
        if found is not None:
            return _failing(replace(found, code=code), exact=code in self._words)
        family = _FAMILIES.get(code[:3]) or _LETTERS.get(code[:1])
        if "/" in code:
            family = f"part {code.partition('/')[0]} of the vehicle network"
        return _failing(
            Word(
                code,
                f"Fault stored by the car ({family or 'system unknown'})",
                family or "unknown",
                Severity.SOON,
                "gently",
                known=False,
            )
        )


def _failing(word: Word, *, exact: bool = False) -> Word:
    """The word of a part (980/9) with how it fails; what the table says of this very failure stands."""
    _, slash, mode = word.code.partition("/")
    if exact or not slash or not mode.isdigit():
        return word
    number, severity, drive = int(mode), word.severity, word.drive
    if number in _WORST and severity is not Severity.ADVICE:
        severity, drive = Severity.NOW, "no"
    elif number in _MILD:
        severity, drive = (Severity.SOON, "gently") if severity is Severity.NOW else (Severity.ADVICE, "yes")
    elif number in _WIRING and severity is Severity.NOW:
        severity, drive = Severity.SOON, "gently"
    told = (
        _FAILURES[number]
        if number < len(_FAILURES)
        else "condition exists"
        if number == 31
        else f"failure mode {number}"
    )
    return replace(word, title=f"{word.title}: {told}", severity=severity, drive=drive)


EMPTY = CodeBook()


def word(code: str, table: Mapping[str, Any] | None = None) -> Word:
    """The words of one code from that table."""
    return CodeBook(table).word(code)
