"""How well a wish for no more texts is heard: sentences of ours in four languages (`proofs/stop_words.toml`), each
misheard
one named. A named word that is not heard, or more misses than are allowed, is a violation.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from rules.service.replies import Asked, Meaning, understand
from schemas.errors import Misconfigured

SWITCHES = ("words-only",)
HEARD: Final = 0.98  #: of the sentences that ask for it, at least
FALSE: Final = 0.01  #: of the others, at most
_CORPUS = Path(__file__).with_name("stop_words.toml")


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
    return {
        "checked": sum(map(len, by.values())),
        "languages": sorted(corpus),
        "heard": round(share, 4),
        "false_stops": round(false, 4),
        "named_not_heard": unnamed,
        "not_heard": unheard,
        "heard_wrongly": wrong,
        "violations": len(unnamed) + (share < HEARD) * len(unheard) + (false > FALSE) * len(wrong),
        "sabotage": sabotage,
    }


def _stop(body: str, sabotage: str | None) -> bool:
    """`words-only`: as whoever looks for the word STOP anywhere in a text."""
    if sabotage == "words-only":
        return "stop" in body.lower()
    return understand(body, Asked()).meaning is Meaning.STOP
