"""How well a wish for no more texts is heard, and that a car is sold or a number wrong: sentences of ours in four
languages (`proofs/stop_words.toml`, `proofs/verbs.toml`), each misheard one named. A named word that is not heard, or
more misses than are allowed, is a violation.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from rules.service.replies import Asked, Meaning, understand
from schemas.errors import Misconfigured

SWITCHES = ("words-only", "verbs-anywhere")
HEARD: Final = 0.98  #: of the sentences that ask for it, at least
FALSE: Final = 0.01  #: of the others, at most
_CORPUS = Path(__file__).with_name("stop_words.toml")
_VERBS = Path(__file__).with_name("verbs.toml")
_ASKED = Asked(cars=("Volkswagen Golf", "VW Golf", "HH-NL 100"), names=("Emma Clarke", "إيما"))
_SOLD_OR_WRONG = (Meaning.SOLD.value, Meaning.WRONG.value)


async def main(settings: Any, *, sabotage: str | None) -> dict[str, Any]:
    """Green when named words are all heard, and sentences and false stops are within what is allowed."""
    if sabotage is not None and sabotage not in SWITCHES:
        raise Misconfigured("--sabotage", f"is one of {', '.join(SWITCHES)}")
    return run(sabotage)


def run(sabotage: str | None = None) -> dict[str, Any]:
    """Over all languages."""
    corpus = tomllib.loads(_CORPUS.read_text(encoding="utf-8"))
    by = {
        kind: [(tag, one) for tag, said in corpus.items() for one in said[kind]]
        for kind in ("named", "stops", "others")
    }
    unnamed = [f"{tag}: {one}" for tag, one in by["named"] if not _stop(one, sabotage)]
    unheard = [f"{tag}: {one}" for tag, one in by["stops"] if not _stop(one, sabotage)]
    wrong = [f"{tag}: {one}" for tag, one in by["others"] if _stop(one, sabotage)]
    share = 1 - len(unheard) / len(by["stops"])
    false = len(wrong) / len(by["others"])
    verbs = _verbs(sabotage)
    return {
        "checked": sum(map(len, by.values())) + verbs.pop("checked"),
        "languages": sorted(corpus),
        "heard": round(share, 4),
        "false_stops": round(false, 4),
        "named_not_heard": unnamed,
        "not_heard": unheard,
        "heard_wrongly": wrong,
        "violations": len(unnamed)
        + (share < HEARD) * len(unheard)
        + (false > FALSE) * len(wrong)
        + verbs.pop("violations"),
        **verbs,
        "sabotage": sabotage,
    }


def _verbs(sabotage: str | None) -> dict[str, Any]:
    """SOLD and WRONG take something away from somebody: they are heard as surely as STOP, and falsely even less."""
    corpus = tomllib.loads(_VERBS.read_text(encoding="utf-8"))
    asked = [(tag, verb, one) for tag, said in corpus.items() for verb in _SOLD_OR_WRONG for one in said[verb]]
    others = [(tag, one) for tag, said in corpus.items() for one in said["others"]]
    unheard = [f"{tag}: {one}" for tag, verb, one in asked if _verb(one, sabotage) != verb]
    false = [f"{tag}: {one}" for tag, one in others if _verb(one, sabotage) in _SOLD_OR_WRONG]
    share = 1 - len(unheard) / len(asked)
    return {
        "checked": len(asked) + len(others),
        "verbs_heard": round(share, 4),
        "verbs_not_heard": unheard,
        "verbs_heard_wrongly": false,
        "violations": (share < HEARD) * len(unheard) + len(false),
    }


def _verb(body: str, sabotage: str | None) -> str:
    """`verbs-anywhere`: as whoever looks for "sold" or "wrong" anywhere in a text."""
    if sabotage == "verbs-anywhere":
        plain = body.lower()
        return next((verb for verb in _SOLD_OR_WRONG if verb in plain), "other")
    return understand(body, _ASKED).meaning.value


def _stop(body: str, sabotage: str | None) -> bool:
    """`words-only`: as whoever looks for the word STOP anywhere in a text."""
    if sabotage == "words-only":
        return "stop" in body.lower()
    return understand(body, Asked()).meaning is Meaning.STOP
