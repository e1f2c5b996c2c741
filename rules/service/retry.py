"""When to try again: full jitter, so that a crowd of failures does not come back as a crowd."""

from __future__ import annotations

BASE_S, CAP_S = 1.0, 300.0
MOST_ATTEMPTS = 12  #: with a cap of five minutes that is about half an hour of a provider's outage, jitter halved


def delay(attempt: int, luck: float, *, base: float = BASE_S, cap: float = CAP_S, at_least: float = 0.0) -> float:
    """Seconds (machine time) before the next try.

    `attempt` counts from 1, `luck` is uniform in 0..1, `at_least` is what the provider asked for.
    """
    return max(at_least, luck * min(cap, base * 2.0 ** min(attempt, 30)))


def exhausted(attempt: int) -> bool:
    """Whether to stop trying and let a person know."""
    return attempt >= MOST_ATTEMPTS
