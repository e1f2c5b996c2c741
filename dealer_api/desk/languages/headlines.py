"""What a car reports, as a headline: a case keeps it in the dealer's language, and its reader has one of their own."""

from __future__ import annotations

import re
from functools import cache

from rules.catalogue import RULES
from rules.service.wording import Wording

_MARK = "Xq7"  #: stands for a component that is a code of its own: P0301
_COMPONENTS = (
    "",
    "front_left",
    "front_right",
    "rear_left",
    "rear_right",
    "front",
    "rear",
    *(f"axle_{n}" for n in range(1, 6)),
    "malfunction",
    "stop",
    "warning",
    "protect",
)
_known: list[Wording] = []


def known_by(wording: Wording) -> None:
    """The house's words; said once when the desk is set up."""
    if not _known or _known[0] is not wording:
        _known[:] = [wording]
        _table.cache_clear()


def read(language: str, text: str) -> str | None:
    """That headline in this language; None when it is none."""
    if not _known:
        return None
    spoken = language if language in _known[0].languages else "en"
    exact, patterns = _table(spoken)
    lowered = text.lower()
    if lowered in exact:
        return _pseudo(language, exact[lowered])
    for pattern, made in patterns:
        if found := pattern.fullmatch(text):
            return _pseudo(language, made.replace(_MARK, _component(spoken, found[1])))
    return None


def _component(language: str, words: str) -> str:
    """A numbered component (cell 41) in that language; a code as it is."""
    noun, _, number = words.rpartition(" ")
    return _known[0].component(language, f"{noun.lower()}_{number}") if noun and number.isdigit() else words


def _pseudo(language: str, text: str) -> str:
    return text if language in _known[0].languages else f"«{text}»"


@cache
def _table(language: str) -> tuple[dict[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    """(headlines of every language in this one, those with a code in them)."""
    wording, exact, patterns = _known[0], {}, []
    for component in _COMPONENTS:
        if "_" in component:  # as a line of a chart is called; a bare "stop" may be anything
            for tag in wording.languages:
                exact[wording.component(tag, component).lower()] = wording.component(language, component)
    for rule in RULES:
        for severity in ("now", "soon", "advice"):
            for tag in wording.languages:
                for component in _COMPONENTS:
                    theirs = wording.what(tag, rule.name, component, severity)
                    exact[theirs.lower()] = wording.what(language, rule.name, component, severity)
                theirs = wording.what(tag, rule.name, _MARK, severity)
                if _MARK in theirs:
                    before, _, after = theirs.partition(_MARK)
                    pattern = re.compile(f"{re.escape(before)}(.{{1,20}}?){re.escape(after)}", re.IGNORECASE)
                    patterns.append((pattern, wording.what(language, rule.name, _MARK, severity)))
    return exact, tuple(patterns)
